import { compactVerify, decodeProtectedHeader } from 'jose'
import { OAuthError } from '../oauth_error.ts'
import { type Asking, type AuthorizationServer, unavailable } from './authorization_server.ts'
import type { Claims } from './claims.ts'
import { fetchText, isObject } from './fetch_json.ts'
import { formatBasic } from './introspection.ts'
import { ALGORITHMS, findKey } from './key_set.ts'
import { type RevocationOptions, readSeconds } from './options.ts'
import { readSecureUrl } from './secure_url.ts'
import { shareCall } from './single_flight.ts'

/** One answer of the feed, read. Tokens born under a lower epoch than one of these are dead. */
interface FeedPage {
  readonly cursor: string
  readonly more: boolean
  readonly keep_seconds: number
  readonly dead: readonly string[]
  readonly epochs: readonly (readonly [name: string, epoch: number])[]
}

const LARGEST_PAGE = 1_048_576
const LONGEST_PAUSE_MS = 30_000
const CLOCK_TOLERANCE_SECONDS = 60
// Where the epochs of a token's `ep` stand: tenant, client, user, session.
const TENANT = 0
const CLIENT = 1
const USER = 2

/**
 * Follows the revocation feed of a server, so that a JWT that was revoked is refused although its signature is good.
 * It asks when tokens come, not by a timer: nothing runs while nobody calls, and any runtime will do.
 */
export class RevocationFeed {
  readonly #server: AuthorizationServer
  readonly #options: RevocationOptions
  readonly #asking: Asking
  readonly #poll_ms: number
  readonly #stale_ms: number
  readonly #poll: () => Promise<void>
  #cursor: string | undefined
  /** When the question was asked whose answer is the newest. */
  #known_at = Number.NEGATIVE_INFINITY
  #next_at = Number.NEGATIVE_INFINITY
  #failures = 0
  #cause: unknown
  #is_stale = false
  #now = new Remembered()
  #before = new Remembered()
  #turned_at = 0

  constructor(server: AuthorizationServer, options: RevocationOptions, asking: Asking) {
    if (options.endpoint !== undefined) readSecureUrl(options.endpoint, 'revocation.endpoint')
    if (options.client_id === '' || options.client_secret === '') {
      throw new TypeError('revocation.client_id and revocation.client_secret must not be empty')
    }
    if (!['fail', 'allow', undefined].includes(options.when_stale)) {
      throw new TypeError('revocation.when_stale must be fail or allow')
    }
    this.#server = server
    this.#options = options
    this.#asking = asking
    const poll = readSeconds(options.poll_seconds, 'revocation.poll_seconds', 2, 60)
    const stale = readSeconds(options.stale_seconds, 'revocation.stale_seconds', 30, 3600)
    if (poll === 0 || stale < 2 * poll) {
      throw new TypeError('revocation.stale_seconds must be at least twice poll_seconds, and poll_seconds above 0')
    }
    this.#poll_ms = poll * 1000
    this.#stale_ms = stale * 1000
    this.#poll = shareCall(() => this.#ask())
  }

  /** Refuses a token that has been revoked, or any token while the feed is stale and that is to fail. */
  async check(claims: Claims, kid: unknown): Promise<void> {
    await this.#freshen()
    this.#judgeAge()
    if (this.#isRevoked(claims, kid)) throw new OAuthError('invalid_token', 'The access token has been revoked')
  }

  /** Asks again when it is time; waits for the answer only when what is known is older than two turns. */
  async #freshen(): Promise<void> {
    const now = this.#asking.clock()
    if (now < this.#next_at) return
    const asked = this.#poll().catch(() => {})
    if (now - this.#known_at > 2 * this.#poll_ms) await asked
  }

  #judgeAge(): void {
    const age_ms = this.#asking.clock() - this.#known_at
    const is_stale = age_ms > this.#stale_ms
    if (is_stale !== this.#is_stale) {
      this.#is_stale = is_stale
      this.#options.onStale?.(is_stale, this.#cause)
    }
    if (is_stale && this.#options.when_stale !== 'allow') {
      throw unavailable('Whether the access token has been revoked cannot be known', this.#cause)
    }
  }

  #isRevoked(claims: Claims, kid: unknown): boolean {
    const { jti, client_id, sub, raw } = claims
    // A token that was exchanged dies with each that it was exchanged for, and with its client.
    const forebears = (Array.isArray(raw.exchanged_from) ? raw.exchanged_from : []).map(readForebear)
    const signed = [{ jti, kid }, ...forebears]
    const dead = [`grant_id ${raw.grant_id}`, ...signed.flatMap((one) => [`jti ${one.jti}`, `kid ${one.kid}`])]
    if (dead.some((name) => this.#now.dead.has(name) || this.#before.dead.has(name))) return true
    const born = Array.isArray(raw.ep) ? (raw.ep as unknown[]) : []
    const isOver = (name: string, own: unknown) => {
      const epoch = Math.max(this.#now.epochs.get(name) ?? 0, this.#before.epochs.get(name) ?? 0)
      // A token that does not say when it was born counts as born before.
      return epoch > 0 && !(typeof own === 'number' && own >= epoch)
    }
    if (forebears.some((one) => isOver(`client_id ${one.client_id}`, one.epoch))) return true
    return (
      isOver('iss', born[TENANT]) || isOver(`client_id ${client_id}`, born[CLIENT]) || isOver(`sub ${sub}`, born[USER])
    )
  }

  async #ask(): Promise<void> {
    try {
      const asked_at = this.#asking.clock()
      for (;;) {
        const page = await this.#fetchPage()
        this.#learn(page)
        if (!page.more) break
      }
      this.#known_at = asked_at
      this.#failures = 0
      this.#cause = undefined
    } catch (cause) {
      this.#failures++
      this.#cause = cause
      throw cause
    } finally {
      const pause = Math.min(this.#poll_ms * 2 ** this.#failures, Math.max(LONGEST_PAUSE_MS, this.#poll_ms))
      // Processes that started together do not go on asking together.
      this.#next_at = this.#asking.clock() + pause * (0.5 + Math.random() / 2)
    }
  }

  #learn(page: FeedPage): void {
    const now = this.#asking.clock()
    // What was heard a whole token's life ago concerns no token any more.
    if (now - this.#turned_at > page.keep_seconds * 1000) {
      this.#before = this.#now
      this.#now = new Remembered()
      this.#turned_at = now
    }
    for (const name of page.dead) this.#now.dead.add(name)
    for (const [name, epoch] of page.epochs) this.#now.epochs.set(name, epoch)
    this.#cursor = page.cursor
  }

  async #fetchPage(): Promise<FeedPage> {
    const { client_id, client_secret } = this.#options
    const endpoint = this.#options.endpoint ?? (await this.#server.revocation_feed_endpoint())
    const form = new URLSearchParams(this.#cursor === undefined ? {} : { cursor: this.#cursor })
    const headers = {
      accept: 'application/jwt',
      authorization: formatBasic(client_id, client_secret),
      'content-type': 'application/x-www-form-urlencoded',
    }
    const limits = { timeout_seconds: this.#asking.timeout_seconds, bytes: LARGEST_PAGE }
    const init = { method: 'POST', headers, body: form.toString() }
    const { status, text } = await fetchText(this.#asking.fetch, endpoint, init, limits)
    if (text === undefined) throw new Error(`${endpoint} answered ${status}`)
    return readPage(await this.#verify(text))
  }

  async #verify(jws: string): Promise<Record<string, unknown>> {
    const { alg, kid, typ } = decodeProtectedHeader(jws)
    const allowed = ALGORITHMS.find((algorithm) => algorithm === alg)
    if (typ !== 'revocations+jwt' || allowed === undefined) throw new Error('The answer is not a revocation feed')
    const find = async (missed?: 'missed') => findKey(await this.#server.keys(missed, this.#poll_ms / 1000), alg!, kid)
    const key = (await find()) ?? (await find('missed'))
    if (key === undefined || key === 'ambiguous') throw new Error('The key of the revocation feed is not published')
    const { payload } = await compactVerify(jws, key, { algorithms: [allowed] })
    const claims: unknown = JSON.parse(new TextDecoder().decode(payload))
    if (!isObject(claims) || claims.iss !== this.#server.issuer || claims.aud !== this.#options.client_id) {
      throw new Error('The revocation feed is of another issuer, or for another client')
    }
    const age = this.#asking.clock() / 1000 - Number(claims.iat)
    if (!(Math.abs(age) <= CLOCK_TOLERANCE_SECONDS)) throw new Error('The revocation feed is of another time')
    return claims
  }
}

class Remembered {
  readonly dead = new Set<string>()
  readonly epochs = new Map<string, number>()
}

function readForebear(forebear: unknown) {
  const [client_id, epoch, jti, kid]: unknown[] = Array.isArray(forebear) ? forebear : []
  return { client_id, epoch, jti, kid }
}

function readPage(claims: Record<string, unknown>): FeedPage {
  const { cursor, more, keep_seconds, epoch } = claims
  if (typeof cursor !== 'string' || typeof more !== 'boolean' || !(Number(keep_seconds) > 0)) throw malformed()
  const dead = ['jti', 'grant_id', 'kid'].flatMap((kind) => {
    const values = claims[kind]
    if (!Array.isArray(values)) throw malformed()
    return values.map((value) => `${kind} ${value}`)
  })
  const epochs = ['client_id', 'sub'].flatMap((kind) => {
    const values = claims[kind]
    if (!isObject(values)) throw malformed()
    return Object.entries(values).map(([value, since]) => [`${kind} ${value}`, Number(since)] as const)
  })
  const tenant = Number(epoch) > 0 ? [['iss', Number(epoch)] as const] : []
  return { cursor, more, keep_seconds: Number(keep_seconds), dead, epochs: [...epochs, ...tenant] }
}

function malformed(): Error {
  return new Error('The revocation feed is malformed')
}
