import { Buffer } from 'node:buffer'
import { createSecretKey, type KeyObject } from 'node:crypto'
import { hmac } from './hash.ts'

/** A secret as Standard Webhooks writes it, `whsec_` and 24 to 64 bytes as base64; null when the text is none. */
export function readWebhookSecret(text: string): KeyObject | null {
  const encoded = /^whsec_([A-Za-z0-9+/]{32,86}={0,2})$/.exec(text.trim())?.[1]
  const bytes = Buffer.from(encoded ?? '', 'base64')
  if (bytes.length < 24 || bytes.length > 64 || new Set(bytes).size < 8) return null
  return createSecretKey(bytes)
}

/** The headers that prove to its receiver who sent a message, and when (Standard Webhooks, symmetric signatures). */
export function signWebhook(
  key: KeyObject,
  message: { readonly id: string; readonly now: number; readonly body: string },
): Record<string, string> {
  const { id, body } = message
  const timestamp = Math.floor(message.now / 1000)
  const signature = hmac(key, `${id}.${timestamp}.${body}`).toString('base64')
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}` }
}
