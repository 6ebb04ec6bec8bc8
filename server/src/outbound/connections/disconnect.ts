import { revokeToken } from '../../relying/revocation.ts'
import type { OverConnection } from '../../store/verbs/connection_ends.ts'
import type { ConnectionAuthority, ConnectionOwner, EndedConnection } from '../../store/verbs/connections.ts'
import type { ConnectorRecord } from '../../store/verbs/connectors.ts'
import { openConnector, partyOfTokens } from '../connectors/connector.ts'
import { type OutboundContext, outboundEvent } from '../context.ts'
import { openVault, type ProviderTokens } from '../vault/vault.ts'
import { VaultClosed } from '../vault/vault_keys.ts'
import { isForAll, type Turn, takeTurn } from './turn.ts'

/** Who ends a connection, and why. With `user_id` only the owner's own; with `client_id` only one of a platform's users. */
export interface Disconnection {
  readonly connection_id: string
  readonly actor: string
  readonly user_id?: string | null
  readonly client_id?: string
  readonly reason?: string
}

const UNFINISHED_AFTER_MS = 60_000
// Three turns, each with a call that was begun at its end, are over within a minute.
const TURN_MS = 8_000

/**
 * Ends a connection: from the first commit on no token leaves it, then the provider is told, as well as it lets itself
 * be told, and then the data key is destroyed. A process that dies in between leaves the rest to `finishDisconnects`.
 */
export async function disconnect(context: OutboundContext, ask: Disconnection): Promise<'disconnected' | 'unknown'> {
  const { tenant_id, store } = context.tenant
  const { connection_id, actor } = ask
  const authority = await store.loadConnection({ tenant_id, connection_id })
  if (!authority || (ask.user_id !== undefined && authority.connection.user_id !== ask.user_id)) return 'unknown'
  if (ask.client_id !== undefined && authority.connection.client_id !== ask.client_id) return 'unknown'
  await commitEnd(context, authority.connection, ask)
  await destroy(context, connection_id, actor).catch((cause: unknown) => {
    if (!(cause instanceof VaultClosed)) throw cause
    context.report(`connection ${connection_id} is disconnected; its data key is destroyed once the vault opens`, cause)
  })
  return 'disconnected'
}

/** The first step of that alone; the rest is left to `finishDisconnects`. */
export async function commitEnd(
  context: OutboundContext,
  { connection_id, user_id, connector }: ConnectionAuthority['connection'],
  { actor, reason = 'user' }: Pick<Disconnection, 'actor' | 'reason'>,
): Promise<void> {
  const { tenant_id, store } = context.tenant
  const detail = { connector, reason }
  const event = outboundEvent(context, 'connection.disconnected', actor, { connection_id, user_id, detail })
  await store.disconnectConnection({ tenant_id, connection_id, reason, event })
}

/** Ends connections side by side; what fails is left to `finishDisconnects`. */
export async function disconnectAll(
  context: OutboundContext,
  connection_ids: readonly string[],
  by: Omit<Disconnection, 'connection_id'>,
): Promise<void> {
  const ended = await Promise.allSettled(
    connection_ids.map((connection_id) => disconnect(context, { ...by, connection_id })),
  )
  for (const one of ended) {
    if (one.status === 'rejected') context.report('a connection is not yet taken back at its provider', one.reason)
  }
}

/** Ends connections whose chosen end has come, and finishes what processes that died had begun; says how many. */
export async function finishDisconnects(context: OutboundContext): Promise<number> {
  const { tenant_id, store } = context.tenant
  const overdue = await takeTurnOfEnds<OverConnection>(context, {
    list: (place) => store.listOverdueConnections({ tenant_id, ...place }),
    end: (connection_id) => disconnect(context, { connection_id, actor: 'system', reason: 'ended' }),
  })
  const before = context.clock() - UNFINISHED_AFTER_MS
  const unfinished = await takeTurnOfEnds<EndedConnection>(context, {
    list: (place) => store.listUndestroyed({ tenant_id, before, ...place }),
    end: (connection_id) => destroy(context, connection_id, 'system'),
  })
  return overdue + unfinished
}

/** Ends what is listed, as far as a turn goes; what goes wrong with one keeps no other waiting. */
export function takeTurnOfEnds<One extends EndedConnection>(
  context: OutboundContext,
  { list, end }: Pick<Turn<One>, 'list'> & { readonly end: (connection_id: string) => Promise<unknown> },
): Promise<number> {
  const work = async ({ connection_id }: One) => {
    try {
      await end(connection_id)
    } catch (cause) {
      if (isForAll(cause)) throw cause
      context.report(`connection ${connection_id} is not yet taken back at its provider`, cause)
    }
  }
  return takeTurn<One>(context, { list, work, turn_ms: TURN_MS })
}

/**
 * Tells the provider that tokens are no longer wanted, unless a living connection may rest on the same consent: with a token
 * more may die than itself, and some providers give one out twice. What every tenant has, others may rest on whom nobody here
 * knows. Says in a word what came of it.
 */
export async function takeBackTokens(
  context: OutboundContext,
  record: ConnectorRecord,
  tokens: ProviderTokens,
  /** Whose they are over there, where that is known; here, where that is asked when it is not. */
  { account, owner }: { readonly account: string | null; readonly owner?: ConnectionOwner },
): Promise<string> {
  const { tenant_id, store } = context.tenant
  const { connector } = record
  const { provider, settings } = openConnector(context, record)
  const is_alone = provider.revocation_ends === 'token'
  if (settings.for_everyone && !is_alone) return 'spared'
  const about = { tenant_id, connector, account, owner }
  if ((account !== null || !is_alone) && (await store.hasConnectionOfAccount(about))) return 'spared'
  return revokeUpstream(context, record, tokens)
}

/** The same for tokens of a connection that has ended. */
export async function takeBackConnection(
  context: OutboundContext,
  { connection, connector }: ConnectionAuthority,
  tokens: ProviderTokens,
): Promise<string> {
  const { account, user_id, client_id, end_user_id } = connection
  // What was chosen stands behind the account, which the other choices of its consent have as well.
  const is_chosen = openConnector(context, connector).provider.steps.some(({ choice }) => choice !== null)
  const consented = is_chosen && account !== null ? account.split(' ')[0]! : account
  return takeBackTokens(context, connector, tokens, { account: consented, owner: { user_id, client_id, end_user_id } })
}

async function revokeUpstream(
  context: OutboundContext,
  connector: ConnectorRecord,
  tokens: ProviderTokens,
): Promise<string> {
  const { refresh_token = null, access_token, extra } = tokens
  const party = partyOfTokens(context, openConnector(context, connector), tokens)
  const outcome = await revokeToken(context.relying, party, { refresh_token, access_token, extra })
  return outcome.kind
}

async function destroy(context: OutboundContext, connection_id: string, actor: string): Promise<void> {
  const { tenant_id, store } = context.tenant
  // Read again: a refresh that was under way may have stored a newer token before the end was committed.
  const authority = await store.loadConnection({ tenant_id, connection_id })
  if (!authority || authority.connection.data_key === null) return
  const { user_id, connector } = authority.connection
  const revocation = await tellProvider(context, authority)
  const detail = { connector, revocation }
  const event = outboundEvent(context, 'connection.destroyed', actor, { connection_id, user_id, detail })
  await store.destroyDataKey({ tenant_id, connection_id, event })
}

async function tellProvider(context: OutboundContext, authority: ConnectionAuthority): Promise<string> {
  const { connection } = authority
  try {
    const vault = await openVault(context, connection.connection_id, connection.data_key!)
    const tokens = vault.open(connection.sealed_tokens!, connection.generation)
    return await takeBackConnection(context, authority, tokens)
  } catch (cause) {
    // What is closed now may open again: `finishDisconnects` comes back to it.
    if (cause instanceof VaultClosed) throw cause
    // Tokens that cannot be opened any more cannot be revoked either; they die with their key all the same.
    context.report(`the tokens of connection ${connection.connection_id} were not revoked upstream`, cause)
    return 'failed'
  }
}
