// workerd cancels a request that waits for a promise of another request, so there each one makes its own call.
const SHARES_PROMISES = globalThis.navigator?.userAgent !== 'Cloudflare-Workers'

interface Flight<T> {
  readonly current: Promise<T>
  next: Promise<T> | undefined
}

/**
 * One call at a time for each key. Who comes while a call is under way shares the next one, not this one: no caller
 * gets an answer that is older than its question, and any number of parallel callers make at most two calls.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>()

  run(key: string, call: () => Promise<T>): Promise<T> {
    const flight = SHARES_PROMISES ? this.#flights.get(key) : undefined
    if (flight === undefined) return this.#start(key, call)
    flight.next ??= flight.current.then(() => this.#start(key, call))
    return flight.next
  }

  get size(): number {
    return this.#flights.size
  }

  #start(key: string, call: () => Promise<T>): Promise<T> {
    const flight: Flight<T> = { current: call(), next: undefined }
    this.#flights.set(key, flight)
    const land = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
    flight.current.then(land, land)
    return flight.current
  }
}

/** Lets parallel callers share one call under way, where the runtime allows it. For answers that may be a little old. */
export function shareCall<T>(call: () => Promise<T>): () => Promise<T> {
  let current: Promise<T> | undefined
  return () => {
    if (current !== undefined && SHARES_PROMISES) return current
    const started = call().finally(() => {
      if (current === started) current = undefined
    })
    current = started
    return started
  }
}
