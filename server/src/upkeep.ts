import type { App } from './app.ts'
import { newId } from './crypto/random.ts'
import { type Chore, inboundChores } from './inbound/administration/chores.ts'
import { keepConnections } from './outbound/administration/keep_connections.ts'
import { destroyFormerVaultKeys } from './outbound/administration/rekey.ts'
import { revokeUnchosen } from './outbound/connect/unchosen.ts'
import { endUnconfirmed } from './outbound/connect_sessions/connect_sessions.ts'
import { finishDisconnects } from './outbound/connections/disconnect.ts'
import { LEASE_MS } from './outbound/connections/refresh.ts'
import type { Store } from './store/store.ts'
import type { Log } from './web/log.ts'
import { tendWebhooks } from './webhooks/deliver.ts'

/** How an app is kept up. */
export interface UpkeepOptions {
  /** The platform's own unless given; whoever tests passes timers that run when told. */
  readonly timers?: Timers
  /** Told of each round, for metrics. */
  readonly noteRound?: (round: UpkeepRound) => void
}

/** A round of one task: how late it began, how long it took, and whether it failed. */
export interface UpkeepRound {
  readonly task: string
  readonly late_ms: number
  readonly ms: number
  readonly failed: boolean
}

/**
 * Starts the work that nobody asks for: keys rotate, what has ended is swept, clients hear of logouts, events are sealed
 * and told to webhooks, connections are kept alive, unused clients go. Start it once in every process that serves; replicas share it out among them. Its timers keep no
 * process alive. What fails is told to the app's log and tried again.
 */
export function startUpkeep({ tenant, web }: App, { timers, noteRound }: UpkeepOptions = {}): Upkeep {
  return startTasks({
    ...{ store: tenant.store, tenant_id: tenant.tenant_id, log: web.log },
    owner: newId(tenant.clock()),
    chores: [
      ...inboundChores(web.inbound),
      vaultChore(web),
      connectionChore(web),
      unchosenChore(web),
      webhookChore(web),
    ],
    finishDisconnects: async () => (await endUnconfirmed(web.outbound)) + (await finishDisconnects(web.outbound)),
    ...(timers && { timers }),
    ...(noteRound && { noteRound }),
  })
}

// After a rekeying the keys that wrap nothing any more go by themselves.
function vaultChore({ outbound }: App['web']): Chore {
  const run = () => destroyFormerVaultKeys(outbound, 'system')
  return { name: 'vault_keys', every_ms: 60_000, alone: true, run }
}

// Consents of which nobody has chosen what they are for.
function unchosenChore({ outbound }: App['web']): Chore {
  const run = async () => void (await revokeUnchosen(outbound))
  return { name: 'unchosen', every_ms: 60_000, alone: true, run }
}

// Every replica sends: leases keep them apart.
function webhookChore({ webhooks }: App['web']): Chore {
  return { name: 'webhooks', every_ms: 1000, alone: false, run: () => tendWebhooks(webhooks) }
}

// What a process left open that died is settled at the first turn, where no other process can be alive.
function connectionChore({ outbound }: App['web']): Chore {
  let ahead_ms = outbound.sole_owner ? LEASE_MS : 0
  const run = async () => {
    await keepConnections(outbound, ahead_ms)
    ahead_ms = 0
  }
  return { name: 'connections', every_ms: 10_000, alone: false, run }
}

/** What the work behind the requests needs. */
export interface UpkeepParts {
  readonly store: Store
  readonly tenant_id: string
  /** Names this process among the replicas. */
  readonly owner: string
  readonly log: Log
  /** Further work, of the floors below. */
  readonly chores?: readonly Chore[]
  /** Ends what nobody confirmed, and finishes disconnections that a process left half done. */
  readonly finishDisconnects?: () => Promise<number>
  readonly timers?: Timers
  readonly noteRound?: (round: UpkeepRound) => void
}

/** Timers as the platform has them. */
export interface Timers {
  setTimeout(work: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
}

/** Work that goes on until it is stopped. */
export interface Upkeep {
  /** Starts nothing more, and waits for what is under way. */
  stop(): Promise<void>
}

interface Task {
  readonly name: string
  readonly every_ms: number
  run(parts: UpkeepParts): Promise<void>
}

const EVENTS_AT_ONCE = 500
const ROWS_AT_ONCE = 500
// What has just ended may still be asked about by a request that began before.
const KEPT_AFTER_END_MS = 60_000

/** Seals committed events each second; each minute sweeps what has ended and finishes what was left half done. */
const TASKS: readonly Task[] = [
  {
    name: 'seal',
    every_ms: 1000,
    async run({ store, tenant_id, owner }) {
      if (!(await store.hasUnsealedEvents({ tenant_id }))) return
      if (!(await mayRun(store, { tenant_id, name: 'seal', owner, duration_ms: 5000 }))) return
      while ((await store.sealEvents({ tenant_id, most: EVENTS_AT_ONCE })) === EVENTS_AT_ONCE);
    },
  },
  {
    name: 'sweep',
    every_ms: 60_000,
    async run({ store, tenant_id, owner }) {
      if (!(await mayRun(store, { tenant_id, name: 'sweep', owner, duration_ms: 55_000 }))) return
      const before = (await store.ping({})) - KEPT_AFTER_END_MS
      while ((await store.sweepEnded({ before, most: ROWS_AT_ONCE })) >= ROWS_AT_ONCE);
    },
  },
  {
    name: 'disconnect',
    every_ms: 60_000,
    async run({ store, tenant_id, owner, finishDisconnects }) {
      if (finishDisconnects && (await mayRun(store, { tenant_id, name: 'disconnect', owner, duration_ms: 55_000 })))
        await finishDisconnects()
    },
  },
]

// One process owns a SQLite database: it needs no lease, and so writes nothing while it is at rest.
async function mayRun(store: Store, lease: Parameters<Store['takeLease']>[0]): Promise<boolean> {
  return store.driver.dialect === 'sqlite' || (await store.takeLease(lease)) !== null
}

/** Starts tasks, each in a loop of its own: whichever replica holds a task's lease does it. */
export function startTasks(parts: UpkeepParts): Upkeep {
  const tasks = TASKS.filter(({ name }) => name !== 'disconnect' || parts.finishDisconnects)
  const chores = (parts.chores ?? []).map(toTask)
  const loops = [...tasks, ...chores].map((task) => startLoop(task, parts))
  return {
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()))
    },
  }
}

// Whoever works alone keeps the turn until the next one.
function toTask({ name, every_ms, alone, run }: Chore): Task {
  const duration_ms = Math.max(every_ms - 5000, 1000)
  return {
    ...{ name, every_ms },
    async run({ store, tenant_id, owner }) {
      if (!alone || (await mayRun(store, { tenant_id, name, owner, duration_ms }))) await run()
    },
  }
}

function startLoop(task: Task, parts: UpkeepParts): Upkeep {
  const { log, timers = PLATFORM } = parts
  let running = Promise.resolve()
  let stopped = false
  let failed = false
  let timer: unknown
  let due = 0
  const round = async () => {
    const began = performance.now()
    try {
      await task.run(parts)
      failed = false
    } catch (error) {
      // A database that is away fails every round; one line says so.
      if (!failed && !stopped) log.warn({ err: error, reason: task.name }, 'upkeep failed')
      failed = true
    }
    const now = performance.now()
    parts.noteRound?.({ task: task.name, late_ms: Math.max(0, began - due), ms: now - began, failed })
    if (!stopped) schedule()
  }
  const schedule = () => {
    due = performance.now() + task.every_ms
    timer = timers.setTimeout(() => {
      running = round()
    }, task.every_ms)
  }
  schedule()
  return {
    async stop() {
      stopped = true
      timers.clearTimeout(timer)
      await running
    },
  }
}

const PLATFORM: Timers = {
  setTimeout: (work, ms) => setTimeout(work, ms).unref(),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
}
