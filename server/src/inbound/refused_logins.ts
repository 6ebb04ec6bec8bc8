import type { Tenant } from '../store/tenant.ts'
import { networkOf } from './client_address.ts'
import { event } from './users.ts'

const FLUSH_AFTER_MS = 1000
// Anybody may guess at names that nobody has, as often as they like: that is one event a minute, not one a guess.
const FLUSH_UNKNOWN_AFTER_MS = 60_000
const MOST_ADDRESSES = 5

interface Refused {
  count: number
  /** The next guess is refused before it is looked at. */
  blocked: boolean
  readonly addresses: Set<string>
}

/**
 * Counts refused sign-ins and writes one audit event for many, a moment later: the log does not grow with guesses at
 * nobody, and no answer tells by its time whether there is such a user (ASVS 6.3.8).
 */
export class RefusedLogins {
  readonly #tenant: Tenant
  #known = new Map<string, Refused>()
  #unknown: Refused = none()
  #timer: NodeJS.Timeout | undefined
  #unknown_timer: NodeJS.Timeout | undefined

  constructor(tenant: Tenant) {
    this.#tenant = tenant
  }

  /** Counts a refused sign-in of a user, or of nobody that is known. */
  count(user_id: string | null, address: string | undefined, blocked: boolean): void {
    const refused = user_id === null ? this.#unknown : (this.#known.get(user_id) ?? none())
    refused.count++
    refused.blocked ||= blocked
    if (address !== undefined && refused.addresses.size < MOST_ADDRESSES) refused.addresses.add(networkOf(address))
    const later = (ms: number) => setTimeout(() => void this.flush(user_id === null).catch(() => {}), ms).unref()
    if (user_id === null) this.#unknown_timer ??= later(FLUSH_UNKNOWN_AFTER_MS)
    else {
      this.#known.set(user_id, refused)
      this.#timer ??= later(FLUSH_AFTER_MS)
    }
  }

  /** Writes what was counted, of known users alone or of all. */
  async flush(unknown = true): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const counted: [string | null, Refused][] = [...this.#known]
    this.#known = new Map()
    if (unknown && this.#unknown.count > 0) {
      counted.push([null, this.#unknown])
      this.#unknown = none()
      clearTimeout(this.#unknown_timer)
      this.#unknown_timer = undefined
    }
    for (const [user_id, { count, blocked, addresses }] of counted) {
      const detail = { count, blocked, addresses: [...addresses] }
      await this.#tenant.store.recordEvent(event(this.#tenant, 'login.refused', 'anonymous', { user_id, detail }))
    }
  }
}

function none(): Refused {
  return { count: 0, blocked: false, addresses: new Set() }
}
