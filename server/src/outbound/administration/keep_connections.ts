import { backoffMs } from '../../egress/circuit.ts'
import type { ConnectionAuthority, UpkeepPlan } from '../../store/verbs/connections.ts'
import type { DueConnection } from '../../store/verbs/upkeep.ts'
import { lapse } from '../connections/fresh_token.ts'
import { refreshConnection } from '../connections/refresh.ts'
import { isForAll, noteHost, takeTurn } from '../connections/turn.ts'
import { decideUpkeep, NEVER, planUpkeep, timesOf, UNTIL_REPAIR_MS } from '../connections/upkeep_plan.ts'
import { openConnector } from '../connectors/connector.ts'
import { type OutboundContext, outboundEvent, type RefreshPause } from '../context.ts'

const TURN_MS = 5_000
// So soon a connection comes up again whose process died over it, or lost its database. A refresh holds it for longer itself.
const HOLD_MS = 15_000

/**
 * One turn of the work that keeps connections alive while nobody asks for a token: refresh tokens that would die of
 * idleness are used, owners hear of ends that nothing puts off, what a dead process left open is resolved, and what has
 * ended says so. Processes share the work by taking one connection at a time. `ahead_ms` takes what is due later as well.
 * Says how many it looked at.
 */
export async function keepConnections(context: OutboundContext, ahead_ms = 0): Promise<number> {
  const { tenant_id, store } = context.tenant
  return takeTurn<DueConnection>(context, {
    list: (place) => store.listDueConnections({ tenant_id, ahead_ms, ...place }),
    work: (due) => keep(context, due),
    turn_ms: TURN_MS,
  })
}

// What goes wrong with one connection keeps no other waiting; it comes up again at once, and then ever later.
async function keep(context: OutboundContext, { connection_id, upkeep_at }: DueConnection): Promise<void> {
  const { tenant_id, store } = context.tenant
  const { troubles } = context
  const hold = (claimed_at: number, hold_ms: number) =>
    store.claimDueConnection({ tenant_id, connection_id, upkeep_at: claimed_at, hold_ms })
  const claimed_at = await hold(upkeep_at, HOLD_MS)
  if (claimed_at === null) return
  try {
    await keepClaimed(context, connection_id, claimed_at, upkeep_at === 0)
    troubles.delete(connection_id)
  } catch (cause) {
    if (isForAll(cause)) throw cause
    context.report(`connection ${connection_id} was not kept up`, cause)
    const failures = troubles.get(connection_id) ?? 0
    troubles.set(connection_id, failures + 1)
    await hold(claimed_at, backoffMs(failures, context.random))
  }
}

async function keepClaimed(
  context: OutboundContext,
  connection_id: string,
  claimed_at: number,
  isUnplanned: boolean,
): Promise<void> {
  const { tenant_id, store } = context.tenant
  const authority = await store.loadConnection({ tenant_id, connection_id })
  if (!authority) return
  const { connection, now } = authority
  const { state, keep_at, warn_at, warned_at, intent_deadline_at } = connection
  noteHost(context, authority.connector)
  const { provider } = openConnector(context, authority.connector)
  const plan = (next: UpkeepPlan, isTold = false) => {
    const event = isTold ? tell(context, authority) : null
    return store.planConnection({ tenant_id, connection_id, claimed_at, plan: next, event })
  }
  if (isUnplanned) {
    const first = planUpkeep(provider, timesOf(connection), null, context.random)
    const next = { ...first, upkeep_at: intent_deadline_at ?? first.upkeep_at }
    await plan(state === 'ready' || state === 'pending' ? next : NEVER)
    return
  }
  const later = (at: number | null) => plan({ keep_at, warn_at, warned_at, upkeep_at: at })
  const step = decideUpkeep(authority, provider, context.sole_owner)
  switch (step.kind) {
    case 'wait':
      await later(step.until)
      return
    case 'warn':
      // What comes after it is decided at the next look, which is at once.
      await plan({ keep_at, warn_at, warned_at: now, upkeep_at: now }, true)
      return
    case 'lapse':
      return lapse(context, authority)
    case 'refresh': {
      const pause = await refreshConnection(context, authority)
      // Where the refresh came to something, that has planned what comes next.
      if (pause) await later(now + pauseMs(context, pause))
    }
  }
}

// What waits for one circuit does not come back in one moment, nor often while only its administrator can help.
function pauseMs({ random }: OutboundContext, { reason, retry_ms }: RefreshPause): number {
  return Math.round(Math.max(reason === 'connector' ? UNTIL_REPAIR_MS : 1000, retry_ms) * (1 + random()))
}

/** The owner is told that the tokens will end, while there is time to consent again. */
function tell(context: OutboundContext, { connection, connector }: ConnectionAuthority) {
  const { connection_id, user_id, refresh_expires_at, access_expires_at } = connection
  const expires_at = refresh_expires_at ?? access_expires_at
  const detail = { connector: connector.connector, expires_at }
  return outboundEvent(context, 'connection.expires_soon', 'system', { connection_id, user_id, detail })
}
