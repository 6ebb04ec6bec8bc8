import { OAuthError } from './errors.ts'

/** Parameters of one request, each once by its name; `resource` and `audience` may repeat (RFC 8707, RFC 8693). */
export interface Params {
  readonly values: Readonly<Record<string, string>>
  readonly resource: readonly string[]
  readonly audience: readonly string[]
}

const LONGEST_NAME = 64
const LONGEST_VALUE = 16_384

/**
 * Reads form data or a query string. Empty parameters count as absent, unknown ones are kept for their reader,
 * repeated ones are refused by name (RFC 6749 sections 3.1 and 3.2), so is what is not UTF-8.
 */
export function readParams(text: string): Params {
  const { params, add } = collect()
  for (const pair of text.split('&')) if (pair !== '') add(pair)
  return params
}

// A request that has more wrong parameters than this is not worth reading on.
const MOST_REFUSALS = 8

/**
 * Reads the parameters of a request whose refusals go to a redirect URI (RFC 6749 section 4.1.2.1): one that is
 * repeated or cannot be read is left out, and its refusal is told under its name.
 */
export function readSoundParams(text: string): { params: Params; refusals: ReadonlyMap<string, OAuthError> } {
  const { params, add } = collect()
  const refusals = new Map<string, OAuthError>()
  let count = 0
  for (const pair of text.split('&')) {
    try {
      if (pair !== '') add(pair)
    } catch (error) {
      if (!(error instanceof OAuthError) || ++count > MOST_REFUSALS) throw error
      refusals.set(readName(pair), error)
    }
  }
  const values: Record<string, string> = Object.assign(Object.create(null), params.values)
  for (const name of refusals.keys()) delete values[name]
  return { params: { ...params, values }, refusals }
}

function collect(): { params: Params; add(pair: string): void } {
  const values: Record<string, string> = Object.create(null)
  const resource: string[] = []
  const audience: string[] = []
  const add = (pair: string) => {
    const equals = pair.indexOf('=')
    const name = decode(equals < 0 ? pair : pair.slice(0, equals), 'A parameter name')
    checkName(name)
    addParam(values, resource, audience, name, equals < 0 ? '' : decode(pair.slice(equals + 1), `Parameter ${name}`))
  }
  return { params: { values, resource, audience }, add }
}

function readName(pair: string): string {
  const [name = ''] = pair.split('=', 1)
  try {
    return decode(name, '')
  } catch {
    return name
  }
}

/** Reads parameters from a JSON object, for a client configured to send them so. */
export function readJsonParams(text: string): Params {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new OAuthError('invalid_request', 'The body is not JSON', { cause })
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) {
    throw new OAuthError('invalid_request', 'The body must be a JSON object')
  }
  const values: Record<string, string> = Object.create(null)
  const resource: string[] = []
  const audience: string[] = []
  for (const [name, value] of Object.entries(parsed)) {
    checkName(name)
    const list = (name === 'resource' || name === 'audience') && Array.isArray(value) ? value : [value]
    for (const item of list) {
      if (typeof item !== 'string') throw new OAuthError('invalid_request', `Parameter ${name} must be a string`)
      addParam(values, resource, audience, name, item)
    }
  }
  return { values, resource, audience }
}

/** The value of a parameter that must be there. */
export function requireParam(params: Params, name: string): string {
  const value = params.values[name]
  if (value === undefined) throw new OAuthError('invalid_request', `Parameter ${name} is missing`)
  return value
}

function checkName(name: string): void {
  if (name.length > LONGEST_NAME) throw new OAuthError('invalid_request', 'A parameter name is too long')
}

function addParam(
  values: Record<string, string>,
  resource: string[],
  audience: string[],
  name: string,
  value: string,
): void {
  if (value === '') return
  if (value.length > LONGEST_VALUE) throw new OAuthError('invalid_request', `Parameter ${name} is too long`)
  if (value.includes('\0')) throw new OAuthError('invalid_request', `Parameter ${name} contains a NUL character`)
  if (name === 'resource') resource.push(value)
  else if (name === 'audience') audience.push(value)
  else if (name in values) throw new OAuthError('invalid_request', `Parameter ${name} is given more than once`)
  else values[name] = value
}

function decode(text: string, what: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch (cause) {
    throw new OAuthError('invalid_request', `${what} is not UTF-8 in percent-encoding`, { cause })
  }
}
