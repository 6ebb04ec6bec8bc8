import { createSecretKey, type KeyObject } from 'node:crypto'
import { hmac } from './hash.ts'
import type { KeyPlace, KeyWrapper } from './key_wrapper.ts'
import { randomBytes } from './random.ts'
import { deriveBytes, deriveKey, open, type SealContext, SealError, seal, sealedKid } from './seal.ts'

/** One wrapped tenant key, as its row holds it. */
export interface WrappedKey {
  readonly kid: number
  readonly wrapped: Uint8Array
  /** 0 while the key only opens: it seals once every replica has had time to know it. */
  readonly seals?: number
  /** The name of the root key that wraps it; null on a row of before names were kept. */
  readonly wrapped_by?: string | null
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

/**
 * The key that wraps tenant keys: 32 bytes from a file or the environment. Former ones may stand behind it while a
 * rotation lasts: they open what they wrapped, and wrap nothing.
 */
export class RootKey {
  readonly #keys: readonly RootBytes[]

  constructor(bytes: Uint8Array, ...former: readonly Uint8Array[]) {
    this.#keys = [bytes, ...former].map((one) => new RootBytes(one))
  }

  /** Tells this key from others, in rows and sentences; nothing can be made of it. */
  get name(): string {
    return this.#keys[0]!.name
  }

  /** The same keys as those of the vault, for a server whose vault has none of its own. */
  get wrappers(): readonly KeyWrapper[] {
    return this.#keys
  }

  /** The key of which a redirect broker's own are made, where this is the root key of one. */
  get broker_key(): KeyObject {
    return deriveKey(this.#keys[0]!.tenants, 'sallyport/broker')
  }

  /** The key that proves a backup to be as it was made: of the present root key, or of the one that is named, if it is here. */
  backupKey(name: string = this.name): KeyObject | null {
    return this.#keys.find((key) => key.name === name)?.backups ?? null
  }

  /** Makes and wraps a new tenant key. */
  newTenantKey(tenant_id: string, kid: number): WrappedKey {
    return this.#wrap(tenant_id, kid, randomBytes(32))
  }

  /** The same tenant key under the present root key; null when that wraps it already. */
  rewrap(tenant_id: string, row: WrappedKey): WrappedKey | null {
    if (row.wrapped_by === this.name) return null
    return this.#wrap(tenant_id, row.kid, this.#open(tenant_id, row))
  }

  /** Unwraps the keys of a tenant. */
  unwrap(tenant_id: string, rows: readonly WrappedKey[]): TenantKeys {
    const keys = rows.map((row) => [row.kid, createSecretKey(this.#open(tenant_id, row))] as const)
    const sealing = rows.filter(({ seals }) => seals !== 0).map(({ kid }) => kid)
    return new TenantKeys(tenant_id, new Map(keys), Math.max(...sealing))
  }

  #wrap(tenant_id: string, kid: number, key: Uint8Array): WrappedKey {
    const wrapped = seal(this.#keys[0]!.tenants, kid, key, wrapContext('tenant_keys', tenant_id, kid))
    return { kid, wrapped, wrapped_by: this.name }
  }

  #open(tenant_id: string, { kid, wrapped }: WrappedKey): Buffer {
    for (const { tenants } of this.#keys) {
      try {
        return open(tenants, wrapped, wrapContext('tenant_keys', tenant_id, kid))
      } catch (error) {
        if (!(error instanceof SealError)) throw error
      }
    }
    throw new SealError()
  }
}

/** One root key of this process: a subkey for tenant keys, one for those of the vault, and one for backups. */
class RootBytes implements KeyWrapper {
  readonly name: string
  readonly tenants: KeyObject
  readonly backups: KeyObject
  readonly #vault: KeyObject

  constructor(bytes: Uint8Array) {
    if (bytes.length !== 32) throw new Error('the root key must be 32 bytes')
    const key = createSecretKey(bytes)
    this.name = deriveBytes(key, 'sallyport/root/name').toString('hex', 0, 8)
    this.tenants = deriveKey(key, 'sallyport/root/wrap')
    this.backups = deriveKey(key, 'sallyport/root/backup')
    this.#vault = deriveKey(key, 'sallyport/root/vault')
  }

  async wrap(key: Uint8Array, { tenant_id, kid }: KeyPlace): Promise<Uint8Array> {
    return seal(this.#vault, kid, key, wrapContext('vault_keys', tenant_id, kid))
  }

  async unwrap(wrapped: Uint8Array, { tenant_id, kid }: KeyPlace): Promise<Uint8Array> {
    return open(this.#vault, wrapped, wrapContext('vault_keys', tenant_id, kid))
  }
}

function wrapContext(table: string, tenant_id: string, kid: number): SealContext {
  return { tenant_id, table, row: String(kid), column: 'wrapped', version: 1 }
}
