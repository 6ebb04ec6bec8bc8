import type { ClientMetadata } from '../../oauth/clients/client.ts'
import { isLegacy, legacyDetail } from '../../oauth/clients/own_metadata.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Tenant } from '../../store/tenant.ts'
import { event } from '../event.ts'
import { keepSecret } from './client_secrets.ts'

/**
 * Changes what is registered about a client (RFC 7592 section 2.2): the metadata are the whole new description. A
 * secret replaces the present one at once; without one it stays. False when there is no such client, or `seen` is no
 * longer what stands.
 */
export async function updateClient(
  tenant: Tenant,
  args: {
    client_id: string
    metadata: ClientMetadata
    client_secret?: string | undefined
    /** The metadata that whoever decided this has seen. */
    seen?: string
    actor: string
    /** Names of what differs, for the audit log. */
    changed: readonly string[]
  },
): Promise<boolean> {
  const { client_id, metadata, client_secret } = args
  const method = metadata.token_endpoint_auth_method
  if (method === 'client_secret_jwt' && client_secret === undefined) await requireSealed(tenant, client_id)
  return tenant.store.updateClient({
    tenant_id: tenant.tenant_id,
    ...(args.seen !== undefined && { seen: args.seen }),
    client: {
      client_id,
      client_name: metadata.client_name ?? client_id,
      metadata: JSON.stringify(metadata),
      trusted: metadata.trusted,
      legacy: isLegacy(metadata),
      client_secret_hash: null,
      ...(method === 'client_secret_jwt' ? {} : { sealed_client_secret: null }),
      ...(client_secret === undefined ? {} : keepSecret(tenant, client_id, method, client_secret)),
    },
    event: event(tenant, 'client.updated', args.actor, {
      client_id,
      detail: { changed: args.changed, ...legacyDetail(metadata) },
    }),
  })
}

// Of a secret that was only ever checked there is but a hash, and a hash signs nothing.
async function requireSealed(tenant: Tenant, client_id: string): Promise<void> {
  const found = await tenant.store.findSealedSecrets({ tenant_id: tenant.tenant_id, client_id })
  if (!found || found.sealed_client_secret) return
  throw new OAuthError('invalid_client_metadata', 'Member client_secret is needed to change to client_secret_jwt')
}
