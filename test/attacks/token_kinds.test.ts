import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createPermanentToken } from '../../server/src/inbound/tokens/permanent_tokens.ts'
import { saveTrustedIssuer } from '../../server/src/inbound/tokens/trusted_issuers.ts'
import { readTrustedIssuer } from '../../server/src/oauth/trusted_issuer.ts'
import { asAssertion, JWKS, signAssertion } from '../parts/assertions.ts'
import { makeDpopKey, makeProof } from '../parts/dpop.ts'
import { basic, claimsOf, JWT_API, OPAQUE_API, type Platform, readReply, startPlatform } from '../parts/platform.ts'
import { snapshotRows } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

let p: Platform
let agent: UserAgent
/** One of each kind. */
let kinds: Record<
  | 'jwt'
  | 'opaque'
  | 'personal'
  | 'id_token'
  | 'refresh_token'
  | 'code'
  | 'session'
  | 'browser'
  | 'interaction'
  | 'csrf'
  | 'client_secret'
  | 'client_assertion'
  | 'assertion'
  | 'dpop',
  string
>

const IDP = 'https://idp.example'
const BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** Who signs a JWT of each kind does so with the same key: nothing but what a JWT says tells the kinds apart. */
async function addSigners(): Promise<void> {
  const grant_types = ['client_credentials', BEARER]
  const signs = { token_endpoint_auth_method: 'private_key_jwt', jwks: JWKS }
  await p.server.addClient({ client_id: 'signer', grant_types, scope: 'api:read', ...signs })
  const bearer = { client_id: 'bearer', client_secret: 'secret-of-bearer' }
  await p.server.addClient({ ...bearer, grant_types, scope: 'api:read' })
  const rules = { jwks: JWKS, subject_is: 'username', clients: ['bearer', 'signer'], scope: 'api:read' } as const
  const args = { actor: 'cli', changed: [] }
  for (const issuer of [IDP, 'signer']) {
    const saved = { issuer, rules: readTrustedIssuer(rules), disabled: false }
    await saveTrustedIssuer(p.server.app.tenant, saved, args)
  }
}

/** A token that a person has made for a script. */
async function makePersonal(): Promise<string> {
  await p.server.saveSettings({ personal_access_tokens: true })
  const { tenant } = p.server.app
  const { tenant_id, store } = tenant
  const [user] = await store.searchUsers({ tenant_id, username_key: 'alice', most: 1 })
  const state = (await store.loadTenantState({ tenant_id }))!
  const wanted = { user: user!, state, name: 'nightly', scope: ['api:read'], resource: [JWT_API], actor: 'test' }
  const made = await createPermanentToken(tenant, { ...wanted, expires_at: p.now() + 86_400_000, most: 1 })
  return typeof made === 'string' ? assert.fail(made) : made.token
}

async function askToken(form: Record<string, string>, headers: Record<string, string> = {}) {
  const body = new URLSearchParams({ scope: 'api:read', resource: JWT_API, ...form })
  return readReply(await fetch(`${p.issuer}/token`, { method: 'POST', headers, body }))
}

before(async () => {
  p = await startPlatform()
  await addSigners()
  agent = new UserAgent()
  const jwt = (await p.exchange('web', await p.getCode('web', { resource: p.issuer }, agent))).body
  const opaque = (
    await p.exchange('web', await p.getCode('web', { resource: OPAQUE_API, scope: 'openid vault:open' }, agent))
  ).body
  const consent = await agent.follow(p.authorizeUrl('other', { prompt: 'consent' }))
  const html = await consent.response.text()
  const cookie = (name: string) => [...agent.cookies].find(([key]) => key.includes(name))![1]
  kinds = {
    jwt: jwt.access_token,
    opaque: opaque.access_token,
    personal: await makePersonal(),
    id_token: jwt.id_token,
    refresh_token: jwt.refresh_token,
    code: await p.getCode('web', {}, agent),
    session: cookie('session'),
    browser: cookie('browser'),
    interaction: new URLSearchParams(/action="[^"]*\/consent\?([^"]*)"/.exec(html)![1]!).get('request')!,
    csrf: /name="csrf_token" value="([^"]+)"/.exec(html)![1]!,
    client_secret: 'secret-of-web',
    client_assertion: await signAssertion(p, 'signer'),
    assertion: await signAssertion(p, IDP, { claims: { sub: 'alice' } }),
    dpop: makeProof(makeDpopKey(), { claims: { htm: 'POST', htu: `${p.issuer}/token`, iat: p.now() / 1000 } }),
  }
})
after(() => p.stop())

/** Who takes which kind; everything else must be refused. */
const consumers: Record<string, { takes: (keyof typeof kinds)[]; accepts(value: string): Promise<boolean> }> = {
  userinfo: { takes: ['jwt'], accepts: async (value) => (await p.userinfo(value)).status === 200 },
  introspection: {
    takes: ['jwt', 'opaque', 'refresh_token'],
    accepts: async (token) => (await p.introspect(token, 'web')).active,
  },
  'introspection by the API': {
    takes: ['jwt', 'opaque', 'personal'],
    accepts: async (token) => (await p.introspect(token, 'api')).active,
  },
  'the API of Hub': {
    takes: [],
    async accepts(value) {
      const headers = { authorization: `Bearer ${value}`, 'content-type': 'application/json' }
      return (await fetch(`${p.issuer}/api/rest/services`, { method: 'POST', headers, body: '{}' })).status < 400
    },
  },
  id_token_hint: {
    takes: ['id_token'],
    async accepts(id_token_hint) {
      const response = await agent.request(p.authorizeUrl('web', { id_token_hint, prompt: 'none' }))
      return new URL(response.headers.get('location')!).searchParams.has('code')
    },
  },
  'the session cookie': {
    takes: ['session'],
    async accepts(value) {
      const thief = new UserAgent()
      thief.cookies.set([...agent.cookies.keys()].find((name) => name.includes('session'))!, value)
      const response = await thief.request(p.authorizeUrl('trusted', { prompt: 'none' }))
      return new URL(response.headers.get('location')!).searchParams.has('code')
    },
  },
  'the consent page': {
    takes: ['interaction'],
    async accepts(request) {
      return (await agent.request(`${p.issuer}/consent?${new URLSearchParams({ request })}`)).status === 200
    },
  },
  'client authentication': {
    takes: ['client_secret'],
    async accepts(secret) {
      const headers = { authorization: basic('web', secret) }
      const body = new URLSearchParams({ token: 'x' })
      return (await fetch(`${p.issuer}/introspect`, { method: 'POST', headers, body })).status === 200
    },
  },
  'a client assertion': {
    takes: ['client_assertion'],
    accepts: async (value) =>
      (await askToken({ grant_type: 'client_credentials', ...asAssertion(value) })).status === 200,
  },
  'an assertion as a grant': {
    takes: ['assertion'],
    async accepts(assertion) {
      const authorization = basic('bearer', 'secret-of-bearer')
      return (await askToken({ grant_type: BEARER, assertion }, { authorization })).status === 200
    },
  },
  'a DPoP proof': {
    takes: ['dpop'],
    async accepts(dpop) {
      const authorization = basic('web', 'secret-of-web')
      const { status, body } = await askToken({ grant_type: 'client_credentials' }, { authorization, dpop })
      return status === 200 && body.token_type === 'DPoP'
    },
  },
  'the code grant': { takes: ['code'], accepts: async (code) => (await p.exchange('web', code)).status === 200 },
  'the refresh grant': {
    takes: ['refresh_token'],
    accepts: async (token) => (await p.refresh('web', token)).status === 200,
  },
}

test('9.2.2 GHSA-7fpj-9hr8-28vh CVE-2019-3868 each kind of secret is taken where it belongs and nowhere else', async () => {
  for (const [name, { takes, accepts }] of Object.entries(consumers)) {
    for (const [kind, value] of Object.entries(kinds)) {
      if (!takes.includes(kind as keyof typeof kinds)) assert.equal(await accepts(value), false, `${kind} at ${name}`)
    }
  }
  for (const [name, { takes, accepts }] of Object.entries(consumers)) {
    for (const kind of takes) assert.equal(await accepts(kinds[kind]), true, `${kind} at ${name}`)
  }
})

test('14.3.2 T-09 neither a token nor a refusal of one is ever cached', async () => {
  for (const [scope, expected] of [
    ['api:read', 200],
    ['admin:write', 400],
  ] as const) {
    const asked = { grant_type: 'client_credentials', scope, resource: JWT_API }
    const { status, headers } = await p.post('/token', asked, 'web')
    assert.equal(status, expected)
    assert.deepEqual([headers.get('cache-control'), headers.get('pragma')], ['no-store', 'no-cache'])
  }
})

test('10.3.2 userinfo needs the scope openid and tells what the other scopes open', async () => {
  const get = async (scope: string) => (await p.getTokens('web', { scope, resource: p.issuer })).access_token
  const { status, body, headers } = await p.userinfo(await get('email api:read'))
  assert.deepEqual([status, body.error], [403, 'insufficient_scope'])
  assert.match(headers.get('www-authenticate')!, /error="insufficient_scope".*scope="openid"/)
  assert.deepEqual(Object.keys((await p.userinfo(await get('openid'))).body), ['sub'])
  const email = (await p.userinfo(await get('openid email'))).body
  assert.deepEqual([email.email, email.name], ['alice@example.test', undefined])
  const own = await p.post('/token', { grant_type: 'client_credentials', scope: 'api:read', resource: p.issuer })
  assert.equal((await p.userinfo(own.body.access_token)).status, 403, 'a client is no user')
})

test('CVE-2024-52287 a client alone gets what it is registered for, and nothing about a user', async () => {
  const ask = async (form: Record<string, string>, client: 'web' | 'api' = 'web') =>
    (await p.post('/token', { grant_type: 'client_credentials', ...form }, client)).body
  for (const scope of ['openid', 'profile', 'email', 'offline_access', 'openid api:read']) {
    assert.equal((await ask({ scope, resource: JWT_API })).error, 'invalid_scope', scope)
  }
  assert.equal(
    (await ask({ scope: 'mcp:tools', resource: JWT_API }, 'api')).error,
    'invalid_scope',
    'not registered for it',
  )
  assert.equal((await ask({ scope: 'admin:write', resource: `${p.issuer}/api` })).error, 'invalid_scope')
  assert.equal((await ask({ scope: 'api:read', resource: OPAQUE_API })).error, 'invalid_scope', 'not there')
  assert.equal(
    (await ask({ scope: 'api:read', resource: `${p.issuer}/proxy/acme` })).error,
    'invalid_target',
    'no user, no connection',
  )
  const own = await ask({ scope: 'api:read', resource: JWT_API })
  assert.deepEqual([own.refresh_token, own.id_token, own.scope], [undefined, undefined, 'api:read'])
  const claims = claimsOf(own.access_token)
  assert.deepEqual([claims['sub'], claims['client_id'], claims['roles']], ['web', 'web', undefined])
  for (const client of ['other', 'post', 'exempt', 'trusted'] as const) {
    const { body } = await p.post('/token', { grant_type: 'client_credentials' }, client)
    assert.equal(body.error, 'unauthorized_client', client)
  }
  for (const client of ['spa', 'native'] as const) {
    const { body } = await p.post('/token', { grant_type: 'client_credentials' }, client)
    assert.equal(body.error, 'unauthorized_client', client)
  }
})

test('B-19 the identifier of a client is never that of a user', async () => {
  const sub = claimsOf(kinds.id_token)['sub'] as string
  await assert.rejects(p.server.addClient({ client_id: sub, redirect_uris: ['https://x.example/cb'] }), /taken/)
})

test('10.3.3 a user is known by a name that nobody else ever gets, not by what can change hands', async () => {
  const { tenant_id, store } = p.server.app.tenant
  const event = () => ({ tenant_id, event_id: randomUUID(), at: p.now(), type: 'user.updated', actor: 'cli' })
  const dora = { username: 'dora', password: 'the password of dora', email: 'dora@example.test', roles: ['member'] }
  const user_id = await p.server.addUser(dora)
  const read = async (who: typeof dora) => {
    const back = await new UserAgent().authorize(
      p.authorizeUrl('trusted', { resource: undefined, scope: 'openid email' }),
      who,
    )
    const { body } = await p.exchange('trusted', back.searchParams.get('code')!)
    return { token: body.access_token as string, sub: claimsOf(body.id_token)['sub'] }
  }
  const before = await read(dora)
  assert.equal(before.sub, user_id)
  // The address changes hands, and somebody new comes by it.
  const moved = { name: null, email: 'dora@elsewhere.test', email_verified: true, claims: '{}', roles: '["member"]' }
  await store.updateUser({ tenant_id, user: { user_id, ...moved, password_hash: null }, event: event() })
  const other = { ...dora, username: 'dora2', password: 'of somebody else' }
  await p.server.addUser(other)
  const after = await read(other)
  assert.notEqual(after.sub, before.sub)
  assert.equal((await p.userinfo(before.token)).body.email, 'dora@elsewhere.test', 'the token is who it was')
  assert.equal((await p.userinfo(after.token)).body.email, dora.email)
  // Neither a name nor an identifier is given twice, whatever became of whom it names.
  await p.setDisabled(true, { user_id })
  await assert.rejects(p.server.addUser(dora), /taken/)
  const again = { ...moved, user_id, username: 'eve', username_key: 'eve', password_hash: null }
  assert.equal(await store.createUser({ tenant_id, user: again, event: event() }), false)
  assert.equal((await p.userinfo(before.token)).status, 401)
})

test('10.4.4 B-23 each client may use the grants it is registered for, and no other is known', async () => {
  const before = await snapshotRows(p.server.store)
  const ask = async (grant_type: string) => {
    const user = { username: 'alice', password: 'correct horse battery' }
    const { status, body } = await p.post('/token', { grant_type, ...user, device_code: 'x', assertion: 'x' }, 'web')
    return [status, body.error]
  }
  for (const grant_type of ['CLIENT_CREDENTIALS', '__proto__', 'constructor', 'x', BEARER.toUpperCase()]) {
    assert.deepEqual(await ask(grant_type), [400, 'unsupported_grant_type'], grant_type)
  }
  for (const grant_type of ['password', 'urn:ietf:params:oauth:grant-type:device_code', BEARER]) {
    assert.deepEqual(await ask(grant_type), [400, 'unauthorized_client'], grant_type)
  }
  const only = {
    client_id: 'only-code',
    client_secret: 's'.repeat(20),
    redirect_uris: ['https://x.example/cb'],
    grant_types: ['authorization_code'],
  }
  assert.deepEqual(await snapshotRows(p.server.store), before)
  await p.server.addClient({ ...only, scope: 'openid' })
  for (const form of [
    { grant_type: 'refresh_token', refresh_token: kinds.refresh_token },
    { grant_type: 'client_credentials' },
  ]) {
    const headers = { authorization: basic(only.client_id, only.client_secret) }
    const response = await fetch(`${p.issuer}/token`, {
      method: 'POST',
      headers,
      body: new URLSearchParams(form as Record<string, string>),
    })
    assert.equal((await response.json()).error, 'unauthorized_client')
  }
})
