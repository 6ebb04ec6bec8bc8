import { randomSecret } from '../../crypto/random.ts'
import { hasSecret } from '../../oauth/clients/authentication_metadata.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { ClientRecord } from '../../store/records.ts'
import type { Tenant } from '../../store/tenant.ts'
import { event } from '../event.ts'
import { readMetadata } from './client_record.ts'

// RFC 7518 section 3.2: the key of HS256 has at least as many bits as its hash.
const SHORTEST_MAC_SECRET = 32

/** What the store keeps of a client's secret. */
export interface KeptSecret {
  readonly client_secret_hash: Uint8Array
  /** Only for who signs with it: the store must then give it back. */
  readonly sealed_client_secret: Uint8Array | null
}

/** Refuses a secret that is too short to sign with. */
export function checkSigningSecret(client_secret: string): void {
  if (Buffer.byteLength(client_secret) >= SHORTEST_MAC_SECRET) return
  throw new OAuthError('invalid_client_metadata', 'Member client_secret must have at least 32 bytes to sign with')
}

/** Hashes a client's secret for the store; that of a client of client_secret_jwt is sealed as well. */
export function keepSecret(tenant: Tenant, client_id: string, method: string, client_secret: string): KeptSecret {
  const signs = method === 'client_secret_jwt'
  if (signs) checkSigningSecret(client_secret)
  return {
    client_secret_hash: tenant.keys.hashSecret(client_secret),
    sealed_client_secret: signs ? tenant.keys.seal(client_secret, placeOf(client_id)) : null,
  }
}

/** The living secrets that a client signs with: the present one, and the one before it while that is good. */
export async function openClientSecrets(tenant: Tenant, client_id: string, now: number): Promise<Buffer[]> {
  const found = await tenant.store.findSealedSecrets({ tenant_id: tenant.tenant_id, client_id })
  if (!found) return []
  const { client_secret_expires_at: ends, former_client_secret_expires_at: former_ends } = found
  const living = [
    ends === null || ends > now ? found.sealed_client_secret : null,
    former_ends !== null && former_ends > now ? found.former_sealed_client_secret : null,
  ]
  return living.flatMap((sealed) => (sealed ? [tenant.keys.open(sealed, placeOf(client_id))] : []))
}

const FORMER_SECRET_LIVES_MS = 30 * 86_400_000

/** Until when a client's present secret lives on once there is a newer one: 30 days, and no longer than it had itself. */
export function formerSecretEnds({ client_secret_expires_at }: ClientRecord, now: number): number {
  return Math.min(now + FORMER_SECRET_LIVES_MS, client_secret_expires_at ?? Number.POSITIVE_INFINITY)
}

/**
 * Gives a client a new random secret beside the one it has, which lives on until it is ended; the new one is in the answer
 * and nowhere else. Null when it has none, or another one than whoever asks has seen.
 */
export async function rotateClientSecret(
  tenant: Tenant,
  args: { record: ClientRecord; actor: string; now: number },
): Promise<string | null> {
  const { record, actor, now } = args
  const { client_id, client_secret_hash: seen } = record
  const { token_endpoint_auth_method } = readMetadata(record.metadata)
  if (seen === null || !hasSecret(token_endpoint_auth_method)) return null
  const client_secret = randomSecret('sp_cs_')
  const rotated = await tenant.store.rotateClientSecret({
    tenant_id: tenant.tenant_id,
    client_id,
    seen,
    ...keepSecret(tenant, client_id, token_endpoint_auth_method, client_secret),
    former_expires_at: formerSecretEnds(record, now),
    event: event(tenant, 'client.secret_rotated', actor, { client_id }),
  })
  return rotated ? client_secret : null
}

/** Ends the older of a client's two secrets; false when there is but one. */
export function endFormerClientSecret(tenant: Tenant, client_id: string, actor: string): Promise<boolean> {
  const ended = event(tenant, 'client.former_secret_ended', actor, { client_id })
  return tenant.store.endFormerClientSecret({ tenant_id: tenant.tenant_id, client_id, event: ended })
}

// The former secret keeps the place of its seal: rotation moves it without opening it.
function placeOf(client_id: string) {
  return { table: 'clients', row: client_id, column: 'sealed_client_secret', version: 1 }
}
