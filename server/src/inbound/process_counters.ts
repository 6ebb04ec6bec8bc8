import { LRUCache } from 'lru-cache'

// Who fills this with names of their own only makes the oldest counters start anew; the memory is bounded.
const MOST_COUNTERS = 50_000

/** Counters of this process, for what needs no memory beyond it: floods, and failures at secrets that nobody can guess. */
export class ProcessCounters {
  readonly #windows: LRUCache<string, { count: number; readonly ends_at: number }>
  readonly #places = new Map<string, number>()
  #taken = 0

  constructor(most = MOST_COUNTERS) {
    this.#windows = new LRUCache({ max: most })
  }

  /** Counts one more and answers 0, or until when the counter is full. */
  count(key: string, limit: { most: number; window_ms: number }, now: number): number {
    const full = this.fullUntil(key, limit.most, now)
    if (full > 0) return full
    const window = this.#windows.get(key)
    if (window && window.ends_at > now) window.count++
    else this.#windows.set(key, { count: 1, ends_at: now + limit.window_ms })
    return 0
  }

  /** Until when a counter is full, or 0. */
  fullUntil(key: string, most: number, now: number): number {
    const window = this.#windows.get(key)
    return window && window.ends_at > now && window.count >= most ? window.ends_at : 0
  }

  /** Does work while there is a place for it, among all and among those of one key; null where there is none. */
  async inPlace<T>(
    key: string | undefined,
    limit: { most: number; most_of_key: number },
    work: () => Promise<T>,
  ): Promise<T | null> {
    const own = key === undefined ? 0 : (this.#places.get(key) ?? 0)
    if (this.#taken >= limit.most || own >= limit.most_of_key) return null
    this.#taken++
    if (key !== undefined) this.#places.set(key, own + 1)
    try {
      return await work()
    } finally {
      this.#taken--
      if (key !== undefined) this.#leave(key)
    }
  }

  #leave(key: string): void {
    const left = (this.#places.get(key) ?? 1) - 1
    if (left === 0) this.#places.delete(key)
    else this.#places.set(key, left)
  }
}
