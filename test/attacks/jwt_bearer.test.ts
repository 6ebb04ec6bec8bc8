import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createEgress } from '../../server/src/egress/egress.ts'
import { saveTrustedIssuer } from '../../server/src/inbound/tokens/trusted_issuers.ts'
import { readTrustedIssuer } from '../../server/src/oauth/trusted_issuer.ts'
import { type AssertionChange, JWKS, PAIRS, publicJwk, signAssertion } from '../parts/assertions.ts'
import { ALICE, basic, claimsOf, JWT_API, onBothDatabases, type Platform, readReply } from '../parts/platform.ts'
import { startSallyport } from '../parts/sallyport.ts'
import { snapshotRows } from '../parts/snapshot.ts'

const testOnBoth = onBothDatabases()
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const OTHER_JWKS = { keys: [publicJwk(PAIRS.other.publicKey, 'other')] }

/** An issuer that is trusted, and the client that may present what it signs. */
async function trust(p: Platform, more: Record<string, unknown> = {}): Promise<{ issuer: string; client_id: string }> {
  const client_id = `bearer-${randomUUID()}`
  const issuer = `https://idp.example/${randomUUID()}`
  await p.server.addClient({
    client_id,
    client_secret: `secret-of-${client_id}`,
    grant_types: [GRANT_TYPE, 'refresh_token'],
    scope: 'openid offline_access api:read mcp:tools',
  })
  await save(p, issuer, { jwks: JWKS, subject_is: 'username', clients: [client_id], scope: 'api:read', ...more })
  return { issuer, client_id }
}

async function save(p: Platform, issuer: string, json: Record<string, unknown>, disabled = false): Promise<void> {
  const rules = readTrustedIssuer(json)
  await saveTrustedIssuer(p.server.app.tenant, { issuer, rules, disabled }, { actor: 'cli', changed: [] })
}

const sign = (p: Platform, issuer: string, { claims, ...change }: AssertionChange = {}) =>
  signAssertion(p, issuer, { ...change, claims: { sub: 'alice', ...claims } })

async function present(p: Platform, client_id: string, assertion: string, more: Record<string, string> = {}) {
  const body = new URLSearchParams({ grant_type: GRANT_TYPE, assertion, scope: 'api:read', resource: JWT_API, ...more })
  const headers = { authorization: basic(client_id, `secret-of-${client_id}`) }
  return readReply(await fetch(`${p.issuer}/token`, { method: 'POST', headers, body }))
}

testOnBoth(
  'RFC 7523 2.1 an assertion of a trusted issuer brings a token of the user, and never a refresh token',
  async (p) => {
    const { issuer, client_id } = await trust(p)
    const { status, body } = await present(p, client_id, await sign(p, issuer))
    assert.equal(status, 200, JSON.stringify(body))
    assert.deepEqual(Object.keys(body).sort(), ['access_token', 'expires_in', 'scope', 'token_type'])
    const claims = claimsOf(body.access_token)
    const alice = await p.server.store.findUserByUsername({
      tenant_id: p.server.app.tenant.tenant_id,
      username_key: ALICE.username,
    })
    assert.deepEqual([claims['sub'], claims['scope'], claims['auth_time']], [alice!.user_id, 'api:read', 0])
    const seen = await p.introspect(body.access_token)
    assert.deepEqual([seen.active, seen.username], [true, 'alice'])
    const at = Math.floor(p.now() / 1000) - 30
    const told = await present(p, client_id, await sign(p, issuer, { claims: { auth_time: at } }))
    assert.equal(claimsOf(told.body.access_token)['auth_time'], at)
    const ahead = await present(p, client_id, await sign(p, issuer, { claims: { auth_time: at + 9999 } }))
    assert.equal(claimsOf(ahead.body.access_token)['auth_time'], at + 30, 'nobody signed in in the future')
    const acted = await present(p, client_id, await sign(p, issuer, { claims: { act: { sub: 'clerk-7' } } }))
    assert.deepEqual(
      claimsOf(acted.body.access_token)['act'],
      { sub: 'clerk-7', iss: issuer },
      'who acts is not hidden',
    )
    const act = { sub: '1', act: { sub: '2', act: { sub: '3', act: { sub: '4', act: { sub: '5' } } } } }
    const long = await present(p, client_id, await sign(p, issuer, { claims: { act } }))
    assert.deepEqual([long.status, long.body.error], [400, 'invalid_request'])
  },
)

testOnBoth(
  '3.O CVE-2026-9094 CVE-2026-55669 RFC 7523 3 an assertion is by its own issuer, for us, for now',
  async (p) => {
    const { issuer, client_id } = await trust(p)
    const other = await trust(p, { jwks: OTHER_JWKS, clients: [client_id] })
    const at = Math.floor(p.now() / 1000)
    const wrong: [string, AssertionChange, string?][] = [
      ['by the key of another trusted issuer', { key: PAIRS.other.privateKey, header: { kid: 'other' } }],
      ['by another trusted issuer in this name', { key: PAIRS.other.privateKey }],
      ['in the name of another trusted issuer', { claims: { iss: other.issuer } }],
      ['by nobody', { claims: { iss: 'https://evil.example' } }],
      ['without iss', { claims: { iss: undefined } }],
      ['by this server', { claims: { iss: p.issuer } }],
      ['by its client', { claims: { iss: client_id } }],
      ['for another server', { claims: { aud: 'https://other.example' } }],
      ['for the token endpoint', { claims: { aud: `${p.issuer}/token` } }],
      ['for two', { claims: { aud: [p.issuer, 'https://other.example'] } }],
      ['for a list of us', { claims: { aud: [p.issuer] } }],
      ['for nobody', { claims: { aud: undefined } }],
      ['expired', { claims: { exp: at } }],
      ['without exp', { claims: { exp: undefined } }],
      ['for more than an hour', { claims: { exp: at + 3611 } }],
      ['not yet', { claims: { nbf: at + 61 } }],
      ['issued in the future', { claims: { iat: at + 61 } }],
      ['without jti', { claims: { jti: undefined } }],
      ['without sub', { claims: { sub: undefined } }],
      ['about nobody', { claims: { sub: 'mallory' } }],
      ['about somebody of nearly the name', { claims: { sub: 'Alice' } }],
      ['about somebody whose name is the same in another form', { claims: { sub: 'ａｌｉｃｅ' } }],
      ['about a NUL', { claims: { sub: 'alice\0' } }],
      ['about half a character', { claims: { sub: 'alice\ud800' } }],
      ['by a NUL', { claims: { iss: `${issuer}\0` } }],
      ['about an e-mail address', { claims: { sub: 'alice@example.test', email: 'alice@example.test' } }],
      ['of the type of an access token', { header: { typ: 'at+jwt' } }],
      ['of the type of a client assertion', { header: { typ: 'client-authentication+jwt' } }],
      ['of the type of a logout token', { header: { typ: 'logout+jwt' } }],
    ]
    const before = await snapshotRows(p.server.store)
    for (const [what, change] of wrong) {
      const { status, body } = await present(p, client_id, await sign(p, issuer, change))
      assert.deepEqual([status, body.error], [400, 'invalid_grant'], what)
    }
    for (const assertion of ['x', 'a.b.c', '']) {
      assert.equal((await present(p, client_id, assertion)).status, 400)
    }
    assert.deepEqual(await snapshotRows(p.server.store), before)
    assert.equal((await present(p, client_id, await sign(p, issuer, { claims: { exp: at + 3600 } }))).status, 200)
    assert.equal(
      (
        await present(
          p,
          client_id,
          await sign(p, other.issuer, { key: PAIRS.other.privateKey, header: { kid: 'other' } }),
        )
      ).status,
      200,
    )
  },
)

testOnBoth('an assertion is good once, and a request that fails does not use it up', async (p) => {
  const { issuer, client_id } = await trust(p)
  const assertion = await sign(p, issuer)
  for (const more of [
    { scope: 'mcp:tools' },
    { scope: 'openid' },
    { scope: 'unknown' },
    { resource: 'https://x.example' },
  ]) {
    assert.equal((await present(p, client_id, assertion, more)).status, 400, JSON.stringify(more))
  }
  const answers = await Promise.all(Array.from({ length: 16 }, () => present(p, client_id, assertion)))
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  const refused = answers.find(({ status }) => status !== 200)!
  assert.deepEqual([refused.status, refused.body.error], [400, 'invalid_grant'])
  assert.match(refused.body.error_description, /used before/)
  const { tenant_id } = p.server.app.tenant
  const about = { tenant_id, before_event_id: '~', type: 'grant.created', actor: `client:${client_id}`, most: 10 }
  const events = await p.server.store.pageEvents(about)
  assert.deepEqual(
    events.map(({ detail }) => (JSON.parse(detail) as { issuer: string }).issuer),
    [issuer],
  )
})

testOnBoth(
  'CVE-2026-1486 GHSA-7qjx-gp9h-65qj an issuer, a client or a user that is switched off brings nothing from that moment on',
  async (p) => {
    const { issuer, client_id } = await trust(p)
    const { tenant } = p.server.app
    const rules = { jwks: JWKS, subject_is: 'username', clients: [client_id], scope: 'api:read' }
    const status = async () => {
      const { status, body } = await present(p, client_id, await sign(p, issuer))
      return status === 200 ? 200 : body.error
    }
    assert.equal(await status(), 200)
    const signed_before = await sign(p, issuer)
    await save(p, issuer, rules, true)
    assert.equal(await status(), 'invalid_grant')
    assert.equal((await present(p, client_id, signed_before)).body.error, 'invalid_grant')
    await save(p, issuer, rules)
    assert.equal(await status(), 200)
    await save(p, issuer, { ...rules, clients: [] })
    assert.equal(await status(), 'invalid_grant')
    await save(p, issuer, { ...rules, jwks: OTHER_JWKS })
    assert.equal(await status(), 'invalid_grant')
    await save(p, issuer, { ...rules, subject_is: undefined })
    assert.equal(await status(), 'invalid_grant')
    await save(p, issuer, rules)
    const { user_id } = (await tenant.store.findUserByUsername({ tenant_id: tenant.tenant_id, username_key: 'alice' }))!
    await p.setDisabled(true, { user_id })
    assert.equal(await status(), 'invalid_grant')
    await p.setDisabled(false, { user_id })
    assert.equal(await status(), 200)
    await p.setDisabled(true, { client_id })
    assert.equal(await status(), 'invalid_client')
    await p.setDisabled(false, { client_id })
  },
)

testOnBoth('a token that an assertion brought ends with its user', async (p) => {
  const { issuer, client_id } = await trust(p)
  const { tenant } = p.server.app
  const { body } = await present(p, client_id, await sign(p, issuer))
  const { user_id } = (await tenant.store.findUserByUsername({ tenant_id: tenant.tenant_id, username_key: 'alice' }))!
  assert.equal((await p.introspect(body.access_token)).active, true)
  await p.setDisabled(true, { user_id })
  await p.setDisabled(false, { user_id })
  assert.equal((await p.introspect(body.access_token)).active, false)
})

testOnBoth('a client gets for an assertion what it may have, the issuer may give and the user has', async (p) => {
  const { issuer, client_id } = await trust(p, { scope: 'api:read mcp:tools vault:open openid' })
  const scopeOf = async (scope: string) => {
    const { body } = await present(p, client_id, await sign(p, issuer), { scope })
    return body.scope ?? body.error
  }
  assert.equal(await scopeOf('api:read mcp:tools'), 'api:read mcp:tools')
  assert.equal(await scopeOf('vault:open'), 'invalid_scope', 'the client may not')
  const narrow = await trust(p, { scope: 'api:read' })
  const { body } = await present(p, narrow.client_id, await sign(p, narrow.issuer), { scope: 'api:read mcp:tools' })
  assert.equal(body.error, 'invalid_scope', 'the issuer may not')
  const nothing = await trust(p, { scope: '' })
  assert.equal((await present(p, nothing.client_id, await sign(p, nothing.issuer))).body.error, 'invalid_scope')
})

testOnBoth('a subject is who the administrator says, by what never changes hands', async (p) => {
  const { tenant } = p.server.app
  const { user_id } = (await tenant.store.findUserByUsername({ tenant_id: tenant.tenant_id, username_key: 'bob' }))!
  const who = async (more: Record<string, unknown>, sub: string) => {
    const { issuer, client_id } = await trust(p, more)
    const { body } = await present(p, client_id, await sign(p, issuer, { claims: { sub } }))
    return body.access_token === undefined ? body.error : (await p.introspect(body.access_token)).username
  }
  const listed = { subject_is: undefined, subjects: { 'idp|7': 'bob' } }
  assert.equal(await who(listed, 'idp|7'), 'bob')
  for (const sub of ['idp|8', 'bob', 'alice', '__proto__', 'constructor', 'toString', user_id]) {
    assert.equal(await who(listed, sub), 'invalid_grant', sub)
  }
  assert.equal(await who({ subject_is: 'user_id' }, user_id), 'bob')
  assert.equal(await who({ subject_is: 'user_id' }, 'bob'), 'invalid_grant')
  assert.equal(
    await who({ subject_is: 'username', subjects: { alice: 'bob' } }, 'alice'),
    'bob',
    'a listed one is as listed',
  )
})

testOnBoth('10.4.10 the client is authenticated all the same, and must be registered for the grant', async (p) => {
  const { issuer, client_id } = await trust(p)
  const form = { grant_type: GRANT_TYPE, assertion: await sign(p, issuer), scope: 'api:read', resource: JWT_API }
  for (const [headers, more, expected] of [
    [{}, {}, [401, 'invalid_client']],
    [{}, { client_id }, [401, 'invalid_client']],
    [{ authorization: basic(client_id, 'wrong') }, {}, [401, 'invalid_client']],
    [{ authorization: basic('web', 'secret-of-web') }, {}, [400, 'unauthorized_client']],
  ] as const) {
    const body = new URLSearchParams({ ...form, ...more })
    const reply = await readReply(await fetch(`${p.issuer}/token`, { method: 'POST', headers: { ...headers }, body }))
    assert.deepEqual([reply.status, reply.body.error], expected)
  }
  assert.equal((await present(p, client_id, form.assertion)).status, 200)
  const { assertion: _, ...without } = form
  const missing = await p.post('/token', without, null)
  assert.ok(missing.status >= 400)
})

test('keys of an issuer may be published, and are fetched from where the administrator said alone', async () => {
  let asked = 0
  const publisher = createServer((_, response) => {
    asked++
    response.end(JSON.stringify(JWKS))
  })
  await new Promise<void>((resolve) => publisher.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(publisher.address() as AddressInfo).port}`
  const connected: string[] = []
  const egress = createEgress({ allow: [host], onConnect: (address) => connected.push(address) })
  const server = await startSallyport({ app: { egress } })
  try {
    await server.addResource({ resource: JWT_API, scopes: '{"api:read":"Read"}' })
    await server.addRole('member', ['api:read'])
    await server.addUser({ ...ALICE, roles: ['member'] })
    const p = { issuer: server.issuer, now: Date.now, server } as unknown as Platform
    const { issuer, client_id } = await trust(p, { jwks: undefined, jwks_uri: `http://${host}/jwks` })
    for (const header of [{ jku: `http://${host}/evil` }, { x5u: `http://${host}/evil` }]) {
      assert.equal((await present(p, client_id, await sign(p, issuer, { header }))).status, 400)
    }
    assert.equal((await present(p, client_id, await sign(p, 'https://unknown.example'))).status, 400)
    assert.deepEqual([asked, connected], [0, []])
    assert.equal((await present(p, client_id, await sign(p, issuer))).status, 200)
    assert.equal((await present(p, client_id, await sign(p, issuer))).status, 200)
    assert.equal(asked, 1)
  } finally {
    await server.stop()
    await egress.close()
    publisher.close()
  }
})
