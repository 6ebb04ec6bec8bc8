import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { App } from '../../server/src/app.ts'
import { makeSigningKey } from '../../server/src/inbound/tenants.ts'
import {
  ALICE,
  type ClientName,
  claimsOf,
  JWT_API,
  OPAQUE_API,
  onBothDatabases,
  type Platform,
} from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()
type Part = Parameters<Platform['setDisabled']>[1]

/** Everything that one user and one client can hold, and the browser it came from. */
interface Holdings {
  readonly client: ClientName
  readonly user_id: string
  readonly agent: UserAgent
  readonly access_tokens: readonly string[]
  readonly refresh_tokens: readonly string[]
  readonly code: string
  readonly own_token: string
}

async function collect(p: Platform, client: ClientName = 'web'): Promise<Holdings> {
  const agent = new UserAgent()
  const get = async (params: Record<string, string>) =>
    (await p.exchange(client, await p.getCode(client, params, agent))).body
  const offline = 'openid offline_access'
  const jwt = await get({ scope: `${offline} api:read`, resource: JWT_API })
  const opaque = await get({ scope: `${offline} vault:open`, resource: OPAQUE_API })
  const here = await get({ scope: `${offline} email`, resource: p.issuer })
  const online = await get({ scope: 'openid api:read', resource: JWT_API })
  const rotated = (await p.refresh(client, jwt.refresh_token)).body
  const own = await p.post('/token', { grant_type: 'client_credentials', scope: 'api:read', resource: JWT_API }, 'web')
  return {
    client,
    user_id: claimsOf(jwt.id_token)['sub'] as string,
    agent,
    access_tokens: [jwt, opaque, here, online, rotated].map(({ access_token }) => access_token),
    refresh_tokens: [jwt, rotated, opaque, here, online].map(({ refresh_token }) => refresh_token),
    code: await p.getCode(client, { scope: `${offline} api:read` }, agent),
    own_token: own.body.access_token,
  }
}

/** Asserts that nothing of it is good for anything, at each replica. */
async function assertDead(p: Platform, held: Holdings, what: string, app?: App): Promise<void> {
  for (const token of [...held.access_tokens, ...held.refresh_tokens]) {
    assert.deepEqual(await p.introspect(token, 'api', app), { active: false }, `${what}: ${token.slice(0, 12)}`)
  }
  for (const token of held.access_tokens) assert.equal((await p.userinfo(token, app)).status, 401, what)
  for (const token of held.refresh_tokens) {
    const { status, body } = await p.refresh(held.client, token, {}, app)
    assert.notEqual(status, 200, what)
    assert.match(body.error, /^(invalid_grant|invalid_client|temporarily_unavailable)$/, what)
  }
  const { status, body } = await p.exchange(held.client, held.code, {}, app)
  assert.notEqual(status, 200, what)
  assert.equal(body.access_token, undefined)
}

async function isSignedIn(p: Platform, agent: UserAgent): Promise<boolean> {
  const response = await agent.request(p.authorizeUrl('trusted', { prompt: 'none' }))
  return /[?&]code=/.test(response.headers.get('location') ?? '')
}

async function assertAlive(p: Platform, held: Holdings): Promise<void> {
  for (const [i, token] of held.access_tokens.entries()) {
    assert.equal((await p.introspect(token, held.client)).active, true)
    // The third is for the server itself, and of no scope of a resource.
    assert.equal((await p.introspect(token, 'api')).active, i !== 2)
  }
  assert.equal((await p.introspect(held.own_token, 'api')).active, true)
  assert.equal((await p.userinfo(held.access_tokens[2]!)).status, 200)
  assert.equal(await isSignedIn(p, held.agent), true)
}

/** Disables and enables a part: everything that came before is over, and what comes after works. */
async function disableAndEnable(p: Platform, partOf: (held: Holdings) => Part): Promise<void> {
  const held = await collect(p)
  const replica = await p.openReplica()
  await assertAlive(p, held)
  const part = partOf(held)
  const of_user = part !== 'tenant' && 'user_id' in part
  const of_client = part !== 'tenant' && 'client_id' in part
  await p.setDisabled(true, part)
  for (const app of [undefined, replica]) await assertDead(p, held, 'while disabled', app)
  assert.equal(await isSignedIn(p, held.agent), of_client, 'a session does not hang on a client')
  assert.equal((await p.introspect(held.own_token, 'api')).active, of_user, 'nor a client on a user')
  if (of_user) await assert.rejects(new UserAgent().authorize(p.authorizeUrl('web'), ALICE), /never came to an end/)
  await p.setDisabled(false, part)
  for (const app of [undefined, replica]) await assertDead(p, held, 'when enabled again', app)
  assert.equal(await isSignedIn(p, held.agent), of_client)
  assert.equal((await p.introspect(held.own_token, 'api')).active, of_user)
  await assertAlive(p, await collect(p))
}

testOnBoth(
  '8.3.2 7.4.2 CVE-2026-43983 CVE-2023-22492 a user disabled and enabled again has lost every token, code and session',
  (p) => disableAndEnable(p, ({ user_id }) => ({ user_id })),
)

testOnBoth('8.3.2 CVE-2025-64521 a client disabled and enabled again has lost every token and code', (p) =>
  disableAndEnable(p, () => ({ client_id: 'web' })),
)

testOnBoth('8.3.2 a tenant disabled and enabled again has lost every token, code and session', (p) =>
  disableAndEnable(p, () => 'tenant'),
)

testOnBoth(
  'CVE-2024-47000 a disabled client authenticates nowhere, a disabled resource server learns nothing',
  async (p) => {
    const { access_token, refresh_token } = await p.getTokens('web')
    await p.setDisabled(true, { client_id: 'web' })
    for (const [path, form] of [
      ['/token', { grant_type: 'client_credentials' }],
      ['/token', { grant_type: 'refresh_token', refresh_token }],
      ['/introspect', { token: access_token }],
      ['/revoke', { token: access_token }],
    ] as const) {
      const { status, body } = await p.post(path, form, 'web')
      assert.deepEqual([status, body.error], [401, 'invalid_client'], path)
    }
    await p.setDisabled(false, { client_id: 'web' })
    await p.setDisabled(true, { client_id: 'api' })
    assert.equal((await p.post('/introspect', { token: access_token }, 'api')).status, 401)
    await p.setDisabled(false, { client_id: 'api' })
  },
)

testOnBoth(
  '7.4.3 a password that an administrator sets anew ends every session, grant and token of before',
  async (p) => {
    const { tenant_id } = p.server.app.tenant
    const heidi = { username: `heidi-${p.now()}`, password: 'password of heidi' }
    const user_id = await p.server.addUser({ ...heidi, roles: ['member'] })
    const agent = new UserAgent()
    const get = async () => {
      const back = await agent.authorize(p.authorizeUrl('web', { scope: 'openid offline_access' }), heidi)
      return (await p.exchange('web', back.searchParams.get('code')!)).body
    }
    const tokens = await get()
    const event = () => ({ tenant_id, event_id: randomUUID(), at: p.now(), type: 'user.updated', actor: 'cli' })
    const same = { user_id, name: 'Heidi', email: null, email_verified: false, claims: '{}', roles: '["member"]' }
    await p.server.store.updateUser({ tenant_id, user: { ...same, password_hash: null }, event: event() })
    assert.equal((await p.introspect(tokens.access_token)).active, true)
    await p.server.store.updateUser({ tenant_id, user: { ...same, password_hash: 'another' }, event: event() })
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      assert.deepEqual(await p.introspect(token), { active: false })
    }
    assert.equal((await p.refresh('web', tokens.refresh_token)).body.error, 'invalid_grant')
    await assert.rejects(get(), /login/, 'the session has ended, and the former password signs nobody in')
  },
)

testOnBoth(
  'CVE-2024-46999 a role that is taken away takes its scopes at once, from tokens that are out as well',
  async (p) => {
    const { tenant_id } = p.server.app.tenant
    const grace = { username: `grace-${p.now()}`, password: 'password of grace' }
    const user_id = await p.server.addUser({ ...grace, roles: ['member'] })
    const get = async (scope: string) => {
      const back = await new UserAgent().authorize(p.authorizeUrl('web', { scope }), grace)
      return (await p.exchange('web', back.searchParams.get('code')!)).body
    }
    const both = await get('openid offline_access mcp:tools api:read')
    const bare = await get('offline_access mcp:tools')
    const event = { tenant_id, event_id: randomUUID(), at: p.now(), type: 'user.changed', actor: 'cli' }
    const nothing = { name: null, email: null, email_verified: false, claims: '{}', password_hash: null }
    await p.server.store.updateUser({ tenant_id, user: { user_id, ...nothing, roles: '["guest"]' }, event })
    assert.equal((await p.introspect(both.access_token)).scope, 'openid offline_access api:read')
    assert.deepEqual((await p.introspect(both.access_token)).roles, [], 'the role itself is gone from the answer')
    assert.deepEqual(
      await p.introspect(bare.access_token),
      { active: false },
      'to stay connected is no right by itself',
    )
    const refreshed = (await p.refresh('web', both.refresh_token)).body
    assert.equal(refreshed.scope, 'openid offline_access api:read')
    assert.deepEqual(claimsOf(refreshed.access_token)['roles'], ['guest'])
    const wider = await p.refresh('web', refreshed.refresh_token, { scope: 'mcp:tools' })
    assert.equal(wider.body.error, 'invalid_scope')
    await p.server.addRole('guest', [])
    assert.equal(
      (await p.introspect(refreshed.access_token)).scope,
      'openid offline_access',
      'nor what the role has lost',
    )
    await p.server.addRole('guest', ['api:read'])
  },
)

testOnBoth('10.4.11 a scope that the client loses is gone from its tokens at once', async (p) => {
  const { tenant_id } = p.server.app.tenant
  const { access_token, refresh_token } = await p.getTokens('post')
  const before = (await p.server.store.findClient({ tenant_id, client_id: 'post' }))!
  const save = (metadata: string) => {
    const event = { tenant_id, event_id: randomUUID(), at: p.now(), type: 'client.changed', actor: 'cli' }
    const client = { ...before, trusted: false, client_secret_hash: null, metadata }
    return p.server.store.updateClient({ tenant_id, client, event })
  }
  await save(JSON.stringify({ ...JSON.parse(before.metadata), scope: 'openid offline_access api:read' }))
  assert.equal((await p.introspect(access_token)).scope, 'openid offline_access api:read')
  assert.equal((await p.refresh('post', refresh_token)).body.scope, 'openid offline_access api:read')
  await save(JSON.stringify({ ...JSON.parse(before.metadata), grant_types: ['authorization_code'] }))
  assert.equal((await p.refresh('post', refresh_token)).body.error, 'unauthorized_client')
  await save(before.metadata)
})

testOnBoth('10.4.9 10.7.3 a consent that is withdrawn ends every grant it made, and is asked for again', async (p) => {
  const agent = new UserAgent()
  const held = []
  for (const scope of ['openid api:read', 'openid offline_access api:read']) {
    held.push((await p.exchange('other', await p.getCode('other', { scope }, agent))).body)
  }
  const { tenant_id } = p.server.app.tenant
  const user_id = claimsOf(held[0].id_token)['sub'] as string
  const event = { tenant_id, event_id: randomUUID(), at: p.now(), type: 'consent.withdrawn', actor: `user:${user_id}` }
  await p.server.store.withdrawConsent({ tenant_id, user_id, client_id: 'other', event })
  for (const { access_token, refresh_token } of held) {
    assert.deepEqual(await p.introspect(access_token), { active: false })
    assert.equal((await p.refresh('other', refresh_token)).body.error, 'invalid_grant')
  }
  const silent = await agent.request(p.authorizeUrl('other', { prompt: 'none' }))
  assert.match(silent.headers.get('location')!, /error=consent_required/)
})

testOnBoth('CVE-2026-8922 a client that is deleted leaves nothing that lives', async (p) => {
  const client = {
    client_id: 'brief',
    client_secret: 'secret-of-brief',
    redirect_uris: ['http://127.0.0.1:3000/callback'],
  }
  await p.server.addClient({
    ...client,
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    scope: 'openid api:read',
  })
  const authorization = `Basic ${btoa('brief:secret-of-brief')}`
  const ask = (form: Record<string, string>) =>
    fetch(`${p.issuer}/token`, { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) }).then(
      (r) => r.json(),
    )
  const own = await ask({ grant_type: 'client_credentials', scope: 'api:read', resource: JWT_API })
  const back = await new UserAgent().authorize(
    p.authorizeUrl('web', { client_id: 'brief', scope: 'openid api:read' }),
    ALICE,
  )
  const code = back.searchParams.get('code')!
  const tokens = await ask({
    grant_type: 'authorization_code',
    code,
    code_verifier: 'verifier-of-the-platform-0123456789-abcdefghij',
  })
  const { tenant_id } = p.server.app.tenant
  const event = { tenant_id, event_id: randomUUID(), at: p.now(), type: 'client.deleted', actor: 'cli' }
  await p.server.store.deleteClient({ tenant_id, client_id: 'brief', event })
  for (const token of [own.access_token, tokens.access_token, tokens.refresh_token]) {
    assert.deepEqual(await p.introspect(token), { active: false })
  }
  assert.equal(
    (await ask({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token })).error,
    'invalid_client',
  )
  // The operator's file still names it: the client of tomorrow is not the one of yesterday.
  p.pass(1)
  await p.server.addClient({ ...client, grant_types: ['client_credentials'], scope: 'openid api:read' })
  for (const token of [own.access_token, tokens.access_token, tokens.refresh_token]) {
    assert.deepEqual(await p.introspect(token), { active: false }, 'of a client_id that was given again')
  }
})

testOnBoth(
  'RFC 7009 2.1 CVE-2016-6582 CVE-2018-1000211 a revoked refresh token ends its grant, a revoked access token ends alone, a stranger ends nothing',
  async (p) => {
    const tokens = await p.getTokens('web')
    const second = (await p.refresh('web', tokens.refresh_token)).body
    for (const client of ['other', 'post', 'spa', 'api'] as const) {
      for (const token of [tokens.access_token, second.refresh_token]) {
        const { status, body } = await p.post('/revoke', { token }, client)
        assert.deepEqual([status, body.error], [400, 'invalid_request'], `CVE-2016-6582 ${client}`)
      }
    }
    assert.equal((await p.post('/revoke', { token: second.refresh_token }, null)).status, 401)
    assert.equal((await p.introspect(second.access_token)).active, true)
    for (const token of ['x', 'sp_rt_x', tokens.id_token, `${second.access_token}x`, 'sp_at_AAAA']) {
      const { status, text } = await p.post('/revoke', { token }, 'web')
      assert.deepEqual([status, text], [200, '{}'], 'an unknown token is as good as revoked')
    }
    assert.equal(
      (await p.post('/revoke', { token: tokens.access_token, token_type_hint: 'refresh_token' }, 'web')).status,
      200,
    )
    assert.deepEqual(await p.introspect(tokens.access_token), { active: false })
    assert.equal((await p.introspect(second.access_token)).active, true, 'the other one lives')
    assert.equal((await p.post('/revoke', { token: tokens.refresh_token }, 'web')).status, 200, 'an older one will do')
    assert.deepEqual(await p.introspect(second.access_token), { active: false })
    assert.equal((await p.refresh('web', second.refresh_token)).body.error, 'invalid_grant')
    const spa = await p.getTokens('spa')
    assert.equal((await p.post('/revoke', { token: spa.refresh_token }, 'spa')).status, 200, 'CVE-2018-1000211')
    assert.deepEqual(await p.introspect(spa.access_token), { active: false })
  },
)

testOnBoth(
  'I11 a retired signing key still verifies; a revoked one verifies nothing, what was verified before included',
  async (p) => {
    const { tenant } = p.server.app
    const { tenant_id } = tenant
    const { access_token, refresh_token } = await p.getTokens('web', {
      scope: 'openid offline_access',
      resource: p.issuer,
    })
    assert.equal((await p.userinfo(access_token)).status, 200)
    assert.equal((await p.introspect(access_token, 'web')).active, true)
    const { signing_key } = await tenant.currentConfiguration()
    const rotate = async (state: 'retired' | 'revoked', more = 1) => {
      const added = more === 0 ? [] : [await makeSigningKey(tenant, 'current')]
      const event = { tenant_id, event_id: randomUUID(), at: p.now(), type: 'signing_key.rotated', actor: 'cli' }
      const moves = [
        { kid: signing_key.kid, from: more === 0 ? ('retired' as const) : ('current' as const), to: state },
      ]
      return p.server.store.changeSigningKeys({ tenant_id, added, moves, events: [event] })
    }
    await rotate('retired')
    assert.equal((await p.userinfo(access_token)).status, 200)
    const fresh = (await p.refresh('web', refresh_token)).body
    const { keys } = await (await fetch(`${p.issuer}/jwks`)).json()
    assert.equal(keys.length, 2)
    await rotate('revoked', 0)
    assert.equal((await p.userinfo(access_token)).status, 401)
    assert.deepEqual(await p.introspect(access_token), { active: false })
    assert.equal((await p.userinfo(fresh.access_token)).status, 200)
    const { keys: left } = await (await fetch(`${p.issuer}/jwks`)).json()
    assert.equal(left.length, 1)
  },
)

testOnBoth('9.2.1 an access token ends with its lifetime, opaque or not', async (p) => {
  for (const params of [
    { resource: JWT_API, scope: 'openid api:read' },
    { resource: OPAQUE_API, scope: 'openid vault:open' },
  ]) {
    const { access_token, expires_in } = await p.getTokens('web', params)
    assert.equal(expires_in, 600)
    p.pass(599)
    assert.equal((await p.introspect(access_token)).active, true)
    p.pass(1)
    assert.deepEqual(await p.introspect(access_token), { active: false })
  }
})
