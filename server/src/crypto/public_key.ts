import { createPublicKey, type KeyObject } from 'node:crypto'
import { sha256 } from './hash.ts'

/** A public key as somebody else wrote it down (RFC 7517 section 4). */
export interface Jwk {
  readonly kty: string
  readonly kid?: string
  readonly use?: string
  readonly alg?: string
  readonly crv?: string
  readonly x?: string
  readonly y?: string
  readonly n?: string
  readonly e?: string
}

// The members that make a public key, in the order of RFC 7638 section 3.2.
const MEMBERS: Readonly<Record<string, readonly (keyof Jwk)[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
}
const PRIVATE_OR_SYMMETRIC = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const LONGEST_MEMBER = 2048

/**
 * The public key in a value that somebody else wrote, or null where there is none that we use: another kind, a missing
 * member, a private key. What points elsewhere (x5u) is left out, unread.
 */
export function readPublicJwk(value: unknown): Jwk | null {
  if (typeof value !== 'object' || value === null) return null
  const given = value as Readonly<Record<string, unknown>>
  const kty = given['kty']
  const members = typeof kty === 'string' && Object.hasOwn(MEMBERS, kty) ? MEMBERS[kty]! : null
  if (!members || PRIVATE_OR_SYMMETRIC.some((name) => Object.hasOwn(given, name))) return null
  const jwk: Record<string, string> = {}
  for (const name of [...members, 'kid', 'use', 'alg'] as const) {
    const member = given[name]
    if (typeof member === 'string' && member.length <= LONGEST_MEMBER) jwk[name] = member
    else if (member !== undefined || members.includes(name as keyof Jwk)) return null
  }
  return jwk as unknown as Jwk
}

const imported = new WeakMap<Jwk, { readonly key: KeyObject | null }>()

/** The key that a JWK describes; null when it is none, or weaker than we take (RSA of 2048 bits, NIST SP 800-57). */
export function importPublicKey(jwk: Jwk): KeyObject | null {
  let known = imported.get(jwk)
  if (!known) {
    known = { key: createKey(jwk) }
    imported.set(jwk, known)
  }
  return known.key
}

function createKey(jwk: Jwk): KeyObject | null {
  const members = Object.fromEntries((MEMBERS[jwk.kty] ?? []).map((name) => [name, jwk[name]]))
  try {
    const key = createPublicKey({ key: members, format: 'jwk' })
    return isStrong(key) ? key : null
  } catch {
    return null
  }
}

// Above 8192 bits, and with a long exponent, one verification costs so much that it is an attack.
function isStrong(key: KeyObject): boolean {
  if (key.asymmetricKeyType === 'ed25519') return true
  const { namedCurve, modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ec') return namedCurve === 'prime256v1'
  if (key.asymmetricKeyType !== 'rsa' || modulusLength === undefined || publicExponent === undefined) return false
  return modulusLength >= 2048 && modulusLength <= 8192 && publicExponent >= 65_537n && publicExponent < 2n ** 32n
}

/** The SHA-256 thumbprint of a public key (RFC 7638 section 3), as `jkt` and key ids have it. */
export function thumbprint(jwk: Jwk): string {
  const members = MEMBERS[jwk.kty] ?? []
  return sha256(JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]])))).toString('base64url')
}
