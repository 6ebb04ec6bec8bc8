import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { randomBytes } from './random.ts'
import { deriveKey } from './seal.ts'
import type { TenantKeys } from './tenant_keys.ts'

const BOOT = 16
const COUNTER = 6
const TAG = 16
const HEADER = 4 + BOOT + COUNTER

/**
 * Opaque tokens: claims sealed with AES-256-GCM and stored nowhere. Each process derives a key of its own from the
 * tenant key and its random boot id, and counts nonces from zero, so that no nonce repeats under one key.
 */
export class TokenSealer {
  readonly #kind: string
  readonly #prefix: string
  readonly #boot = randomBytes(BOOT)
  #counter = 0
  readonly #keys = new LRUCache<string, KeyObject>({ max: 1024 })

  /** `kind` separates kinds of token cryptographically; `prefix` is what secret scanners recognise. */
  constructor(kind: string, prefix: string) {
    this.#kind = kind
    this.#prefix = prefix
  }

  /** Seals claims into a token. */
  seal(keys: TenantKeys, claims: object): string {
    const header = Buffer.allocUnsafe(HEADER)
    header.writeUInt32BE(keys.kid, 0)
    this.#boot.copy(header, 4)
    header.writeUIntBE(this.#counter++, 4 + BOOT, COUNTER)
    const cipher = createCipheriv('aes-256-gcm', this.#key(keys, keys.kid, this.#boot)!, nonce(header))
    cipher.setAAD(Buffer.concat([Buffer.from(`${this.#kind}/${keys.tenant_id}/`), header]))
    const body = cipher.update(JSON.stringify(claims), 'utf8')
    return this.#prefix + Buffer.concat([header, body, cipher.final(), cipher.getAuthTag()]).toString('base64url')
  }

  /** The tenant key that a token names, unverified; null when it has none. */
  readKid(token: string): number | null {
    if (!token.startsWith(this.#prefix)) return null
    const head = Buffer.from(token.slice(this.#prefix.length, this.#prefix.length + 6), 'base64url')
    return head.length === 4 ? head.readUInt32BE(0) : null
  }

  /** The claims of a token that this tenant sealed, or null. */
  open(keys: TenantKeys, token: string): Record<string, unknown> | null {
    if (!token.startsWith(this.#prefix)) return null
    const text = token.slice(this.#prefix.length)
    const bytes = Buffer.from(text, 'base64url')
    if (bytes.length < HEADER + TAG + 2 || bytes.toString('base64url') !== text) return null
    const header = bytes.subarray(0, HEADER)
    const key = this.#key(keys, header.readUInt32BE(0), header.subarray(4, 4 + BOOT))
    if (!key) return null
    const cipher = createDecipheriv('aes-256-gcm', key, nonce(header), { authTagLength: TAG })
    cipher.setAAD(Buffer.concat([Buffer.from(`${this.#kind}/${keys.tenant_id}/`), header]))
    cipher.setAuthTag(bytes.subarray(bytes.length - TAG))
    try {
      const body = cipher.update(bytes.subarray(HEADER, bytes.length - TAG), undefined, 'utf8') + cipher.final('utf8')
      return JSON.parse(body) as Record<string, unknown>
    } catch {
      return null
    }
  }

  #key(keys: TenantKeys, kid: number, boot: Buffer): KeyObject | null {
    // Asked first: a key that the tenant no longer has opens nothing, cached or not.
    const base = keys.derive(this.#kind, kid)
    if (!base) return null
    const name = `${keys.tenant_id}/${kid}/${boot.toString('latin1')}`
    const known = this.#keys.get(name)
    if (known) return known
    const key = deriveKey(base, this.#kind, boot)
    this.#keys.set(name, key)
    return key
  }
}

function nonce(header: Buffer): Buffer {
  const bytes = Buffer.alloc(12)
  header.copy(bytes, 12 - COUNTER, 4 + BOOT)
  return bytes
}
