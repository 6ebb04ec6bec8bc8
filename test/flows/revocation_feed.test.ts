import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { createResource, OAuthError, type Resource, type RevocationOptions } from '@sallyport/sdk'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { listSigningKeys, revokeSigningKey } from '../../server/src/inbound/keys/signing_keys.ts'
import { basic, CLIENTS, JWT_API, onBothDatabases, type Platform, startPlatform } from '../parts/platform.ts'
import { csrfOf, open, post } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()
const { client_id, client_secret } = CLIENTS.api

/** An API that verifies JWTs by itself and follows the feed. */
function makeApi(p: Platform, more: Partial<RevocationOptions> = {}): Resource {
  const revocation = { client_id, client_secret, ...more }
  return createResource({ resource: JWT_API, issuer: p.issuer, clock: p.now, revocation })
}

async function statusOf(api: Resource, token: string): Promise<number> {
  try {
    await api.verify(new Request(JWT_API, { headers: { authorization: `Bearer ${token}` } }))
    return 200
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    return error.status
  }
}

const feedOf = async (p: Platform, cursor = '', client: Parameters<Platform['post']>[2] = 'api') => {
  const { status, text, headers } = await p.post('/revocations', cursor === '' ? {} : { cursor }, client)
  return { status, headers, claims: status === 200 ? (decodeJwt(text) as Record<string, unknown>) : null, text }
}

type Tokens = { access_token: string; refresh_token: string }
const SCOPE = 'openid mcp:tools offline_access'

testOnBoth(
  'RS 8.3.2 CVE-2026-8922 an API that verifies by itself refuses, within 5 s, whatever introspection would',
  async (p) => {
    const { tenant, web } = p.server.app
    const { tenant_id, store } = tenant
    const event = () => ({ tenant_id, event_id: randomUUID(), at: p.now(), type: 'test', actor: 'cli' })
    const onAndOff = async (part: Parameters<Platform['setDisabled']>[1]) => {
      await p.setDisabled(true, part)
      await p.setDisabled(false, part)
    }
    const grantOf = ({ access_token }: Tokens) => decodeJwt(access_token)['grant_id'] as string
    const ways: Record<string, (of: Tokens, agent: UserAgent) => Promise<unknown>> = {
      'the access token is revoked': ({ access_token }) => p.post('/revoke', { token: access_token }),
      'the refresh token is revoked': ({ refresh_token }) => p.post('/revoke', { token: refresh_token }),
      'a code is replayed, or an old refresh token': async (of) => {
        const next = (await p.refresh('web', of.refresh_token)).body
        await p.refresh('web', next.refresh_token)
        assert.equal((await p.refresh('web', of.refresh_token)).status, 400)
      },
      'the grant is ended': (of) =>
        store.revokeGrant({ tenant_id, grant_id: grantOf(of), reason: 'test', event: event() }),
      'the user ends the app': async (_, agent) => {
        const csrf_token = csrfOf(await open(agent, `${p.issuer}/account`))
        const answer = await post(agent, `${p.issuer}/account/apps/revoke`, { csrf_token, client_id: 'web' })
        assert.equal(answer.status, 303)
      },
      'the user is disabled, and enabled again': ({ access_token }) =>
        onAndOff({ user_id: decodeJwt(access_token).sub! }),
      'the client is disabled, and enabled again': () => onAndOff({ client_id: 'web' }),
      'the tenant is disabled, and enabled again': () => onAndOff('tenant'),
      'its key is revoked': ({ access_token }) =>
        revokeSigningKey(tenant, decodeProtectedHeader(access_token).kid!, 'cli'),
    }
    for (const [how, end] of Object.entries(ways)) {
      const api = makeApi(p)
      const agent = new UserAgent()
      const code = await p.getCode('web', { scope: SCOPE }, agent)
      const tokens = (await p.exchange('web', code)).body
      assert.equal(await statusOf(api, tokens.access_token), 200, how)
      await end(tokens, agent)
      p.pass(4.001)
      assert.equal((await p.introspect(tokens.access_token)).active, false, how)
      assert.equal(await statusOf(api, tokens.access_token), 401, how)
      assert.equal(await statusOf(makeApi(p), tokens.access_token), 401, `${how}, for an API that has just started`)
      const later = (await p.exchange('web', await p.getCode('web', { scope: SCOPE }, agent))).body
      assert.equal(await statusOf(api, later.access_token), 200, `${how}, and what is issued since is good`)
    }
    assert.ok((await listSigningKeys(web.tenant)).some(({ state }) => state === 'revoked'))
  },
)

testOnBoth(
  'Back-Channel Logout 2.7 an online token dies at the API with its session, an offline one lives on',
  async (p) => {
    const api = makeApi(p)
    const agent = new UserAgent()
    const scope = 'openid mcp:tools'
    const online = (await p.exchange('web', await p.getCode('web', { scope }, agent))).body
    const offline = (await p.exchange('web', await p.getCode('web', { scope: SCOPE }, agent))).body
    assert.equal(await statusOf(api, online.access_token), 200)
    const csrf_token = csrfOf(await open(agent, `${p.issuer}/account`))
    await post(agent, `${p.issuer}/logout`, { csrf_token })
    p.pass(4.001)
    assert.equal(await statusOf(api, online.access_token), 401)
    assert.equal(await statusOf(api, offline.access_token), 200)
  },
)

testOnBoth('10.4.10 8.2.2 the feed is for who stands for a resource, and says ids alone', async (p) => {
  assert.equal((await feedOf(p, '', 'web')).status, 400)
  assert.equal((await p.post('/revocations', {}, null)).status, 401)
  assert.equal((await p.post('/revocations', {}, 'spa')).status, 400)
  const wrong = { authorization: basic('api', 'wrong') }
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const refused = await fetch(`${p.issuer}/revocations`, { method: 'POST', headers: { ...form, ...wrong }, body: '' })
  assert.equal(refused.status, 401)
  assert.equal((await fetch(`${p.issuer}/revocations`)).status, 405)
  const start = (await feedOf(p)).claims!['cursor'] as string
  const { access_token, refresh_token } = await p.getTokens('web', { scope: SCOPE })
  await p.post('/revoke', { token: refresh_token })
  const { claims, headers, text } = await feedOf(p, start)
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.equal(headers.get('content-type'), 'application/jwt')
  assert.equal(decodeProtectedHeader(text).typ, 'revocations+jwt')
  assert.deepEqual([claims!['iss'], claims!['aud']], [p.issuer, 'api'])
  assert.deepEqual(claims!['grant_id'], [decodeJwt(access_token)['grant_id']])
  const members = [
    'aud',
    'client_id',
    'cursor',
    'epoch',
    'grant_id',
    'iat',
    'iss',
    'jti',
    'keep_seconds',
    'kid',
    'more',
    'sub',
  ]
  assert.deepEqual(Object.keys(claims!).sort(), members)
  assert.deepEqual((await feedOf(p, claims!['cursor'] as string)).claims!['grant_id'], [])
})

testOnBoth('8.3.2 a token that was exchanged for another resource dies there with what it came of', async (p) => {
  const [between, target] = ['https://between.example', 'https://elsewhere.example']
  for (const resource of [between, target]) {
    await p.server.addResource({ resource, scopes: '{"mcp:tools":"Use"}', introspection_clients: '["elsewhere"]' })
  }
  const secret = 'secret-of-elsewhere'
  const grant_type = 'urn:ietf:params:oauth:grant-type:token-exchange'
  await p.server.addClient({
    ...{ client_id: 'elsewhere', client_secret: secret, redirect_uris: [], grant_types: [grant_type] },
    ...{ scope: 'mcp:tools', token_exchange: { resources: [target] } },
  })
  const api = createResource({
    ...{ resource: target, issuer: p.issuer, clock: p.now },
    revocation: { client_id: 'elsewhere', client_secret: secret },
  })
  const statusAt = async (token: string) => {
    const request = new Request(target, { headers: { authorization: `Bearer ${token}` } })
    return api.verify(request).then(
      () => 200,
      ({ status }: OAuthError) => status,
    )
  }
  for (const ended of ['access_token', 'refresh_token'] as const) {
    const root = await p.getTokens('web', { scope: SCOPE, resource: between })
    const form = {
      ...{ grant_type, resource: target, scope: 'mcp:tools', subject_token: root.access_token },
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    }
    const headers = { authorization: basic('elsewhere', secret) }
    const { status, body } = await p.post('/token', form, null, undefined, headers)
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(await statusAt(body.access_token), 200)
    await p.post('/revoke', { token: root[ended] })
    p.pass(4.001)
    assert.equal(await statusAt(body.access_token), 401, ended)
  }
})

testOnBoth('a cursor that is none of ours, or of a time to come, starts the feed anew', async (p) => {
  const { refresh_token, access_token } = await p.getTokens('web', { scope: SCOPE })
  await p.post('/revoke', { token: refresh_token })
  const { grant_id } = decodeJwt(access_token)
  for (const cursor of ['999999999', '-1', '1e3', 'x', '0']) {
    const { claims } = await feedOf(p, cursor)
    assert.ok((claims!['grant_id'] as unknown[]).includes(grant_id), cursor)
  }
  p.pass(3600)
  assert.deepEqual((await feedOf(p)).claims!['grant_id'], [], 'what can concern no token any more is not said')
})

testOnBoth('9.2.2 the feed is taken for no other kind of token, and none for it', async (p) => {
  const { text } = await feedOf(p)
  assert.equal((await p.userinfo(text)).status, 401)
  assert.deepEqual(await p.introspect(text), { active: false })
  assert.equal(await statusOf(makeApi(p), text), 401)
})

testOnBoth('without its server an API that must know fails closed, and one that may go on goes on', async (p) => {
  const { access_token } = await p.getTokens('web', { scope: SCOPE })
  const told: boolean[] = []
  const nowhere = { endpoint: 'http://127.0.0.1:9/revocations' }
  const strict = makeApi(p, { ...nowhere, onStale: (is_stale) => told.push(is_stale) })
  const lenient = makeApi(p, { ...nowhere, when_stale: 'allow' })
  assert.equal(await statusOf(strict, access_token), 503)
  assert.equal(await statusOf(lenient, access_token), 200)
  assert.deepEqual(told, [true])
})

test('RS in real time a revoked JWT is refused within 5 s of its revocation, by an API under traffic and by an idle one', async (t) => {
  const p = await startPlatform({ real_time: true })
  after(() => p.stop())
  const busy = makeApi(p)
  const idle = makeApi(p)
  const { access_token, refresh_token } = await p.getTokens('web', { scope: SCOPE })
  assert.equal(await statusOf(idle, access_token), 200)
  assert.equal(await statusOf(busy, access_token), 200)
  await p.post('/revoke', { token: refresh_token })
  const revoked_at = performance.now()
  while ((await statusOf(busy, access_token)) === 200) await new Promise((done) => setTimeout(done, 10))
  const delay = performance.now() - revoked_at
  t.diagnostic(`refused after ${Math.round(delay)} ms under traffic`)
  assert.ok(delay < 5000, `${delay} ms`)
  await new Promise((done) => setTimeout(done, Math.max(0, 4100 - delay)))
  assert.equal(await statusOf(idle, access_token), 401)
})
