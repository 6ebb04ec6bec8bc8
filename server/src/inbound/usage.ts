import type { Store } from '../store/store.ts'

const FLUSH_AFTER_MS = 1000
// A sum for the plots of the console may be later: all replicas write to one row.
const HOURS_AFTER_MS = 10_000
// Sorts are words of this software, and few; whatever else came would be a mistake that must not grow.
const MOST_SORTS = 200

/** Counts routine work per client and by the hour, and writes the sums behind, and when the server stops. */
export class UsageCounter {
  readonly #store: Store
  #counts = new Map<string, { tenant_id: string; client_id: string; count: number }>()
  #timer: NodeJS.Timeout | undefined
  #hours = new Map<string, { tenant_id: string; kind: string; label: string; count: number }>()
  #hours_timer: NodeJS.Timeout | undefined

  constructor(store: Store) {
    this.#store = store
  }

  /** Counts one access token issued to a client. */
  countToken(tenant_id: string, client_id: string): void {
    const key = `${tenant_id}/${client_id}`
    const entry = this.#counts.get(key)
    if (entry) entry.count++
    else this.#counts.set(key, { tenant_id, client_id, count: 1 })
    this.#timer ??= setTimeout(() => void this.#flushClients().catch(() => {}), FLUSH_AFTER_MS).unref()
  }

  /** Counts something routine for the present hour, by its sort; ten seconds later it is written, or when the server stops. */
  countHour(tenant_id: string, kind: string, label: string, count = 1): void {
    const key = `${tenant_id}/${kind}/${label}`
    const entry = this.#hours.get(key)
    if (entry) entry.count += count
    else if (this.#hours.size < MOST_SORTS) this.#hours.set(key, { tenant_id, kind, label, count })
    this.#hours_timer ??= setTimeout(() => void this.#flushHours().catch(() => {}), HOURS_AFTER_MS).unref()
  }

  async #flushHours(): Promise<void> {
    clearTimeout(this.#hours_timer)
    this.#hours_timer = undefined
    const sums = Map.groupBy(this.#hours.values(), ({ tenant_id }) => tenant_id)
    this.#hours = new Map()
    for (const [tenant_id, counts] of sums) {
      const rows = counts.map(({ kind, label, count }) => ({ kind, label, count }))
      // Plots lose what a database that is away could not take.
      await this.#store.addHourlyCounts({ tenant_id, counts: rows }).catch(() => {})
    }
  }

  /** Writes what was counted. */
  async flush(): Promise<void> {
    await Promise.all([this.#flushHours(), this.#flushClients()])
  }

  // What could not be written is kept for the next time.
  async #flushClients(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const counts = [...this.#counts.values()]
    this.#counts = new Map()
    const results = await Promise.allSettled(counts.map((entry) => this.#store.countTokensIssued(entry)))
    for (const [i, result] of results.entries()) {
      if (result.status === 'fulfilled') continue
      const { tenant_id, client_id, count } = counts[i]!
      for (let n = 0; n < count; n++) this.countToken(tenant_id, client_id)
    }
  }
}
