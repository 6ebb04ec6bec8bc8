import { readSeconds } from '../resource/options.ts'

/** How webhooks are verified; secrets are those that Sallyport, or any sender by Standard Webhooks, gave for this address. */
export interface WebhookOptions {
  /** `whsec_`, which both sides know, or `whpk_`, a public key; several while they change. */
  readonly secret: string | readonly string[]
  /** How far the time of sending may be from now; 300 unless told otherwise. */
  readonly tolerance_seconds?: number
  /**
   * Whether a message of this id was dealt with before. Every message comes at least once: keep ids for as long as senders
   * try (Sallyport: three days, and longer where somebody replays).
   */
  readonly seen?: (webhook_id: string) => boolean | Promise<boolean>
  /** Milliseconds since the epoch. */
  readonly clock?: () => number
}

/** What came: a request, or its headers and its body exactly as it was received, neither parsed nor trimmed. */
export type ReceivedWebhook =
  | Request
  | {
      readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>
      readonly body: string | Uint8Array
    }

/** A message that is genuine. */
export interface Webhook<Data = Readonly<Record<string, unknown>>> {
  /** The same at each try of one message: do what it says once. */
  readonly webhook_id: string
  /** `seen` said that it was dealt with: answer with 204 and do nothing. */
  readonly repeated: boolean
  readonly type: string
  /** When it happened, not when it was sent (RFC 3339). */
  readonly timestamp: string
  /** What happened later has a higher one; messages may arrive in another order. */
  readonly sequence: number | undefined
  readonly issuer: string | undefined
  readonly data: Data
}

/** Why a message is not taken. Answer with 400: nothing of it can be believed. */
export type WebhookRefusal = 'missing_header' | 'timestamp_not_now' | 'no_matching_signature' | 'not_a_message'

/** A message that is not taken; it holds nothing of what came. */
export class WebhookError extends Error {
  readonly reason: WebhookRefusal

  constructor(reason: WebhookRefusal, message: string) {
    super(message)
    this.name = 'WebhookError'
    this.reason = reason
  }
}

const LARGEST_BODY = 262_144
const MOST_SIGNATURES = 16
const HMAC = { name: 'HMAC', hash: 'SHA-256' }
const SCHEMES = { whsec: 'v1', whpk: 'v1a' } as const

/**
 * Verifies a webhook by the Standard Webhooks convention: its signature, in a time that tells nothing of the right one,
 * and that it was sent just now. Rejects with a WebhookError; throws a TypeError when the options cannot be right.
 */
export async function verifyWebhook<Data = Readonly<Record<string, unknown>>>(
  received: ReceivedWebhook,
  options: WebhookOptions,
): Promise<Webhook<Data>> {
  const keys = await readKeys(options.secret)
  const tolerance_seconds = readSeconds(options.tolerance_seconds, 'tolerance_seconds', 300)
  const webhook_id = readHeader(received, 'webhook-id')
  const sent_at = readHeader(received, 'webhook-timestamp')
  const signatures = readHeader(received, 'webhook-signature').split(' ').slice(0, MOST_SIGNATURES)
  const now = Math.floor((options.clock ?? Date.now)() / 1000)
  if (!/^\d{1,12}$/.test(sent_at) || Math.abs(now - Number(sent_at)) > tolerance_seconds) {
    throw new WebhookError('timestamp_not_now', `webhook-timestamp is not within ${tolerance_seconds} s of now`)
  }
  const body = await readBody(received)
  const signed = join(new TextEncoder().encode(`${webhook_id}.${sent_at}.`), body)
  if (!(await isSigned(keys, signatures, signed))) {
    throw new WebhookError('no_matching_signature', 'No signature in webhook-signature is that of a secret given')
  }
  const repeated = (await options.seen?.(webhook_id)) ?? false
  return { webhook_id, repeated, ...readMessage<Data>(body) }
}

interface Key {
  readonly scheme: 'v1' | 'v1a'
  readonly key: CryptoKey
}

async function readKeys(secret: string | readonly string[]): Promise<Key[]> {
  const keys = await Promise.all([secret].flat().map((one) => readKey(String(one))))
  if (keys.length === 0) throw new TypeError('secret is empty')
  return keys
}

async function readKey(secret: string): Promise<Key> {
  const [, kind, encoded] = /^(whsec|whpk)_([A-Za-z0-9+/]{32,88}={0,2})$/.exec(secret.trim()) ?? []
  const bytes = encoded === undefined ? null : decode(encoded)
  if (bytes === null || (kind === 'whsec' ? bytes.length < 24 || bytes.length > 64 : bytes.length !== 32)) {
    throw new TypeError('secret must be whsec_ and 24 to 64 bytes as base64, or whpk_ and an Ed25519 public key')
  }
  const scheme = SCHEMES[kind as keyof typeof SCHEMES]
  const algorithm = scheme === 'v1' ? HMAC : { name: 'Ed25519' }
  return { scheme, key: await crypto.subtle.importKey('raw', bytes, algorithm, false, ['verify']) }
}

/** Each signature is tried with each key of its own scheme alone: a public key is never taken for a shared secret. */
async function isSigned(
  keys: readonly Key[],
  signatures: readonly string[],
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  for (const signature of signatures) {
    const [, version, encoded] = /^(v1a?),([A-Za-z0-9+/]{43,86}={0,2})$/.exec(signature) ?? []
    const bytes = encoded === undefined ? null : decode(encoded)
    if (bytes === null) continue
    for (const { scheme, key } of keys) {
      if (scheme === version && (await crypto.subtle.verify(key.algorithm.name, key, bytes, signed))) return true
    }
  }
  return false
}

function readHeader({ headers }: ReceivedWebhook, name: string): string {
  const value =
    headers instanceof Headers
      ? headers.get(name)
      : Object.entries(headers).find(([known]) => known.toLowerCase() === name)?.[1]
  // One that came twice is none that can be relied on.
  if (typeof value !== 'string' || value === '' || value.length > 4096) {
    throw new WebhookError('missing_header', `Header ${name} is missing, or not one value`)
  }
  return value
}

async function readBody(received: ReceivedWebhook): Promise<Uint8Array<ArrayBuffer>> {
  const { body } = received
  if (typeof body === 'string') return limited(new TextEncoder().encode(body))
  if (body instanceof Uint8Array) return limited(new Uint8Array(body))
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = body?.getReader()
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    size += read.value.length
    if (size > LARGEST_BODY) {
      await reader?.cancel()
      break
    }
    chunks.push(read.value)
  }
  if (size > LARGEST_BODY) throw tooLarge()
  return join(...chunks)
}

function limited(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (body.length > LARGEST_BODY) throw tooLarge()
  return body
}

function tooLarge(): WebhookError {
  return new WebhookError('not_a_message', `The body has more than ${LARGEST_BODY} bytes`)
}

function readMessage<Data>(body: Uint8Array): Omit<Webhook<Data>, 'webhook_id' | 'repeated'> {
  const message = parse(body) as Record<string, unknown> | null
  const { type, timestamp, sequence, issuer, data } = message ?? {}
  if (typeof type !== 'string' || typeof timestamp !== 'string' || typeof data !== 'object' || data === null) {
    throw new WebhookError('not_a_message', 'The body is not JSON with type, timestamp and data')
  }
  return {
    ...{ type, timestamp, data: data as Data },
    sequence: typeof sequence === 'number' ? sequence : undefined,
    issuer: typeof issuer === 'string' ? issuer : undefined,
  }
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return null
  }
}

function decode(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return null
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
