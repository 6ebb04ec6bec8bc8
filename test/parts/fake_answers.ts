import { generateKeyPairSync, sign } from 'node:crypto'
import type { ProviderFields } from '../../server/src/providers/provider.ts'
import type { ExpiryForm, TokenResponse } from '../../server/src/providers/quirks.ts'
import { type Described, fill, put, REGISTRATION } from './fake_record.ts'

/** What a token endpoint tells, before it takes the provider's shape. */
export interface Told {
  readonly access_token: string
  readonly refresh_token: string | null
  readonly expires_in: number | null
  readonly refresh_token_expires_in: number | null
  readonly scopes: readonly string[] | null
  /** The scope as a JSON array instead of text. */
  readonly scope_as_list: boolean
  readonly id_token: string | null
  readonly extra: Readonly<Record<string, unknown>>
}

/** A body as it goes out. */
export interface Body {
  readonly status: number
  readonly type: string
  readonly text: string
}

/** A JSON answer. */
export function jsonBody(body: unknown, status = 200): Body {
  return { status, type: 'application/json', text: JSON.stringify(body) }
}

/** Writes a token answer in the shape that a record says. */
export function shapeTokens(fields: ProviderFields, shape: TokenResponse, told: Told, now: number): Body {
  const body: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(told.extra)) put(body, path, value)
  put(body, shape.access_token, told.access_token)
  if (!shape.token_type_optional) put(body, shape.token_type, shape.token_types[0])
  const { expires, refresh_token_expires: refresh, scope } = shape
  const expires_in = expires.zero === 'never' ? 0 : told.expires_in
  if (expires_in !== null) put(body, expires.path, formExpiry(expires.form, expires_in, now))
  if (told.refresh_token !== null) put(body, shape.refresh_token, told.refresh_token)
  if (refresh && told.refresh_token_expires_in !== null) {
    put(body, refresh.path, formExpiry(refresh.form, told.refresh_token_expires_in, now))
  }
  if (told.scopes !== null) {
    put(body, scope.path, told.scope_as_list ? told.scopes : told.scopes.join(scope.separator))
  }
  if (told.id_token !== null) put(body, shape.id_token, told.id_token)
  // Some say the token twice: the second one must not lie about.
  body['token'] = told.access_token
  if (fields.error_response.within_200 instanceof Object) {
    const { path, equals } = fields.error_response.within_200
    put(body, path, typeof equals === 'boolean' ? !equals : 'fine')
  }
  return writeBody(shape, body, 200)
}

function writeBody(shape: TokenResponse, body: Record<string, unknown>, status: number): Body {
  if (shape.format === 'json') return jsonBody(body, status)
  const pairs = Object.entries(body).map(([name, value]) => [name, String(value)])
  return { status, type: 'application/x-www-form-urlencoded', text: String(new URLSearchParams(pairs)) }
}

function formExpiry(form: ExpiryForm, seconds: number, now: number): unknown {
  if (form === 'seconds') return seconds
  const end = now + seconds * 1000
  if (form === 'iso8601') return new Date(end).toISOString()
  return form === 'epoch_milliseconds' ? end : Math.round(end / 1000)
}

/** An error answer in the shape that a record says. */
export function shapeError({ error_response }: ProviderFields, shape: TokenResponse, code: string, place = 0): Body {
  const { within_200, error, error_description } = error_response
  const body: Record<string, unknown> = {}
  put(body, error_description[place] ?? error_description[0]!, 'It is not so.')
  // Where a sentence is the code, it is the description too.
  put(body, error[place]!, /^\d+$/.test(code) ? Number(code) : code)
  if (within_200 instanceof Object) put(body, within_200.path, within_200.equals)
  return writeBody(shape, body, within_200 === null ? 400 : 200)
}

/** A code of the provider's own for a meaning, or the standard one. */
export function codeFor({ error_response }: ProviderFields, meaning: string): string {
  return Object.entries(error_response.meanings).find(([, own]) => own === meaning)?.[0] ?? meaning
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** The keys of every fake provider. */
export const KEYS = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' }] }

/** An ID token as the record says whose it is. */
export function signIdToken(described: Described, claims: Readonly<Record<string, unknown>>, now: number): string {
  const { fields, placeholders } = described
  const rule = fields.id_token_issuer
  const applies = Object.entries(rule?.when ?? {}).every(([name, among]) => among.includes(placeholders[name] ?? ''))
  const tid = 'f00d0000'
  const iss = rule && applies ? rule.template.replace('{tid}', tid) : fill(described, fields.issuer!)
  const iat = Math.floor(now / 1000)
  const payload = { iss, aud: REGISTRATION.client_id, iat, exp: iat + 600, tid, ...claims }
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encode({ alg: 'ES256', kid: 'k1' })}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
