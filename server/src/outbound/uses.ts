import { newId } from '../crypto/random.ts'
import type { Tenant } from '../store/tenant.ts'

/** Who uses a connection: an app or a platform, and by which grant where there is one. */
export interface ConnectionUser {
  readonly actor: string
  readonly client_id: string
  readonly grant_id?: string | undefined
}

/** One use of a connection. */
export interface ConnectionUse extends ConnectionUser {
  readonly connection_id: string
  readonly user_id: string | null
  readonly connector: string
}

/** Where uses are told, and what has to wait for that before the process stops. */
interface Surroundings {
  readonly tenant: Tenant
  readonly clock: () => number
  readonly report: (what: string, cause: unknown) => void
  readonly calls: Set<Promise<unknown>>
}

interface Window {
  readonly use: ConnectionUse
  readonly ends_at: number
  /** Since the last event. */
  requests: number
}

const WINDOW_MS = 3_600_000
const MOST_WINDOWS = 10_000

/**
 * The uses of connections in one process, for the audit log: the first of each hour is told at once, those that follow as
 * a sum when the hour is over or the server stops. So the log says who used what, and does not grow with the traffic.
 */
export class ConnectionUses {
  readonly #windows = new Map<string, Window>()
  #timer: NodeJS.Timeout | undefined

  /** Notes one use. */
  note(surroundings: Surroundings, use: ConnectionUse): void {
    const key = JSON.stringify([use.connection_id, use.client_id, use.actor, use.grant_id])
    const now = surroundings.clock()
    const window = this.#windows.get(key)
    if (window && now < window.ends_at) {
      window.requests++
      return
    }
    if (this.#windows.size >= MOST_WINDOWS) this.flush(surroundings)
    this.#windows.set(key, { use, ends_at: now + WINDOW_MS, requests: 0 })
    this.#timer ??= setTimeout(() => this.flush(surroundings), WINDOW_MS).unref()
    tell(surroundings, use, (window?.requests ?? 0) + 1)
  }

  /** Tells what was noted and not told, and begins anew. */
  flush(surroundings: Surroundings): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const windows = [...this.#windows.values()]
    this.#windows.clear()
    for (const { use, requests } of windows) if (requests > 0) tell(surroundings, use, requests)
  }
}

function tell({ tenant, clock, report, calls }: Surroundings, use: ConnectionUse, requests: number): void {
  const { connector, grant_id = null, ...about } = use
  const at = clock()
  const event = { tenant_id: tenant.tenant_id, event_id: newId(at), at, type: 'connection.used', ...about, grant_id }
  const told: Promise<unknown> = tenant.store
    .recordEvent({ ...event, detail: { connector, via: 'proxy', requests } })
    .catch((cause: unknown) => report('a use was not noted', cause))
    .finally(() => calls.delete(told))
  calls.add(told)
}
