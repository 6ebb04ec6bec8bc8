import type { WrappedKey } from '../../crypto/tenant_keys.ts'
import { EMPTY_CHAIN } from '../event_chain.ts'
import type { NewEvent, ResourceRecord, RoleRecord, SigningKeyRecord, TenantRecord, TenantState } from '../records.ts'
import { NOW, type Run, read, sql, text, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import { LONGEST_TOKEN_MS, revocationStatement } from './revocations.ts'
import { insertSigningKey } from './signing_keys.ts'

/** A tenant with the first of everything it cannot live without. */
export interface NewTenant {
  readonly tenant_id: string
  readonly issuer: string
  readonly name: string
  readonly settings: string
  readonly key: WrappedKey
  readonly signing_keys: readonly SigningKeyRecord[]
  readonly resources: readonly ResourceRecord[]
  readonly roles: readonly RoleRecord[]
  readonly event: NewEvent
}

/** Makes a tenant, unless its issuer is taken; says whether it did. */
export const createTenant = write(function* (args: NewTenant): Run<boolean> {
  const { tenant_id, event } = args
  const [made] = yield* sql<{ tenant_id: string }>`
    insert into tenants (tenant_id, issuer, name, settings, epoch, config_version, created_at)
    values (${tenant_id}, ${args.issuer}, ${args.name}, ${args.settings}, 0, 0, ${event.at})
    on conflict do nothing returning tenant_id`
  if (!made) return false
  yield* sql`
    insert into tenant_keys (tenant_id, kid, wrapped, wrapped_by, created_at)
    values (${tenant_id}, ${args.key.kid}, ${args.key.wrapped}, ${text(args.key.wrapped_by)}, ${event.at})`
  yield* sql`
    insert into event_chains (tenant_id, sequence, chain) values (${tenant_id}, 0, ${EMPTY_CHAIN.chain})`
  for (const key of args.signing_keys) yield* insertSigningKey(tenant_id, key)
  for (const resource of args.resources) yield* upsertResource(tenant_id, resource, event.at)
  for (const role of args.roles) yield* upsertRole(tenant_id, role, event.at)
  yield* insertEvent(event)
  return true
})

/** Makes or changes a resource, inside of another verb. */
export function* upsertResource(tenant_id: string, resource: ResourceRecord, at: number): Run<void> {
  yield* sql`
    insert into resources (tenant_id, resource, name, scopes, default_scopes, access_token_format,
      access_token_lifetime_seconds, access_token_signing_alg, every_user, introspection_clients, client_id, created_at,
      updated_at)
    values (${tenant_id}, ${resource.resource}, ${resource.name}, ${resource.scopes}, ${resource.default_scopes},
      ${resource.access_token_format}, ${resource.access_token_lifetime_seconds},
      ${text(resource.access_token_signing_alg)}, ${resource.every_user ?? 0},
      ${resource.introspection_clients ?? '[]'}, ${text(resource.client_id)}, ${at}, ${at})
    on conflict (tenant_id, resource) do update set name = excluded.name, scopes = excluded.scopes,
      default_scopes = excluded.default_scopes, access_token_format = excluded.access_token_format,
      former_lifetime_seconds = case
        when excluded.access_token_lifetime_seconds < resources.access_token_lifetime_seconds
          and resources.access_token_lifetime_seconds > coalesce(resources.former_lifetime_seconds, 0)
        then resources.access_token_lifetime_seconds else resources.former_lifetime_seconds end,
      former_lifetime_until = case
        when excluded.access_token_lifetime_seconds < resources.access_token_lifetime_seconds
        then ${NOW} + ${LONGEST_TOKEN_MS} else resources.former_lifetime_until end,
      access_token_lifetime_seconds = excluded.access_token_lifetime_seconds,
      access_token_signing_alg = excluded.access_token_signing_alg, every_user = excluded.every_user,
      introspection_clients = excluded.introspection_clients, client_id = coalesce(resources.client_id, excluded.client_id),
      updated_at = excluded.updated_at`
}

function* upsertRole(tenant_id: string, role: RoleRecord, at: number): Run<void> {
  yield* sql`
    insert into roles (tenant_id, role, scopes, created_at, updated_at)
    values (${tenant_id}, ${role.role}, ${role.scopes}, ${at}, ${at})
    on conflict (tenant_id, role) do update set scopes = excluded.scopes, updated_at = excluded.updated_at`
}

/** Says that the configuration is another: what is cached is cached per version. */
export function* raiseConfigVersion(tenant_id: string): Run<void> {
  yield* sql`update tenants set config_version = config_version + 1 where tenant_id = ${tenant_id}`
}

/** Every tenant. */
export const listTenants = read(function* (_: Record<string, never>): Run<TenantRecord[]> {
  return yield* sql<TenantRecord>`
    select tenant_id, issuer, name, settings, epoch, config_version, disabled_at, created_at
    from tenants order by tenant_id`
})

/** What of a tenant decides, and the time. */
export const loadTenantState = read(function* (args: {
  tenant_id: string
}): Run<(TenantState & { now: number }) | null> {
  const [row] = yield* sql<TenantState & { now: number }>`
    select tenant_id, epoch, config_version, disabled_at, ${NOW} as now from tenants where tenant_id = ${args.tenant_id}`
  return row ?? null
})

/** The wrapped keys of a tenant. */
export const listTenantKeys = read(function* (args: { tenant_id: string }): Run<WrappedKey[]> {
  return yield* sql<WrappedKey>`
    select kid, wrapped, seals, wrapped_by from tenant_keys where tenant_id = ${args.tenant_id} order by kid`
})

/** Adds a tenant key that only opens for now; false when there is a key of its id already. */
export const addTenantKey = write(function* (args: {
  tenant_id: string
  key: WrappedKey
  event: NewEvent
}): Run<boolean> {
  const [added] = yield* sql<{ kid: number }>`
    insert into tenant_keys (tenant_id, kid, wrapped, wrapped_by, created_at, seals)
    values (${args.tenant_id}, ${args.key.kid}, ${args.key.wrapped}, ${text(args.key.wrapped_by)}, ${NOW}, 0)
    on conflict do nothing returning kid`
  if (!added) return false
  yield* raiseConfigVersion(args.tenant_id)
  yield* insertEvent(args.event)
  return true
})

/** Whether a tenant key waits to seal that every replica has had the time to read. */
export const hasWaitingTenantKey = read(function* (args: { tenant_id: string; known_ms: number }): Run<boolean> {
  const [key] = yield* sql<{ kid: number }>`
    select kid from tenant_keys
    where tenant_id = ${args.tenant_id} and seals = 0 and created_at <= ${NOW} - ${args.known_ms} limit 1`
  return key !== undefined
})

/** Lets such keys seal; says whether there was one. */
export const sealWithTenantKeys = write(function* (args: {
  tenant_id: string
  known_ms: number
  event: NewEvent
}): Run<boolean> {
  const keys = yield* sql<{ kid: number }>`
    update tenant_keys set seals = 1
    where tenant_id = ${args.tenant_id} and seals = 0 and created_at <= ${NOW} - ${args.known_ms} returning kid`
  if (keys.length === 0) return false
  yield* raiseConfigVersion(args.tenant_id)
  yield* insertEvent({ ...args.event, detail: { kid: Math.max(...keys.map(({ kid }) => kid)) } })
  return true
})

/** Everything about a tenant that is cached per configuration version. */
export interface TenantConfig {
  readonly config_version: number
  readonly issuer: string
  readonly name: string
  readonly settings: string
  readonly created_at: number
  readonly resources: readonly ResourceRecord[]
  readonly roles: readonly RoleRecord[]
  readonly signing_keys: readonly SigningKeyRecord[]
}

/** Reads settings, resources, roles and signing keys of a tenant; its version is read first and last, so it is one picture. */
export const loadTenantConfig = read(function* ({ tenant_id }: { tenant_id: string }): Run<TenantConfig | null> {
  for (;;) {
    const before = yield* selectTenant(tenant_id)
    if (!before) return null
    const resources = yield* sql<ResourceRecord>`
      select resource, name, scopes, default_scopes, access_token_format, access_token_lifetime_seconds, access_token_signing_alg,
        every_user, introspection_clients
      from resources where tenant_id = ${tenant_id} order by resource`
    const roles = yield* sql<RoleRecord>`select role, scopes from roles where tenant_id = ${tenant_id} order by role`
    const signing_keys = yield* sql<SigningKeyRecord>`
      select kid, alg, public_jwk, sealed_private, state from signing_keys
      where tenant_id = ${tenant_id} order by created_at, kid`
    const after = yield* selectTenant(tenant_id)
    if (after?.config_version === before.config_version) return { ...before, resources, roles, signing_keys }
  }
})

type TenantHead = Pick<TenantConfig, 'config_version' | 'issuer' | 'name' | 'settings' | 'created_at'>

function* selectTenant(tenant_id: string): Run<TenantHead | undefined> {
  const [tenant] = yield* sql<TenantHead>`
    select config_version, issuer, name, settings, created_at from tenants where tenant_id = ${tenant_id}`
  return tenant
}

/** Disables or enables a tenant. Disabling raises its epoch, so that what was issued before never lives again. */
export const setTenantDisabled = write(function* (args: {
  tenant_id: string
  disabled: boolean
  event: NewEvent
}): Run<boolean> {
  const [changed] = args.disabled
    ? yield* sql<{ epoch: number; issuer: string }>`
        update tenants set disabled_at = ${NOW}, epoch = epoch + 1
        where tenant_id = ${args.tenant_id} and disabled_at is null returning epoch, issuer`
    : yield* sql<{ epoch: number; issuer: string }>`
        update tenants set disabled_at = null
        where tenant_id = ${args.tenant_id} and disabled_at is not null returning epoch, issuer`
  if (changed && args.disabled) {
    yield* revocationStatement(args.event, { kind: 'iss', value: changed.issuer, epoch: changed.epoch })
  }
  if (changed) yield* insertEvent(args.event)
  return changed !== undefined
})

/** Changes the settings of a tenant; false when the configuration is no longer the one that was `seen`. */
export const saveSettings = write(function* (args: {
  tenant_id: string
  settings: string
  /** The config_version in which whoever decided this has looked. */
  seen?: number
  event: NewEvent
}): Run<boolean> {
  if (!(yield* raiseSeenVersion(args.tenant_id, args.seen))) return false
  yield* sql`update tenants set settings = ${args.settings} where tenant_id = ${args.tenant_id}`
  yield* insertEvent(args.event)
  return true
})

/** Makes or changes a resource; false when the configuration is no longer the one that was `seen`. */
export const saveResource = write(function* (args: {
  tenant_id: string
  resource: ResourceRecord
  /** The config_version in which whoever decided this has looked. */
  seen?: number
  event: NewEvent
}): Run<boolean> {
  const { tenant_id } = args
  if (!(yield* raiseSeenVersion(tenant_id, args.seen))) return false
  yield* upsertResource(tenant_id, args.resource, args.event.at)
  yield* insertEvent(args.event)
  return true
})

/** Makes or changes a role; false when the configuration is no longer the one that was `seen`. */
export const saveRole = write(function* (args: {
  tenant_id: string
  role: RoleRecord
  /** The config_version in which whoever decided this has looked. */
  seen?: number
  event: NewEvent
}): Run<boolean> {
  if (!(yield* raiseSeenVersion(args.tenant_id, args.seen))) return false
  yield* upsertRole(args.tenant_id, args.role, args.event.at)
  yield* insertEvent(args.event)
  return true
})

function* raiseSeenVersion(tenant_id: string, seen: number | undefined): Run<boolean> {
  const [raised] = yield* sql<{ tenant_id: string }>`
    update tenants set config_version = config_version + 1 where tenant_id = ${tenant_id}
      and (${seen === undefined ? 1 : 0} = 1 or config_version = ${seen ?? 0}) returning tenant_id`
  return raised !== undefined
}
