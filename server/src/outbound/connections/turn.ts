import { StoreUnavailable } from '../../store/sql.ts'
import type { ConnectorRecord } from '../../store/verbs/connectors.ts'
import { openConnector } from '../connectors/connector.ts'
import type { OutboundContext } from '../context.ts'
import { VaultClosed } from '../vault/vault_keys.ts'

const AT_ONCE = 16
// Of one host no more at once than leaves most places to the others, should it hang.
const AT_ONE_HOST = 4
const READ_AT_ONCE = 500
// So many are known to wait for a host before those behind them wait for another turn.
const MOST_WAITING = 50_000

/** What may lead to the host that a connector leads to. */
export interface Led {
  readonly connector: string
  /** A connection through it, where there is one. */
  readonly connection_id?: string
}

/** What is done in one turn: to whatever is listed, in its order, after the one that was read last. */
export interface Turn<One extends Led> {
  readonly list: (place: { readonly after: One | null; readonly most: number }) => Promise<readonly One[]>
  /** What it throws ends the turn. */
  readonly work: (one: One) => Promise<void>
  /** So long something is begun; what is left comes up in the next turn. */
  readonly turn_ms: number
}

/**
 * Takes a turn: some at once, and few of them at one host, so that one that hangs, through however many connectors, keeps
 * none of another waiting. Says how many were worked on.
 */
export async function takeTurn<One extends Led>(context: OutboundContext, turn: Turn<One>): Promise<number> {
  const ends_at = context.clock() + turn.turn_ms
  const all = new ByHost(context, turn.list)
  let seen = 0
  let failed = false
  const work = async () => {
    while (!failed && context.clock() < ends_at) {
      const taken = await all.take()
      if (!taken) return
      seen++
      try {
        await turn.work(taken.one)
      } catch (cause) {
        failed = true
        throw cause
      } finally {
        taken.leave()
      }
    }
  }
  const done = await Promise.allSettled(Array.from({ length: AT_ONCE }, work))
  for (const worker of done) if (worker.status === 'rejected') throw worker.reason
  return seen
}

/** Whether nothing can go right for the others either. */
export function isForAll(cause: unknown): boolean {
  return cause instanceof VaultClosed || cause instanceof StoreUnavailable
}

interface Taken<One> {
  readonly one: One
  /** Gives its place at its host back. */
  readonly leave: () => void
}

/** What is listed, read on as far as hosts have places left. */
class ByHost<One extends Led> {
  readonly #context: OutboundContext
  readonly #list: Turn<One>['list']
  readonly #hosts = new Map<string, { busy: number; readonly waiting: One[] }>()
  #waiting = 0
  #after: One | undefined
  #ended = false
  #reading: Promise<boolean> | undefined

  constructor(context: OutboundContext, list: Turn<One>['list']) {
    this.#context = context
    this.#list = list
  }

  /** The next one whose host has a place left; undefined where nothing more can be begun now. */
  async take(): Promise<Taken<One> | undefined> {
    for (;;) {
      const taken = this.#pick()
      if (taken) return taken
      this.#reading ??= this.#readOn().finally(() => {
        this.#reading = undefined
      })
      if (!(await this.#reading)) return this.#pick()
    }
  }

  #pick(): Taken<One> | undefined {
    for (const [name, host] of this.#hosts) {
      if (host.busy >= AT_ONE_HOST) continue
      const one = host.waiting.shift()
      if (one || host.busy === 0) this.#hosts.delete(name)
      if (!one) continue
      // Hosts take turns.
      this.#hosts.set(name, host)
      this.#waiting--
      host.busy++
      return { one, leave: () => void host.busy-- }
    }
    return undefined
  }

  /** Reads some more; false where nothing more came. */
  async #readOn(): Promise<boolean> {
    if (this.#ended || this.#waiting >= MOST_WAITING) return false
    const page = await this.#list({ after: this.#after ?? null, most: READ_AT_ONCE })
    this.#ended = page.length < READ_AT_ONCE
    this.#after = page.at(-1)
    for (const one of shuffle(page, this.#context.random)) {
      const name = await findHost(this.#context, one)
      const host = this.#hosts.get(name) ?? { busy: 0, waiting: [] }
      this.#hosts.set(name, host)
      host.waiting.push(one)
      this.#waiting++
    }
    return page.length > 0
  }
}

// Where a connector led when it was seen last: to keep hosts apart, that is good enough.
async function findHost(context: OutboundContext, { connector, connection_id }: Led): Promise<string> {
  const known = context.token_hosts.get(connector)
  if (known !== undefined) return known
  const { tenant_id, store } = context.tenant
  const record =
    connection_id === undefined
      ? await store.findConnector({ tenant_id, connector })
      : (await store.loadConnection({ tenant_id, connection_id }))?.connector
  return record ? noteHost(context, record) : connector
}

/** Notes which host issues the tokens of a connector. */
export function noteHost(context: OutboundContext, record: ConnectorRecord): string {
  const host = readHost(context, record) ?? record.connector
  context.token_hosts.set(record.connector, host)
  return host
}

function readHost(context: OutboundContext, record: ConnectorRecord): string | undefined {
  try {
    const { refresh_endpoint, token_endpoint, issuer } = openConnector(context, record).provider
    return URL.parse(refresh_endpoint ?? token_endpoint ?? issuer ?? '')?.host
  } catch {
    // Whoever looks at its connections says what is wrong with it.
    return undefined
  }
}

// Replicas that look at the same moment begin at different ends.
function shuffle<T>(list: readonly T[], random: () => number): T[] {
  const ordered = list.map((item) => ({ item, order: random() }))
  return ordered.sort((a, b) => a.order - b.order).map(({ item }) => item)
}
