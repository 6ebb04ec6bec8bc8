import type { JsonWebKey } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { KeyWrapper } from '../crypto/key_wrapper.ts'
import { holdKey, readHandle, type Signer } from '../crypto/signer.ts'
import {
  type Algorithm,
  readSigningKey,
  readVerifyingKey,
  type SigningKey,
  type VerifyingKey,
} from '../crypto/signing_keys.ts'
import type { RootKey, TenantKeys, WrappedKey } from '../crypto/tenant_keys.ts'
import type { RoleRecord, SigningKeyRecord } from './records.ts'
import { readSettings, type Settings } from './settings.ts'
import type { Store } from './store.ts'
import type { Rewrapped, TenantConfig } from './verbs/index.ts'

/** A resource with its lists read. */
export interface Resource {
  readonly resource: string
  readonly name: string
  readonly scopes: ReadonlyMap<string, string>
  readonly default_scopes: readonly string[]
  readonly access_token_format: 'jwt' | 'opaque'
  readonly access_token_lifetime_seconds: number
  /** What its access tokens are signed with; without it, the tenant's first algorithm. */
  readonly access_token_signing_alg?: Algorithm | undefined
  readonly every_user: boolean
  /** The clients that may introspect tokens for it (RFC 7662 section 4). */
  readonly introspection_clients: readonly string[]
}

/** One version of a tenant's configuration; it never changes, a new version is a new object. */
export interface Configuration {
  readonly config_version: number
  /** What people read as the tenant's name. */
  readonly name: string
  readonly created_at: number
  readonly settings: Settings
  readonly resources: ReadonlyMap<string, Resource>
  readonly roles: ReadonlyMap<string, readonly string[]>
  /** The key of the tenant's first algorithm, for whoever asks for none. */
  readonly signing_key: SigningKey
  readonly signing_keys: ReadonlyMap<Algorithm, SigningKey>
  readonly verifying_keys: ReadonlyMap<string, VerifyingKey>
  readonly jwks: { readonly keys: readonly JsonWebKey[] }
}

/** A tenant as use cases see it: its name, its keys, its store and the way to its configuration. */
export class Tenant {
  readonly tenant_id: string
  readonly issuer: string
  readonly keys: TenantKeys
  readonly store: Store
  readonly clock: () => number
  /** What holds the private halves of new signing keys; without it they are sealed in the store. */
  readonly signer: Signer | undefined
  readonly #root: RootKey | undefined
  #configuration: Configuration | undefined
  #reading: Promise<void> | undefined

  constructor(args: {
    tenant_id: string
    issuer: string
    keys: TenantKeys
    store: Store
    clock: () => number
    root?: RootKey
    signer?: Signer | undefined
  }) {
    this.tenant_id = args.tenant_id
    this.issuer = args.issuer
    this.keys = args.keys
    this.store = args.store
    this.clock = args.clock
    this.signer = args.signer
    this.#root = args.root
  }

  /** The configuration at least as new as a version that was just read; older ones are never used again. */
  async configuration(config_version: number): Promise<Configuration> {
    // Requests that come together after a change read it once; a reading that began before the change is not enough.
    for (let round = 0; round < 2; round++) {
      if (this.#configuration && this.#configuration.config_version >= config_version) break
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined
      })
      await this.#reading
    }
    return this.#configuration!
  }

  async #read(): Promise<void> {
    const config = await this.store.loadTenantConfig({ tenant_id: this.tenant_id })
    if (!config) throw new Error(`tenant ${this.tenant_id} is gone`)
    await this.#readKeys()
    const read = readConfiguration(this, config)
    if (!this.#configuration || this.#configuration.config_version < read.config_version) this.#configuration = read
  }

  /** Keys are only ever added, so those read after a configuration open all that it holds. */
  async #readKeys(): Promise<void> {
    if (!this.#root) return
    const rows = await this.store.listTenantKeys({ tenant_id: this.tenant_id })
    this.keys.adopt(this.#root.unwrap(this.tenant_id, rows))
  }

  /** Before something is opened that names one of the tenant's keys: another replica may know one more. */
  async learnKey(kid: number | null): Promise<void> {
    if (kid !== null && !this.keys.has(kid)) await this.currentConfiguration()
  }

  /** A further key of the tenant, wrapped for its row. */
  newKey(): WrappedKey {
    if (!this.#root) throw new Error('a tenant without its root key gets no further key')
    return { ...this.#root.newTenantKey(this.tenant_id, this.keys.newest + 1), seals: 0 }
  }

  /** What wraps the keys of the vault unless that has root keys of its own. */
  get wrappers(): readonly KeyWrapper[] {
    return this.#root?.wrappers ?? []
  }

  /** The name of the root key that wraps this tenant's keys. */
  get root_name(): string | null {
    return this.#root?.name ?? null
  }

  /** Keys of the tenant that a former root key wraps, as they are and under the present one. */
  async rewrapKeys(): Promise<Rewrapped[]> {
    const root = this.#root
    const rows = root ? await this.store.listTenantKeys({ tenant_id: this.tenant_id }) : []
    return rows.flatMap((row) => {
      const { wrapped, wrapped_by } = root!.rewrap(this.tenant_id, row) ?? {}
      return wrapped && wrapped_by ? [{ kid: row.kid, former: row.wrapped, wrapped, wrapped_by }] : []
    })
  }

  /** A key that signed for this tenant: it may be revoked since, so the caller asks the configuration it then reads. */
  async findVerifyingKey(kid: string): Promise<VerifyingKey | undefined> {
    return this.#configuration?.verifying_keys.get(kid) ?? (await this.currentConfiguration()).verifying_keys.get(kid)
  }

  /** The present configuration, for a request that reads nothing else. */
  async currentConfiguration(): Promise<Configuration> {
    const state = await this.store.loadTenantState({ tenant_id: this.tenant_id })
    return this.configuration(state?.config_version ?? 0)
  }
}

/** Opens a tenant: unwraps its keys with the root key. */
export async function openTenant(args: {
  tenant_id: string
  issuer: string
  store: Store
  root: RootKey
  clock: () => number
  signer?: Signer | undefined
}): Promise<Tenant> {
  const rows = await args.store.listTenantKeys({ tenant_id: args.tenant_id })
  return new Tenant({ ...args, keys: args.root.unwrap(args.tenant_id, rows) })
}

/** The key that signs with an algorithm, or the tenant's first where it has none of it, or none is asked for. */
export function pickSigningKey({ signing_keys, signing_key }: Configuration, alg: string | undefined): SigningKey {
  return signing_keys.get(alg as Algorithm) ?? signing_key
}

/** Where a signing key's private half is sealed. */
export function signingKeyPlace(kid: string) {
  return { table: 'signing_keys', row: kid, column: 'sealed_private', version: 1 }
}

function readConfiguration({ keys, signer }: Pick<Tenant, 'keys' | 'signer'>, config: TenantConfig): Configuration {
  const verifying = config.signing_keys.filter(({ state }) => state !== 'revoked')
  const settings = readSettings(JSON.parse(config.settings))
  const current = config.signing_keys
    .filter(({ state }) => state === 'current')
    .map((row) => openSigningKey(row, keys.open(row.sealed_private, signingKeyPlace(row.kid)), signer))
  const offered = settings.signing_algs.flatMap((alg) => current.find((key) => key.alg === alg) ?? [])
  const signing_key = offered[0] ?? current[0]
  if (!signing_key) throw new Error(`tenant ${keys.tenant_id} has no current signing key`)
  const jwks = verifying.map(({ public_jwk }) => JSON.parse(public_jwk) as JsonWebKey)
  return {
    config_version: config.config_version,
    name: settings.brand_name || config.name,
    created_at: config.created_at,
    settings,
    resources: new Map(config.resources.map((row) => [row.resource, readResource(row)])),
    roles: new Map(config.roles.map((row: RoleRecord) => [row.role, JSON.parse(row.scopes) as string[]])),
    signing_key,
    signing_keys: new Map((offered.length > 0 ? offered : [signing_key]).map((key) => [key.alg, key])),
    verifying_keys: new Map(verifying.map(({ kid, alg }, i) => [kid, readVerifyingKey(alg, jwks[i]!)])),
    jwks: { keys: jwks },
  }
}

function openSigningKey(
  { kid, alg, public_jwk }: SigningKeyRecord,
  kept: Buffer,
  signer: Signer | undefined,
): SigningKey {
  const key = readHandle(kept)
  return key === null
    ? readSigningKey(kid, alg, kept)
    : holdKey({ kid, key, ...readVerifyingKey(alg, JSON.parse(public_jwk) as JsonWebKey) }, signer)
}

function readResource(row: TenantConfig['resources'][number]): Resource {
  return {
    resource: row.resource,
    name: row.name,
    scopes: readScopes(row.scopes),
    default_scopes: readList(row.default_scopes),
    access_token_format: row.access_token_format,
    access_token_lifetime_seconds: row.access_token_lifetime_seconds,
    ...(row.access_token_signing_alg && { access_token_signing_alg: row.access_token_signing_alg }),
    every_user: row.every_user === 1,
    introspection_clients: readList(row.introspection_clients ?? '[]'),
  }
}

// Of thousands of resources (a Hub has one for each service) all but one stand as they did in the version before.
const lists = new LRUCache<string, readonly string[]>({ max: 20_000 })
const maps = new LRUCache<string, ReadonlyMap<string, string>>({ max: 20_000 })

function readList(text: string): readonly string[] {
  const list = lists.get(text) ?? (Object.freeze(JSON.parse(text)) as readonly string[])
  lists.set(text, list)
  return list
}

function readScopes(text: string): ReadonlyMap<string, string> {
  const map = maps.get(text) ?? new Map(Object.entries(JSON.parse(text) as Record<string, string>))
  maps.set(text, map)
  return map
}
