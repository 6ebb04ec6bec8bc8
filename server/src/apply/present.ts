import { equalBytes } from '../crypto/hash.ts'
import { verifyPassword } from '../crypto/password.ts'
import { usernameKey } from '../inbound/users/prepare_user.ts'
import type { ClientMetadata } from '../oauth/clients/client.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { TrustedIssuerRules } from '../oauth/trusted_issuer.ts'
import { findConnector, type ShownConnector, saveConnector } from '../outbound/administration/connectors.ts'
import type { OutboundContext } from '../outbound/context.ts'
import type { UserRecord } from '../store/records.ts'
import type { Settings } from '../store/settings.ts'
import type { Resource, Tenant } from '../store/tenant.ts'
import type { WebhookContext } from '../webhooks/context.ts'
import { findWebhook, type SavedOutcome, type ShownWebhook, saveWebhook } from '../webhooks/webhooks.ts'
import type { Platform, PlatformClient } from './platform.ts'

/** What stands now of that which a platform describes, and whether its secrets are the same. */
export interface Present {
  /** Of the tenant. */
  readonly name: string
  readonly settings: Settings
  readonly resources: ReadonlyMap<string, Resource>
  readonly roles: ReadonlyMap<string, readonly string[]>
  /** Those that the platform describes, or names at a resource. */
  readonly clients: ReadonlyMap<string, PresentClient>
  /** By username as the platform writes it. */
  readonly users: ReadonlyMap<string, PresentUser>
  /** Of the ids that the platform gives to clients, those that users have; and the other way round. */
  readonly taken: { readonly by_users: ReadonlySet<string>; readonly by_clients: ReadonlySet<string> }
  readonly connectors: ReadonlyMap<string, PresentConnector>
  readonly trusted_issuers: ReadonlyMap<string, PresentTrustedIssuer>
  readonly webhooks: ReadonlyMap<string, PresentWebhook>
}

/** What it is read from. */
export interface PresentContext {
  readonly tenant: Tenant
  readonly outbound: OutboundContext
  readonly webhooks: WebhookContext
}

/** A trusted issuer as it stands. */
export type PresentTrustedIssuer = TrustedIssuerRules & { readonly disabled: boolean }

/** A client as it stands. */
export interface PresentClient {
  readonly metadata: ClientMetadata
  readonly has_secret: boolean
  readonly same_secret: boolean
}

/** A user as it stands. */
export interface PresentUser {
  readonly record: UserRecord
  readonly same_password: boolean
  /** A connector by which they sign in: their name may be one that a stranger came with. */
  readonly connector: string | undefined
}

/** A connector as it stands, and what saving it as described would come to: a word, or the refusal. */
export interface PresentConnector {
  readonly shown: ShownConnector | null
  readonly outcome: 'created' | 'changed' | 'unchanged' | OAuthError
}

/** A webhook as it stands, and what saving it as described would come to: a word, or the refusal. */
export interface PresentWebhook {
  readonly shown: ShownWebhook | null
  readonly outcome: SavedOutcome['outcome'] | OAuthError
}

/** Reads what stands of that which a platform describes; a password is verified, a secret compared by its hash. */
export async function loadPresent(
  { tenant, outbound, webhooks }: PresentContext,
  platform: Platform,
): Promise<Present> {
  const { name, settings, resources, roles } = await tenant.currentConfiguration()
  return {
    name,
    settings,
    resources,
    roles,
    clients: await loadClients(tenant, platform),
    users: await loadUsers(tenant, platform),
    taken: await loadTaken(tenant, platform),
    connectors: await loadConnectors(outbound, platform),
    trusted_issuers: await loadTrustedIssuers(tenant, platform),
    webhooks: await loadWebhooks(webhooks, platform),
  }
}

async function loadClients(tenant: Tenant, { clients, resources }: Platform): Promise<Map<string, PresentClient>> {
  const found = new Map<string, PresentClient>()
  const named: Pick<PlatformClient, 'client_id' | 'client_secret'>[] = [...clients]
  for (const client_id of resources.flatMap(({ introspection_clients }) => introspection_clients)) {
    if (!named.some((client) => client.client_id === client_id)) named.push({ client_id, client_secret: undefined })
  }
  for (const { client_id, client_secret } of named) {
    const record = await tenant.store.findClient({ tenant_id: tenant.tenant_id, client_id })
    if (!record) continue
    const metadata = { ...(JSON.parse(record.metadata) as ClientMetadata), trusted: record.trusted === 1 }
    const hash = client_secret === undefined ? null : tenant.keys.hashSecret(client_secret)
    const same_secret = hash === null || equalBytes(hash, record.client_secret_hash)
    found.set(client_id, { metadata, has_secret: record.client_secret_hash !== null, same_secret })
  }
  return found
}

// One after the other: verifying a password costs a core for ten milliseconds, and people who sign in come first.
async function loadUsers(tenant: Tenant, { users }: Platform): Promise<Map<string, PresentUser>> {
  const found = new Map<string, PresentUser>()
  for (const { username, password } of users) {
    const username_key = usernameKey(username)
    const user = await tenant.store.findUserByUsername({ tenant_id: tenant.tenant_id, username_key })
    if (!user) continue
    const { password_hash, ...record } = user
    const same_password = password === undefined || (await verifyPassword(password_hash, password))
    const { user_id } = record
    const [identity] = await tenant.store.listIdentitiesOfUser({ tenant_id: tenant.tenant_id, user_id })
    found.set(username, { record, same_password, connector: identity?.connector })
  }
  return found
}

async function loadTaken(tenant: Tenant, { clients, users }: Platform): Promise<Present['taken']> {
  const { tenant_id, store } = tenant
  const by_users = new Set<string>()
  const by_clients = new Set<string>()
  for (const { client_id } of clients) {
    if (await store.isUserId({ tenant_id, user_id: client_id })) by_users.add(client_id)
  }
  for (const { user_id } of users) {
    if (user_id === undefined) continue
    if (await store.findClient({ tenant_id, client_id: user_id })) by_clients.add(user_id)
    if (await store.isUserId({ tenant_id, user_id })) by_users.add(user_id)
  }
  return { by_users, by_clients }
}

async function loadConnectors(outbound: OutboundContext, platform: Platform): Promise<Map<string, PresentConnector>> {
  const found = new Map<string, PresentConnector>()
  for (const input of platform.connectors) {
    const shown = await findConnector(outbound, input.connector)
    const outcome = await saveConnector(outbound, 'plan', input, { dry_run: true }).catch((error: unknown) => {
      if (error instanceof OAuthError) return error
      throw error
    })
    found.set(input.connector, { shown, outcome })
  }
  return found
}

async function loadWebhooks(context: WebhookContext, platform: Platform): Promise<Map<string, PresentWebhook>> {
  const found = new Map<string, PresentWebhook>()
  for (const input of platform.webhooks) {
    const shown = await findWebhook(context, input.webhook)
    const outcome = await saveWebhook(context, 'plan', input, { dry_run: true }).then(
      (saved) => saved.outcome,
      (error: unknown) => {
        if (error instanceof OAuthError) return error
        throw error
      },
    )
    found.set(input.webhook, { shown, outcome })
  }
  return found
}

async function loadTrustedIssuers({ tenant_id, store }: Tenant, platform: Platform) {
  const found = new Map<string, PresentTrustedIssuer>()
  for (const { issuer } of platform.trusted_issuers) {
    const record = await store.findTrustedIssuer({ tenant_id, issuer })
    if (!record) continue
    const rules = JSON.parse(record.rules) as TrustedIssuerRules
    found.set(issuer, { ...rules, disabled: record.disabled_at !== null })
  }
  return found
}
