import type { ConnectSessionRecord } from '../../store/verbs/connect_sessions.ts'
import type { ConnectionOwner } from '../../store/verbs/connections.ts'
import type { OutboundContext } from '../context.ts'
import { isLivingSession, ownerOfSession, ownerOfUser } from './session_flow.ts'

/** Whose a connection will be that a flow is about to make. */
export interface ForWhom {
  readonly owner: ConnectionOwner
  /** The connect session that ends with it. */
  readonly session: ConnectSessionRecord | null
}

/** Whose the connection will be: the signed-in user's, or the owner's of a session that may still bring one. */
export async function findForWhom(
  context: OutboundContext,
  session_id: string | undefined,
  user_id: string | null,
): Promise<ForWhom | null> {
  if (session_id === undefined) return user_id === null ? null : { owner: ownerOfUser(user_id), session: null }
  const { tenant_id, store } = context.tenant
  const authority = await store.loadConnectSession({ tenant_id, session_id })
  if (!authority || !isLivingSession(authority)) return null
  const { session } = authority
  const owner = ownerOfSession(session)
  return owner.user_id === null || owner.user_id === user_id ? { owner, session } : null
}
