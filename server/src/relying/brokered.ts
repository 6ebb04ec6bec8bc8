import { cleanText } from './clean_text.ts'
import type { RelyingParty } from './context.ts'
import type { ClientRefused, Refused, Throttled, TokenOutcome, Tokens } from './outcome.ts'
import { unknownOutcome } from './outcome.ts'
import { type Json, type JsonObject, readJsonObject } from './read_json.ts'

/** What a primary gives a broker for one flow, sealed to it. */
export interface BrokerCredential {
  /** Where the broker sends the browser, with the state below in it. */
  readonly authorization_url: string
  readonly state: string
  readonly provider_name: string
  /** Whom the person works for with this: the primary's name for itself. */
  readonly primary_name: string
  /** What came back is sealed to this key, which is of this flow alone. */
  readonly seal_to: { readonly kty: string; readonly crv: string; readonly x: string }
  /** Where the browser goes on at the primary. */
  readonly finish_uri: string
  /** Milliseconds since the epoch. */
  readonly expires_at: number
  /** What redeems the code; null where the code is passed on. */
  readonly exchange: {
    readonly party: Omit<RelyingParty, 'private_key' | 'proof_key' | 'identity'>
    readonly code_verifier: string | null
    readonly nonce: string | null
  } | null
}

/** What a broker brings: the parameters of the callback, and what it redeemed its code for, if it did. */
export interface BrokerDelivery {
  readonly params: string
  readonly exchanged: unknown
}

/** An outcome as it travels: causes stay where they are. */
export function writeOutcome(outcome: TokenOutcome): object {
  const { kind, ...rest } = outcome
  if (outcome.kind !== 'unknown') return { kind, ...rest }
  const { sent, status, retry_after_seconds } = outcome
  return { kind, sent, status, retry_after_seconds }
}

/** Reads a delivery. A broker is believed no more than a provider: what does not fit is refused. */
export function readDelivery(text: string): { params: URLSearchParams; exchanged: TokenOutcome | null } {
  const { params, exchanged } = readJsonObject(text)
  if (typeof params !== 'string') throw new Error('The delivery has no params')
  return { params: new URLSearchParams(params), exchanged: exchanged === null ? null : readOutcome(exchanged ?? {}) }
}

function readOutcome(given: Json): TokenOutcome {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new Error('The delivery has no outcome')
  const outcome = given as JsonObject
  const { kind } = outcome
  if (kind === 'tokens') return readTokens(outcome)
  if (kind === 'refused' || kind === 'client_refused') return readRefusal(kind, outcome)
  const pause = seconds(outcome['retry_after_seconds'])
  if (kind === 'throttled') return { kind, retry_after_seconds: pause } satisfies Throttled
  if (kind !== 'unknown') throw new Error('The delivery has an outcome of no known kind')
  const cause = new Error('The provider did not answer the broker')
  const status = seconds(outcome['status'])
  return unknownOutcome(cause, {
    ...{ sent: outcome['sent'] !== false, retry_after_seconds: pause },
    ...(status !== null && { status }),
  })
}

function readRefusal(kind: 'refused' | 'client_refused', outcome: JsonObject): Refused | ClientRefused {
  const said = (name: string) => cleanText(outcome[name])
  const [error, provider_error] = [said('error').slice(0, 100), said('provider_error').slice(0, 100)]
  return { kind, error, provider_error, error_description: said('error_description') }
}

function readTokens(outcome: JsonObject): Tokens {
  const { access_token, token_type, extra, expires_in, refresh_token_expires_in: ends } = outcome
  if (!isText(access_token) || !isText(token_type)) throw new Error('The delivery has no access_token')
  const orNull = (name: string) => (isText(outcome[name]) ? (outcome[name] as string) : null)
  return {
    ...{ kind: 'tokens', access_token, token_type },
    expires_in: expires_in === 'unknown' ? expires_in : seconds(expires_in),
    refresh_token: orNull('refresh_token'),
    refresh_token_expires_in: ends === 'never' ? 'never' : seconds(ends),
    scope: typeof outcome['scope'] === 'string' ? outcome['scope'] : null,
    id_token: orNull('id_token'),
    extra: typeof extra === 'object' && extra !== null && !Array.isArray(extra) ? (extra as JsonObject) : {},
    warnings: [],
  }
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && /^[\x20-\x7e]+$/.test(value)
}

function seconds(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null
}
