import { shareCall } from './single_flight.ts'

/** How long a loaded value serves, in seconds. */
export interface Keeping {
  /** Age at which the value is loaded again. */
  readonly max_age_seconds: number
  /** How much longer it serves while loading fails. */
  readonly stale_seconds: number
  /** Shortest time between two reloads that a caller asks for. */
  readonly cooldown_seconds: number
}

/** Time after a failed load during which nobody waits for another one. */
const RETRY_SECONDS = 3

/** A value that is loaded on first use and again when it is old; parallel callers share one load. */
export class Kept<T> {
  readonly #load: () => Promise<T>
  readonly #keeping: Keeping
  readonly #clock: () => number
  #value: { readonly loaded: T; readonly at: number } | undefined
  #failure: { readonly cause: unknown; readonly at: number } | undefined

  constructor(load: () => Promise<T>, keeping: Keeping, clock: () => number) {
    this.#keeping = keeping
    this.#clock = clock
    this.#load = shareCall(async () => {
      const at = clock()
      try {
        this.#value = { loaded: await load(), at }
        this.#failure = undefined
        return this.#value.loaded
      } catch (cause) {
        this.#failure = { cause, at: clock() }
        throw cause
      }
    })
  }

  /** The value: fresh, or a stale one while loading fails. Throws what loading threw when there is neither. */
  async get(): Promise<T> {
    if (this.#isYoungerThan(this.#keeping.max_age_seconds)) return this.#value!.loaded
    try {
      return await this.#loadUnlessJustFailed()
    } catch (cause) {
      if (this.#isYoungerThan(this.#keeping.max_age_seconds + this.#keeping.stale_seconds)) return this.#value!.loaded
      throw cause
    }
  }

  /** Loads again, for a caller that missed something; within the cooldown of the last load it answers from that one. */
  async reload(cooldown_seconds = this.#keeping.cooldown_seconds): Promise<T> {
    if (this.#isYoungerThan(cooldown_seconds)) return this.#value!.loaded
    return await this.#loadUnlessJustFailed()
  }

  #isYoungerThan(seconds: number): boolean {
    return this.#value !== undefined && this.#clock() - this.#value.at < seconds * 1000
  }

  async #loadUnlessJustFailed(): Promise<T> {
    if (this.#failure !== undefined && this.#clock() - this.#failure.at < RETRY_SECONDS * 1000)
      throw this.#failure.cause
    return await this.#load()
  }
}
