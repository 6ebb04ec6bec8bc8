import { createSecretKey } from 'node:crypto'
import type { KeyWrapper } from '../../crypto/key_wrapper.ts'
import { randomBytes } from '../../crypto/random.ts'
import { SealError, sealedHeader, sealedKid } from '../../crypto/seal.ts'
import { TenantKeys } from '../../crypto/tenant_keys.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { NewEvent } from '../../store/records.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { VaultKeyRecord } from '../../store/verbs/vault_keys.ts'

/** No key of the vault can be had: nothing is opened, sealed, sent or changed, and the reason is one for operators. */
export class VaultClosed extends OAuthError {
  readonly reason: string

  constructor(reason: string, cause?: unknown) {
    super('temporarily_unavailable', 'The vault is closed: connections cannot be used now, and none is lost', { cause })
    this.reason = reason
  }
}

// Data keys of before there were keys of the vault name a tenant key, by a small number.
const FIRST_KID = 1_000_001
const ANSWER_MS = 3_000
// A KMS that is down is asked this often, however many connections want it.
const AGAIN_MS = 5_000
const CANARY = 'This is the key of the vault'

/** The keys that wrap data keys, in one process: unwrapped when first needed, each checked by its canary, then kept. */
export class VaultKeys {
  readonly #tenant: Tenant
  readonly #wrappers: readonly KeyWrapper[]
  readonly #opened = new Map<number, Promise<TenantKeys>>()
  readonly #failed = new Map<string, { readonly until: number; readonly error: unknown }>()

  constructor(tenant: Tenant, wrappers: readonly KeyWrapper[]) {
    this.#tenant = tenant
    this.#wrappers = wrappers
  }

  /** The name of the root key that wraps from now on; null where the vault was given none. */
  get root_name(): string | null {
    return this.#wrappers[0]?.name ?? null
  }

  /** The rows of the keys, the newest last. */
  list(): Promise<VaultKeyRecord[]> {
    const { store, tenant_id } = this.#tenant
    return store.listVaultKeys({ tenant_id })
  }

  /** The key that wraps new data keys; the vault's first is made here. Always read: another replica may have added one. */
  async newest(): Promise<TenantKeys> {
    const rows = await this.list()
    if (rows.length === 0) await this.add(rows, null)
    return this.#open((rows.at(-1) ?? (await this.list()).at(-1))!)
  }

  /** The key that a wrapped data key names; throws VaultClosed, or SealError when there is no such key. */
  async find(wrapped: Uint8Array): Promise<TenantKeys> {
    const kid = sealedKid(wrapped)
    if (kid < FIRST_KID) return this.#tenant.keys
    const known = this.#opened.get(kid)
    if (known) return known
    const row = (await this.list()).find((one) => one.kid === kid)
    if (!row) throw new SealError()
    return this.#open(row)
  }

  /**
   * Adds the key that follows those that were `seen`, under the present root key: it wraps from now on. Of several who
   * have seen the same one adds it. The first key of a vault has no event.
   */
  async add(seen: readonly VaultKeyRecord[], event: NewEvent | null): Promise<void> {
    const { tenant_id, store } = this.#tenant
    const kid = (seen.at(-1)?.kid ?? FIRST_KID - 1) + 1
    const bytes = randomBytes(32)
    const canary = this.#keysOf(kid, bytes).seal(CANARY, canaryPlace(kid))
    const key: VaultKeyRecord = { kid, canary, ...(await this.#wrap(kid, bytes)) }
    // A key that cannot be had back must never wrap anything.
    await this.#unwrap(key)
    await store.addVaultKey({ tenant_id, key, event })
  }

  /** The same key under the present root key; null when that wraps it already. */
  async rewrap(row: VaultKeyRecord): Promise<Pick<VaultKeyRecord, 'wrapped' | 'wrapped_by'> | null> {
    if (row.wrapped_by === this.root_name) return null
    const bytes = await this.#unwrap(row)
    const again = await this.#wrap(row.kid, bytes)
    await this.#unwrap({ ...row, ...again })
    return again
  }

  /** Why the vault is closed, in a sentence for its operator; null while every key of it opens. */
  async whyClosed(): Promise<string | null> {
    try {
      for (const row of await this.list()) await this.#open(row)
      return this.root_name === null ? 'no root key was given for it' : null
    } catch (error) {
      if (error instanceof VaultClosed) return error.reason
      throw error
    }
  }

  #open(row: VaultKeyRecord): Promise<TenantKeys> {
    const { kid } = row
    let opening = this.#opened.get(kid)
    if (!opening) {
      opening = this.#unwrap(row).then((bytes) => this.#keysOf(kid, bytes))
      this.#opened.set(kid, opening)
      opening.catch(() => this.#opened.delete(kid))
    }
    return opening
  }

  /** The bytes of a key, known to be the right ones. */
  async #unwrap({ kid, wrapped, wrapped_by, canary }: VaultKeyRecord): Promise<Uint8Array> {
    const wrapper = this.#wrappers.find(({ name }) => name === wrapped_by)
    if (!wrapper) throw new VaultClosed(this.#lacks(wrapped_by))
    const bytes = await this.#ask(wrapper, () => wrapper.unwrap(wrapped, { tenant_id: this.#tenant.tenant_id, kid }))
    try {
      this.#keysOf(kid, bytes).open(canary, canaryPlace(kid))
    } catch (cause) {
      throw new VaultClosed(
        `root key ${wrapped_by} unwraps another key than it wrapped (the canary does not open)`,
        cause,
      )
    }
    return bytes
  }

  async #wrap(kid: number, bytes: Uint8Array): Promise<Pick<VaultKeyRecord, 'wrapped' | 'wrapped_by'>> {
    const wrapper = this.#wrappers[0]
    if (!wrapper) throw new VaultClosed('no root key was given for it')
    const wrapped = await this.#ask(wrapper, () => wrapper.wrap(bytes, { tenant_id: this.#tenant.tenant_id, kid }))
    return { wrapped, wrapped_by: wrapper.name }
  }

  #lacks(wrapped_by: string): string {
    const given = this.#wrappers.map(({ name }) => name).join(', ')
    return `its keys are wrapped by root key ${wrapped_by}, and ${given ? `the one given is ${given}` : 'none was given'}`
  }

  /** Asks within its time; after a failure, only again after a while. */
  async #ask({ name }: KeyWrapper, work: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const failed = this.#failed.get(name)
    if (failed && this.#tenant.clock() < failed.until) throw failed.error
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error(`no answer in ${ANSWER_MS} ms`)), ANSWER_MS)
    try {
      return await Promise.race([work(), late])
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause)
      const error = new VaultClosed(`root key ${name} does not serve: ${said}`, cause)
      if (!(cause instanceof SealError)) this.#failed.set(name, { until: this.#tenant.clock() + AGAIN_MS, error })
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  #keysOf(kid: number, bytes: Uint8Array): TenantKeys {
    return new TenantKeys(this.#tenant.tenant_id, new Map([[kid, createSecretKey(bytes)]]))
  }
}

/** What data keys begin with that the newest key of a vault wraps; before there is one, what none begins with. */
export function newestHeader(rows: readonly VaultKeyRecord[]): Buffer {
  return sealedHeader(rows.at(-1)?.kid ?? FIRST_KID)
}

function canaryPlace(kid: number) {
  return { table: 'vault_keys', row: String(kid), column: 'canary', version: 1 }
}
