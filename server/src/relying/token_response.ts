import type { ExpiryForm, TokenResponse } from '../providers/quirks.ts'
import type { ResolvedProvider } from '../providers/resolve.ts'
import { isErrorWithin200, readErrorResponse, readRetryAfter } from './error_response.ts'
import { type TokenOutcome, type Tokens, type Unknown, unknownOutcome } from './outcome.ts'
import { type Json, type JsonObject, readJsonObject, takePath } from './read_json.ts'

const LONGEST_TOKEN = 16_384
const LONGEST_LIFE_SECONDS = 100 * 365 * 86_400
const MOST_EXTRA_MEMBERS = 32
const MOST_EXTRA_CHARACTERS = 8_192

/** What reading an answer needs besides the answer. */
export interface Reading {
  readonly now: number
  /** What was sent and must not come back in an error text. */
  readonly secrets: readonly string[]
  readonly refresh: boolean
  /** Whether a proof of a key was sent, to which tokens of type DPoP are bound (RFC 9449 section 5), and whether others will do. */
  readonly proof?: 'none' | 'sent' | 'missing'
}

/**
 * Reads the answer of a token endpoint (RFC 6749 sections 5.1 and 5.2) and decides what is definite. It is lenient in
 * what the provider's record names and in nothing else; what is not a complete answer is unknown, never a refusal.
 */
export async function readTokenResponse(
  provider: ResolvedProvider,
  response: Response,
  reading: Reading,
): Promise<TokenOutcome> {
  const { status } = response
  const retry_after_seconds = readRetryAfter(response.headers, reading.now)
  const shape = (reading.refresh ? provider.refresh_response : null) ?? provider.token_response
  let body: JsonObject
  try {
    body = readBody(shape, await response.text())
  } catch (cause) {
    if (status === 429) return { kind: 'throttled', retry_after_seconds }
    if (isClientChallenge(response)) return refuseClient()
    return unknownOutcome(cause, { sent: true, status, retry_after_seconds })
  }
  if (status === 429) return { kind: 'throttled', retry_after_seconds }
  if (status >= 200 && status < 300 && !isErrorWithin200(provider.error_response, body)) {
    return readIssued(provider, shape, body, reading, status)
  }
  // A server that failed may have decided all the same, whatever it says.
  if (status >= 500 || (status >= 300 && status < 400)) {
    return unknownOutcome(new Error(`The provider answered with status ${status}`), { status, retry_after_seconds })
  }
  const refusal = readErrorResponse(provider.error_response, body, status, retry_after_seconds, reading.secrets)
  if (refusal) return refusal
  if (isClientChallenge(response)) return refuseClient()
  return unknownOutcome(new Error(`The provider answered with status ${status} and no error`), { status })
}

// RFC 6749 section 5.2: 401 with a challenge for client credentials says invalid_client, even without a body.
function isClientChallenge(response: Response): boolean {
  return response.status === 401 && /^basic\b/i.test(response.headers.get('www-authenticate') ?? '')
}

function refuseClient(): TokenOutcome {
  return { kind: 'client_refused', error: 'invalid_client', provider_error: '', error_description: '' }
}

function readBody(shape: TokenResponse, text: string): JsonObject {
  if (shape.format === 'json') return readJsonObject(text)
  return Object.fromEntries(new URLSearchParams(text))
}

/** Reads what was issued. A refresh token is read first: what is wrong beside it must not cost what took the place of ours. */
function readIssued(
  provider: ResolvedProvider,
  shape: TokenResponse,
  body: JsonObject,
  reading: Reading,
  status: number,
): Tokens | Unknown {
  let refresh_token: string | null = null
  try {
    refresh_token = readToken(takePath(body, shape.refresh_token), 'refresh_token')
    return readTokens(provider, shape, body, refresh_token, reading)
  } catch (cause) {
    // Where the access token renews itself, nothing but the next one takes its place.
    const renews = reading.refresh && provider.refresh_grant?.sends !== 'access_token'
    return unknownOutcome(cause, { sent: true, status, successor: renews ? refresh_token : null })
  }
}

/** Reads tokens out of a body, which is used up: what is left of it is the extra part. */
function readTokens(
  provider: ResolvedProvider,
  shape: TokenResponse,
  body: JsonObject,
  refresh_token: string | null,
  reading: Reading,
): Tokens {
  const { now } = reading
  const warnings: string[] = []
  const access_token = readToken(takePath(body, shape.access_token), 'access_token')
  if (access_token === null) throw new Error('The answer holds no access_token')
  const token_type = readTokenType(provider, shape, takePath(body, shape.token_type), reading.proof ?? 'none')
  const id_token = readIdToken(takePath(body, shape.id_token), reading, warnings)
  const told = readExpiry(takePath(body, shape.expires.path), shape.expires.form, now, 'expires_in', warnings)
  const never = told === 0 && shape.expires.zero === 'never'
  const refreshExpiry = shape.refresh_token_expires
  const refreshTold =
    refreshExpiry &&
    readExpiry(takePath(body, refreshExpiry.path), refreshExpiry.form, now, 'refresh_token_expires_in', warnings)
  const refreshNever = refreshTold === 0 && refreshExpiry?.zero === 'never'
  return {
    kind: 'tokens',
    access_token,
    token_type,
    expires_in: never ? null : (told ?? provider.access_token_seconds),
    refresh_token,
    refresh_token_expires_in: refreshNever ? 'never' : refreshTold,
    scope: readScope(shape, takePath(body, shape.scope.path), warnings),
    id_token,
    extra: readExtra(body, [access_token, refresh_token, id_token], warnings),
    warnings,
  }
}

function readToken(value: Json | undefined, name: string): string | null {
  if (value === undefined || value === null || value === '') return null
  // RFC 6749 appendix A: tokens are printable ASCII, and only such a text is safe in a header.
  if (typeof value !== 'string' || value.length > LONGEST_TOKEN || !/^[\x20-\x7e]+$/.test(value)) {
    throw new Error(`The ${name} of the answer is not a token`)
  }
  return value
}

// Nothing rests on the ID token of a refresh: one that cannot be read must not cost the tokens beside it.
function readIdToken(value: Json | undefined, { refresh }: Reading, warnings: string[]): string | null {
  try {
    return readToken(value, 'id_token')
  } catch (cause) {
    if (!refresh) throw cause
    warnings.push('The id_token of the answer is not a token and is ignored')
    return null
  }
}

function readTokenType(
  { dpop }: ResolvedProvider,
  shape: TokenResponse,
  value: Json | undefined,
  proof: NonNullable<Reading['proof']>,
): 'Bearer' | 'DPoP' {
  if (proof === 'sent' && typeof value === 'string' && value.toLowerCase() === 'dpop') return 'DPoP'
  if (proof !== 'none' && dpop === 'required') throw new Error('The tokens of the answer are not bound')
  if (value === undefined && shape.token_type_optional) return 'Bearer'
  // RFC 6749 section 7.1: a token of a type that is not understood must not be used.
  if (typeof value !== 'string' || !shape.token_types.includes(value.toLowerCase())) {
    throw new Error('The token_type of the answer is not understood')
  }
  return 'Bearer'
}

function readExpiry(
  value: Json | undefined,
  form: ExpiryForm,
  now: number,
  name: string,
  warnings: string[],
): number | null {
  if (value === undefined || value === null) return null
  const seconds = readSeconds(value, form, now)
  if (Number.isFinite(seconds) && seconds >= 0 && seconds <= LONGEST_LIFE_SECONDS) return Math.floor(seconds)
  warnings.push(`The ${name} of the answer is not a time and is ignored`)
  return null
}

function readSeconds(value: Json, form: ExpiryForm, now: number): number {
  if (form === 'iso8601') {
    return typeof value === 'string' ? Math.max(0, (Date.parse(value) - now) / 1000) : Number.NaN
  }
  const number = typeof value === 'string' && /^\d{1,16}(\.\d+)?$/.test(value) ? Number(value) : value
  if (typeof number !== 'number') return Number.NaN
  if (form === 'seconds' || number === 0) return number
  return Math.max(0, number / (form === 'epoch_milliseconds' ? 1000 : 1) - now / 1000)
}

function readScope(shape: TokenResponse, value: Json | undefined, warnings: string[]): string | null {
  if (value === undefined || value === null) return null
  const parts = Array.isArray(value) ? value : typeof value === 'string' ? [value] : []
  const scopes = parts.flatMap((part) => (typeof part === 'string' ? part.split(/[\s]+/) : ['\0']))
  const split = scopes.flatMap((scope) => scope.split(shape.scope.separator)).filter((scope) => scope !== '')
  // RFC 6749 section 3.3: scope-token.
  if (
    (Array.isArray(value) || typeof value === 'string') &&
    split.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))
  ) {
    return [...new Set(split)].join(' ')
  }
  warnings.push('The scope of the answer is not a scope and is ignored')
  return null
}

// A token that comes twice would lie among what is not a secret.
function readExtra(body: JsonObject, tokens: readonly Json[], warnings: string[]): JsonObject {
  const extra: JsonObject = {}
  let members = 0
  let characters = 0
  for (const [name, value] of Object.entries(body)) {
    if (typeof value === 'string' && tokens.includes(value)) continue
    const size = name.length + JSON.stringify(value).length
    if (name === '__proto__' || ++members > MOST_EXTRA_MEMBERS || characters + size > MOST_EXTRA_CHARACTERS) {
      warnings.push('The answer holds more than is kept')
      break
    }
    characters += size
    extra[name] = value
  }
  return extra
}
