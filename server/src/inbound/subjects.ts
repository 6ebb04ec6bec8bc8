import { hmac } from '../crypto/hash.ts'
import { type Client, PAIRWISE } from '../oauth/clients/client.ts'
import { sectorOf } from '../oauth/clients/request_metadata.ts'
import type { Tenant } from '../store/tenant.ts'

/** The name by which a client knows a user (OpenID Connect Core section 8). */
export function subjectOf(tenant: Tenant, client: Client, user_id: string): string {
  return client.subject_type === 'pairwise' ? pairwise(tenant, sectorOf(client), user_id) : user_id
}

/**
 * The name of a user in an access token: users of pairwise clients have one for each resource, so that two resources
 * cannot compare theirs. Null where several resources would see the same: such a token is opaque, and introspection
 * tells each its own.
 */
export function subjectAtResources(
  tenant: Tenant,
  client: Client,
  resources: readonly string[],
  user_id: string,
): { readonly sub: string; readonly opaque: boolean } {
  if (client.subject_type !== 'pairwise') return { sub: user_id, opaque: false }
  const [only, ...others] = resources.filter((resource) => !isOwn(tenant, resource))
  if (only !== undefined && others.length === 0) return { sub: subjectAt(tenant, only, user_id), opaque: false }
  return { sub: subjectOf(tenant, client, user_id), opaque: others.length > 0 }
}

/** The name of a user at one resource. */
export function subjectAt(tenant: Tenant, resource: string, user_id: string): string {
  return pairwise(tenant, new URL(resource).hostname || resource, user_id)
}

// What is our own knows its users anyway.
function isOwn({ issuer }: Tenant, resource: string): boolean {
  return resource === issuer || resource.startsWith(`${issuer}/`)
}

// Under a key that outlives the rotation of the others: a name is for good.
function pairwise(tenant: Tenant, sector: string, user_id: string): string {
  return PAIRWISE + hmac(tenant.keys.permanent('pairwise'), JSON.stringify([sector, user_id])).toString('base64url')
}
