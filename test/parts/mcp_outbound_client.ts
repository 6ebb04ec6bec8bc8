import { createEgress } from '../../server/src/egress/egress.ts'
import type { ConnectorInput } from '../../server/src/outbound/administration/connector_input.ts'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { freshToken } from '../../server/src/outbound/connections/fresh_token.ts'
import { forward } from '../../server/src/outbound/proxy/proxy.ts'
import { startSallyport, type TestServer } from './sallyport.ts'
import { UserAgent } from './user_agent.ts'

// An MCP client whose tokens come out of the outbound half: what a server asks for becomes a connector, a person takes it
// through its consent flow, and the vault gives the token. Here is what MCP itself asks of a client: where its servers'
// metadata are, which client it is there, which scopes it wants. Started by the conformance suite, with the URL of a server.

const PERSON = { username: 'person', password: 'correct horse battery' }
/** The address of our client metadata document that the suite knows. */
const CLIENT_ID_URL = 'https://conformance-test.local/client-metadata.json'
const MOST_AUTHORIZATIONS = 3
const STATELESS = '2026-07-28'

interface Challenge {
  readonly scope?: string | undefined
  readonly resource_metadata?: string | undefined
}

interface Metadata {
  readonly issuer: string
  readonly authorization_endpoint?: string
  readonly token_endpoint?: string
  readonly registration_endpoint?: string
  readonly scopes_supported?: readonly string[]
  readonly grant_types_supported?: readonly string[]
  readonly token_endpoint_auth_methods_supported?: readonly string[]
  readonly client_id_metadata_document_supported?: boolean
  readonly dpop_signing_alg_values_supported?: readonly string[]
}

/** An authorization server, as it was found. */
interface Found {
  readonly metadata: Metadata
  /** How a connector finds the same; null where there is nothing to find. */
  readonly discovery: 'oauth2' | 'oidc' | null
}

type Registration = Pick<ConnectorInput, 'client_id' | 'client_secret' | 'private_key'> & { readonly method: string }

/** What the suite says of a scenario: who we are where nobody registers. */
interface Context {
  readonly client_id?: string
  readonly client_secret?: string
  readonly private_key_pem?: string
}

class OutboundClient {
  readonly #url: URL
  readonly #version: string
  readonly #context: Context
  readonly #server: TestServer
  readonly #person = new UserAgent()
  readonly #user_id: string
  readonly #registered = new Map<string, Registration>()
  #scope = ''
  #token: string | undefined
  /** The connection by which requests go through the proxy: a token that is bound to a key of the vault serves nowhere else. */
  #proxied: string | undefined
  #authorizations = 0
  #id = 0

  constructor(url: string, version: string, context: Context, server: TestServer, user_id: string) {
    this.#url = new URL(url)
    this.#version = version
    this.#context = context
    this.#server = server
    this.#user_id = user_id
  }

  /** Does what any client does: says who it is, lists the tools, calls each. */
  async run(): Promise<void> {
    const { url, response } = await this.#person.follow(`${this.#server.issuer}/login`)
    await this.#person.submit({ url, html: await response.text() }, PERSON)
    if (this.#version !== STATELESS) {
      const clientInfo = { name: 'sallyport-outbound', version: '1.0.0' }
      await this.#ask('initialize', { protocolVersion: this.#version, capabilities: {}, clientInfo })
      await this.#ask('notifications/initialized', undefined)
    }
    const { tools = [] } = (await this.#ask('tools/list', {})) as { tools?: { name: string }[] }
    for (const { name } of tools) await this.#ask('tools/call', { name, arguments: {} })
  }

  /** One request, asked again after each authorization that its answer wants. */
  async #ask(method: string, params: Record<string, unknown> | undefined): Promise<unknown> {
    for (;;) {
      const response = await this.#post(method, params)
      const challenge = response.headers.get('www-authenticate') ?? ''
      const wants_scope = response.status === 403 && /insufficient_scope/.test(challenge)
      if (response.status === 401 || wants_scope) {
        await response.body?.cancel()
        if (++this.#authorizations > MOST_AUTHORIZATIONS) throw new Error('The server is never content')
        await this.#authorize({
          scope: /scope="([^"]*)"/.exec(challenge)?.[1],
          resource_metadata: /resource_metadata="([^"]*)"/.exec(challenge)?.[1],
        })
        continue
      }
      if (!response.ok) throw new Error(`${method} was answered with ${response.status}: ${await response.text()}`)
      const text = await response.text()
      if (method.startsWith('notifications/')) return undefined
      const data = response.headers.get('content-type')?.startsWith('text/event-stream')
        ? (/^data: (.*)$/m.exec(text)?.[1] ?? '{}')
        : text
      return JSON.parse(data).result ?? {}
    }
  }

  #post(method: string, params: Record<string, unknown> | undefined): Promise<Response> {
    const stateless = this.#version === STATELESS
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': this.#version,
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'sallyport-outbound', version: '1.0.0' },
    }
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': this.#version,
      ...(stateless && { 'mcp-method': method }),
      ...(stateless && typeof params?.['name'] === 'string' && { 'mcp-name': params['name'] }),
      ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
    }
    const id = method.startsWith('notifications/') ? {} : { id: ++this.#id }
    const body = { jsonrpc: '2.0', ...id, method, ...(params && { params: stateless ? { ...params, _meta } : params }) }
    const init = { method: 'POST', headers, body: JSON.stringify(body) }
    return this.#proxied === undefined ? fetch(this.#url, init) : this.#forward(this.#proxied, init)
  }

  async #forward(
    connection_id: string,
    { headers, body }: { headers: Record<string, string>; body: string },
  ): Promise<Response> {
    const wish = { connection_id, user_id: this.#user_id, method: 'POST', path: this.#url.pathname, query: '' }
    const more = { headers: new Headers(headers), body: new Response(body).body }
    const answer = await forward(this.#server.app.web.outbound, { ...wish, ...more })
    if (answer.kind !== 'response') throw new Error(`Nothing came through the proxy: ${JSON.stringify(answer)}`)
    return answer.response
  }

  /** Finds who gives tokens for the server, connects there, and has the token. */
  async #authorize(challenge: Challenge): Promise<void> {
    const resource = await this.#findResource(challenge.resource_metadata)
    const issuer = resource?.authorization_servers?.[0] ?? this.#url.origin
    const found = await findServer(issuer)
    const { metadata } = found
    const registration = this.#registered.get(issuer) ?? (await this.#register(found))
    this.#registered.set(issuer, registration)
    // What was granted before stays asked for: a step up is no step aside.
    const wanted = challenge.scope ?? resource?.scopes_supported?.join(' ') ?? ''
    const offline = metadata.scopes_supported?.includes('offline_access') ? 'offline_access' : ''
    this.#scope = [...new Set(`${this.#scope} ${wanted} ${offline}`.split(' ').filter(Boolean))].join(' ')
    await this.#connect(found, registration, resource?.resource)
  }

  /** RFC 9728: where the server says, else below its path, else at its root. */
  async #findResource(told: string | undefined) {
    const { origin, pathname, href } = this.#url
    const below = `${origin}/.well-known/oauth-protected-resource`
    for (const url of told === undefined ? [`${below}${pathname}`, below] : [told]) {
      const json = await readJson<{ resource: string; authorization_servers?: string[]; scopes_supported?: string[] }>(
        url,
      )
      if (json === undefined) continue
      // RFC 9728 section 3.3: it speaks of this server, or of a place above it.
      if (href !== json.resource && !`${href}/`.startsWith(`${json.resource.replace(/\/$/, '')}/`)) {
        throw new Error(`The metadata speak of ${json.resource}`)
      }
      return json
    }
    return undefined
  }

  /** Who we are there: as we were told, by our document, or by registering (RFC 7591). */
  async #register({ metadata }: Found): Promise<Registration> {
    const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const { client_id, client_secret, private_key_pem } = this.#context
    if (client_id !== undefined) {
      if (private_key_pem !== undefined) return { client_id, private_key: private_key_pem, method: 'private_key_jwt' }
      return { client_id, client_secret, method: methods[0]! }
    }
    if (metadata.client_id_metadata_document_supported) return { client_id: CLIENT_ID_URL, method: 'none' }
    const body = {
      client_name: 'Sallyport, outbound',
      redirect_uris: [this.#callback(metadata.issuer)],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      application_type: 'native',
      token_endpoint_auth_method: methods[0],
    }
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(metadata.registration_endpoint ?? new URL('/register', metadata.issuer), {
      ...{ method: 'POST', headers, body: JSON.stringify(body) },
    })
    const registered = (await response.json()) as {
      client_id: string
      client_secret?: string
      token_endpoint_auth_method?: string
    }
    const method = registered.token_endpoint_auth_method ?? methods[0]!
    const secret = method === 'none' ? {} : { client_secret: registered.client_secret }
    return { client_id: registered.client_id, ...secret, method }
  }

  #connectorOf(issuer: string): string {
    return `mcp-${new URL(issuer).port}`
  }

  #callback(issuer: string): string {
    return `${this.#server.issuer}/connect/${this.#connectorOf(issuer)}/callback`
  }

  /** Makes the connector what is wanted now, takes the person through it, and has the token from the vault. */
  async #connect({ metadata, discovery }: Found, registration: Registration, resource?: string): Promise<void> {
    const { app, issuer, store } = this.#server
    const connector = this.#connectorOf(metadata.issuer)
    const { method, ...client } = registration
    const params = resource === undefined ? {} : { resource }
    const bound = metadata.dpop_signing_alg_values_supported !== undefined
    const alone = metadata.grant_types_supported?.includes('client_credentials')
    await saveConnector(app.web.outbound, 'mcp client', {
      ...{ connector, provider: 'oauth2', issuer: metadata.issuer, scope: this.#scope, ...client },
      ...(alone && { grant_type: 'client_credentials' as const }),
      fields: {
        ...{ discovery, token_endpoint_auth_method: method },
        ...{ authorization_params: params, token_params: params, refresh_params: params },
        ...{ dpop: bound ? 'required' : 'refused', api_base_url: this.#url.origin },
        ...(discovery === null && {
          authorization_endpoint: metadata.authorization_endpoint,
          token_endpoint: metadata.token_endpoint,
        }),
      },
    })
    const { tenant_id } = app.tenant
    const connections = () => store.listConnectionsOfUser({ tenant_id, user_id: this.#user_id })
    const before = (await connections()).find((known) => known.connector === connector)
    const query = before ? `?connection_id=${before.connection_id}` : ''
    let at = await this.#person.follow(`${issuer}/connect/${connector}${query}`)
    if (alone)
      at = await this.#person.submit({ url: at.url, html: await at.response.text() }, {}, `/connect/${connector}`)
    else {
      const answered = await fetch(at.url, { redirect: 'manual' })
      at = await this.#person.follow(answered.headers.get('location') ?? '')
    }
    if (at.url !== `${issuer}/account`)
      throw new Error(`Nothing was connected: ${at.url} ${await readable(at.response)}`)
    const [made] = (await connections()).filter((known) => known.connector === connector)
    if (bound) {
      this.#proxied = made!.connection_id
      return
    }
    const wish = { connection_id: made!.connection_id, user_id: this.#user_id }
    const token = await freshToken(app.web.outbound, wish)
    if (token.kind !== 'token') throw new Error(`There is no token: ${JSON.stringify(token)}`)
    this.#token = token.access_token
  }
}

/** RFC 8414 and OpenID Connect Discovery, in the order that MCP wants; the endpoints of 2025-03-26 where nothing is said. */
async function findServer(issuer: string): Promise<Found> {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  for (const [url, discovery] of [
    [`${origin}/.well-known/oauth-authorization-server${path}`, 'oauth2'],
    [`${origin}${path}/.well-known/openid-configuration`, 'oidc'],
  ] as const) {
    const metadata = await readJson<Metadata>(url)
    if (metadata === undefined) continue
    if (metadata.issuer !== issuer) throw new Error(`The metadata name another issuer: ${metadata.issuer}`)
    return { metadata, discovery }
  }
  const metadata = {
    ...{ issuer, authorization_endpoint: `${origin}/authorize`, token_endpoint: `${origin}/token` },
    registration_endpoint: `${origin}/register`,
  }
  return { metadata, discovery: null }
}

async function readJson<T>(url: string): Promise<T | undefined> {
  const response = await fetch(url)
  if (response.ok) return (await response.json()) as T
  await response.body?.cancel()
  return undefined
}

async function readable(response: Response): Promise<string> {
  return (await response.text())
    .replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .slice(0, 400)
}

const url = process.argv.at(-1)!
const egress = createEgress({ allow: ['localhost', '127.0.0.1'] })
const server = await startSallyport({ app: { egress } })
const user_id = await server.addUser({ ...PERSON, roles: ['administrator'] })
const version = process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'] ?? '2025-11-25'
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as Context
try {
  await new OutboundClient(url, version, context, server, user_id).run()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  await server.stop()
  await egress.close()
}
