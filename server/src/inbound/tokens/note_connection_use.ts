import { LRUCache } from 'lru-cache'
import type { Tenant } from '../../store/tenant.ts'
import { event } from '../event.ts'
import type { LivingToken } from './access_tokens.ts'
import type { ConnectionUse } from './connection_use.ts'

const HOUR_MS = 3_600_000

// The row decides; this only keeps the same question from being asked at each use.
const noted = new LRUCache<string, number>({ max: 10_000 })

/** Notes in its grant, to the hour, that a connection was used; a token that is handed out goes into the audit log as well. */
export async function noteConnectionUse(
  tenant: Tenant,
  { claims, authority, user_id }: Pick<LivingToken, 'claims' | 'authority' | 'user_id'>,
  { choice }: ConnectionUse,
  handed_to: string | null,
): Promise<void> {
  const { tenant_id, store } = tenant
  const grant_id = claims.grant_id!
  const { connection_id, connector, resource = null } = choice
  const key = JSON.stringify([tenant_id, grant_id, connection_id, resource])
  const now = tenant.clock()
  if ((noted.get(key) ?? 0) + HOUR_MS > now) return
  noted.set(key, now)
  const detail = { connector, via: 'token', ...(resource !== null && { resource }) }
  const about = { client_id: authority.grant!.client_id, user_id, grant_id, connection_id, detail }
  const told = handed_to === null ? null : event(tenant, 'connection.used', `client:${handed_to}`, about)
  try {
    await store.noteConnectionUse({ tenant_id, grant_id, connection_id, resource, event: told })
  } catch (error) {
    noted.delete(key)
    throw error
  }
}
