import type { JsonWebKey } from 'node:crypto'
import type { OwnSigningKey } from '../../crypto/signing_keys.ts'
import { type ConnectorKey, openConnectorKey, splitPems } from './connector_keys.ts'

/** The keys of a connector while one follows another, as its settings tell of them. */
export interface ConnectorKeys {
  /** Where a private key is sealed in place of a client secret: what else there is to know of it. */
  readonly key?: ConnectorKey
  /** Which key signs after it, and from when on; its private half is sealed behind the other. */
  readonly next_key?: ConnectorKey & { readonly signs_at: number }
  /** Keys that signed before, for as long as they are published. */
  readonly former_keys?: readonly { readonly public_jwk: JsonWebKey; readonly until_at: number }[]
}

/** How long a key is published before it signs: providers keep the keys that they have read. It is as long after it. */
export const AHEAD_MS = 86_400_000
const KEPT_MS = 86_400_000

/** The key that signs now, of those whose private halves lie sealed one behind the other. */
export function signingKeyOf({ key, next_key }: ConnectorKeys, pems: string, now: number): OwnSigningKey {
  const [pem = '', next_pem = ''] = splitPems(pems)
  return isSigning(next_key, now) ? openConnectorKey(next_key, next_pem) : openConnectorKey(key!, pem)
}

/** The public half of the key that signs now; null where none does. */
export function publicKeyOf({ key, next_key }: ConnectorKeys, now: number): JsonWebKey | null {
  return (isSigning(next_key, now) ? next_key : key)?.public_jwk ?? null
}

/** The public keys to verify with: the one that signs, the one that will, and those that did a while ago. */
export function listPublished({ key, next_key, former_keys = [] }: ConnectorKeys, now: number): JsonWebKey[] {
  const over = next_key !== undefined && next_key.signs_at + KEPT_MS <= now
  const recent = former_keys.filter(({ until_at }) => until_at > now).map(({ public_jwk }) => public_jwk)
  return [key, next_key].flatMap((one, i) => (one && !(over && i === 0) ? [one.public_jwk] : [])).concat(recent)
}

/** What is published a while longer of keys that another takes the place of at once. */
export function keepPublished(keys: ConnectorKeys, now: number): NonNullable<ConnectorKeys['former_keys']> {
  return listPublished(keys, now).map((public_jwk) => ({ public_jwk, until_at: now + KEPT_MS }))
}

/** What is left once a key that signs by now has taken the place of the one before. */
export function settleKeys(
  { key, next_key, former_keys = [] }: ConnectorKeys,
  pems: string,
  now: number,
): { readonly pem: string; readonly keys: ConnectorKeys } {
  const [pem = '', next_pem = ''] = splitPems(pems)
  const living = (keys: NonNullable<ConnectorKeys['former_keys']>) => {
    const kept = keys.filter(({ until_at }) => until_at > now)
    return kept.length > 0 ? { former_keys: kept } : {}
  }
  if (!isSigning(next_key, now)) return { pem, keys: { ...(key && { key }), ...living(former_keys) } }
  const { signs_at, ...signs } = next_key
  const last = { public_jwk: key!.public_jwk, until_at: signs_at + KEPT_MS }
  return { pem: next_pem, keys: { key: signs, ...living([...former_keys, last]) } }
}

function isSigning(next: ConnectorKeys['next_key'], now: number): next is ConnectorKey & { signs_at: number } {
  return next !== undefined && next.signs_at <= now
}
