import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { createEgress } from '../../server/src/egress/egress.ts'
import type { ConnectorInput } from '../../server/src/outbound/administration/connector_input.ts'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import type { Provider } from '../../server/src/providers/provider.ts'
import { ALICE, PLATFORM, type Reply } from './bridge.ts'
import { basic, readReply } from './platform.ts'
import { freePort, startSallyport, type TestServer } from './sallyport.ts'
import { UserAgent } from './user_agent.ts'

/** A call of the provider's token endpoint, as it came. */
export interface TokenRequest {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly content_type: string | undefined
  readonly params: Readonly<Record<string, string>>
}

type Answer = { readonly status?: number; readonly body: unknown }

/** A provider of the plainest kind on loopback, which writes down what it is sent and answers as a test says. */
export interface PlainProvider {
  readonly origin: string
  /** Parameters of the authorization requests. */
  readonly asked: URLSearchParams[]
  readonly token_requests: TokenRequest[]
  /** The access tokens with which its API was called, and whether it took them. */
  readonly api_calls: { token: string; taken: boolean }[]
  /** What the person's consent comes to: parameters of the redirect beside the state. */
  consent: Readonly<Record<string, string>>
  /** Members of each token answer that differ from the usual; undefined leaves one out. */
  answer: Readonly<Record<string, unknown>>
  /** Answers by path what is neither. */
  readonly others: Map<string, (request: TokenRequest) => Answer>
  /** What the API takes now; the newest access token unless a test says otherwise. */
  takes: string
  close(): Promise<void>
}

/** An integration platform with its own people, its apps and one connector, as it uses a Sallyport. */
export interface Integration {
  readonly server: TestServer
  readonly issuer: string
  readonly provider: PlainProvider
  readonly person: UserAgent
  readonly clock: { offset: number }
  readonly callback: string
  save(input?: Partial<ConnectorInput>): Promise<void>
  /** Follows the link to connect, over the provider and back; answers the page at the end. */
  connect(path?: string): Promise<{ url: string; html: string }>
  /** The same, then the one connection that there is. */
  connected(): Promise<{ connection_id: string; state: string; reason: string | null }>
  /** A call of the administration API. */
  call(method: string, path: string, init?: { body?: object; headers?: Record<string, string> }): Promise<Reply>
  /** A call of the provider's API through the proxy. */
  use(connection_id: string, path?: string): Promise<Reply>
  stop(): Promise<void>
}

/** Starts the provider. */
export async function startPlainProvider(): Promise<PlainProvider> {
  let issued = 0
  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, provider.origin)
    const body = await text(request)
    const { authorization, 'content-type': content_type } = request.headers
    const sent = content_type?.includes('json') ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body))
    const params = { ...Object.fromEntries(url.searchParams), ...sent }
    const arrived: TokenRequest = { method: request.method!, path: url.pathname, authorization, content_type, params }
    const reply = ({ status = 200, body: value }: Answer) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    }
    const other = provider.others.get(url.pathname)
    if (url.pathname === '/authorize') {
      provider.asked.push(url.searchParams)
      const back = new URL(params['redirect_uri'])
      for (const [name, value] of Object.entries({ ...provider.consent, state: params['state'] })) {
        if (value !== undefined) back.searchParams.set(name, value)
      }
      response.writeHead(302, { location: back.href }).end()
    } else if (url.pathname === '/token') {
      provider.token_requests.push(arrived)
      const n = ++issued
      provider.takes = `AT-${n}`
      const usual = { access_token: `AT-${n}`, token_type: 'Bearer', expires_in: 3600, refresh_token: `RT-${n}` }
      const { status = 200, ...members } = { ...usual, ...provider.answer } as { status?: number }
      reply({ status, body: members })
    } else if (other) {
      provider.token_requests.push(arrived)
      reply(other(arrived))
    } else {
      const token = authorization?.replace(/^Bearer /, '') ?? ''
      const taken = token === provider.takes
      provider.api_calls.push({ token, taken })
      reply(taken ? { body: { taken: true } } : { status: 401, body: { error: 'invalid_token' } })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const provider: PlainProvider = {
    ...{ origin: `http://127.0.0.1:${port}`, asked: [], token_requests: [], api_calls: [], others: new Map() },
    ...{ consent: { code: 'the-code' }, answer: {}, takes: '' },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return provider
}

const SCOPE = 'admin:read admin:write vault:token vault:proxy'

/** Starts a Sallyport whose one connector, `crm`, is registered at a plain provider, and signs a person in. */
export async function startIntegration(
  input: Partial<ConnectorInput> = {},
  providers: (origin: string) => readonly Provider[] = () => [],
): Promise<Integration> {
  const provider = await startPlainProvider()
  const { origin } = provider
  const clock = { offset: 0 }
  const egress = createEgress({ allow: ['127.0.0.1'] })
  const app = { egress, providers: providers(origin) }
  const server = await startSallyport({ port: await freePort(), clock: () => Date.now() + clock.offset, app })
  const { issuer } = server
  const save = async (more: Partial<ConnectorInput> = {}) => {
    const fields = {
      ...{ authorization_endpoint: `${origin}/authorize`, token_endpoint: `${origin}/token` },
      ...{ api_base_url: origin, token_endpoint_auth_method: 'client_secret_post', ...input.fields, ...more.fields },
    }
    const described = { provider: 'oauth2', client_id: 'our-id', client_secret: 'our-secret', ...input, ...more }
    await saveConnector(server.app.web.outbound, 'test', { connector: 'crm', ...described, fields })
  }
  await save()
  await server.addUser(ALICE)
  await server.addClient({ ...PLATFORM, scope: SCOPE, grant_types: ['client_credentials'] })
  const person = new UserAgent()
  /** Up to the provider: whoever was away for days signs in on the way. */
  async function leave(path: string): Promise<{ url: string; response: Response }> {
    const left = await person.follow(issuer + path)
    if (new URL(left.url).pathname !== '/login') return left
    return person.submit({ url: left.url, html: await left.response.text() }, ALICE)
  }
  await leave('/login')

  async function fetchAs(resource: string, scope: string, url: string, init: RequestInit): Promise<Reply> {
    const form = new URLSearchParams({ grant_type: 'client_credentials', scope, resource })
    const authorization = basic(PLATFORM.client_id, PLATFORM.client_secret)
    const granted = await readReply(
      await fetch(`${issuer}/token`, { method: 'POST', headers: { authorization }, body: form }),
    )
    assert.equal(granted.status, 200, granted.text)
    const headers = { ...(init.headers as object), authorization: `Bearer ${granted.body.access_token}` }
    return readReply(await fetch(url, { ...init, headers }))
  }

  const integration: Integration = {
    ...{ server, issuer, provider, person, clock, save, callback: `${issuer}/connect/crm/callback` },
    async connect(path = '/connect/crm') {
      const left = await leave(path)
      const away = new URL(left.url)
      assert.equal(away.origin, origin, await left.response.text())
      const back = await fetch(away, { redirect: 'manual' })
      const done = await person.follow(back.headers.get('location')!)
      return { url: done.url, html: await done.response.text() }
    },
    async connected() {
      const { url, html } = await integration.connect()
      assert.equal(url, `${issuer}/account`, html)
      return (await integration.call('GET', '/connections')).body.items.at(-1)
    },
    call: (method, path, { body, headers = {} } = {}) => {
      const type = body ? { 'content-type': 'application/json' } : {}
      const init = { method, headers: { ...type, ...headers }, ...(body && { body: JSON.stringify(body) }) }
      return fetchAs(`${issuer}/api`, SCOPE, `${issuer}/api${path}`, init)
    },
    use: (connection_id, path = '/things') =>
      fetchAs(`${issuer}/api`, SCOPE, `${issuer}/proxy/connections/${connection_id}${path}`, { method: 'GET' }),
    async stop() {
      await server.stop()
      await provider.close()
      await egress.close()
    },
  }
  return integration
}
