import type { Store } from '../store/store.ts'

const FLUSH_AFTER_MS = 1000

/** Counts routine issuance per client and writes the sums behind, at most a second late and when the server stops. */
export class UsageCounter {
  readonly #store: Store
  #counts = new Map<string, { tenant_id: string; client_id: string; count: number }>()
  #timer: NodeJS.Timeout | undefined

  constructor(store: Store) {
    this.#store = store
  }

  /** Counts one access token issued to a client. */
  countToken(tenant_id: string, client_id: string): void {
    const key = `${tenant_id}/${client_id}`
    const entry = this.#counts.get(key)
    if (entry) entry.count++
    else this.#counts.set(key, { tenant_id, client_id, count: 1 })
    this.#timer ??= setTimeout(() => void this.flush().catch(() => {}), FLUSH_AFTER_MS).unref()
  }

  /** Writes what was counted; what could not be written is kept for the next time. */
  async flush(): Promise<void> {
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
