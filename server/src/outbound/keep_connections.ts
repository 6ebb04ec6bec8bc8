import { StoreUnavailable } from '../store/sql.ts'
import type { ConnectionAuthority, UpkeepPlan } from '../store/verbs/connections.ts'
import type { DueConnection } from '../store/verbs/upkeep.ts'
import { openConnector } from './connector.ts'
import { type OutboundContext, outboundEvent, type RefreshPause } from './context.ts'
import { lapse } from './fresh_token.ts'
import { refreshConnection } from './refresh.ts'
import { decideUpkeep, NEVER, planUpkeep, timesOf } from './upkeep_plan.ts'
import { VaultClosed } from './vault_keys.ts'

const MOST = 100
const AT_ONCE = 8
const TURN_MS = 5_000
// Longer than anything that is done about one connection takes, and not so short that what is broken is told all the time.
const HOLD_MS = 600_000
const CONNECTOR_MS = 1_800_000

/**
 * One turn of the work that keeps connections alive while nobody asks for a token: refresh tokens that would die of
 * idleness are used, owners hear of ends that nothing puts off, what a dead process left open is resolved, and what has
 * ended says so. Processes share the work by taking one connection at a time. `ahead_ms` takes what is due later as well.
 * Says how many it looked at.
 */
export async function keepConnections(context: OutboundContext, ahead_ms = 0): Promise<number> {
  const { tenant_id, store } = context.tenant
  const ends_at = context.clock() + TURN_MS
  const isTime = () => context.clock() < ends_at
  let seen = 0
  for (let due: DueConnection[]; isTime(); ) {
    due = shuffle(await store.listDueConnections({ tenant_id, ahead_ms, most: MOST }), context.random)
    const mine = due.values()
    const work = async () => {
      for (const one of mine) {
        if (!isTime()) return
        seen++
        await keep(context, one)
      }
    }
    const done = await Promise.allSettled(Array.from({ length: AT_ONCE }, work))
    for (const worker of done) if (worker.status === 'rejected') throw worker.reason
    if (due.length < MOST) break
  }
  return seen
}

// What goes wrong with one connection keeps no other waiting; it comes up again once its hold is over.
async function keep(context: OutboundContext, due: DueConnection): Promise<void> {
  const { connection_id } = due
  try {
    await keepOne(context, due)
  } catch (cause) {
    // Nor does it go on where nothing can go right.
    if (cause instanceof VaultClosed || cause instanceof StoreUnavailable) throw cause
    context.report(`connection ${connection_id} was not kept up`, cause)
  }
}

async function keepOne(context: OutboundContext, { connection_id, upkeep_at }: DueConnection): Promise<void> {
  const { tenant_id, store } = context.tenant
  const claimed_at = await store.claimDueConnection({ tenant_id, connection_id, upkeep_at, hold_ms: HOLD_MS })
  if (claimed_at === null) return
  const authority = await store.loadConnection({ tenant_id, connection_id })
  if (!authority) return
  const { connection, now } = authority
  const { state, keep_at, warn_at, warned_at, intent_deadline_at } = connection
  const { provider } = openConnector(context, authority.connector)
  const plan = (next: UpkeepPlan, isTold = false) => {
    const event = isTold ? tell(context, authority) : null
    return store.planConnection({ tenant_id, connection_id, claimed_at, plan: next, event })
  }
  if (upkeep_at === 0) {
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
  return Math.round(Math.max(reason === 'connector' ? CONNECTOR_MS : 1000, retry_ms) * (1 + random()))
}

/** The owner is told that the tokens will end, while there is time to consent again. */
function tell(context: OutboundContext, { connection, connector }: ConnectionAuthority) {
  const { connection_id, user_id, refresh_expires_at, access_expires_at } = connection
  const expires_at = refresh_expires_at ?? access_expires_at
  const detail = { connector: connector.connector, expires_at }
  return outboundEvent(context, 'connection.expires_soon', 'system', { connection_id, user_id, detail })
}

// Replicas that look at the same moment begin at different ends.
function shuffle<T>(list: readonly T[], random: () => number): T[] {
  const ordered = list.map((item) => ({ item, order: random() }))
  return ordered.sort((a, b) => a.order - b.order).map(({ item }) => item)
}
