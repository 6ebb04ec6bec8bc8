import type { SealedEvent } from '../store/event_chain.ts'
import type { Tenant } from '../store/tenant.ts'

/** What bounds those who follow the log. */
export const TAIL_LIMITS = {
  /** How often the store is asked, once for everybody; the chain itself is up to a second behind. */
  poll_ms: 1000,
  /** The longest silence: by then it is noticed who is gone, or may look no more. */
  beat_ms: 10_000,
  followers: 64,
  followers_of_user: 4,
  /** Events of one turn, or of what somebody missed; what is older is passed over, and said to be. */
  events: 500,
  unread_bytes: 262_144,
} as const

/** Who follows, and what. */
export interface Following {
  readonly user_id: string
  /** The number in the chain after which it begins; null for what comes from now on. */
  readonly after: number | null
  matches(event: SealedEvent): boolean
  /** Whether the session lives and the right is still there; asked before anything is sent. */
  mayFollow(): Promise<boolean>
  /** What is sent of each event: one line. */
  write(events: readonly SealedEvent[]): Promise<readonly string[]>
  /** Ends the connection, where its listener can. */
  readonly cut?: (() => void) | undefined
}

interface Follower {
  readonly following: Following
  readonly controller: ReadableStreamDefaultController<Uint8Array>
  at: number | null
  silent_since: number
}

const encoder = new TextEncoder()

/**
 * The audit log as it grows (Server-Sent Events), in the order of its chain, where nothing comes late, on whatever replica
 * it happened. The store is asked by cursor, once a turn for all who follow, and never while nobody does.
 */
export class EventTail {
  readonly #tenant: Tenant
  readonly #report: (what: string, cause: unknown) => void
  readonly #followers = new Set<Follower>()
  #timer: NodeJS.Timeout | undefined
  #turning = false
  #stopped = false

  constructor(tenant: Tenant, report: (what: string, cause: unknown) => void) {
    this.#tenant = tenant
    this.#report = report
  }

  /** Begins to follow; null where there is no place left. The stream ends when its follower may look no more. */
  follow(following: Following): ReadableStream<Uint8Array> | null {
    const of_user = [...this.#followers].filter((one) => one.following.user_id === following.user_id)
    if (this.#followers.size >= TAIL_LIMITS.followers || of_user.length >= TAIL_LIMITS.followers_of_user) return null
    let follower: Follower
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          follower = { following, controller, at: following.after, silent_since: this.#tenant.clock() }
          send(follower, 'retry: 3000\n\n')
          // Who comes while the process ends comes again, to another or to the next.
          if (this.#stopped) return controller.close()
          this.#followers.add(follower)
          this.#schedule(0)
        },
        cancel: () => void this.#followers.delete(follower),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: TAIL_LIMITS.unread_bytes }),
    )
  }

  /** Lets everybody go, who may come again: the process is about to end. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    for (const follower of this.#followers) this.#letGo(follower)
  }

  #schedule(ms: number): void {
    if (this.#turning || this.#followers.size === 0) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#turn(), ms)
    this.#timer.unref()
  }

  async #turn(): Promise<void> {
    this.#turning = true
    try {
      await this.#tell([...this.#followers])
    } catch (cause) {
      // Whoever is let go comes again by itself, and says how far it was.
      this.#report('the log could not be followed', cause)
      for (const follower of this.#followers) this.#letGo(follower)
    }
    this.#turning = false
    this.#schedule(TAIL_LIMITS.poll_ms)
  }

  async #tell(followers: readonly Follower[]): Promise<void> {
    const { tenant_id, store } = this.#tenant
    const head = (await store.loadChainHead({ tenant_id }))?.sequence ?? 0
    const oldest = Math.max(0, head - TAIL_LIMITS.events)
    // Who names a number that is not there yet, or is not one of this chain, begins now.
    const starts = followers.map(({ at }) => (at === null || at > head ? head : Math.max(at, oldest)))
    const after_sequence = Math.min(head, ...starts)
    const page = { tenant_id, after_sequence, most: TAIL_LIMITS.events }
    const events = after_sequence < head ? await store.pageSealedEvents(page) : []
    await Promise.all(
      followers.map(async (follower, i) => {
        const missed = follower.at !== null && follower.at < starts[i]!
        const fresh = events.filter(({ sequence }) => sequence > starts[i]!)
        follower.at = fresh.at(-1)?.sequence ?? starts[i]!
        await this.#tellOne(follower, fresh, missed)
      }),
    )
  }

  async #tellOne(follower: Follower, fresh: readonly SealedEvent[], missed: boolean): Promise<void> {
    const { following } = follower
    const now = this.#tenant.clock()
    const meant = fresh.filter((event) => following.matches(event))
    if (meant.length === 0 && !missed && now - follower.silent_since < TAIL_LIMITS.beat_ms) return
    if (!(await following.mayFollow())) return this.#letGo(follower, 'event: end\ndata:\n\n')
    const lines = await following.write(meant)
    const messages = meant.map(({ sequence }, i) => `id: ${sequence}\ndata: ${lines[i]}\n\n`)
    follower.silent_since = now
    // Whoever saw nothing of what happened is to begin behind it next time, and has missed none of it.
    const here = `id: ${follower.at}\nevent: here\ndata:\n\n`
    send(follower, `${missed ? 'event: missed\ndata:\n\n' : ''}${messages.join('') || here}`)
    if ((follower.controller.desiredSize ?? 0) < 0) this.#cutOff(follower)
  }

  /** Who does not read holds no memory here: what waits for them goes with the connection. */
  #cutOff(follower: Follower): void {
    if (!this.#followers.delete(follower)) return
    const { following, controller } = follower
    if (following.cut) following.cut()
    else controller.error(new Error('What was sent is not read'))
  }

  #letGo(follower: Follower, last = ''): void {
    if (!this.#followers.delete(follower)) return
    if (last !== '') send(follower, last)
    try {
      follower.controller.close()
    } catch {
      // The reader went away in the same moment.
    }
  }
}

function send({ controller }: Follower, text: string): void {
  try {
    controller.enqueue(encoder.encode(text))
  } catch {
    // The reader went away in the same moment: its place is free already.
  }
}
