import type { ClientMetadata } from '../oauth/client.ts'
import type { Tenant } from '../store/tenant.ts'
import { event } from './users.ts'

/**
 * Changes what is registered about a client (RFC 7592 section 2.2): the metadata are the whole new description. A
 * secret replaces the present one at once; without one it stays. False when there is no such client.
 */
export function updateClient(
  tenant: Tenant,
  args: {
    client_id: string
    metadata: ClientMetadata
    client_secret?: string | undefined
    actor: string
    /** Names of what differs, for the audit log. */
    changed: readonly string[]
  },
): Promise<boolean> {
  const { client_id, metadata, client_secret } = args
  return tenant.store.updateClient({
    tenant_id: tenant.tenant_id,
    client: {
      client_id,
      client_name: metadata.client_name ?? client_id,
      metadata: JSON.stringify(metadata),
      trusted: metadata.trusted,
      client_secret_hash: client_secret === undefined ? null : tenant.keys.hashSecret(client_secret),
    },
    event: event(tenant, 'client.updated', args.actor, { client_id, detail: { changed: args.changed } }),
  })
}
