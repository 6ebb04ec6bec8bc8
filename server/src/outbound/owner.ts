import type { ConnectionOwner } from '../store/verbs/connections.ts'

/** Whether two are one owner; nobody is the owner of what has none. */
export function isSameOwner(one: ConnectionOwner, other: ConnectionOwner): boolean {
  if (one.user_id !== null || other.user_id !== null) return one.user_id === other.user_id
  return one.client_id !== null && one.client_id === other.client_id && one.end_user_id === other.end_user_id
}
