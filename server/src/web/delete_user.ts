import { deleteUser } from '../inbound/users/delete_user.ts'
import { tellDeleted } from '../inbound/users/letters.ts'
import { disconnectAll } from '../outbound/connections/disconnect.ts'
import type { UserRecord } from '../store/records.ts'
import type { Web } from './web.ts'

/** Deletes a user, and takes their accounts at other services back there. */
export async function deleteUserEverywhere(
  web: Web,
  user: UserRecord,
  actor: string,
  lang?: string,
): Promise<'deleted' | 'last' | 'unknown'> {
  const { tenant_id, store } = web.tenant
  const connections = await store.listConnectionsOfUser({ tenant_id, user_id: user.user_id })
  const outcome = await deleteUser(web.tenant, user, actor)
  if (outcome === 'deleted') {
    tellDeleted(web.inbound, user, lang)
    const ids = connections.map(({ connection_id }) => connection_id)
    await disconnectAll(web.outbound, ids, { actor, reason: 'user_deleted' })
  }
  return outcome
}
