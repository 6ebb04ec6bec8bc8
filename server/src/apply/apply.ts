import { saveResource, saveRole, saveSettings } from '../inbound/administration/configure.ts'
import { registerClient } from '../inbound/clients/register_client.ts'
import { updateClient } from '../inbound/clients/update_client.ts'
import { saveTrustedIssuer } from '../inbound/tokens/trusted_issuers.ts'
import { createUser, updateUser } from '../inbound/users/administer_users.ts'
import { OAuthError } from '../oauth/errors.ts'
import { findUnreachable } from '../outbound/administration/connector_input.ts'
import { saveConnector } from '../outbound/administration/connectors.ts'
import type { Tenant } from '../store/tenant.ts'
import { saveWebhook } from '../webhooks/webhooks.ts'
import { checkPlatform } from './check.ts'
import { type Change, planChanges } from './plan.ts'
import type { Platform } from './platform.ts'
import { PlatformError } from './platform_error.ts'
import { loadPresent, type Present, type PresentContext } from './present.ts'

/** What planning and applying work with. */
export type ApplyContext = PresentContext

/** What a platform comes to: a change for each thing that it names, and what looks wrong in it. */
export interface Outcome {
  readonly changes: readonly Change[]
  readonly warnings: readonly string[]
}

const MOST_TRIES = 3

/** Says what applying a platform would do, and does nothing. */
export async function planPlatform(context: ApplyContext, platform: Platform): Promise<Outcome> {
  const { outcome } = await preparePlan(context, platform)
  return outcome
}

/**
 * Makes a tenant hold what a platform describes; what the platform does not name stays. Applied again it changes
 * nothing and writes no event. Each change is atomic; everything that can be refused is refused before the first.
 */
export async function applyPlatform(context: ApplyContext, platform: Platform, actor: string): Promise<Outcome> {
  const done: Change[] = []
  for (let tries = 1; ; tries++) {
    const { outcome, present } = await preparePlan(context, platform)
    const lost: string[] = []
    for (const change of outcome.changes) {
      if (change.action === 'none') continue
      if (await runChange(context, platform, present, change, actor)) done.push(change)
      else lost.push(`${change.kind} ${change.id}: was changed by somebody else at the same time`)
    }
    // Another replica may be applying the same file: what it did first is then seen as done.
    if (lost.length === 0) return { ...outcome, changes: withDone(outcome.changes, done) }
    if (tries === MOST_TRIES) throw new PlatformError(lost)
  }
}

async function preparePlan(context: ApplyContext, platform: Platform): Promise<{ outcome: Outcome; present: Present }> {
  const { tenant, outbound } = context
  const present = await loadPresent(context, platform)
  const warnings = await checkPlatform(tenant.issuer, platform, present)
  for (const input of platform.connectors) {
    for (const host of findUnreachable(outbound, input)) {
      warnings.push(`connector ${input.connector}: nobody can connect before SALLYPORT_EGRESS_ALLOW holds ${host}`)
    }
  }
  return { outcome: { changes: planChanges(platform, present), warnings }, present }
}

function withDone(changes: readonly Change[], done: readonly Change[]): Change[] {
  return changes.map((change) => done.find(({ kind, id }) => kind === change.kind && id === change.id) ?? change)
}

/** Runs one change; false when somebody else was faster. */
async function runChange(
  context: ApplyContext,
  platform: Platform,
  present: Present,
  change: Change,
  actor: string,
): Promise<boolean> {
  const { tenant, outbound } = context
  const args = { actor, changed: change.fields.map(({ field }) => field) }
  switch (change.kind) {
    case 'settings':
      await saveSettings(tenant, platform.settings, args)
      return true
    case 'resource':
      await saveResource(tenant, platform.resources.find(({ resource }) => resource === change.id)!, args)
      return true
    case 'role':
      await saveRole(tenant, change.id, platform.roles.find(({ role }) => role === change.id)!.scopes, args)
      return true
    case 'client':
      return runClient(tenant, platform, change, args)
    case 'user':
      return runUser(tenant, platform, present, change, args)
    case 'trusted_issuer':
      await saveTrustedIssuer(tenant, platform.trusted_issuers.find(({ issuer }) => issuer === change.id)!, args)
      return true
    case 'connector':
      await saveConnector(outbound, actor, platform.connectors.find(({ connector }) => connector === change.id)!)
      return true
    case 'webhook':
      await saveWebhook(context.webhooks, actor, platform.webhooks.find(({ webhook }) => webhook === change.id)!)
      return true
  }
}

interface Audit {
  readonly actor: string
  readonly changed: readonly string[]
}

async function runClient(tenant: Tenant, platform: Platform, change: Change, args: Audit): Promise<boolean> {
  const { client_id, client_secret, metadata } = platform.clients.find((entry) => entry.client_id === change.id)!
  if (change.action === 'change') {
    // Whoever begins to sign with the secret needs it kept in another way.
    const signs = metadata.token_endpoint_auth_method === 'client_secret_jwt'
    const kept_anew = signs && args.changed.includes('token_endpoint_auth_method')
    const secret = kept_anew || args.changed.includes('client_secret') ? client_secret : undefined
    return updateClient(tenant, { client_id, metadata, client_secret: secret, ...args })
  }
  try {
    await registerClient(tenant, { client_id, client_secret, metadata, source: 'apply', actor: args.actor })
    return true
  } catch (error) {
    // The metadata were checked, so that the name alone can be what is refused.
    if (error instanceof OAuthError) return false
    throw error
  }
}

async function runUser(
  tenant: Tenant,
  platform: Platform,
  present: Present,
  change: Change,
  args: Audit,
): Promise<boolean> {
  const user = platform.users.find(({ username }) => username === change.id)!
  const found = present.users.get(user.username)
  if (!found) return (await createUser(tenant, user, { actor: args.actor, user_id: user.user_id })) !== null
  const password = args.changed.includes('password') ? user.password : undefined
  return updateUser(tenant, found.record, { ...user, password }, args)
}
