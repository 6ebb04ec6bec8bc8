import { AuthorizationServer } from '../resource/authorization_server.ts'
import { type Fetch, isObject, readText } from '../resource/fetch_json.ts'
import { formatBasic } from '../resource/introspection.ts'
import { readSeconds } from '../resource/options.ts'
import { type Held, KeptToken } from './kept_token.ts'
import type { ClientTokenOptions, VaultOptions } from './options.ts'
import { VaultError } from './vault_error.ts'

/** An answer of Sallyport: a JSON object whose members are yet to be looked at. */
export type Json = Readonly<Record<string, unknown>>

const LARGEST_ANSWER = 262_144
/** The header of what Sallyport's proxy itself answers; it passes none of a provider's on. */
const OWN_ERROR = 'x-sallyport-error'
const LONGEST_TEXT = 500
const KEEPING = { max_age_seconds: 600, stale_seconds: 3600, cooldown_seconds: 30 }
/** How long before its end a client token is replaced: so much, or half its life if that is less. */
const BEFORE_END_MS = 30_000
/** How long a client token serves of which nobody says when it ends. */
const UNKNOWN_LIFE_MS = 60_000
/** What a header can carry, and RFC 6750 section 2.1 has more narrowly. */
const TOKEN = /^[\x21-\x7e]+$/

/** The Sallyport: its token endpoint, its API, and this app's own tokens. */
export class Sallyport {
  /** The issuer identifier without a slash at its end. */
  readonly base: string
  readonly clock: () => number
  readonly fetch: Fetch
  readonly #server: AuthorizationServer
  readonly #timeout_ms: number
  readonly #authorization: string | undefined
  readonly #client_tokens = new Map<string, KeptToken<{ access_token: string }>>()

  constructor(options: VaultOptions) {
    const timeout_seconds = readSeconds(options.timeout_seconds, 'timeout_seconds', 30)
    this.clock = options.clock ?? Date.now
    this.fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init))
    const asking = { fetch: this.fetch, clock: this.clock, timeout_seconds, keeping: KEEPING }
    this.#server = new AuthorizationServer(options.issuer, undefined, asking)
    this.base = options.issuer.replace(/\/$/, '')
    this.#timeout_ms = timeout_seconds * 1000
    const { client_id, client_secret } = options
    this.#authorization = client_id && client_secret ? formatBasic(client_id, client_secret) : undefined
    if (this.#authorization === undefined && (client_id || client_secret)) {
      throw new TypeError('client_id and client_secret belong together')
    }
  }

  /** Throws a TypeError where this app has no registration to show. */
  requireClient(): void {
    if (this.#authorization === undefined) throw new TypeError('client_id and client_secret are needed for this')
  }

  /** A token of this app itself (RFC 6749 section 4.4), kept until it is nearly over. */
  async clientToken({ resource, scope }: ClientTokenOptions, failed?: string): Promise<string> {
    this.requireClient()
    const form = { grant_type: 'client_credentials', ...(resource && { resource }), ...(scope && { scope }) }
    const key = JSON.stringify(form)
    let kept = this.#client_tokens.get(key)
    if (kept === undefined) {
      kept = new KeptToken(() => this.#loadClientToken(form), this.clock)
      this.#client_tokens.set(key, kept)
    }
    return (await kept.get(failed)).access_token
  }

  async #loadClientToken(form: Readonly<Record<string, string>>): Promise<Held<{ access_token: string }>> {
    const asked = this.clock()
    const answer = await this.askTokenEndpoint(form)
    const life = typeof answer.expires_in === 'number' ? answer.expires_in * 1000 : undefined
    const until = asked + (life === undefined ? UNKNOWN_LIFE_MS : life - Math.min(BEFORE_END_MS, life / 2))
    return { token: { access_token: readToken(answer) }, until }
  }

  /** Asks the token endpoint, as this app. */
  async askTokenEndpoint(form: Readonly<Record<string, string>>): Promise<Json> {
    this.requireClient()
    const endpoint = await this.#server.token_endpoint().catch((cause: unknown) => {
      throw new VaultError('temporarily_unavailable', 'The metadata of Sallyport cannot be fetched', { cause })
    })
    const headers = { authorization: this.#authorization!, 'content-type': 'application/x-www-form-urlencoded' }
    return await this.#ask(endpoint, { method: 'POST', headers, body: new URLSearchParams(form).toString() })
  }

  /** Asks the API, with a token for it. */
  async askApi(method: 'GET' | 'POST', path: string, access_token: string): Promise<Json> {
    return await this.#ask(`${this.base}/api${path}`, { method, headers: { authorization: `Bearer ${access_token}` } })
  }

  async #ask(url: string, init: RequestInit & { readonly headers: Record<string, string> }): Promise<Json> {
    const headers = { accept: 'application/json', ...init.headers }
    const signal = AbortSignal.timeout(this.#timeout_ms)
    let response: Response
    try {
      response = await this.fetch(url, { ...init, headers, redirect: 'manual', signal })
    } catch (cause) {
      throw new VaultError('temporarily_unavailable', 'Sallyport does not answer', { cause })
    }
    const json = await readJson(response)
    if (response.status === 200 && json !== undefined) return json
    throw this.#toError(response, json)
  }

  /**
   * What an answer of the proxy refuses; undefined for the answers of a provider, and for its 429 while the proxy repeats
   * it in the provider's place.
   */
  async readProxyRefusal(response: Response): Promise<VaultError | undefined> {
    const error = response.headers.get(OWN_ERROR)
    return error === null || error === 'rate_limited' ? undefined : this.#toError(response, await readJson(response))
  }

  #toError({ status, headers }: Response, json: Json = {}): VaultError {
    const error = headers.get(OWN_ERROR) ?? readWords(json.reason) ?? readWords(json.error)
    const description = readWords(json.error_description) ?? `Sallyport answered ${status}`
    const { connect_url } = json
    return new VaultError(error ?? (status >= 500 ? 'temporarily_unavailable' : 'server_error'), description, {
      // Wherever this answer comes from, it sends the user to nobody else.
      connect_url: typeof connect_url === 'string' && connect_url.startsWith(`${this.base}/`) ? connect_url : undefined,
      retry_after_seconds: readRetryAfter(headers, this.clock()),
    })
  }
}

/** The access token of an answer. */
export function readToken({ access_token }: Json): string {
  if (typeof access_token === 'string' && TOKEN.test(access_token)) return access_token
  throw new VaultError('server_error', 'Sallyport answered without an access token')
}

/** A token as a header: a value that no header can carry would stand in the runtime's error. */
export function formatBearer(access_token: string): string {
  if (!TOKEN.test(access_token)) throw new TypeError('The access token is empty, or has a character that no token has')
  return `Bearer ${access_token}`
}

/** Seconds of a Retry-After header, which may be a date (RFC 9110 section 10.2.3). */
export function readRetryAfter(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after') ?? ''
  if (/^\d{1,9}$/.test(value)) return Number(value)
  const date = / /.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - now) / 1000))
}

// The parser's own error would quote what it could not read, and that may be a token.
async function readJson(response: Response): Promise<Json | undefined> {
  try {
    const json: unknown = JSON.parse(await readText(response, LARGEST_ANSWER))
    return isObject(json) ? json : undefined
  } catch {
    return undefined
  }
}

function readWords(value: unknown): string | undefined {
  return typeof value === 'string' && value !== ''
    ? value.slice(0, LONGEST_TEXT).replace(/[\0-\x1f\x7f]/g, '?')
    : undefined
}
