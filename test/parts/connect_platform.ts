import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { Bridge, Reply } from './bridge.ts'
import { basic } from './platform.ts'
import { UserAgent } from './user_agent.ts'

/** Where the pages of the platform are. */
export const ORIGIN = 'http://platform.localhost:4100'
const SCOPES = 'connect:sessions connect:token'

/** A platform that embeds this server: its users are not ours. */
export interface ConnectPlatform {
  readonly client_id: string
  /** A request of the administration API in its own name. */
  call(method: string, path: string, body?: object): Promise<Reply>
  /** Makes a session for one of its users, unless told otherwise. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what came back
  make(ask?: object): Promise<any>
  status(session_id: string): Promise<Reply>
  /** Its own access token. */
  token(): Promise<string>
}

/** Registers a platform and gets its token. */
export async function startConnectPlatform(
  bridge: Bridge,
  client_id = 'platform',
  scope = SCOPES,
): Promise<ConnectPlatform> {
  const client_secret = `secret-of-${client_id}`
  await bridge.server.addClient({
    ...{ client_id, client_secret, client_name: `The ${client_id} platform`, scope },
    grant_types: ['client_credentials'],
  })
  const form = { grant_type: 'client_credentials', scope, resource: `${bridge.issuer}/api` }
  const headers = { authorization: basic(client_id, client_secret) }
  const tokens = new Map<number, string>()
  // A test that turns the clock needs another one.
  const findToken = async () => {
    const known = tokens.get(bridge.clock.offset)
    if (known !== undefined) return known
    const init = { method: 'POST', headers, body: new URLSearchParams(form) }
    const { access_token } = (await (await fetch(`${bridge.issuer}/token`, init)).json()) as { access_token: string }
    tokens.set(bridge.clock.offset, access_token)
    return access_token
  }
  const platform: ConnectPlatform = {
    client_id,
    async call(method, path, body) {
      const json = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
      return bridge.get(`/api${path}`, await findToken(), { method, ...json })
    },
    async make(ask = {}) {
      const body = { end_user_id: 'u-1', connectors: ['acme'], origins: [ORIGIN], ...ask }
      const { status, body: made, text } = await platform.call('POST', '/connect_sessions', body)
      assert.equal(status, 201, text)
      return made
    },
    status: (session_id) => platform.call('GET', `/connect_sessions/${session_id}`),
    token: findToken,
  }
  return platform
}

/** A page of the platform in somebody's browser, which opens a session in a popup. */
export class EmbeddingPage {
  readonly bridge: Bridge
  readonly browser: UserAgent
  readonly origin: string
  readonly verifier = randomBytes(32).toString('base64url')

  constructor(bridge: Bridge, browser = new UserAgent(), origin = ORIGIN) {
    this.bridge = bridge
    this.browser = browser
    this.origin = origin
  }

  /** Posts the session token from the page; answers where the popup is then. */
  async open(session_token: string, more: Record<string, string> = {}): Promise<{ url: string; response: Response }> {
    const code_challenge = createHash('sha256').update(this.verifier).digest('base64url')
    const body = new URLSearchParams({ session_token, code_challenge, ...more })
    return this.post(body)
  }

  /** The form of the page; our page goes on by itself. */
  async post(body: URLSearchParams): Promise<{ url: string; response: Response }> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: this.origin }
    const init = { method: 'POST', headers, body: `${body}` }
    const posted = await this.browser.follow(`${this.bridge.issuer}/connect/session`, init)
    const next = /^0; url=(.*)$/.exec(posted.response.headers.get('refresh') ?? '')?.[1]
    return next === undefined ? posted : this.browser.follow(new URL(next, posted.url).href)
  }

  /** Opens it and consents over there; answers the callback, not yet delivered. */
  async consent(session_token: string, as = 'alice-at-acme', more: Record<string, string> = {}): Promise<URL> {
    const left = await this.open(session_token, more)
    assert.equal(new URL(left.url).origin, new URL(this.bridge.foreign.issuer).origin, await left.response.text())
    return consentOverThere(this.bridge, left.url, as)
  }

  /** The same, up to the last page. */
  async connect(session_token: string, as?: string): Promise<{ url: string; response: Response }> {
    return this.browser.follow((await this.consent(session_token, as)).href)
  }

  /** What the page is told when it asks. */
  async ask(session_token: string, code_verifier = this.verifier, origin = this.origin): Promise<Reply> {
    const init = { method: 'POST', headers: { origin }, body: new URLSearchParams({ session_token, code_verifier }) }
    return this.bridge.get('/connect/session/status', undefined, init)
  }
}

/** What a person does at the provider, in a browser of their own there. */
export async function consentOverThere(bridge: Bridge, authorization_url: string, as: string): Promise<URL> {
  bridge.foreign.auto_login = as
  return new URL((await new UserAgent().follow(authorization_url)).url)
}
