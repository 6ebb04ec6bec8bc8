import assert from 'node:assert/strict'
import {
  type ClientName,
  claimsOf,
  JWT_API,
  OPAQUE_API,
  onBothDatabases,
  type Platform,
  VERIFIER,
} from '../parts/platform.ts'
import { snapshotRows, watchEvents } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()
const day = 86_400

async function addTenantKey(p: Platform, kid: number): Promise<void> {
  const { tenant_id } = p.server.app.tenant
  const { wrapped } = p.root.newTenantKey(tenant_id, kid)
  const bytes = Buffer.from(wrapped).toString('hex')
  const literal = p.server.store.driver.dialect === 'sqlite' ? `x'${bytes}'` : `'\\x${bytes}'::bytea`
  await p.server.store.driver.exclusively((session) =>
    session.transaction(
      `insert into tenant_keys (tenant_id, kid, wrapped, created_at) values ('${tenant_id}', ${kid}, ${literal}, ${p.now()})`,
    ),
  )
}

testOnBoth('F-R6 a retry with the token before gets the same successor, for as long as nobody used it', async (p) => {
  const first = await p.getTokens('web')
  const second = (await p.refresh('web', first.refresh_token)).body
  p.pass(20 * day)
  const { status, body } = await p.refresh('web', first.refresh_token)
  assert.equal(status, 200)
  assert.equal(body.refresh_token, second.refresh_token)
  assert.notEqual(body.access_token, second.access_token)
  assert.equal((await p.refresh('web', second.refresh_token)).status, 200)
  assert.equal((await p.refresh('web', first.refresh_token)).body.error, 'invalid_grant', 'its successor was used')
})

testOnBoth(
  'F-R2 CVE-2026-53517 CVE-2026-50631 authgate-203 64 parallel refreshes with one token get one successor',
  async (p) => {
    for (const client of ['web', 'spa'] as const) {
      const { refresh_token } = await p.getTokens(client)
      const replies = await Promise.all(Array.from({ length: 64 }, () => p.refresh(client, refresh_token)))
      for (const { status, text } of replies) assert.equal(status, 200, text)
      const successors = new Set(replies.map(({ body }) => body.refresh_token))
      assert.equal(successors.size, 1)
      assert.equal((await p.refresh(client, [...successors][0]!)).status, 200)
    }
  },
)

testOnBoth('F-R2 two replicas that refresh at once hand out the same successor', async (p) => {
  const replica = await p.openReplica()
  const { refresh_token } = await p.getTokens('web')
  const replies = await Promise.all(
    Array.from({ length: 32 }, (_, i) => p.refresh('web', refresh_token, {}, i % 2 === 0 ? replica : undefined)),
  )
  assert.deepEqual([...new Set(replies.map(({ status }) => status))], [200])
  assert.equal(new Set(replies.map(({ body }) => body.refresh_token)).size, 1)
  const next = await p.refresh('web', replies[0]!.body.refresh_token, {}, replica)
  const retried = await p.refresh('web', replies[0]!.body.refresh_token)
  assert.equal(next.status, 200)
  assert.equal(retried.body.refresh_token, next.body.refresh_token)
})

testOnBoth('CVE-2026-9802 after a restart the same retry works, and the same reuse is refused', async (p) => {
  const first = await p.getTokens('web')
  const second = (await p.refresh('web', first.refresh_token)).body
  const third = (await p.refresh('web', second.refresh_token)).body
  const restarted = await p.openReplica()
  assert.equal((await p.refresh('web', second.refresh_token, {}, restarted)).body.refresh_token, third.refresh_token)
  assert.equal((await p.refresh('web', first.refresh_token, {}, restarted)).body.error, 'invalid_grant')
  assert.equal((await p.refresh('web', third.refresh_token)).body.error, 'invalid_grant', 'the grant has ended')
})

testOnBoth(
  'F-R4 V-11 the reuse of an older token ends refresh tokens, access tokens and grant, with an event',
  async (p) => {
    const first = await p.getTokens('web')
    const second = (await p.refresh('web', first.refresh_token)).body
    const third = (await p.refresh('web', second.refresh_token)).body
    const newEvents = await watchEvents(p.server.store)
    const { status, body } = await p.refresh('web', first.refresh_token)
    assert.deepEqual([status, body.error], [400, 'invalid_grant'])
    for (const { access_token, refresh_token } of [first, second, third]) {
      assert.deepEqual(await p.introspect(access_token), { active: false })
      assert.deepEqual(await p.introspect(refresh_token, 'web'), { active: false })
      assert.equal((await p.refresh('web', refresh_token)).body.error, 'invalid_grant')
    }
    const [event, ...more] = await newEvents()
    assert.deepEqual([event!.type, event!.actor, more], ['grant.revoked', 'client:web', []])
    assert.deepEqual(event!.detail, { reason: 'refresh_token_reused', presented: 1, newest: 3 })
  },
)

testOnBoth(
  '10.4.5 M-03 a bearer public client may retry for 30 seconds, each time with an event; later it is reuse',
  async (p) => {
    const first = await p.getTokens('spa')
    const second = (await p.refresh('spa', first.refresh_token)).body
    p.pass(30)
    const newEvents = await watchEvents(p.server.store)
    assert.equal((await p.refresh('spa', first.refresh_token)).body.refresh_token, second.refresh_token)
    assert.deepEqual(
      (await newEvents()).map(({ type }) => type),
      ['refresh_token.retried'],
    )
    p.pass(1)
    assert.equal((await p.refresh('spa', first.refresh_token)).body.error, 'invalid_grant')
    assert.equal((await p.refresh('spa', second.refresh_token)).body.error, 'invalid_grant')
    assert.deepEqual(await p.introspect(second.access_token), { active: false })
  },
)

testOnBoth('B-18 CVE-2026-53512 what an outsider presents changes nothing', async (p) => {
  const { refresh_token, access_token } = await p.getTokens('web')
  await p.refresh('web', refresh_token)
  const older = refresh_token
  const newest = (await p.refresh('web', older)).body.refresh_token
  await p.refresh('web', newest)
  const before = await snapshotRows(p.server.store)
  const form = { grant_type: 'refresh_token', refresh_token: older }
  for (const client of ['other', 'post', 'exempt', 'spa'] as const) {
    const { status, body } = await p.post('/token', form, client)
    assert.deepEqual([status, body.error], [400, 'invalid_grant'], client)
  }
  assert.deepEqual(statusAndError(await p.post('/token', form, null)), [401, 'invalid_client'])
  assert.deepEqual(statusAndError(await p.post('/token', { ...form, client_id: 'web' }, null)), [401, 'invalid_client'])
  const guessed = { ...form, client_id: 'web', client_secret: 'secret-of-we' }
  assert.deepEqual(statusAndError(await p.post('/token', guessed, null)), [401, 'invalid_client'])
  for (const forged of forgeries(older)) {
    assert.deepEqual(statusAndError(await p.refresh('web', forged)), [400, 'invalid_grant'], forged)
  }
  assert.deepEqual(await snapshotRows(p.server.store), before)
  assert.equal((await p.introspect(access_token)).active, true)
  assert.equal((await p.refresh('web', newest)).status, 200, 'the retry still works')
})

function statusAndError({ status, body }: { status: number; body: { error: string } }) {
  return [status, body.error]
}

/** Tokens that were never ours: cut, lengthened, another generation, another grant, another tag. */
function forgeries(token: string): string[] {
  const bytes = Buffer.from(token.slice(6), 'base64url')
  const changed = (at: number, xor = 1) => {
    const copy = Buffer.from(bytes)
    copy[at]! ^= xor
    return `sp_rt_${copy.toString('base64url')}`
  }
  const places = [0, 3, 4, 19, 20, 23, 24, 55, 56, bytes.length - 1]
  const spellings = [
    token.slice(0, -1),
    `${token}A`,
    `${token}=`,
    token.toLowerCase(),
    token.slice(6),
    `sp_ac_${token.slice(6)}`,
  ]
  return [...places.map((at) => changed(at)), ...spellings]
}

testOnBoth('10.4.8 a refresh token that nobody used for 30 days is over', async (p) => {
  const idle = await p.getTokens('web')
  const used = await p.getTokens('web')
  p.pass(29 * day)
  const rotated = await p.refresh('web', used.refresh_token)
  assert.equal(rotated.status, 200)
  p.pass(day)
  const before = await snapshotRows(p.server.store)
  assert.equal((await p.refresh('web', idle.refresh_token)).body.error, 'invalid_grant')
  assert.deepEqual(await p.introspect(idle.refresh_token, 'web'), { active: false })
  assert.deepEqual(await snapshotRows(p.server.store), before)
  assert.equal((await p.refresh('web', rotated.body.refresh_token)).status, 200)
})

testOnBoth('10.4.8 no chain of refresh tokens outlives 90 days, and no token of it either', async (p) => {
  let tokens = await p.getTokens('web')
  const born = p.now()
  for (let i = 0; i < 4; i++) {
    p.pass(20 * day)
    tokens = (await p.refresh('web', tokens.refresh_token)).body
    assert.ok((await p.introspect(tokens.refresh_token, 'web')).exp <= born / 1000 + 90 * day)
  }
  p.pass(10 * day - 300)
  tokens = (await p.refresh('web', tokens.refresh_token)).body
  assert.equal(tokens.expires_in, 300)
  assert.ok((claimsOf(tokens.access_token)['exp'] as number) <= born / 1000 + 90 * day)
  p.pass(300)
  assert.equal((await p.refresh('web', tokens.refresh_token)).body.error, 'invalid_grant')
  assert.deepEqual(await p.introspect(tokens.access_token), { active: false })
})

testOnBoth(
  'Q-02 5.13 what a script in a browser was given ends after a day, whoever refreshes it and however often',
  async (p) => {
    const exchange = async (origin?: string) => {
      const form = new URLSearchParams({
        ...{
          grant_type: 'authorization_code',
          code: await p.getCode('spa'),
          client_id: 'spa',
          code_verifier: VERIFIER,
        },
      })
      const headers = origin === undefined ? {} : { origin }
      const response = await fetch(`${p.issuer}/token`, { method: 'POST', headers, body: form })
      assert.equal(response.status, 200)
      return (await response.json()) as { refresh_token: string }
    }
    let in_browser = (await exchange('https://spa.example')).refresh_token
    let elsewhere = (await exchange()).refresh_token
    for (let hours = 0; hours < 23; hours++) {
      p.pass(3600)
      // A thief of the token says no origin.
      in_browser = (await p.refresh('spa', in_browser)).body.refresh_token
      elsewhere = (await p.refresh('spa', elsewhere)).body.refresh_token
    }
    p.pass(3600)
    assert.equal((await p.refresh('spa', in_browser)).body.error, 'invalid_grant')
    assert.equal((await p.refresh('spa', elsewhere)).status, 200, 'a public client that is no script in a browser')
  },
)

testOnBoth('V-10 a refresh narrows the scope of its access token only', async (p) => {
  const { refresh_token } = await p.getTokens('web')
  const narrow = (await p.refresh('web', refresh_token, { scope: 'api:read' })).body
  assert.equal(narrow.scope, 'api:read')
  assert.equal(claimsOf(narrow.access_token)['scope'], 'api:read')
  assert.equal(narrow.id_token, undefined)
  const whole = (await p.refresh('web', narrow.refresh_token)).body
  assert.equal(whole.scope, 'openid email profile offline_access mcp:tools api:read')
  const before = await snapshotRows(p.server.store)
  for (const scope of ['vault:open', 'admin:write', 'api:read vault:open', 'API:READ', 'api:read"', 'api']) {
    const { status, body } = await p.refresh('web', whole.refresh_token, { scope })
    assert.deepEqual([status, body.error], [400, 'invalid_scope'], scope)
  }
  assert.deepEqual(await snapshotRows(p.server.store), before, 'a refused refresh consumes nothing')
})

testOnBoth('B-13 M-08 CVE-2026-67332 a refresh narrows to one of its resources and never leaves them', async (p) => {
  const url = `${p.authorizeUrl('web', { scope: 'openid offline_access mcp:tools vault:open' })}&resource=${encodeURIComponent(OPAQUE_API)}`
  const back = await new UserAgent().authorize(url, { username: 'alice', password: 'correct horse battery' })
  const both = (await p.exchange('web', back.searchParams.get('code')!)).body
  assert.match(both.access_token, /^sp_at_/, 'opaque as soon as one of them asks for it')
  assert.deepEqual((await p.introspect(both.access_token)).aud, [JWT_API, OPAQUE_API])
  const one = (await p.refresh('web', both.refresh_token, { resource: JWT_API })).body
  assert.equal(claimsOf(one.access_token)['aud'], JWT_API)
  assert.equal(one.scope, 'openid offline_access mcp:tools', 'a token for one resource has no scope of another')
  const before = await snapshotRows(p.server.store)
  for (const resource of [p.issuer, `${p.issuer}/api`, `${JWT_API}/`, JWT_API.toUpperCase(), 'http://evil.example/']) {
    const { status, body } = await p.refresh('web', one.refresh_token, { resource })
    assert.deepEqual([status, body.error], [400, 'invalid_target'], resource)
  }
  assert.deepEqual(await snapshotRows(p.server.store), before)
  assert.deepEqual((await p.introspect((await p.refresh('web', one.refresh_token)).body.access_token)).aud, [
    JWT_API,
    OPAQUE_API,
  ])
})

testOnBoth('7.4.2 the end of a session ends its grants but those with offline_access', async (p) => {
  const agent = new UserAgent()
  const online = (await p.exchange('web', await p.getCode('web', { scope: 'openid api:read' }, agent))).body
  const offline = (await p.exchange('web', await p.getCode('web', {}, agent))).body
  assert.equal((await p.refresh('web', online.refresh_token)).status, 200)
  await signOut(p, agent)
  for (const token of [online.access_token, online.refresh_token]) {
    assert.deepEqual(await p.introspect(token, 'web'), { active: false })
  }
  assert.equal((await p.refresh('web', online.refresh_token)).body.error, 'invalid_grant')
  assert.equal((await p.introspect(offline.access_token)).active, true)
  assert.equal((await p.refresh('web', offline.refresh_token)).status, 200)
})

async function signOut(p: Platform, agent: UserAgent): Promise<void> {
  const { url, response } = await agent.follow(p.authorizeUrl('web', { prompt: 'consent' }))
  const csrf_token = /name="csrf_token" value="([^"]+)"/.exec(await response.text())![1]!
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
  const body = new URLSearchParams({ csrf_token }).toString()
  const done = await agent.request(`${p.issuer}/logout`, { method: 'POST', headers, body })
  assert.equal(done.status, 200, url)
}

testOnBoth(
  '10.4.5 a retry gets the same successor, letter for letter, after the rotation of the tenant key',
  async (p) => {
    const clients: ClientName[] = ['web', 'spa']
    for (const [i, client] of clients.entries()) {
      const first = await p.getTokens(client)
      const second = (await p.refresh(client, first.refresh_token)).body
      await addTenantKey(p, i + 2)
      const rotated = await p.openReplica()
      assert.equal(rotated.tenant.keys.kid, i + 2)
      const retried = await p.refresh(client, first.refresh_token, {}, rotated)
      assert.equal(retried.status, 200)
      assert.equal(retried.body.refresh_token, second.refresh_token)
      const third = await p.refresh(client, second.refresh_token, {}, rotated)
      assert.equal(third.status, 200)
      assert.equal((await p.refresh(client, third.body.refresh_token, {}, rotated)).status, 200)
    }
  },
)
