import { OAuthError } from '../oauth_error.ts'
import { type Fetch, fetchJson } from './fetch_json.ts'
import { type Keeping, Kept } from './kept.ts'
import { type KeySet, readKeySet } from './key_set.ts'
import { readSecureUrl } from './secure_url.ts'

/** What is used of an authorization server's metadata (RFC 8414 section 2). */
interface Metadata {
  readonly jwks_uri: string | undefined
  readonly token_endpoint: string | undefined
  readonly introspection_endpoint: string | undefined
  readonly revocation_feed_endpoint: string | undefined
}

/** How an authorization server is asked. */
export interface Asking {
  readonly fetch: Fetch
  readonly clock: () => number
  readonly timeout_seconds: number
  readonly keeping: Keeping
}

const LARGEST_METADATA = 65_536
const LARGEST_KEY_SET = 262_144
const RETRY_AFTER = { 'retry-after': '5' }

/** A trusted authorization server: its keys, and the endpoints that its metadata names. */
export class AuthorizationServer {
  readonly issuer: string
  readonly #keys: Kept<KeySet>
  readonly #metadata: Kept<Metadata>

  constructor(issuer: string, jwks_uri: string | undefined, asking: Asking) {
    const url = readSecureUrl(issuer, 'issuer')
    // RFC 8414 section 2.
    if (url.search !== '' || issuer.includes('?')) throw new TypeError('issuer must not have a query')
    if (jwks_uri !== undefined) readSecureUrl(jwks_uri, 'jwks_uri')
    this.issuer = issuer
    this.#metadata = new Kept(() => discover(issuer, asking), asking.keeping, asking.clock)
    const loadKeys = async () => await fetchKeys(jwks_uri ?? (await this.#metadata.get()).jwks_uri, asking)
    this.#keys = new Kept(loadKeys, asking.keeping, asking.clock)
  }

  /** The keys that the server publishes; `'missed'` asks for newer ones, within limits: other than the usual if given. */
  async keys(missed?: 'missed', cooldown_seconds?: number): Promise<KeySet> {
    try {
      return missed === undefined ? await this.#keys.get() : await this.#keys.reload(cooldown_seconds)
    } catch (cause) {
      throw unavailable('The keys of the authorization server cannot be fetched', cause)
    }
  }

  /** The token endpoint of the server's metadata. */
  token_endpoint(): Promise<string> {
    return this.#endpoint('token_endpoint')
  }

  /** The introspection endpoint of the server's metadata. */
  introspection_endpoint(): Promise<string> {
    return this.#endpoint('introspection_endpoint')
  }

  /** The revocation feed of the server's metadata. */
  revocation_feed_endpoint(): Promise<string> {
    return this.#endpoint('revocation_feed_endpoint')
  }

  async #endpoint(name: keyof Metadata): Promise<string> {
    try {
      const endpoint = (await this.#metadata.get())[name]
      if (endpoint === undefined) throw new TypeError(`${this.issuer} names no ${name}`)
      return endpoint
    } catch (cause) {
      throw unavailable('The metadata of the authorization server cannot be fetched', cause)
    }
  }
}

/** The refusal when an authorization server does not answer: 503 with Retry-After, never a pass. */
export function unavailable(error_description: string, cause: unknown): OAuthError {
  return new OAuthError('temporarily_unavailable', error_description, { cause, headers: RETRY_AFTER })
}

/** Reads metadata by RFC 8414 section 3, else by OpenID Connect Discovery section 4; the issuer in it must be the same. */
async function discover(issuer: string, asking: Asking): Promise<Metadata> {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const limits = { timeout_seconds: asking.timeout_seconds, bytes: LARGEST_METADATA }
  const urls = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ]
  for (const url of urls) {
    const { status, json } = await fetchJson(asking.fetch, url, {}, limits)
    if (json === undefined) {
      if (status >= 400 && status < 500) continue
      throw new Error(`${url} answered ${status}`)
    }
    // RFC 8414 section 3.3: other metadata must not be used.
    if (json.issuer !== issuer) throw new Error(`${url} is the metadata of another issuer, not of ${issuer}`)
    const read = (name: keyof Metadata) => (json[name] === undefined ? undefined : readSecureUrl(json[name], name).href)
    return {
      jwks_uri: read('jwks_uri'),
      token_endpoint: read('token_endpoint'),
      introspection_endpoint: read('introspection_endpoint'),
      revocation_feed_endpoint: read('revocation_feed_endpoint'),
    }
  }
  throw new Error(`${issuer} has no authorization server metadata`)
}

async function fetchKeys(jwks_uri: string | undefined, asking: Asking): Promise<KeySet> {
  if (jwks_uri === undefined) throw new TypeError('The authorization server names no jwks_uri')
  const limits = { timeout_seconds: asking.timeout_seconds, bytes: LARGEST_KEY_SET }
  const { status, json } = await fetchJson(asking.fetch, jwks_uri, {}, limits)
  if (json === undefined) throw new Error(`${jwks_uri} answered ${status}`)
  return await readKeySet(json)
}
