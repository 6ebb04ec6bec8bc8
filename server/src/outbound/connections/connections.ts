import type { ProviderFields } from '../../providers/provider.ts'
import type { ListedConnection, ListedState } from '../../store/verbs/listed_connections.ts'
import { nameProvider } from '../connectors/connector.ts'
import type { OutboundContext } from '../context.ts'

/** A connection as the account page, the console and the API show it: never a key or a token. */
export interface ShownConnection extends Omit<ListedConnection, 'state' | 'intent_deadline_at'> {
  readonly provider_name: string
  readonly state: ListedState | 'refreshing'
  /** What a person calls the connected account. */
  readonly account_label: string
  /** What dies over there when this connection is ended here. */
  readonly revocation_ends: ProviderFields['revocation_ends']
}

/** The living connections of a user. */
export async function listConnections(context: OutboundContext, user_id: string): Promise<ShownConnection[]> {
  const { tenant_id, store } = context.tenant
  return (await store.listConnectionsOfUser({ tenant_id, user_id })).map((row) => showConnection(context, row))
}

/** The connections of the tenant, or through one connector, ended ones included, from after a cursor. */
export async function pageConnections(
  context: OutboundContext,
  page: {
    readonly connector: string
    readonly state?: ListedState | ''
    /** Of the users of one platform, or of one of them. */
    readonly client_id?: string
    readonly end_user_id?: string
    readonly after_connection_id: string
    readonly most: number
  },
): Promise<ShownConnection[]> {
  const { tenant_id, store } = context.tenant
  return (await store.pageConnections({ tenant_id, ...page })).map((row) => showConnection(context, row))
}

/** One connection of the tenant, ended or not, or null. */
export async function findConnection(context: OutboundContext, connection_id: string): Promise<ShownConnection | null> {
  const { tenant_id, store } = context.tenant
  const row = await store.findListedConnection({ tenant_id, connection_id })
  return row && showConnection(context, row)
}

/** A row as it is shown: an open intent is `refreshing`, what the connector cannot do is an `error` of ours. */
export function showConnection(context: OutboundContext, row: ListedConnection): ShownConnection {
  const { intent_deadline_at, ...shown } = row
  let state: ShownConnection['state'] = row.state
  if (state === 'ready' && (row.connector_error !== null || row.connector_disabled_at !== null)) state = 'error'
  else if (state === 'ready' && intent_deadline_at !== null) state = 'refreshing'
  return {
    ...shown,
    state,
    reason: state === 'error' ? (row.connector_error ?? 'connector_disabled') : row.reason,
    provider_name: nameProvider(context, row),
    revocation_ends: context.catalogue.get(row.provider)?.fields.revocation_ends?.value ?? 'unknown',
    account_label: row.account_name ?? row.account ?? row.connection_id,
  }
}
