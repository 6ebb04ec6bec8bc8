import type { ConnectorRecord } from '../../store/verbs/connectors.ts'
import type { DueConnection } from '../../store/verbs/upkeep.ts'
import { openConnector } from '../connectors/connector.ts'
import type { OutboundContext } from '../context.ts'

// Of one host no more at once than leaves most places to the others, should it hang.
const AT_ONE_HOST = 4
const READ_AT_ONCE = 500
// So many are known to wait for a host before those behind them wait for another turn.
const MOST_WAITING = 50_000

/** A due connection, and what gives its place at its host back. */
export interface Taken {
  readonly due: DueConnection
  readonly leave: () => void
}

/**
 * What is due in one turn, read on as far as hosts have places left, so that connections of a host that hangs, through
 * however many connectors, keep none of another waiting.
 */
export class DueConnections {
  readonly #context: OutboundContext
  readonly #ahead_ms: number
  readonly #hosts = new Map<string, { busy: number; readonly waiting: DueConnection[] }>()
  #waiting = 0
  #after: DueConnection | undefined
  #ended = false
  #reading: Promise<boolean> | undefined

  constructor(context: OutboundContext, ahead_ms: number) {
    this.#context = context
    this.#ahead_ms = ahead_ms
  }

  /** The next one whose host has a place left; undefined where nothing more can be begun now. */
  async take(): Promise<Taken | undefined> {
    for (;;) {
      const taken = this.#pick()
      if (taken) return taken
      this.#reading ??= this.#readOn().finally(() => {
        this.#reading = undefined
      })
      if (!(await this.#reading)) return this.#pick()
    }
  }

  #pick(): Taken | undefined {
    for (const [name, host] of this.#hosts) {
      if (host.busy >= AT_ONE_HOST) continue
      const due = host.waiting.shift()
      if (due || host.busy === 0) this.#hosts.delete(name)
      if (!due) continue
      // Hosts take turns.
      this.#hosts.set(name, host)
      this.#waiting--
      host.busy++
      return { due, leave: () => void host.busy-- }
    }
    return undefined
  }

  /** Reads some more; false where nothing more came. */
  async #readOn(): Promise<boolean> {
    if (this.#ended || this.#waiting >= MOST_WAITING) return false
    const { tenant, random } = this.#context
    const after = this.#after ?? null
    const page = await tenant.store.listDueConnections({
      ...{ tenant_id: tenant.tenant_id, ahead_ms: this.#ahead_ms, after, most: READ_AT_ONCE },
    })
    this.#ended = page.length < READ_AT_ONCE
    this.#after = page.at(-1)
    for (const due of shuffle(page, random)) {
      const name = await findHost(this.#context, due)
      const host = this.#hosts.get(name) ?? { busy: 0, waiting: [] }
      this.#hosts.set(name, host)
      host.waiting.push(due)
      this.#waiting++
    }
    return page.length > 0
  }
}

// Where a connector led when it was seen last: to keep hosts apart, that is good enough.
async function findHost(context: OutboundContext, { connection_id, connector }: DueConnection): Promise<string> {
  const known = context.token_hosts.get(connector)
  if (known !== undefined) return known
  const { tenant_id, store } = context.tenant
  const authority = await store.loadConnection({ tenant_id, connection_id })
  return authority ? noteHost(context, authority.connector) : connector
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
