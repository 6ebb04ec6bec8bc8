import { SingleFlight } from '../resource/single_flight.ts'

/** A token, and until when it serves in milliseconds. */
export interface Held<T> {
  readonly token: T
  readonly until: number
}

/** Whether a token is another one than that which has failed. */
export function isAnother({ access_token }: { readonly access_token: string }, failed: string | undefined): boolean {
  return access_token !== failed
}

/**
 * A token that is loaded on first use, when it has served its time, and when it has failed; whoever asks meanwhile gets
 * the answer of the one question that is under way.
 */
export class KeptToken<T extends { readonly access_token: string }> {
  readonly #load: (failed: string | undefined) => Promise<Held<T>>
  readonly #clock: () => number
  readonly #flights = new SingleFlight<T>()
  #held: Held<T> | undefined
  /** The token for which the held one came. */
  #replaced: string | undefined

  constructor(load: (failed: string | undefined) => Promise<Held<T>>, clock: () => number) {
    this.#load = load
    this.#clock = clock
  }

  /** The token; `failed` is one that was refused, so that another one is wanted. */
  async get(failed?: string): Promise<T> {
    const since = this.#held
    const ask = async () => {
      // Who waited for a question under way finds its answer here, even if it may serve but once.
      const held = this.#held
      if (held !== undefined && held !== since && isAnother(held.token, failed)) return held.token
      this.#held = await this.#load(failed)
      this.#replaced = failed
      return this.#held.token
    }
    return this.#recall(failed) ?? (await this.#flights.run(failed ?? '', ask))
  }

  #recall(failed: string | undefined): T | undefined {
    const held = this.#held
    if (held === undefined || !isAnother(held.token, failed)) return undefined
    // Who comes late with a token that has been replaced needs no other one.
    const isReplacement = failed !== undefined && this.#replaced === failed
    return isReplacement || this.#clock() < held.until ? held.token : undefined
  }
}
