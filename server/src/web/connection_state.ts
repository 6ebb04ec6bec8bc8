import type { ListedConnection } from '../store/verbs/connections.ts'
import type { ConnectionReason, ConnectionState } from './ui/connection_state.ts'

/** The state of a connection as people see it: a fault of the connector is not the user's. */
export function readState(connection: ListedConnection): ConnectionState {
  if (connection.state !== 'ready') return connection.state
  if (connection.connector_error !== null || connection.connector_disabled_at !== null) return 'error'
  return connection.intent_deadline_at === null ? 'ready' : 'refreshing'
}

const REASONS: readonly ConnectionReason[] = [
  'revoked',
  'expired',
  'scope_removed',
  'consent_withdrawn',
  'account_changed',
]

/** The reason of a connection, among those that pages have words for. */
export function readReason(reason: string | null): ConnectionReason | undefined {
  if (reason === null) return undefined
  return REASONS.find((known) => known === reason) ?? 'unknown'
}
