import { createHash } from 'node:crypto'
import { createEgress } from '../../server/src/egress/egress.ts'
import { event } from '../../server/src/inbound/event.ts'
import type { ConnectorInput } from '../../server/src/outbound/administration/connector_input.ts'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { type ForeignProvider, startForeignProvider } from './foreign_provider.ts'
import { createDatabase, startPostgres } from './postgres.ts'
import { type RecordingApi, startRecordingApi } from './recording_api.ts'
import { startSallyport, type TestServer } from './sallyport.ts'
import type { Dialect } from './stores.ts'
import { UserAgent } from './user_agent.ts'

/** The user of most stories. */
export const ALICE = { username: 'alice', password: 'correct horse battery' } as const
/** The other user. */
export const BOB = { username: 'bob', password: 'staple of another kind' } as const

/** Where the clients get their answers. */
export const CALLBACK = 'http://127.0.0.1:3000/callback'
const SECRETS: Readonly<Record<string, string>> = { web: 'secret-of-web', other: 'secret-of-other' }
/** A client without users, for a test that wants one: its id, its secret. */
export const PLATFORM = { client_id: 'platform', client_secret: 'secret-of-platform' } as const
const VERIFIER = 'v'.repeat(43)
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

/** An answer, read. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what came back
  readonly body: any
}

/** The whole server beside a provider we did not write, with that provider's API, two users and two clients. */
export interface Bridge {
  readonly server: TestServer
  readonly issuer: string
  readonly foreign: ForeignProvider
  readonly api: RecordingApi
  /** Added to the time of the server and of its database. */
  readonly clock: { offset: number }
  readonly users: { readonly alice: string; readonly bob: string }
  /** A browser in which somebody is signed in. */
  signIn(user?: { username: string; password: string }): Promise<UserAgent>
  /** Follows a link of ours to the provider and back, up to where it ends; `as` is who signs in over there. */
  connect(person: UserAgent, path?: string, as?: string): Promise<{ url: string; response: Response }>
  /** The same, but stops before the provider's answer is delivered to us: the callback with its parameters. */
  visitProvider(person: UserAgent, path?: string, as?: string): Promise<URL>
  /** Posts the form that holds a text on one of our pages. */
  press(
    person: UserAgent,
    path: string,
    holds: string,
    values?: Record<string, string>,
  ): Promise<{ url: string; response: Response }>
  /** The connections of a user, as the database has them. */
  connections(username?: 'alice' | 'bob'): Promise<{ connection_id: string; state: string; account: string | null }[]>
  authorizeUrl(params?: Record<string, string | readonly string[]>): string
  /** Takes a client through consent and code exchange; answers the token response. */
  obtain(
    person: UserAgent,
    params?: Record<string, string | readonly string[]>,
    choices?: Record<string, string>,
    // biome-ignore lint/suspicious/noExplicitAny: tests look at what came back
  ): Promise<any>
  post(path: string, form: Record<string, string> | [string, string][], client?: string): Promise<Reply>
  get(path: string, token?: string, init?: RequestInit): Promise<Reply>
  /** Switches Alice, client `web`, connector `acme` or the whole tenant off, or on again. */
  setDisabled(part: 'user' | 'client' | 'connector' | 'tenant', disabled: boolean): Promise<void>
  stop(): Promise<void>
}

/** Starts all of it; connector `acme` leads to the provider, and its API is the recording one. */
export async function startBridge(
  options: {
    dialect?: Dialect
    path?: string
    connector?: Partial<ConnectorInput>
    access_token_seconds?: number
    /** The header in which a proxy passes on the certificates of clients. */
    certificate_header?: string
    trusted_proxies?: readonly string[]
    app?: NonNullable<Parameters<typeof startSallyport>[0]>['app']
  } = {},
): Promise<Bridge> {
  const api = await startRecordingApi()
  const clock = { offset: 0 }
  const egress = createEgress({ allow: ['127.0.0.1'] })
  const database =
    options.dialect === 'postgres'
      ? await startPostgres().then(async (s) => ({ s, ...(await createDatabase(s.url)) }))
      : null
  const now = () => Date.now() + clock.offset
  const server = await startSallyport({
    path: options.path ?? '',
    ...(options.trusted_proxies && { trusted_proxies: options.trusted_proxies }),
    clock: now,
    app: {
      egress,
      ...options.app,
      ...(options.certificate_header && {
        certificate_forwarding: { header: options.certificate_header, authorities: [] },
      }),
    },
    ...(database ? { location: { postgres: database.url, clock: now } } : {}),
  })
  const { issuer, app } = server
  const { tenant } = app
  const registration = { client_id: 'sallyport', client_secret: 'secret-at-acme' }
  const foreign = await startForeignProvider({
    clients: [
      { ...registration, redirect_uris: [`${issuer}/connect/acme/callback`, `${issuer}/connect/other/callback`] },
    ],
    access_token_seconds: options.access_token_seconds ?? 3600,
  })
  const acme: ConnectorInput = {
    connector: 'acme',
    provider: 'oidc',
    issuer: foreign.issuer,
    scope: 'openid email offline_access',
    fields: { api_base_url: `${api.origin}/v1` },
    ...registration,
    ...options.connector,
  }
  await saveConnector(app.web.outbound, 'test', acme)
  await server.addResource({ resource: `${issuer}/notes`, scopes: JSON.stringify({ 'api:read': 'Read your notes' }) })
  await server.addRole('member', ['api:read'])
  const users = {
    alice: await server.addUser({ ...ALICE, name: 'Alice Example', email: 'alice@example.test', roles: ['member'] }),
    bob: await server.addUser({ ...BOB, name: 'Bob Example', email: 'bob@example.test', roles: ['member'] }),
  }
  const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
  for (const [client_id, client_secret] of Object.entries(SECRETS)) {
    await server.addClient({
      ...{ client_id, client_secret, client_name: `The ${client_id} app`, redirect_uris: [CALLBACK] },
      grant_types: ['authorization_code', 'refresh_token', exchange],
      scope: 'openid email profile offline_access api:read',
    })
  }

  const bridge: Bridge = {
    ...{ server, issuer, foreign, api, clock, users },
    async signIn(user = ALICE) {
      const person = new UserAgent()
      const { url, response } = await person.follow(`${issuer}/login`)
      const done = await person.submit({ url, html: await response.text() }, user)
      if (done.response.status !== 200) throw new Error(`${user.username} was not signed in: ${done.response.status}`)
      return person
    },
    async connect(person, path, as) {
      const back = await bridge.visitProvider(person, path, as)
      return person.follow(back.href)
    },
    async visitProvider(person, path = '/connect/acme', as = 'alice-at-acme') {
      const left = await person.follow(path.startsWith('http') ? path : issuer + path)
      if (new URL(left.url).origin !== new URL(foreign.issuer).origin) {
        throw new Error(`${path} does not lead to the provider: ${left.response.status} ${await left.response.text()}`)
      }
      foreign.auto_login = as
      const back = await new UserAgent().follow(left.url)
      return new URL(back.url)
    },
    async press(person, path, holds, values = {}) {
      const { url, response } = await person.follow(issuer + path)
      return person.submit({ url, html: await response.text() }, values, holds)
    },
    async connections(username = 'alice') {
      const user_id = users[username]
      return tenant.store.listConnectionsOfUser({ tenant_id: tenant.tenant_id, user_id })
    },
    authorizeUrl(params = {}) {
      const query = new URLSearchParams()
      const whole: Record<string, string | readonly string[]> = {
        ...{
          response_type: 'code',
          client_id: 'web',
          redirect_uri: CALLBACK,
          scope: 'openid offline_access',
          state: 's',
        },
        ...{ code_challenge: CHALLENGE, code_challenge_method: 'S256', resource: `${issuer}/proxy/acme` },
        ...params,
      }
      for (const [name, value] of Object.entries(whole)) for (const one of [value].flat()) query.append(name, one)
      return `${issuer}/authorize?${query}`
    },
    async obtain(person, params = {}, choices = {}) {
      const client = String(params['client_id'] ?? 'web')
      const back = await person.authorize(bridge.authorizeUrl(params), ALICE, 'allow', choices)
      const code = back.searchParams.get('code')
      if (code === null) throw new Error(`no code: ${back.href}`)
      const form = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: VERIFIER }
      const { status, body, text } = await bridge.post('/token', form, client)
      if (status !== 200) throw new Error(`no tokens: ${status} ${text}`)
      return body
    },
    async post(path, form, client = 'web') {
      const authorization = `Basic ${Buffer.from(`${client}:${SECRETS[client] ?? PLATFORM.client_secret}`).toString('base64')}`
      return read(
        await fetch(issuer + path, { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) }),
      )
    },
    async get(path, token, init = {}) {
      const headers = new Headers(init.headers)
      if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
      return read(await fetch(issuer + path, { redirect: 'manual', ...init, headers }))
    },
    async setDisabled(part, disabled) {
      const { tenant_id, store } = tenant
      const args = { tenant_id, disabled, event: event(tenant, `${part}.switched`, 'test') }
      if (part === 'user') await store.setUserDisabled({ ...args, user_id: users.alice })
      else if (part === 'client') await store.setClientDisabled({ ...args, client_id: 'web' })
      else if (part === 'connector') await store.setConnectorDisabled({ ...args, connector: 'acme' })
      else await store.setTenantDisabled(args)
    },
    async stop() {
      await server.stop()
      await egress.close()
      await foreign.close()
      await api.close()
      await database?.drop()
      await database?.s.stop()
    },
  }
  return bridge
}

async function read(response: Response): Promise<Reply> {
  const text = await response.text()
  const json = /^application\/(problem\+)?json\b/.test(response.headers.get('content-type') ?? '') && text !== ''
  return { status: response.status, headers: response.headers, text, body: json ? JSON.parse(text) : null }
}
