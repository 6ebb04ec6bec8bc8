import { randomSecret } from '../../crypto/random.ts'
import { hasSecret } from '../../oauth/clients/authentication_metadata.ts'
import type { ClientMetadata } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { ClientRecord } from '../../store/records.ts'
import type { Tenant } from '../../store/tenant.ts'
import { listChangedNames } from '../changed_names.ts'
import { readMetadata } from './client_record.ts'
import { isSelfRegistered, readAdministratedClient } from './register_client.ts'
import { updateClient } from './update_client.ts'

/** Who describes a client: administrators here, a platform file, or whoever runs it. */
export function describedBy({ source }: ClientRecord): 'administrators' | 'file' | 'itself' {
  if (isSelfRegistered(source)) return 'itself'
  return source === 'apply' ? 'file' : 'administrators'
}

/**
 * Changes what is registered of a client to what an administrator has typed, all of it. A client that begins to
 * authenticate by a secret, or to sign with it, gets a new one: it is in the answer and nowhere else. `stale` when
 * somebody else has changed the client since `record` was read.
 */
export async function editClient(
  tenant: Tenant,
  record: ClientRecord,
  wanted: { json: unknown; grant_types: readonly string[]; actor: string },
): Promise<{ client_secret: string | undefined } | 'stale'> {
  if (describedBy(record) !== 'administrators') {
    throw new OAuthError('invalid_request', 'This client is described elsewhere, and is changed there')
  }
  const { client_id } = record
  const before = readMetadata(record.metadata)
  const metadata = readAdministratedClient(wanted.json, wanted.grant_types)
  const changed = listChangedNames(before, metadata)
  if (changed.length === 0) return { client_secret: undefined }
  const client_secret = needsSecret(record, metadata) ? randomSecret('sp_cs_') : undefined
  const args = { client_id, metadata, client_secret, seen: record.metadata, actor: wanted.actor, changed }
  return (await updateClient(tenant, args)) ? { client_secret } : 'stale'
}

// Of a secret that was only ever checked there is but a hash, and a hash signs nothing.
function needsSecret(record: ClientRecord, { token_endpoint_auth_method: method }: ClientMetadata): boolean {
  if (!hasSecret(method)) return false
  const signed = readMetadata(record.metadata).token_endpoint_auth_method === 'client_secret_jwt'
  return record.client_secret_hash === null || (method === 'client_secret_jwt' && !signed)
}
