import { createHash } from 'node:crypto'
import { event } from '../../server/src/inbound/event.ts'
import { saveTrustedIssuer } from '../../server/src/inbound/tokens/trusted_issuers.ts'
import { readTrustedIssuer } from '../../server/src/oauth/trusted_issuer.ts'
import { JWKS, signAssertion } from './assertions.ts'
import { type Bridge, startBridge } from './bridge.ts'
import { open } from './sign_in_steps.ts'
import type { Dialect } from './stores.ts'
import { UserAgent } from './user_agent.ts'

/** What can be switched off, taken away or ended. */
export const THINGS = [
  'user',
  'client',
  'tenant',
  'connector',
  'trusted issuer',
  'resource',
  'role',
  'session',
] as const
export type Thing = (typeof THINGS)[number]

const CALLBACK = 'https://app.example/callback'
const VERIFIER = 'v'.repeat(43)
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const OWN = ['authorization_code', 'refresh_token', 'client_credentials', 'password', 'implicit']
const GRANTS = [...OWN, DEVICE, EXCHANGE, JWT_BEARER]

/** A user, a client, a resource and a role that nobody else has, a browser that is signed in, and a connection. */
export interface World {
  readonly issuer: string
  /** Who says by signed assertions who the user is. */
  readonly trusted_issuer: Parameters<typeof saveTrustedIssuer>[1]
  readonly user: { readonly username: string; readonly password: string; readonly user_id: string }
  readonly client_id: string
  /** The client that stands for the resource, and asks about its tokens. */
  readonly api: string
  readonly resource: string
  readonly scope: string
  readonly role: string
  readonly agent: UserAgent
  /** A direct request of a client. */
  post(path: string, form: Record<string, string>, client_id?: string): Promise<Answer>
  authorizeUrl(more?: Record<string, string>): string
  /** The token response of a code flow in the browser. */
  obtain(scope?: string, resource?: string): Promise<Answer['body']>
}

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what came back
  readonly body: any
}

/** Starts a server with a connector, on which each world is made anew. */
export async function startWorlds(dialect: Dialect): Promise<{ bridge: Bridge; make(): Promise<World> }> {
  const bridge = await startBridge({ dialect })
  await bridge.server.saveSettings({ personal_access_tokens: true })
  let count = 0
  return { bridge, make: () => makeWorld(bridge, ++count) }
}

async function makeWorld(bridge: Bridge, n: number): Promise<World> {
  const { server, issuer } = bridge
  const [role, scope, resource] = [`role${n}`, `use:${n}`, `https://api.example/${n}`]
  const [client_id, api] = [`client${n}`, `api${n}`]
  const person = { username: `user${n}`, password: `password of user ${n}` }
  await server.addClient({ client_id: api, client_secret: `secret-of-${api}`, grant_types: ['client_credentials'] })
  await server.addResource({
    ...{ resource, client_id: api, introspection_clients: JSON.stringify([api]) },
    scopes: JSON.stringify({ [scope]: 'Use it' }),
  })
  await server.addRole(role, [scope])
  const user_id = await server.addUser({ ...person, roles: [role] })
  await server.addClient({
    ...{ client_id, client_secret: `secret-of-${client_id}`, redirect_uris: [CALLBACK], grant_types: GRANTS },
    ...{ trusted: true, scope: `openid email offline_access ${scope}`, default_resource: resource },
  })
  const rules = readTrustedIssuer({ jwks: JWKS, subject_is: 'username', clients: [client_id], scope })
  const trusted_issuer = { issuer: `https://idp.example/${n}`, rules, disabled: false }
  await saveTrustedIssuer(server.app.tenant, trusted_issuer, { actor: 'cli', changed: [] })
  const agent = await bridge.signIn(person)
  await bridge.connect(agent, '/connect/acme', `${person.username}-at-acme`)
  const world: World = {
    ...{ issuer, trusted_issuer, client_id, api, resource, scope, role, agent, user: { ...person, user_id } },
    async post(path, form, client = client_id) {
      const headers = { authorization: `Basic ${btoa(`${client}:secret-of-${client}`)}` }
      const response = await fetch(issuer + path, { method: 'POST', headers, body: new URLSearchParams(form) })
      return { status: response.status, body: await response.json() }
    },
    authorizeUrl(more = {}) {
      const asked = { response_type: 'code', client_id, redirect_uri: CALLBACK, scope, resource, ...more }
      const proof = { code_challenge: CHALLENGE, code_challenge_method: 'S256' }
      return `${issuer}/authorize?${new URLSearchParams({ ...asked, ...proof })}`
    },
    async obtain(asked = `offline_access ${scope}`, at = resource) {
      const code = await getCode(world, asked, at)
      const { status, body } = await redeem(world, code)
      if (status !== 200) throw new Error(`no tokens: ${JSON.stringify(body)}`)
      return body
    },
  }
  return world
}

/** Switches a thing of a world off; answers how to switch it on again, where that can be. */
export async function switchOff(bridge: Bridge, world: World, thing: Thing): Promise<(() => Promise<unknown>) | null> {
  const { tenant } = bridge.server.app
  const { tenant_id, store } = tenant
  const args = () => ({ tenant_id, event: event(tenant, `${thing}.switched`, 'test') })
  const { user_id } = world.user
  const { client_id } = world
  const switches: Partial<Record<Thing, (disabled: boolean) => Promise<unknown>>> = {
    user: (disabled) => store.setUserDisabled({ ...args(), user_id, disabled }),
    client: (disabled) => store.setClientDisabled({ ...args(), client_id, disabled }),
    tenant: (disabled) => store.setTenantDisabled({ ...args(), disabled }),
    'trusted issuer': (disabled) => {
      const saved = { ...world.trusted_issuer, disabled }
      return saveTrustedIssuer(tenant, saved, { actor: 'cli', changed: ['disabled'] })
    },
    connector: (disabled) => store.setConnectorDisabled({ ...args(), connector: 'acme', disabled }),
  }
  const change = switches[thing]
  if (change) {
    await change(true)
    return () => change(false)
  }
  if (thing === 'resource') await store.deleteClient({ ...args(), client_id: world.api })
  else if (thing === 'role') {
    const { password_hash: _, ...user } = (await store.findUser({ tenant_id, user_id }))!
    const saved = { ...user, username_key: user.username, email_verified: false, roles: '[]', password_hash: null }
    await store.updateUser({ ...args(), user: saved })
  } else {
    for (const { session_id } of await store.listSessionsOfUser({ tenant_id, user_id })) {
      await store.endSession({ ...args(), session_id })
    }
  }
  return null
}

/** One way to something that others must not get: made ready before a thing is switched off, and tried afterwards. */
export interface Path {
  readonly name: string
  /** The things without which it gives nothing. */
  readonly hangs_on: readonly Thing[]
  /** Those of them with which it works again once they are back: nothing from before is needed for it. */
  readonly comes_back_with?: readonly Thing[]
  /** Makes it ready; answers the try: whether it was granted, or why not. */
  prepare(world: World): Promise<() => Promise<string>>
}

const ALWAYS = async () => {}
const OFFLINE: readonly Thing[] = ['user', 'client', 'tenant', 'resource', 'role']
const OF_SESSION: readonly Thing[] = [...OFFLINE, 'session']
const BY_ASSERTION: readonly Thing[] = [...OFFLINE, 'trusted issuer']
const OF_VAULT: readonly Thing[] = ['user', 'client', 'tenant', 'connector']

/** Every path there is. A new grant type is one more line. */
export const PATHS: readonly Path[] = [
  path('authorization_code', OFFLINE, (w) => getCode(w, `offline_access ${w.scope}`), redeem),
  path('authorization_code without offline_access', OF_SESSION, (w) => getCode(w, w.scope), redeem),
  path('refresh_token', OFFLINE, (w) => w.obtain(), refresh),
  path('refresh_token without offline_access', OF_SESSION, (w) => w.obtain(w.scope), refresh),
  path('client_credentials', ['client', 'tenant', 'resource'], ALWAYS, askAsClient, ['client', 'tenant']),
  path('device_code', OFFLINE, allowDevice, (w, device_code) => w.post('/token', { grant_type: DEVICE, device_code })),
  path('password', OFFLINE, ALWAYS, askByPassword, ['user', 'client', 'tenant']),
  path('jwt-bearer', BY_ASSERTION, ALWAYS, askByAssertion, ['user', 'client', 'tenant', 'trusted issuer']),
  path('implicit', OF_SESSION, ALWAYS, (w) => askSilently(w, 'token'), ['client']),
  path('token exchange for a provider’s token', OF_VAULT, obtainForVault, exchangeForProvider, ['connector']),
  path('the proxy', OF_VAULT, obtainForVault, callProxy, ['connector']),
  path('authorization without a page', OF_SESSION, ALWAYS, (w) => askSilently(w, 'code'), ['client']),
  path('sign-in', ['user', 'tenant'], ALWAYS, signInAnew, ['user', 'tenant']),
  path('the account page', ['user', 'tenant', 'session'], ALWAYS, openAccount),
  path(
    'introspection by the resource',
    OFFLINE,
    (w) => w.obtain(),
    (w, { access_token }) => ask(w, access_token, w.api),
  ),
  path(
    'introspection of a session',
    OF_SESSION,
    (w) => w.obtain(w.scope),
    (w, t) => ask(w, t.access_token, w.api),
  ),
  path('introspection of a client’s own', ['client', 'tenant', 'resource'], getOwn, (w, token) => ask(w, token, w.api)),
  path(
    'introspection by the client',
    OFFLINE,
    (w) => w.obtain(),
    (w, { access_token }) => ask(w, access_token),
  ),
  path(
    'introspection of a refresh token',
    ['user', 'client', 'tenant', 'role'],
    (w) => w.obtain(),
    (w, t) => ask(w, t.refresh_token),
  ),
  path('a token for a script', ['user', 'tenant', 'resource', 'role'], makeToken, (w, token) => ask(w, token, w.api)),
  path('userinfo', ['user', 'client', 'tenant'], (w) => w.obtain('openid offline_access', w.issuer), askUserinfo),
  path('a pushed request', ['client', 'tenant', 'resource'], ALWAYS, push, ['client', 'tenant']),
  path('a device that starts', ['client', 'tenant', 'resource'], ALWAYS, startDevice, ['client', 'tenant']),
]

function path<Held>(
  name: string,
  hangs_on: readonly Thing[],
  prepare: (world: World) => Promise<Held>,
  attempt: (world: World, held: Held) => Promise<Answer>,
  comes_back_with: readonly Thing[] = [],
): Path {
  return {
    ...{ name, hangs_on, comes_back_with },
    async prepare(world) {
      const held = await prepare(world)
      return async () => {
        const { status, body } = await attempt(world, held)
        if (status >= 500 && status !== 503) return `failed with ${status}`
        return status < 400 && body?.active !== false ? 'granted' : String(body?.error ?? body?.active ?? status)
      }
    },
  }
}

async function getCode(w: World, scope: string, resource = w.resource): Promise<string> {
  const back = await w.agent.authorize(w.authorizeUrl({ scope, resource }), w.user)
  const code = back.searchParams.get('code')
  if (code === null) throw new Error(`no code: ${back.href}`)
  return code
}

function redeem(w: World, code: string): Promise<Answer> {
  return w.post('/token', { grant_type: 'authorization_code', code, code_verifier: VERIFIER, redirect_uri: CALLBACK })
}

function refresh(w: World, { refresh_token }: { refresh_token: string }): Promise<Answer> {
  return w.post('/token', { grant_type: 'refresh_token', refresh_token })
}

function askAsClient(w: World): Promise<Answer> {
  return w.post('/token', { grant_type: 'client_credentials', scope: w.scope, resource: w.resource })
}

async function getOwn(w: World): Promise<string> {
  return (await askAsClient(w)).body.access_token
}

async function allowDevice(w: World): Promise<string> {
  const { body } = await startDevice(w)
  const entry = await open(w.agent, `${w.issuer}/device`)
  const { url, response } = await w.agent.submit(entry, { user_code: body.user_code }, 'name="user_code"')
  await w.agent.submit({ url, html: await response.text() }, { decision: 'allow' }, 'name="shown"')
  return body.device_code
}

function startDevice(w: World): Promise<Answer> {
  return w.post('/device_authorization', { scope: `offline_access ${w.scope}`, resource: w.resource })
}

function askByPassword(w: World): Promise<Answer> {
  const { username, password } = w.user
  return w.post('/token', { grant_type: 'password', username, password, scope: w.scope, resource: w.resource })
}

async function askByAssertion(w: World): Promise<Answer> {
  const p = { issuer: w.issuer, now: Date.now }
  const assertion = await signAssertion(p, w.trusted_issuer.issuer, { claims: { sub: w.user.username } })
  return w.post('/token', { grant_type: JWT_BEARER, assertion, scope: w.scope, resource: w.resource })
}

async function askSilently(w: World, response_type: string): Promise<Answer> {
  const response = await w.agent.request(w.authorizeUrl({ response_type, prompt: 'none' }))
  const location = response.headers.get('location')
  if (location === null) return { status: Math.max(400, response.status), body: null }
  const answer = new URLSearchParams(new URL(location).search + new URL(location).hash.replace('#', '&'))
  const granted = answer.has('code') || answer.has('access_token')
  return { status: granted ? 200 : 400, body: Object.fromEntries(answer) }
}

async function obtainForVault(w: World): Promise<string> {
  return (await w.obtain('openid offline_access', `${w.issuer}/proxy/acme`)).access_token
}

function exchangeForProvider(w: World, subject_token: string): Promise<Answer> {
  const token = { subject_token, subject_token_type: ACCESS_TOKEN, requested_token_type: ACCESS_TOKEN }
  return w.post('/token', { grant_type: EXCHANGE, ...token, audience: 'connector:acme' })
}

async function callProxy(w: World, token: string): Promise<Answer> {
  const response = await fetch(`${w.issuer}/proxy/acme/me`, { headers: { authorization: `Bearer ${token}` } })
  return { status: response.status, body: null }
}

async function signInAnew(w: World): Promise<Answer> {
  const browser = new UserAgent()
  const { url, response } = await browser.follow(`${w.issuer}/login`)
  const html = await response.text()
  if (!html.includes('name="password"')) return { status: 400, body: null }
  const { username, password } = w.user
  const done = await browser.submit({ url, html }, { username, password })
  return { status: done.response.status, body: null }
}

async function openAccount(w: World): Promise<Answer> {
  const response = await w.agent.request(`${w.issuer}/account`)
  return { status: response.status === 200 ? 200 : Math.max(400, response.status), body: null }
}

async function makeToken(w: World): Promise<string> {
  const { url, response } = await w.agent.follow(
    `${w.issuer}/account/tokens/new?${new URLSearchParams({ uri: w.resource })}`,
  )
  const typed = { name: 'nightly', 'scope.0': w.scope }
  const made = await w.agent.submit({ url, html: await response.text() }, typed, 'name="days"')
  const html = await made.response.text()
  const token = /sp_pt_[\w-]{64}/.exec(html)?.[0]
  if (token === undefined) throw new Error(`no token: ${html}`)
  return token
}

function ask(w: World, token: string, client_id = w.client_id): Promise<Answer> {
  return w.post('/introspect', { token }, client_id)
}

async function askUserinfo(w: World, { access_token }: { access_token: string }): Promise<Answer> {
  const response = await fetch(`${w.issuer}/userinfo`, { headers: { authorization: `Bearer ${access_token}` } })
  return { status: response.status, body: await response.json() }
}

function push(w: World): Promise<Answer> {
  return w.post('/par', Object.fromEntries(new URL(w.authorizeUrl()).searchParams))
}
