import { OAuthError } from '../oauth_error.ts'
import { type Asking, type AuthorizationServer, unavailable } from './authorization_server.ts'
import { type Claims, readIntrospectionClaims } from './claims.ts'
import { fetchJson } from './fetch_json.ts'
import { type IntrospectionOptions, readCount, readSeconds } from './options.ts'
import { RecentMap } from './recent_map.ts'
import { readSecureUrl } from './secure_url.ts'
import { SingleFlight } from './single_flight.ts'
import { hashToken } from './token_hash.ts'

/** An answer of the server, and until when it serves (milliseconds since the epoch). */
interface Remembered {
  readonly claims: Claims | undefined
  readonly until: number
}

const LARGEST_ANSWER = 65_536
const LONGEST_CACHE_SECONDS = 30

/** Asks about tokens: one question at a time for each token, answers remembered within the limits of the options. */
export class Introspector {
  readonly #server: AuthorizationServer
  readonly #asking: Asking
  readonly #endpoint: string | undefined
  readonly #active_ms: number
  readonly #inactive_ms: number
  readonly #max_in_flight: number
  readonly #authorization: string
  readonly #active: RecentMap<Remembered>
  readonly #inactive: RecentMap<Remembered>
  readonly #flights = new SingleFlight<Remembered>()

  constructor(server: AuthorizationServer, options: IntrospectionOptions, asking: Asking) {
    if (options.endpoint !== undefined) readSecureUrl(options.endpoint, 'introspection.endpoint')
    if (options.client_id === '' || options.client_secret === '') {
      throw new TypeError('introspection.client_id and introspection.client_secret must not be empty')
    }
    this.#server = server
    this.#asking = asking
    this.#endpoint = options.endpoint
    this.#active_ms = readCacheTime(options.cache_seconds, 'introspection.cache_seconds', 0)
    this.#inactive_ms = readCacheTime(options.negative_cache_seconds, 'introspection.negative_cache_seconds', 5)
    this.#max_in_flight = readCount(options.max_in_flight, 'introspection.max_in_flight', 100)
    this.#authorization = formatBasic(options.client_id, options.client_secret)
    const entries = readCount(options.cache_entries, 'introspection.cache_entries', 1000)
    this.#active = new RecentMap(entries)
    this.#inactive = new RecentMap(entries)
  }

  /** The claims of an active token; whether they are acceptable here and now is checkClaims' business. */
  async introspect(token: string): Promise<Claims> {
    const hash = await hashToken(token)
    const answer = this.#recall(hash) ?? (await this.#askOnce(hash, token))
    if (answer.claims === undefined) throw new OAuthError('invalid_token', 'The access token is not active')
    return answer.claims
  }

  #recall(hash: string): Remembered | undefined {
    const answer = this.#active.get(hash) ?? this.#inactive.get(hash)
    return answer !== undefined && this.#asking.clock() < answer.until ? answer : undefined
  }

  async #askOnce(hash: string, token: string): Promise<Remembered> {
    if (this.#flights.size >= this.#max_in_flight) {
      throw unavailable('Too many access tokens are being introspected', undefined)
    }
    // Who waited for a question under way finds its answer here, if it may be remembered at all.
    return await this.#flights.run(hash, async () => this.#recall(hash) ?? (await this.#ask(hash, token)))
  }

  async #ask(hash: string, token: string): Promise<Remembered> {
    // The answer's age counts from the question.
    const asked = this.#asking.clock()
    const json = await this.#fetchAnswer(token)
    if (json.active !== true) {
      const answer = { claims: undefined, until: asked + this.#inactive_ms }
      this.#active.delete(hash)
      this.#inactive.set(hash, answer)
      return answer
    }
    const claims = readIntrospectionClaims(json, this.#server.issuer)
    const until = Math.min(asked + this.#active_ms, (claims.exp ?? Infinity) * 1000)
    const answer = { claims, until }
    if (until > asked) this.#active.set(hash, answer)
    return answer
  }

  async #fetchAnswer(token: string): Promise<Record<string, unknown>> {
    const endpoint = this.#endpoint ?? (await this.#server.introspection_endpoint())
    const init = {
      method: 'POST',
      headers: { authorization: this.#authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
    }
    const limits = { timeout_seconds: this.#asking.timeout_seconds, bytes: LARGEST_ANSWER }
    try {
      const { status, json } = await fetchJson(this.#asking.fetch, endpoint, init, limits)
      if (json === undefined) throw new Error(`${endpoint} answered ${status}`)
      return json
    } catch (cause) {
      throw unavailable('The access token cannot be introspected', cause)
    }
  }
}

function readCacheTime(value: number | undefined, name: string, otherwise: number): number {
  return readSeconds(value, name, otherwise, LONGEST_CACHE_SECONDS) * 1000
}

/** A client's credentials as HTTP Basic: each form-encoded first (RFC 6749 section 2.3.1). */
export function formatBasic(client_id: string, client_secret: string): string {
  return `Basic ${btoa(`${encodeForm(client_id)}:${encodeForm(client_secret)}`)}`
}

function encodeForm(value: string): string {
  return new URLSearchParams({ '': value }).toString().slice(1)
}
