import type { Tenant } from '../store/tenant.ts'
import { networkOf } from './client_address.ts'
import { event } from './event.ts'

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
  #counted = new Map<string | null, Refused>()
  #timer: NodeJS.Timeout | undefined
  #unknown_timer: NodeJS.Timeout | undefined

  constructor(tenant: Tenant) {
    this.#tenant = tenant
  }

  /** Counts a refused sign-in of a user, or of nobody that is known. */
  count(user_id: string | null, address: string | undefined, blocked: boolean): void {
    this.#add(user_id, { count: 1, blocked, addresses: address === undefined ? [] : [networkOf(address)] })
  }

  /** Writes what was counted, of known users alone or of all; what could not be written is kept for the next time. */
  async flush(unknown = true): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (unknown) {
      clearTimeout(this.#unknown_timer)
      this.#unknown_timer = undefined
    }
    for (const [user_id, refused] of this.#counted) {
      if (user_id === null && !unknown) continue
      this.#counted.delete(user_id)
      const detail = { ...refused, addresses: [...refused.addresses] }
      const made = event(this.#tenant, 'login.refused', 'anonymous', { user_id, detail })
      await this.#tenant.store.recordEvent(made).catch((error: unknown) => {
        this.#add(user_id, refused)
        throw error
      })
    }
  }

  #add(
    user_id: string | null,
    { count, blocked, addresses }: Omit<Refused, 'addresses'> & { addresses: Iterable<string> },
  ) {
    const refused = this.#counted.get(user_id) ?? { count: 0, blocked: false, addresses: new Set() }
    refused.count += count
    refused.blocked ||= blocked
    for (const address of addresses) if (refused.addresses.size < MOST_ADDRESSES) refused.addresses.add(address)
    this.#counted.set(user_id, refused)
    const flush = (unknown: boolean) => void this.flush(unknown).catch(() => {})
    if (user_id === null) this.#unknown_timer ??= setTimeout(flush, FLUSH_UNKNOWN_AFTER_MS, true).unref()
    else this.#timer ??= setTimeout(flush, FLUSH_AFTER_MS, false).unref()
  }
}
