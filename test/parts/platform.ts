import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type App, type AppOptions, createApp } from '../../server/src/app.ts'
import { RootKey } from '../../server/src/crypto/tenant_keys.ts'
import type { Egress } from '../../server/src/egress/egress.ts'
import type { Mailer } from '../../server/src/mail/mailer.ts'
import { openStore, type Store } from '../../server/src/store/store.ts'
import { createDatabase, startPostgres } from './postgres.ts'
import { startSallyport, type TestServer } from './sallyport.ts'
import { UserAgent } from './user_agent.ts'

/** The users of the platform. */
export const ALICE = { username: 'alice', password: 'correct horse battery' } as const
/** The other one. */
export const BOB = { username: 'bob', password: 'staple of another kind' } as const

/** A resource that takes JWTs. */
export const JWT_API = 'http://127.0.0.1:5000/mcp'
/** A resource that takes opaque tokens. */
export const OPAQUE_API = 'http://127.0.0.1:5000/vault'
/** Where most clients get their answers. */
export const CALLBACK = 'http://127.0.0.1:3000/callback'
/** Where the public web client gets its answers: an address that no other program can claim. */
export const SPA_CALLBACK = 'https://spa.example/callback'

const SCOPE = 'openid email profile offline_access mcp:tools api:read vault:open'
const FLOWS = ['authorization_code', 'refresh_token']

/** Clients of every kind, with what they present at the token endpoint. */
export const CLIENTS = {
  /** Confidential, by Basic. */
  web: { client_id: 'web', client_secret: 'secret-of-web', redirect_uri: CALLBACK },
  /** Confidential, by the body. */
  post: { client_id: 'post', client_secret: 'secret-of-post', redirect_uri: CALLBACK },
  /** Confidential, and nothing to do with the others. */
  other: { client_id: 'other', client_secret: 'secret-of-other', redirect_uri: CALLBACK },
  /** Confidential, and cannot do PKCE. */
  exempt: { client_id: 'exempt', client_secret: 'secret-of-exempt', redirect_uri: CALLBACK },
  /** Confidential, first party: no consent page. */
  trusted: { client_id: 'trusted', client_secret: 'secret-of-trusted', redirect_uri: 'https://trusted.example/cb' },
  /** Public, in a browser. */
  spa: { client_id: 'spa', client_secret: undefined, redirect_uri: SPA_CALLBACK },
  /** Public, on the user's machine. */
  native: { client_id: 'native', client_secret: undefined, redirect_uri: 'http://127.0.0.1/native' },
  /** A resource server: it introspects, and nobody signs in to it. */
  api: { client_id: 'api', client_secret: 'secret-of-api', redirect_uri: CALLBACK },
} as const

/** A key of the list above. */
export type ClientName = keyof typeof CLIENTS

/** An answer, read. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what came back
  readonly body: any
}

/** A platform that runs: a server on one database, users, resources, clients, and a clock that obeys. */
export interface Platform {
  readonly server: TestServer
  readonly issuer: string
  /** The key that wraps the others, for whoever opens the database a second time. */
  readonly root: RootKey
  now(): number
  /** Lets time pass. */
  pass(seconds: number): void
  /** Opens the app once more over the same rows: another replica, or the same one after a restart. */
  openReplica(more?: Partial<AppOptions>): Promise<App>
  /** The URL of an authorization request; an undefined parameter is left out. */
  authorizeUrl(client: ClientName, params?: Readonly<Record<string, string | undefined>>): string
  /** Signs a user in and allows what the client asks; answers the code. `agent` is a browser used before. */
  getCode(client: ClientName, params?: Readonly<Record<string, string | undefined>>, agent?: UserAgent): Promise<string>
  /** Posts a form to an endpoint with a client's credentials, over the socket or to another replica. */
  post(
    path: string,
    form: Readonly<Record<string, string>>,
    client?: ClientName | null,
    app?: App,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Reply>
  exchange(client: ClientName, code: string, more?: Readonly<Record<string, string>>, app?: App): Promise<Reply>
  refresh(client: ClientName, refresh_token: string, more?: Readonly<Record<string, string>>, app?: App): Promise<Reply>
  /** The tokens of a new grant. */
  getTokens(client: ClientName, params?: Readonly<Record<string, string | undefined>>): Promise<Reply['body']>
  /** What the resource server learns about a token. */
  introspect(token: string, client?: ClientName, app?: App): Promise<Reply['body']>
  userinfo(access_token: string, app?: App): Promise<Reply>
  /** Disables or enables the tenant, a client or a user. */
  setDisabled(disabled: boolean, part: 'tenant' | { client_id: string } | { user_id: string }): Promise<void>
  stop(): Promise<void>
}

/** The PKCE verifier of every flow of the platform. */
export const VERIFIER = 'verifier-of-the-platform-0123456789-abcdefghij'

/** The S256 challenge of a verifier. */
export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}

/** Declares tests that hold on SQLite and on PostgreSQL, each database with one platform for the file. */
export function onBothDatabases(
  options: Pick<NonNullable<Parameters<typeof startPlatform>[0]>, 'path' | 'egress' | 'mailer'> = {},
) {
  const platforms = new Map<string, Platform>()
  before(async () => {
    for (const kind of ['sqlite', 'postgres'] as const) platforms.set(kind, await startPlatform({ ...options, kind }))
  })
  after(async () => {
    for (const platform of platforms.values()) await platform.stop()
  })
  return (title: string, run: (platform: Platform) => Promise<void>) => {
    test(title, async (t) => {
      for (const kind of ['sqlite', 'postgres']) await t.test(kind, () => run(platforms.get(kind)!))
    })
  }
}

/** Starts a platform; in real time for clients that look at a clock of their own. */
export async function startPlatform(
  options: {
    path?: string
    kind?: 'sqlite' | 'postgres'
    real_time?: boolean
    egress?: () => Promise<Egress>
    mailer?: () => Promise<Mailer>
  } = {},
): Promise<Platform> {
  let now = Date.UTC(2026, 10, 21)
  const clock = options.real_time ? Date.now : () => now
  const root = new RootKey(randomBytes(32))
  const postgres = options.kind === 'postgres' ? await startPostgres() : undefined
  const database = postgres && (await createDatabase(postgres.url))
  const location = database ? { postgres: database.url, clock } : { sqlite: ':memory:', clock }
  const app = {
    ...(options.egress && { egress: await options.egress() }),
    ...(options.mailer && { mailer: await options.mailer() }),
  }
  const server = await startSallyport({ path: options.path ?? '/hub', location, clock, root, app })
  const replicas: { replica: App; store: Store }[] = []
  await fill(server)
  const { issuer } = server

  const platform: Platform = {
    server,
    issuer,
    root,
    now: clock,
    pass(seconds) {
      now += seconds * 1000
    },
    async openReplica(more = {}) {
      // As another process would, it has connections of its own; a SQLite database belongs to one process.
      const store = database ? await openStore(location) : server.store
      const replica = await createApp({ issuer, store, root, log: server.app.web.log, clock, ...app, ...more })
      replicas.push({ replica, store })
      return replica
    },
    authorizeUrl(client, params = {}) {
      const query = new URLSearchParams()
      const request = {
        response_type: 'code',
        client_id: CLIENTS[client].client_id,
        redirect_uri: CLIENTS[client].redirect_uri,
        scope: 'openid email profile offline_access mcp:tools api:read',
        resource: JWT_API,
        state: 'xyz',
        nonce: 'n-1',
        code_challenge: client === 'exempt' ? undefined : challengeOf(VERIFIER),
        code_challenge_method: client === 'exempt' ? undefined : 'S256',
        ...params,
      }
      for (const [name, value] of Object.entries(request)) if (value !== undefined) query.append(name, value)
      return `${issuer}/authorize?${query}`
    },
    async getCode(client, params = {}, agent = new UserAgent()) {
      const back = await agent.authorize(platform.authorizeUrl(client, params), ALICE)
      const code = back.searchParams.get('code')
      if (code === null) throw new Error(`no code came back: ${back}`)
      return code
    },
    async post(path, form, client = 'web', app, more = {}) {
      const { headers, body } = present(form, client)
      const request = new Request(issuer + path, { method: 'POST', headers: { ...headers, ...more }, body })
      return readReply(await (app ? app.fetch(request) : fetch(request)))
    },
    exchange(client, code, more = {}, app) {
      const { redirect_uri } = CLIENTS[client]
      const proof = client === 'exempt' ? {} : { code_verifier: VERIFIER }
      return platform.post(
        '/token',
        { grant_type: 'authorization_code', code, redirect_uri, ...proof, ...more },
        client,
        app,
      )
    },
    refresh(client, refresh_token, more = {}, app) {
      return platform.post('/token', { grant_type: 'refresh_token', refresh_token, ...more }, client, app)
    },
    async getTokens(client, params) {
      const { status, body } = await platform.exchange(client, await platform.getCode(client, params))
      if (status !== 200) throw new Error(`no tokens: ${JSON.stringify(body)}`)
      return body
    },
    async introspect(token, client = 'api', app) {
      const { status, body } = await platform.post('/introspect', { token }, client, app)
      if (status !== 200) throw new Error(`introspection failed: ${JSON.stringify(body)}`)
      return body
    },
    async userinfo(access_token, app) {
      const request = new Request(`${issuer}/userinfo`, { headers: { authorization: `Bearer ${access_token}` } })
      return readReply(await (app ? app.fetch(request) : fetch(request)))
    },
    async setDisabled(disabled, part) {
      const { tenant_id } = server.app.tenant
      const event = { tenant_id, event_id: randomUUID(), at: now, type: 'disabled', actor: 'cli' }
      if (part === 'tenant') await server.store.setTenantDisabled({ tenant_id, disabled, event })
      else if ('client_id' in part) await server.store.setClientDisabled({ tenant_id, ...part, disabled, event })
      else await server.store.setUserDisabled({ tenant_id, ...part, disabled, event })
    },
    async stop() {
      for (const { replica, store } of replicas) {
        await replica.close()
        if (store !== server.store) await store.close()
      }
      await server.stop()
      await database?.drop()
      await postgres?.stop()
    },
  }
  return platform
}

/** Headers and body of a form with a client's credentials, in the way that it is registered for. */
function present(form: Readonly<Record<string, string>>, client: ClientName | null) {
  const body = new URLSearchParams(form)
  const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' }
  if (client !== null) {
    const { client_id, client_secret } = CLIENTS[client]
    if (client_secret === undefined || client === 'post') body.set('client_id', client_id)
    if (client === 'post') body.set('client_secret', client_secret!)
    else if (client_secret !== undefined) headers['authorization'] = basic(client_id, client_secret)
  }
  return { headers, body: body.toString() }
}

/** An Authorization header of the Basic scheme. */
export function basic(client_id: string, client_secret: string): string {
  return `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`
}

/** Reads an answer whole. */
export async function readReply(response: Response): Promise<Reply> {
  const text = await response.text()
  const isJson = /^application\/(problem\+)?json\b/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : null }
}

/** The claims of a JWT, its signature unread. */
export function claimsOf(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString())
}

// The client that stands for both resources.
const INTROSPECTING = JSON.stringify([CLIENTS.api.client_id])

async function fill(server: TestServer): Promise<void> {
  await server.addResource({
    resource: JWT_API,
    scopes: JSON.stringify({ 'mcp:tools': 'Use the tools', 'api:read': 'Read your data' }),
    introspection_clients: INTROSPECTING,
  })
  await server.addResource({
    resource: OPAQUE_API,
    scopes: JSON.stringify({ 'vault:open': 'Open your vault' }),
    access_token_format: 'opaque',
    introspection_clients: INTROSPECTING,
  })
  await server.addRole('member', ['mcp:tools', 'api:read', 'vault:open'])
  await server.addRole('guest', ['api:read'])
  await server.addUser({ ...ALICE, name: 'Alice Example', email: 'alice@example.test', roles: ['member'] })
  await server.addUser({ ...BOB, name: 'Bob Example', email: 'bob@example.test', roles: ['member'] })
  const add = (name: ClientName, metadata: Record<string, unknown>) => {
    const { client_id, client_secret, redirect_uri } = CLIENTS[name]
    const given = { client_id, client_secret, redirect_uris: [redirect_uri], grant_types: FLOWS, scope: SCOPE }
    return server.addClient({ ...given, ...metadata })
  }
  await add('web', { client_name: 'Web', grant_types: [...FLOWS, 'client_credentials'] })
  await add('post', { token_endpoint_auth_method: 'client_secret_post' })
  await add('other', {})
  await add('exempt', { require_pkce: false })
  await add('trusted', { trusted: true })
  await add('spa', { token_endpoint_auth_method: 'none' })
  await add('native', {
    token_endpoint_auth_method: 'none',
    application_type: 'native',
    redirect_uris: [CLIENTS.native.redirect_uri, 'com.example.app:/callback'],
  })
  await add('api', { redirect_uris: [], grant_types: ['client_credentials'], scope: 'api:read' })
}
