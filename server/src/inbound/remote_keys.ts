import { LRUCache } from 'lru-cache'
import { type Jwk, readPublicJwk } from '../crypto/public_key.ts'
import { parseUniqueJson } from '../crypto/unique_json.ts'
import type { Egress } from '../egress/egress.ts'

/** A set of keys that its owner publishes could not be had; the cause says why. */
export class KeysUnavailable extends Error {
  constructor(cause: unknown) {
    super('the keys could not be fetched', { cause })
    this.name = 'KeysUnavailable'
  }
}

interface Fetched {
  readonly keys: readonly Jwk[]
  readonly at: number
}

const MOST_SETS = 1000
const MOST_KEYS = 100
const FRESH_MS = 300_000
// For how long keys are still good when their owner cannot be reached.
const STALE_MS = 3_600_000
// A key that we do not know may be new; whoever makes up key ids has us ask this often and no more.
const UNKNOWN_KEY_PAUSE_MS = 30_000
const FAILURE_PAUSE_MS = 1000

/** Key sets that others publish (RFC 7517 section 5), fetched through the guard; what failed is never remembered as an answer. */
export class RemoteKeys {
  readonly #egress: Egress
  readonly #clock: () => number
  readonly #sets = new LRUCache<string, Fetched>({ max: MOST_SETS })
  readonly #underway = new Map<string, Promise<Fetched>>()
  readonly #failed = new LRUCache<string, number>({ max: MOST_SETS })

  constructor(egress: Egress, clock: () => number) {
    this.#egress = egress
    this.#clock = clock
  }

  /** The keys at a URL, at most five minutes old; an hour when their owner is away. */
  async find(jwks_uri: string): Promise<readonly Jwk[]> {
    const known = this.#sets.get(jwks_uri)
    const age = known ? this.#clock() - known.at : Number.POSITIVE_INFINITY
    if (known && age < FRESH_MS) return known.keys
    try {
      return (await this.#load(jwks_uri)).keys
    } catch (error) {
      if (known && age < STALE_MS) return known.keys
      throw error
    }
  }

  /** The keys as they are now, for a key that was not among them; null when they were asked for a moment ago. */
  async findNewer(jwks_uri: string): Promise<readonly Jwk[] | null> {
    const known = this.#sets.get(jwks_uri)
    if (known && this.#clock() - known.at < UNKNOWN_KEY_PAUSE_MS) return null
    return (await this.#load(jwks_uri)).keys
  }

  // Whoever asks while an answer is under way shares it.
  async #load(jwks_uri: string): Promise<Fetched> {
    const underway = this.#underway.get(jwks_uri)
    if (underway) return underway
    const failed_at = this.#failed.get(jwks_uri)
    if (failed_at !== undefined && this.#clock() - failed_at < FAILURE_PAUSE_MS) {
      throw new KeysUnavailable('asked a moment ago')
    }
    const call = this.#call(jwks_uri)
    this.#underway.set(jwks_uri, call)
    try {
      const fetched = await call
      this.#sets.set(jwks_uri, fetched)
      this.#failed.delete(jwks_uri)
      return fetched
    } catch (error) {
      this.#failed.set(jwks_uri, this.#clock())
      throw new KeysUnavailable(error)
    } finally {
      this.#underway.delete(jwks_uri)
    }
  }

  async #call(jwks_uri: string): Promise<Fetched> {
    const response = await this.#egress.fetch(jwks_uri, {
      purpose: 'jwks',
      headers: { accept: 'application/jwk-set+json, application/json' },
    })
    if (response.status !== 200) {
      await response.body?.cancel()
      throw new Error(`the answer has status ${response.status}`)
    }
    return { keys: readKeySet(await response.text()), at: this.#clock() }
  }
}

/** Reads a key set; keys of kinds that we do not use are left out (RFC 7517 section 5). */
export function readKeySet(text: string): readonly Jwk[] {
  const set = parseUniqueJson(text) as { readonly keys?: unknown } | null
  const keys = set?.keys
  if (!Array.isArray(keys)) throw new Error('the answer is not a key set')
  if (keys.length > MOST_KEYS) throw new Error(`the key set has more than ${MOST_KEYS} keys`)
  return keys.flatMap((key) => readPublicJwk(key) ?? [])
}
