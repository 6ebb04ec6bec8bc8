import { LRUCache } from 'lru-cache'

const MOST_AT_ONCE = 32
const MOST_OF_ADDRESS = 60
const WINDOW_MS = 60_000
const MOST_ADDRESSES = 10_000

/** How often flows may be started: each start makes this process ask its primary, whoever made up the flow's name. */
export class Starts {
  readonly #windows: LRUCache<string, { count: number; readonly ends_at: number }>
  readonly #clock: () => number
  #under_way = 0

  constructor(clock: () => number) {
    this.#clock = clock
    this.#windows = new LRUCache({ max: MOST_ADDRESSES })
  }

  /** Does the work of a start, or says in how many seconds there may be room for it: of this address, or among all. */
  async within<T>(
    address: string | undefined,
    work: () => Promise<T>,
  ): Promise<T | { readonly retry_seconds: number }> {
    const retry_seconds = this.#count(address)
    if (retry_seconds > 0) return { retry_seconds }
    if (this.#under_way >= MOST_AT_ONCE) return { retry_seconds: 1 }
    this.#under_way++
    try {
      return await work()
    } finally {
      this.#under_way--
    }
  }

  // Where nobody can say whose address it is, nobody is held up for another.
  #count(address: string | undefined): number {
    if (address === undefined) return 0
    const now = this.#clock()
    const window = this.#windows.get(address)
    if (!window || window.ends_at <= now) this.#windows.set(address, { count: 1, ends_at: now + WINDOW_MS })
    else if (window.count >= MOST_OF_ADDRESS) return Math.ceil((window.ends_at - now) / 1000)
    else window.count++
    return 0
  }
}
