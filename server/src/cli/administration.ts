import type { App } from '../app.ts'
import type { Outcome } from '../apply/apply.ts'
import type { ExportedPlatform } from '../apply/export_platform.ts'
import type { Platform } from '../apply/platform.ts'
import { SealError } from '../crypto/seal.ts'
import { type ListedTenant, listTenants, switchTenant } from '../inbound/administration/switch_tenant.ts'
import { endFormerClientSecret, formerSecretEnds, rotateClientSecret } from '../inbound/clients/client_secrets.ts'
import { allowCommandLine } from '../inbound/clients/command_line_client.ts'
import {
  createRegistrationToken,
  endRegistrationToken,
  type RegistrationTokenOptions,
} from '../inbound/clients/registration_tokens.ts'
import { listSigningKeys, revokeSigningKey, rotateSigningKeysNow } from '../inbound/keys/signing_keys.ts'
import { usernameKey } from '../inbound/users/prepare_user.ts'
import { createSetupLink, needsSetup, type SetupLink } from '../inbound/users/setup_link.ts'
import { OAuthError } from '../oauth/errors.ts'
import { describeKeys, type KeyState, type RekeyStep, rekeyStep } from '../outbound/administration/rekey.ts'
import {
  askToConnect,
  type ConnectedHere,
  findConnected,
  type TerminalConnect,
} from '../outbound/connect/connect_from_terminal.ts'
import { VaultClosed } from '../outbound/vault/vault_keys.ts'
import { type CopiedDatabase, copySqlite } from '../store/backup/sqlite_source.ts'
import { listPendingMigrations } from '../store/pending_migrations.ts'
import type { Tenant } from '../store/tenant.ts'
import type { ListedClient } from '../store/verbs/clients.ts'
import type { RegistrationTokenRecord } from '../store/verbs/registrations.ts'
import type { ListedSigningKey } from '../store/verbs/signing_keys.ts'

/** What the operator may do on the machine itself: at a running server, or at a database that no server has open. */
export interface Administration {
  plan(platform: unknown): Promise<Outcome>
  apply(platform: unknown): Promise<Outcome>
  /** What stands, as a platform file describes it. */
  exportPlatform(wish: unknown): Promise<ExportedPlatform>
  createSetupLink(): Promise<SetupLink>
  examine(): Promise<Facts>
  listKeys(): Promise<readonly ShownKey[]>
  /** Rotates now, for one algorithm or for all; answers the keys there are then. */
  rotateKeys(alg: unknown): Promise<readonly ShownKey[]>
  revokeKey(kid: unknown): Promise<readonly ShownKey[]>
  /** Puts some keys at rest under the present ones; the answer says where the next step goes on. */
  rekey(wish: unknown): Promise<RekeyStep>
  /** Issues an initial access token; it is in the answer and nowhere else. */
  createRegistrationToken(description: unknown): Promise<ShownRegistrationToken & { readonly token: string }>
  listRegistrationTokens(): Promise<readonly ShownRegistrationToken[]>
  /** Answers those that are left. */
  endRegistrationToken(token_id: unknown): Promise<readonly ShownRegistrationToken[]>
  /** The living secrets of a client, newest first; never what they are. */
  listClientSecrets(client_id: unknown): Promise<readonly ShownClientSecret[]>
  /** Makes a further secret; it is in the answer and nowhere else, and the one before it lives on for a while. */
  rotateClientSecret(client_id: unknown): Promise<RotatedClientSecret>
  /** Ends the older of two secrets; answers the one that is left. */
  endFormerClientSecret(client_id: unknown): Promise<readonly ShownClientSecret[]>
  /** Makes the client by which people sign in on a command line, unless it is there. */
  allowCommandLine(): Promise<'made' | 'there'>
  /** Where a user connects an account. */
  askToConnect(wish: unknown): Promise<TerminalConnect>
  /** What came of that, or null while nothing has. */
  findConnected(asked: unknown): Promise<ConnectedHere | null>
  /** Copies a SQLite database, beside its use, into a new file of its folder: whoever asked reads and removes it. */
  copyDatabase(): Promise<CopiedDatabase>
  /** Every tenant of the database. */
  listTenants(): Promise<readonly ShownTenant[]>
  /** Disables or enables one of them; what it is then, and whether it was something else before. */
  switchTenant(wish: unknown): Promise<{ readonly changed: boolean; readonly tenant: ShownTenant }>
}

/** A tenant as the terminal shows it; its times are for people and programs (RFC 3339). */
export interface ShownTenant extends Pick<ListedTenant, 'tenant_id' | 'issuer' | 'name'> {
  readonly since: string
  /** Null while it is enabled. */
  readonly disabled: string | null
  /** Whether it is the one of this configuration. */
  readonly here: boolean
}

/** A living secret of a client as the terminal shows it; its times are for people and programs (RFC 3339). */
export interface ShownClientSecret {
  /** Null for one from before times were kept. */
  readonly made: string | null
  /** Null for one that ends only when somebody ends it. */
  readonly ends: string | null
}

/** A new secret, and until when the one before it works. */
export interface RotatedClientSecret {
  readonly client_id: string
  readonly client_secret: string
  readonly former_ends: string
}

/** An initial access token as the terminal shows it. */
export interface ShownRegistrationToken
  extends Pick<RegistrationTokenRecord, 'token_id' | 'name' | 'scope' | 'grant_types' | 'uses_left'> {
  /** As a time for people and programs (RFC 3339). */
  readonly ends: string
}

/** A signing key as the terminal shows it. */
export interface ShownKey extends Pick<ListedSigningKey, 'kid' | 'alg' | 'state'> {
  /** Since when it is in its state, as a time for people and programs (RFC 3339). */
  readonly since: string
}

/** What can be said about a server only from inside it. */
export interface Facts {
  readonly version: string
  readonly pid: number
  readonly issuer: string
  readonly database: 'sqlite' | 'postgres'
  /** The clocks of the database and of the process that asked it. */
  readonly database_now: number
  readonly process_now: number
  readonly pending_migrations: readonly string[]
  readonly signing_key: { readonly kid: string; readonly alg: string }
  readonly needs_setup: boolean
  readonly keys: KeyState
  readonly other_issuers: readonly string[]
}

/** Administers an app in this process. `actor` is who the audit log says it was; `database` is where a SQLite one lies. */
export function createAdministration(app: App, actor = 'cli', database?: string): Administration {
  const { tenant, web } = app
  const read = async (platform: unknown): Promise<Platform> => {
    // Most starts have no platform to read: what checks one is loaded when it is needed.
    const { readPlatform } = await import('../apply/platform.ts')
    return readPlatform(platform, { grant_types: web.grant_types.map(({ grant_type }) => grant_type) })
  }
  const showRegistrationTokens = async () =>
    (await tenant.store.listRegistrationTokens({ tenant_id: tenant.tenant_id })).map(showRegistrationToken)
  const showKeys = async () =>
    (await listSigningKeys(tenant)).map(({ kid, alg, state, state_at }) => {
      return { kid, alg, state, since: new Date(state_at).toISOString() }
    })
  return {
    async plan(platform) {
      const { planPlatform } = await import('../apply/apply.ts')
      return planPlatform(web, await read(platform))
    },
    async apply(platform) {
      const { applyPlatform } = await import('../apply/apply.ts')
      return applyPlatform(web, await read(platform), actor)
    },
    async exportPlatform(wish) {
      const { exportPlatform } = await import('../apply/export_platform.ts')
      return exportPlatform(web, { users: (wish as { users?: unknown } | undefined)?.users === true })
    },
    createSetupLink: () => createSetupLink(tenant, actor),
    listKeys: showKeys,
    async rotateKeys(alg) {
      await rotateSigningKeysNow(tenant, alg === undefined ? undefined : String(alg), actor)
      return showKeys()
    },
    async revokeKey(kid) {
      await revokeSigningKey(tenant, String(kid), actor)
      return showKeys()
    },
    async rekey(wish) {
      const { data_keys, after } = (wish ?? {}) as { data_keys?: unknown; after?: unknown }
      try {
        return await rekeyStep(web.outbound, { data_keys: data_keys === true, after: String(after ?? ''), actor })
      } catch (error) {
        if (error instanceof VaultClosed) throw refuse(`The vault is closed: ${error.reason}`)
        if (error instanceof SealError) throw refuse('A tenant key is wrapped by a root key that was not given')
        throw error
      }
    },
    async createRegistrationToken(description) {
      const grant_types = web.grant_types.map(({ grant_type }) => grant_type)
      const options = (description ?? {}) as RegistrationTokenOptions
      const { token, record } = await createRegistrationToken(tenant, grant_types, options, actor)
      return { token, ...showRegistrationToken(record) }
    },
    listRegistrationTokens: showRegistrationTokens,
    async endRegistrationToken(token_id) {
      const ended = await endRegistrationToken(tenant, String(token_id), actor)
      if (!ended) throw refuse('There is no initial access token with this token_id')
      return showRegistrationTokens()
    },
    async listClientSecrets(client_id) {
      await findClient(tenant, client_id)
      return showClientSecrets(tenant, client_id)
    },
    async rotateClientSecret(client_id) {
      const record = await findClient(tenant, client_id)
      const now = tenant.clock()
      const client_secret = await rotateClientSecret(tenant, { record, actor, now })
      if (client_secret === null) throw refuse('The client has no secret, or somebody else has just made one')
      const former_ends = new Date(formerSecretEnds(record, now)).toISOString()
      return { client_id: record.client_id, client_secret, former_ends }
    },
    async endFormerClientSecret(client_id) {
      const { client_id: known } = await findClient(tenant, client_id)
      if (!(await endFormerClientSecret(tenant, known, actor))) throw refuse('The client has no older secret')
      return showClientSecrets(tenant, client_id)
    },
    allowCommandLine: () => allowCommandLine(tenant, actor),
    async askToConnect(wish) {
      const { name, username, connection_id } = (wish ?? {}) as Readonly<Record<string, string | undefined>>
      const { tenant_id, store } = tenant
      const user = await store.findUserByUsername({ tenant_id, username_key: usernameKey(username ?? '') })
      if (!user) throw refuse(`There is no user ${username}`)
      return askToConnect(web.outbound, { name: name ?? '', user_id: user.user_id, connection_id })
    },
    findConnected: (asked) => findConnected(web.outbound, asked as TerminalConnect),
    async copyDatabase() {
      if (database === undefined) throw refuse('The database of this server is no file')
      return copySqlite(tenant.store.driver, database, tenant.clock())
    },
    listTenants: () => showTenants(tenant),
    async switchTenant(wish) {
      const { tenant_id, disabled } = (wish ?? {}) as { tenant_id?: unknown; disabled?: unknown }
      const changed = await switchTenant(tenant, { tenant_id: String(tenant_id), disabled: disabled === true, actor })
      return { changed, tenant: (await showTenants(tenant)).find((one) => one.tenant_id === tenant_id)! }
    },
    async examine() {
      const { store, issuer } = tenant
      const tenants = await store.listTenants({})
      const { signing_key } = await tenant.currentConfiguration()
      return {
        version: web.version,
        pid: process.pid,
        issuer,
        database: store.driver.dialect,
        database_now: await store.ping({}),
        process_now: tenant.clock(),
        pending_migrations: await listPendingMigrations(store.driver),
        signing_key: { kid: signing_key.kid, alg: signing_key.alg },
        needs_setup: await needsSetup(tenant),
        keys: await describeKeys(web.outbound),
        other_issuers: tenants.map((other) => other.issuer).filter((other) => other !== issuer),
      }
    },
  }
}

async function showTenants(tenant: Tenant): Promise<ShownTenant[]> {
  return (await listTenants(tenant)).map(({ tenant_id, issuer, name, created_at, disabled_at }) => ({
    ...{ tenant_id, issuer, name, since: new Date(created_at).toISOString(), disabled: showTime(disabled_at) },
    here: tenant_id === tenant.tenant_id,
  }))
}

function showRegistrationToken(record: RegistrationTokenRecord): ShownRegistrationToken {
  const { token_id, name, scope, grant_types, uses_left, expires_at } = record
  return { token_id, name, scope, grant_types, uses_left, ends: new Date(expires_at).toISOString() }
}

async function findClient({ tenant_id, store }: Tenant, client_id: unknown): Promise<ListedClient> {
  const record = typeof client_id === 'string' ? await store.findClient({ tenant_id, client_id }) : null
  if (!record) throw refuse('There is no client with this client_id')
  return record
}

async function showClientSecrets({ tenant_id, store }: Tenant, client_id: unknown): Promise<ShownClientSecret[]> {
  const secrets = await store.listClientSecrets({ tenant_id, client_id: String(client_id) })
  return secrets.map(({ made_at, expires_at }) => ({ made: showTime(made_at), ends: showTime(expires_at) }))
}

function showTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}

function refuse(text: string): OAuthError {
  return new OAuthError('invalid_request', text)
}
