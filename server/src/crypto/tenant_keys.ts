import { createSecretKey, type KeyObject } from 'node:crypto'
import { hmac } from './hash.ts'
import { randomBytes } from './random.ts'
import { deriveKey, open, type SealContext, SealError, seal, sealedKid } from './seal.ts'

/** One wrapped tenant key, as its row holds it. */
export interface WrappedKey {
  readonly kid: number
  readonly wrapped: Uint8Array
  /** 0 while the key only opens: it seals once every replica has had time to know it. */
  readonly seals?: number
}

/** The keys of one tenant, unwrapped: the newest that may seals and derives, all of them open. */
export class TenantKeys {
  readonly tenant_id: string
  #kid: number
  readonly #keys = new Map<number, KeyObject>()
  readonly #derived = new Map<string, KeyObject>()
  readonly #pepper: KeyObject

  constructor(tenant_id: string, keys: ReadonlyMap<number, KeyObject>, kid = Math.max(...keys.keys())) {
    if (keys.size === 0) throw new Error(`tenant ${tenant_id} has no key`)
    this.tenant_id = tenant_id
    for (const [known, key] of keys) this.#keys.set(known, key)
    this.#kid = kid
    // Hashes at rest outlive key rotation.
    this.#pepper = this.permanent('pepper')
  }

  /** The subkey for a purpose that outlives key rotation: it comes from the tenant's first key for good. */
  permanent(purpose: string): KeyObject {
    return this.derive(purpose, Math.min(...this.#keys.keys()))!
  }

  /** The key that seals. */
  get kid(): number {
    return this.#kid
  }

  /** The highest key id, whether or not its key seals yet. */
  get newest(): number {
    return Math.max(...this.#keys.keys())
  }

  /** Whether there is a key of that id. */
  has(kid: number): boolean {
    return this.#keys.has(kid)
  }

  /** Takes over what has been read since: further keys, and which of them seals. */
  adopt(newer: TenantKeys): void {
    for (const [kid, key] of newer.#keys) if (!this.#keys.has(kid)) this.#keys.set(kid, key)
    this.#kid = newer.#kid
  }

  /** The subkey for a purpose under one of the tenant's keys, or null when there is no key of that id. */
  derive(purpose: string, kid = this.kid): KeyObject | null {
    const name = `${kid}/${purpose}`
    const known = this.#derived.get(name)
    if (known) return known
    const key = this.#keys.get(kid)
    if (!key) return null
    const derived = deriveKey(key, `sallyport/${this.tenant_id}/${purpose}`)
    this.#derived.set(name, derived)
    return derived
  }

  /** The hash under which a random secret is stored (SHA-256 under the tenant's pepper). */
  hashSecret(secret: string | Uint8Array): Buffer {
    return hmac(this.#pepper, secret)
  }

  /** Seals a value of this tenant for one place. */
  seal(plaintext: Uint8Array | string, context: Omit<SealContext, 'tenant_id'>): Buffer {
    return seal(this.derive('seal')!, this.kid, plaintext, { ...context, tenant_id: this.tenant_id })
  }

  /** Opens what `seal` made, under whichever of the tenant's keys it names. */
  open(sealed: Uint8Array, context: Omit<SealContext, 'tenant_id'>): Buffer {
    const key = this.derive('seal', sealedKid(sealed))
    if (!key) throw new SealError()
    return open(key, sealed, { ...context, tenant_id: this.tenant_id })
  }
}

/** The key that wraps tenant keys: 32 bytes from a file, the environment or a KMS. */
export class RootKey {
  readonly #key: KeyObject

  constructor(bytes: Uint8Array) {
    if (bytes.length !== 32) throw new Error('the root key must be 32 bytes')
    this.#key = deriveKey(createSecretKey(bytes), 'sallyport/root/wrap')
  }

  /** Makes and wraps a new tenant key. */
  newTenantKey(tenant_id: string, kid: number): WrappedKey {
    return { kid, wrapped: seal(this.#key, kid, randomBytes(32), wrapContext(tenant_id, kid)) }
  }

  /** Unwraps the keys of a tenant. */
  unwrap(tenant_id: string, rows: readonly WrappedKey[]): TenantKeys {
    const keys = rows.map(
      ({ kid, wrapped }) => [kid, createSecretKey(open(this.#key, wrapped, wrapContext(tenant_id, kid)))] as const,
    )
    const sealing = rows.filter(({ seals }) => seals !== 0).map(({ kid }) => kid)
    return new TenantKeys(tenant_id, new Map(keys), Math.max(...sealing))
  }
}

function wrapContext(tenant_id: string, kid: number): SealContext {
  return { tenant_id, table: 'tenant_keys', row: String(kid), column: 'wrapped', version: 1 }
}
