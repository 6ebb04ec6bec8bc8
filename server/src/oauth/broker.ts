import { type OkpJwk, readOkpJwk } from '../crypto/agreement_keys.ts'
import { equalBytes } from '../crypto/hash.ts'
import { readVerifyingKey, type VerifyingKey } from '../crypto/signing_keys.ts'
import { type Json, readText, refusal } from './clients/metadata_member.ts'
import { OAuthError } from './errors.ts'

/** A redirect broker as the operator of its primary knows it. */
export interface Broker {
  /** Where browsers reach it, without a trailing slash; also its name in messages. */
  readonly url: string
  /** Whether it exchanges codes, and so sees tokens, or passes them on. */
  readonly mode: 'exchange' | 'relay'
  /** Keys that it signs with, by name: several while they are rotated. */
  readonly verifying_keys: ReadonlyMap<string, VerifyingKey>
  /** What is sealed to it is sealed to this one. */
  readonly seal_to: OkpJwk
}

/** What a broker asks its primary, as signed claims. */
export interface BrokerRequest {
  readonly iss: string
  readonly aud: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  /** `hello` asks whether the broker is registered, and is about no flow. */
  readonly act: 'hello' | 'open' | 'check' | 'deliver'
  /** What names the flow. */
  readonly flow: string
  /** Of `deliver`: what came back, sealed to the flow's own key. */
  readonly sealed?: string
  /** Of `deliver`: the hash of what the browser brings to finish. */
  readonly receipt_hash?: string
}

/** `typ` of what a broker signs, and of what its primary answers: neither is any kind of token. */
export const BROKER_REQUEST_TYP = 'broker-request+jwt'
/** The answer's. */
export const BROKER_ANSWER_TYP = 'broker-answer+jwt'
/** `typ` of what a primary seals to a broker, and of what a broker seals to a flow. */
export const BROKER_CREDENTIAL_TYP = 'broker-credential+jwe'
/** The delivery's. */
export const BROKER_DELIVERY_TYP = 'broker-delivery+jwe'

/** How long a message may be under way; a form that a browser carries has until its flow ends. */
export const MESSAGE_SECONDS = 60
/** The longest life of a message: that of a flow. */
export const LONGEST_MESSAGE_SECONDS = 600
const TOLERANCE_SECONDS = 30
const MOST_BROKERS = 50
const MOST_KEYS = 4
const HASH = /^[\w-]{43}$/

/** The redirect URI of a broker, to register at providers. */
export function brokerRedirectUri(url: string): string {
  return `${url}/callback`
}

/** Reads the setting `brokers`; refuses an empty or a repeated entry (V2), and a key that two of them would have. */
export function readBrokers(list: readonly Json[]): Broker[] {
  if (list.length > MOST_BROKERS) throw refusal('brokers', `must have at most ${MOST_BROKERS} entries`)
  const brokers = list.map(readBroker)
  refuseRepeated(
    'url',
    brokers.map(({ url }) => url),
  )
  refuseRepeated(
    'keys',
    brokers.flatMap(({ verifying_keys }) => [...verifying_keys.keys()]),
  )
  return brokers
}

/** What is wrong with the setting, or null. */
export function whyNoBrokers(list: readonly Json[]): string | null {
  try {
    readBrokers(list)
    return null
  } catch (error) {
    if (error instanceof OAuthError) return error.error_description.replace(/^Member /, '')
    throw error
  }
}

function readBroker(json: Json): Broker {
  const strange = Object.keys(json).find((name) => !['url', 'mode', 'keys'].includes(name))
  if (strange !== undefined) throw refusal(strange, 'is not one of url, mode, keys')
  const url = readText(json, 'url', 1024)
  if (url === undefined) throw refusal('url', 'is missing or empty')
  if (!isBrokerUrl(url))
    throw refusal('url', 'must be an https URL in its normal form, without trailing slash, query or fragment')
  const mode = json['mode'] ?? 'exchange'
  if (mode !== 'exchange' && mode !== 'relay') throw refusal('mode', 'must be exchange or relay')
  const keys: unknown = json['keys']
  if (!Array.isArray(keys) || keys.length > MOST_KEYS)
    throw refusal('keys', `must be a list of at most ${MOST_KEYS} JWKs`)
  const verifying_keys = new Map<string, VerifyingKey>()
  let seal_to: OkpJwk | undefined
  for (const jwk of keys as (Json | null)[]) {
    if (jwk?.['d'] !== undefined) throw refusal('keys', 'must be public: the private half stays with the broker')
    const [signs, opens] = [readOkpJwk(jwk, 'Ed25519'), readOkpJwk(jwk, 'X25519')]
    if (signs) verifying_keys.set(signs.kid, readVerifyingKey('EdDSA', { ...signs.jwk }))
    else if (opens) seal_to ??= opens.jwk
    else throw refusal('keys', 'must be Ed25519 and X25519 keys as JWKs (RFC 8037)')
  }
  if (verifying_keys.size === 0 || !seal_to) throw refusal('keys', 'must hold an Ed25519 key and an X25519 key')
  return { url, mode, verifying_keys, seal_to }
}

/** Whether a broker may be at a URL: https, or http on this machine, spelled as URLs are compared. */
export function isBrokerUrl(text: string): boolean {
  const url = URL.parse(text)
  if (!url || url.search + url.hash + url.username + url.password !== '' || text.endsWith('/')) return false
  const local = url.protocol === 'http:' && /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(url.hostname)
  return (url.protocol === 'https:' || local) && (url.pathname === '/' ? url.origin : url.href) === text
}

function refuseRepeated(name: string, values: readonly string[]): void {
  if (new Set(values).size < values.length) throw refusal(name, 'is that of another broker as well')
}

/** Reads the claims of a broker's message, whose signature was verified; refuses by name. */
export function readBrokerRequest(
  claims: Readonly<Record<string, unknown>>,
  at: { aud: string; now: number },
): BrokerRequest {
  const { iss, aud, iat, exp, jti, act, flow, sealed, receipt_hash } = claims
  const refuse = (what: string) => new OAuthError('invalid_request', `The message ${what}`)
  if (typeof iss !== 'string') throw refuse('has no iss')
  if (aud !== at.aud) throw refuse('is for another server (aud)')
  checkTimes({ iat, exp }, at.now, refuse)
  if (typeof jti !== 'string' || !HASH.test(jti)) throw refuse('has no jti of 256 bits')
  if (act !== 'hello' && act !== 'open' && act !== 'check' && act !== 'deliver')
    throw refuse('has an act that is not hello, open, check or deliver')
  if (typeof flow !== 'string' || flow.length > 100) throw refuse('names no flow')
  const times = { iat: iat as number, exp: exp as number }
  if (act !== 'deliver') return { iss, aud, ...times, jti, act, flow }
  if (typeof sealed !== 'string') throw refuse('has nothing sealed')
  if (typeof receipt_hash !== 'string' || !HASH.test(receipt_hash)) throw refuse('has no receipt_hash')
  return { iss, aud, ...times, jti, act, flow, sealed, receipt_hash }
}

/** Why a primary's answer, whose signature was verified, is none to this request; null when it is. */
export function whyNoAnswer(
  claims: Readonly<Record<string, unknown>>,
  asked: Pick<BrokerRequest, 'iss' | 'aud' | 'jti' | 'act'>,
  now: number,
): string | null {
  if (claims['iss'] !== asked.aud || claims['aud'] !== asked.iss) return 'it is between others'
  const nonce = Buffer.from(String(claims['nonce']))
  if (!equalBytes(nonce, Buffer.from(asked.jti)) || claims['act'] !== asked.act) return 'it answers another request'
  try {
    checkTimes(claims, now, (what) => new OAuthError('invalid_request', `it ${what}`))
    return null
  } catch (error) {
    return (error as Error).message
  }
}

function checkTimes(
  claims: Readonly<Record<string, unknown>>,
  now: number,
  refuse: (what: string) => OAuthError,
): void {
  const { iat, exp } = claims
  const seconds = now / 1000
  if (!Number.isSafeInteger(iat) || !Number.isSafeInteger(exp)) throw refuse('has no times (iat, exp)')
  const [from, until] = [iat as number, exp as number]
  if (until <= from || until - from > LONGEST_MESSAGE_SECONDS) throw refuse('lives too long (exp)')
  if (from > seconds + TOLERANCE_SECONDS) throw refuse('is from the future (iat)')
  if (until + TOLERANCE_SECONDS <= seconds) throw refuse('is too old (exp)')
}
