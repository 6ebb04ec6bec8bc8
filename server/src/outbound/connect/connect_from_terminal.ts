import { OAuthError } from '../../oauth/errors.ts'
import type { ConnectorRecord } from '../../store/verbs/connectors.ts'
import type { ConsentedConnection } from '../../store/verbs/consented_connections.ts'
import { connectUrl, type OutboundContext } from '../context.ts'
import { ownerOfUser } from './session_flow.ts'
import { checkRepair } from './start_connect.ts'

/** What a terminal waits for: a connection of this user through this connector, made from now on. */
export interface TerminalConnect {
  /** Where the person goes; it holds no secret: whoever signs in there connects for themselves. */
  readonly url: string
  readonly connector: string
  readonly user_id: string
  /** The connection to repair; no other counts then. */
  readonly connection_id?: string | undefined
  /** What is there already does not count, whatever state it is in. */
  readonly before: readonly ConsentedConnection[]
}

/** A connection that came about. */
export interface ConnectedHere {
  readonly connection_id: string
  readonly outcome: 'connected' | 'reconnected'
}

/** Where a user connects an account by a connector, or by the only one of a provider of that name. */
export async function askToConnect(
  context: OutboundContext,
  ask: { readonly name: string; readonly user_id: string; readonly connection_id?: string | undefined },
): Promise<TerminalConnect> {
  const { connector, disabled_at } = await findByName(context, ask.name)
  if (disabled_at !== null) throw new OAuthError('invalid_request', `Connector ${connector} is disabled`)
  const { user_id, connection_id } = ask
  if (connection_id !== undefined) await checkRepair(context, ownerOfUser(user_id), connector, connection_id)
  const { tenant_id, store } = context.tenant
  const before = await store.listConsentedConnections({ tenant_id, connector, user_id })
  return { url: connectUrl(context, connector, connection_id), connector, user_id, connection_id, before }
}

/** What came of it, or null while nothing has: a consent of since then, not one of before that is ready again. */
export async function findConnected(
  { tenant }: OutboundContext,
  asked: Pick<TerminalConnect, 'connector' | 'user_id' | 'connection_id' | 'before'>,
): Promise<ConnectedHere | null> {
  const { tenant_id, store } = tenant
  const { connector, user_id, before } = asked
  for (const one of await store.listConsentedConnections({ tenant_id, connector, user_id })) {
    const { connection_id } = one
    if (one.state !== 'ready' || (asked.connection_id ?? connection_id) !== connection_id) continue
    const known = before.find((seen) => seen.connection_id === connection_id)
    if (!known) return { connection_id, outcome: 'connected' }
    if (one.consented_generation > known.consented_generation) return { connection_id, outcome: 'reconnected' }
  }
  return null
}

async function findByName(context: OutboundContext, name: string): Promise<ConnectorRecord> {
  const { tenant_id, store } = context.tenant
  const all = await store.listConnectors({ tenant_id })
  const named = all.find(({ connector }) => connector === name)
  const of_provider = all.filter(({ provider }) => provider === name)
  if (named) return named
  if (of_provider.length === 1) return of_provider[0]!
  const which = (of_provider.length > 0 ? of_provider : all).map(({ connector }) => connector).join(', ')
  const sentence =
    of_provider.length > 1
      ? `Several connectors are of provider ${name}; say which: ${which}`
      : `There is no connector ${name}, nor one of such a provider; ${which === '' ? 'there is none at all' : `there are ${which}`}`
  throw new OAuthError('invalid_request', sentence)
}
