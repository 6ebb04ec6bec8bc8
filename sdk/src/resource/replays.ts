import { unavailable } from './authorization_server.ts'

/** Where the identifiers of proofs are remembered, so that each counts once; replicas of an API share one. */
export interface ReplayStore {
  /**
   * Remembers an identifier of at most 64 characters until a time in milliseconds. False when it is remembered
   * already; to look and to remember must be one step, such as `SET id 1 NX PXAT expires_at` is in Redis.
   */
  remember(id: string, expires_at: number): boolean | Promise<boolean>
}

/**
 * The memory of one process. Two generations, each for as long as an identifier may have to be remembered: when the
 * young one is old enough the old one is dropped whole. When it is full it takes no proof rather than forget one.
 */
export class ReplayMemory implements ReplayStore {
  readonly #limit: number
  readonly #longest_ms: number
  readonly #clock: () => number
  #young = new Set<string>()
  #old = new Set<string>()
  #since = Number.NEGATIVE_INFINITY

  constructor(limit: number, longest_ms: number, clock: () => number) {
    this.#limit = limit
    this.#longest_ms = longest_ms
    this.#clock = clock
  }

  remember(id: string): boolean {
    this.#age()
    if (this.#young.has(id) || this.#old.has(id)) return false
    if (this.#young.size + this.#old.size >= this.#limit) {
      throw unavailable('More DPoP proofs arrive than can be remembered', undefined)
    }
    this.#young.add(id)
    return true
  }

  #age(): void {
    const now = this.#clock()
    const age = now - this.#since
    if (age < this.#longest_ms) return
    this.#old = age < 2 * this.#longest_ms ? this.#young : new Set()
    this.#young = new Set()
    this.#since = now
  }
}
