import type { App } from '../app.ts'
import type { Outcome } from '../apply/apply.ts'
import type { Platform } from '../apply/platform.ts'
import {
  createRegistrationToken,
  endRegistrationToken,
  type RegistrationTokenOptions,
} from '../inbound/clients/registration_tokens.ts'
import { listSigningKeys, revokeSigningKey, rotateSigningKeysNow } from '../inbound/keys/signing_keys.ts'
import { createSetupLink, needsSetup, type SetupLink } from '../inbound/users/setup_link.ts'
import { OAuthError } from '../oauth/errors.ts'
import { listPendingMigrations } from '../store/pending_migrations.ts'
import type { RegistrationTokenRecord } from '../store/verbs/registrations.ts'
import type { ListedSigningKey } from '../store/verbs/signing_keys.ts'

/** What the operator may do on the machine itself: at a running server, or at a database that no server has open. */
export interface Administration {
  plan(platform: unknown): Promise<Outcome>
  apply(platform: unknown): Promise<Outcome>
  createSetupLink(): Promise<SetupLink>
  examine(): Promise<Facts>
  listKeys(): Promise<readonly ShownKey[]>
  /** Rotates now, for one algorithm or for all; answers the keys there are then. */
  rotateKeys(alg: unknown): Promise<readonly ShownKey[]>
  revokeKey(kid: unknown): Promise<readonly ShownKey[]>
  /** Issues an initial access token; it is in the answer and nowhere else. */
  createRegistrationToken(description: unknown): Promise<ShownRegistrationToken & { readonly token: string }>
  listRegistrationTokens(): Promise<readonly ShownRegistrationToken[]>
  /** Answers those that are left. */
  endRegistrationToken(token_id: unknown): Promise<readonly ShownRegistrationToken[]>
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
  readonly other_issuers: readonly string[]
}

/** Administers an app in this process. `actor` is who the audit log says it was. */
export function createAdministration(app: App, actor = 'cli'): Administration {
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
    async createRegistrationToken(description) {
      const grant_types = web.grant_types.map(({ grant_type }) => grant_type)
      const options = (description ?? {}) as RegistrationTokenOptions
      const { token, record } = await createRegistrationToken(tenant, grant_types, options, actor)
      return { token, ...showRegistrationToken(record) }
    },
    listRegistrationTokens: showRegistrationTokens,
    async endRegistrationToken(token_id) {
      const ended = await endRegistrationToken(tenant, String(token_id), actor)
      if (!ended) throw new OAuthError('invalid_request', 'There is no initial access token with this token_id')
      return showRegistrationTokens()
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
        other_issuers: tenants.map((other) => other.issuer).filter((other) => other !== issuer),
      }
    },
  }
}

function showRegistrationToken(record: RegistrationTokenRecord): ShownRegistrationToken {
  const { token_id, name, scope, grant_types, uses_left, expires_at } = record
  return { token_id, name, scope, grant_types, uses_left, ends: new Date(expires_at).toISOString() }
}
