import { randomSecret } from '../../crypto/random.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Tenant } from '../../store/tenant.ts'
import { event } from '../event.ts'
import { ADMINISTRATOR } from '../tenants.ts'

// ASVS 6.4.1 asks for a short life: whoever comes later makes a new one with `sallyport setup-link`.
const LIFETIME_MS = 15 * 60_000

/** The page to which a setup link leads, under the issuer. */
export const SETUP_PATH = '/setup'

/** A link that makes one administrator, once. It replaces the one before it. */
export interface SetupLink {
  readonly url: string
  readonly expires_at: number
}

/** Whether nobody can administer the tenant yet. */
export async function needsSetup(tenant: Tenant): Promise<boolean> {
  return !(await tenant.store.hasUserWithRole({ tenant_id: tenant.tenant_id, role: ADMINISTRATOR }))
}

/**
 * Makes a setup link instead of a default password (ASVS 6.3.2); the store keeps its hash alone. Refused once there is
 * an administrator: further ones are made by those there are.
 */
export async function createSetupLink(tenant: Tenant, actor: string): Promise<SetupLink> {
  if (!(await needsSetup(tenant))) {
    throw new OAuthError('access_denied', 'There is an administrator already, who can make others')
  }
  const { tenant_id, store } = tenant
  const token = randomSecret('sp_setup_')
  const at = tenant.clock()
  const expires_at = at + LIFETIME_MS
  const secret_hash = tenant.keys.hashSecret(token)
  await store.createOneTimeLink({ tenant_id, kind: 'setup', secret_hash, expires_at, at })
  await store.recordEvent(event(tenant, 'setup_link.created', actor, { detail: { expires_at } }))
  return { url: `${tenant.issuer}${SETUP_PATH}?token=${token}`, expires_at }
}
