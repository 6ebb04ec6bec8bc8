import { Buffer } from 'node:buffer'
import { createPublicKey, createSecretKey, type KeyObject, sign } from 'node:crypto'
import { readSeededSigningKey } from './agreement_keys.ts'
import { hmac } from './hash.ts'
import { randomBytes } from './random.ts'

/** A secret as Standard Webhooks writes it, `whsec_` and 24 to 64 bytes as base64; null when the text is none. */
export function readWebhookSecret(text: string): KeyObject | null {
  const encoded = /^whsec_([A-Za-z0-9+/]{32,86}={0,2})$/.exec(text.trim())?.[1]
  const bytes = Buffer.from(encoded ?? '', 'base64')
  if (bytes.length < 24 || bytes.length > 64 || new Set(bytes).size < 8) return null
  return createSecretKey(bytes)
}

/** What signs webhooks: such a secret, or `whsk_` and the 32 bytes of an Ed25519 key; null when the text is neither. */
export function readWebhookKey(text: string): KeyObject | null {
  const encoded = /^whsk_([A-Za-z0-9+/]{43}=)$/.exec(text.trim())?.[1]
  return encoded === undefined
    ? readWebhookSecret(text)
    : readSeededSigningKey(Buffer.from(encoded, 'base64')).privateKey
}

/** Makes what signs webhooks by a scheme of Standard Webhooks: `v1` is HMAC-SHA256, `v1a` is Ed25519. */
export function newWebhookKey(scheme: 'v1' | 'v1a'): string {
  return `${scheme === 'v1' ? 'whsec' : 'whsk'}_${randomBytes(32).toString('base64')}`
}

/** The public half as receivers are given it, `whpk_` and base64; null for a secret, which both sides know. */
export function writePublicWebhookKey(key: KeyObject): string | null {
  if (key.type !== 'private') return null
  const { x } = createPublicKey(key).export({ format: 'jwk' })
  return `whpk_${Buffer.from(x!, 'base64url').toString('base64')}`
}

/**
 * The headers that prove to its receiver who sent a message, and when (Standard Webhooks). While keys are changed it is
 * signed by both.
 */
export function signWebhook(
  keys: KeyObject | readonly KeyObject[],
  message: { readonly id: string; readonly now: number; readonly body: string },
): Record<string, string> {
  const { id, body } = message
  const timestamp = Math.floor(message.now / 1000)
  const signed = `${id}.${timestamp}.${body}`
  const signatures = [keys].flat().map((key) => signText(key as KeyObject, signed))
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') }
}

function signText(key: KeyObject, text: string): string {
  return key.type === 'secret'
    ? `v1,${hmac(key, text).toString('base64')}`
    : `v1a,${sign(null, Buffer.from(text), key).toString('base64')}`
}
