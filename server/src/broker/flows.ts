import { LRUCache } from 'lru-cache'
import type { BrokerCredential } from '../relying/brokered.ts'

/** One flow on its way through this process, in memory alone. */
export interface BrokerFlow {
  /** What names it between broker and primary. */
  readonly flow: string
  credential: BrokerCredential
  /** The browser that brought it: the answer is taken from no other. */
  readonly browser: Buffer
  /** What came back from the provider, once it has. */
  params: URLSearchParams | null
  /** What became of it, sealed to the primary, and the receipt of it: from then on nothing here can be read. */
  sealed: { readonly sealed: string; readonly receipt: string } | null
  /** The work on what came back, while it lasts: whoever asks meanwhile gets the same answer. */
  working: Promise<Response> | null
}

const MOST = 10_000

/** The flows of a broker by their state. Each is forgotten at its end, and the oldest when there are too many. */
export class Flows {
  readonly #flows: LRUCache<string, BrokerFlow>
  readonly #clock: () => number

  constructor(clock: () => number) {
    this.#clock = clock
    // What nobody asks for any more goes by itself as well.
    this.#flows = new LRUCache({ max: MOST, ttl: 600_000, ttlAutopurge: true })
  }

  /** How many there are. */
  get size(): number {
    return this.#flows.size
  }

  keep(flow: BrokerFlow): void {
    const ttl = Math.max(1, flow.credential.expires_at - this.#clock())
    this.#flows.set(flow.credential.state, flow, { ttl: Math.min(ttl, 600_000) })
  }

  find(state: string): BrokerFlow | undefined {
    const flow = this.#flows.get(state)
    return flow && flow.credential.expires_at > this.#clock() ? flow : undefined
  }

  forget({ credential }: BrokerFlow): void {
    this.#flows.delete(credential.state)
  }

  clear(): void {
    this.#flows.clear()
  }
}
