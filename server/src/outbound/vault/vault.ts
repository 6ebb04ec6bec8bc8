import { createSecretKey, type KeyObject } from 'node:crypto'
import { randomBytes } from '../../crypto/random.ts'
import { open, type SealContext, seal } from '../../crypto/seal.ts'
import type { TenantKeys } from '../../crypto/tenant_keys.ts'
import type { JsonObject } from '../../relying/read_json.ts'
import type { SealedAnswer, UpkeepPlan } from '../../store/verbs/connections.ts'
import type { WrappedDataKey } from '../../store/verbs/vault_keys.ts'
import type { VaultKeys } from './vault_keys.ts'

/** What a provider gave, as it lies in the vault: wire names, and in `extra` whatever else the catalogue keeps. */
export interface ProviderTokens {
  readonly access_token: string
  readonly token_type: string
  readonly refresh_token?: string
  readonly id_token?: string
  /** The key that the tokens are bound to (RFC 9449), where they are. */
  readonly proof_key?: string
  /**
   * Where tokens are renewed by asking again: a random name of this answer, in place of a refresh token, by which answers
   * are told apart; it never leaves. The subject is whom an assertion is to name again.
   */
  readonly renewal?: { readonly name: string; readonly subject?: string | undefined }
  /** The end of every refresh token of this consent, in milliseconds, where there is one. */
  readonly refresh_ends_at?: number
  readonly extra: JsonObject
}

/** A provider's answer with the times that decide about it, in milliseconds of the database's clock. */
export interface ProviderAnswer {
  readonly tokens: ProviderTokens
  readonly scope: string
  readonly issued_at: number
  /** Null when the provider names no end. */
  readonly access_expires_at: number | null
  readonly refresh_expires_at: number | null
  /** Left out in answers that were kept before there was one. */
  readonly plan?: UpkeepPlan
}

/** What stands for the next answer to come: the refresh token, or the name of the present one; undefined where nothing renews it. */
export function renewedBy({ refresh_token, renewal }: ProviderTokens): string | undefined {
  return refresh_token ?? renewal?.name
}

/** The data key of one connection: 256 random bits that seal its tokens and die with it. */
export class Vault {
  readonly #keys: TenantKeys
  readonly #connection_id: string
  readonly #key: KeyObject
  /** The data key wrapped by a key of the vault, as its row holds it. */
  readonly data_key: Uint8Array

  constructor(keys: TenantKeys, connection_id: string, key: Buffer, data_key: Uint8Array) {
    this.#keys = keys
    this.#connection_id = connection_id
    this.#key = createSecretKey(key)
    this.data_key = data_key
    key.fill(0)
  }

  /** Seals an answer as the stored one of a generation. */
  seal(answer: ProviderAnswer, generation: number): SealedAnswer {
    const { tokens, scope, issued_at, access_expires_at, refresh_expires_at, plan } = answer
    const renews = renewedBy(tokens)
    return {
      ...{ scope, issued_at, access_expires_at, refresh_expires_at, ...(plan && { plan }) },
      sealed_tokens: seal(this.#key, DATA_KEY_ID, JSON.stringify(tokens), this.#place('sealed_tokens', generation)),
      refresh_fingerprint: renews === undefined ? null : this.fingerprint(renews),
    }
  }

  /** Opens the stored tokens of a generation. */
  open(sealed_tokens: Uint8Array, generation: number): ProviderTokens {
    return JSON.parse(
      open(this.#key, sealed_tokens, this.#place('sealed_tokens', generation)).toString(),
    ) as ProviderTokens
  }

  /** Seals the whole answer of a late winner. */
  sealCandidate(answer: ProviderAnswer): Uint8Array {
    return seal(this.#key, DATA_KEY_ID, JSON.stringify(answer), this.#place('sealed_candidate', 1))
  }

  /** Opens the answer of a late winner. */
  openCandidate(sealed_candidate: Uint8Array): ProviderAnswer {
    return JSON.parse(
      open(this.#key, sealed_candidate, this.#place('sealed_candidate', 1)).toString(),
    ) as ProviderAnswer
  }

  /** What tells one refresh token from another at rest, and nothing else about it. */
  fingerprint(refresh_token: string): Buffer {
    return this.#keys.hashSecret(refresh_token)
  }

  #place(column: string, version: number): SealContext {
    return { tenant_id: this.#keys.tenant_id, table: 'connections', row: this.#connection_id, column, version }
  }
}

// A connection has one data key in its life, so its id in the seal's header never changes.
const DATA_KEY_ID = 1

/** What opens vaults: the tenant, and the keys that wrap its data keys. */
export interface VaultOpener {
  readonly tenant: { readonly keys: TenantKeys }
  readonly vault_keys: Pick<VaultKeys, 'newest' | 'find'>
}

/** Makes the data key of a new connection. */
export async function newVault({ tenant, vault_keys }: VaultOpener, connection_id: string): Promise<Vault> {
  const wrapping = await vault_keys.newest()
  const key = randomBytes(32)
  return new Vault(tenant.keys, connection_id, key, wrapping.seal(key, dataKeyPlace(connection_id)))
}

/** Opens the vault of a connection; throws VaultClosed, or SealError when its key was destroyed or is another's. */
export async function openVault(
  { tenant, vault_keys }: VaultOpener,
  connection_id: string,
  data_key: Uint8Array,
): Promise<Vault> {
  const wrapping = await vault_keys.find(data_key)
  return new Vault(tenant.keys, connection_id, wrapping.open(data_key, dataKeyPlace(connection_id)), data_key)
}

/** The data key of a connection, wrapped by another key of the vault; what it seals stays as it is. */
export async function rewrapDataKey(
  vault_keys: VaultKeys,
  wrapping: TenantKeys,
  { connection_id, data_key }: WrappedDataKey,
): Promise<Uint8Array> {
  const place = dataKeyPlace(connection_id)
  const key = (await vault_keys.find(data_key)).open(data_key, place)
  const again = wrapping.seal(key, place)
  key.fill(0)
  return again
}

function dataKeyPlace(connection_id: string) {
  return { table: 'connections', row: connection_id, column: 'data_key', version: 1 }
}
