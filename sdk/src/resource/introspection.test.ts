import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { goodClaims, NOW, RESOURCE, requestWith, startIssuer } from '../../test/issuer.ts'
import { refusalOf } from '../../test/refusal.ts'
import { createResource, type IntrospectionOptions, type OAuthError } from './resource.ts'

/** An issuer with one active opaque token, a resource that asks it, and the clock of both. */
async function setUp(t: TestContext, options: Partial<IntrospectionOptions> = {}, timeout_seconds = 5) {
  const as = await startIssuer()
  t.after(() => as.close())
  const time = { now: NOW }
  const refused: OAuthError[] = []
  const introspection = { client_id: 'api', client_secret: 'secret', ...options }
  const resource = createResource({
    resource: RESOURCE,
    issuer: as.issuer,
    clock: () => time.now,
    introspection,
    timeout_seconds,
    onRefusal: (refusal) => refused.push(refusal),
  })
  as.active.set('opaque', goodClaims(as.issuer))
  const asks = () => as.count('/introspect')
  return { as, time, resource, asks, refused }
}

test('an active opaque token passes, and its claims arrive', async (t) => {
  const { as, resource } = await setUp(t)
  as.active.set('opaque', { ...goodClaims(as.issuer), token_type: 'Bearer', username: 'alice', acr: 'gold' })
  const access = await resource.verify(requestWith('opaque'), { scope: 'mcp:tools' })
  assert.deepEqual([access.sub, access.client_id, access.iss, access.acr], ['alice', 'web', as.issuer, 'gold'])
  assert.equal(access.claims['username'], 'alice')
  assert.equal(access.has('api:read mcp:tools'), true)
})

test('an answer may leave out iss, exp, iat, jti and scope, and sub where no user is involved', async (t) => {
  const { as, resource } = await setUp(t)
  as.active.set('opaque', { aud: RESOURCE, client_id: 'machine' })
  const access = await resource.verify(requestWith('opaque'))
  assert.deepEqual([access.sub, access.client_id, access.iss], ['machine', 'machine', as.issuer])
  assert.deepEqual([access.exp, access.jti, access.scope.size], [undefined, undefined, 0])
})

test('the question carries the credentials form-encoded in Basic, the token and its hint', async (t) => {
  const client_id = 'api:1 ä%'
  const client_secret = 'p:w+ü/&="'
  const { as, resource } = await setUp(t, { client_id, client_secret })
  as.active.set('a+b/c==', goodClaims(as.issuer))
  await resource.verify(requestWith('a+b/c=='))
  const { method, authorization, body } = as.asked.find(({ path }) => path === '/introspect')!
  assert.equal(method, 'POST')
  const [id, secret] = Buffer.from(authorization!.slice('Basic '.length), 'base64').toString().split(':')
  const decode = (value: string) => decodeURIComponent(value.replaceAll('+', ' '))
  assert.deepEqual([decode(id!), decode(secret!)], [client_id, client_secret])
  assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), { token: 'a+b/c==', token_type_hint: 'access_token' })
})

test('only `active: true` is active', async (t) => {
  const { as, resource } = await setUp(t, { negative_cache_seconds: 0 })
  for (const active of [false, 'true', 1, {}, null, undefined]) {
    as.routes.set('/introspect', () => ({ body: { ...goodClaims(as.issuer), active } }))
    const { error, error_description } = await refusalOf(resource, 'opaque')
    assert.deepEqual([error, error_description], ['invalid_token', 'The access token is not active'], String(active))
  }
})

test('10.3.1 an answer without audience, or with another one, is refused', async (t) => {
  const { as, resource } = await setUp(t)
  for (const aud of [undefined, null, [], `${RESOURCE}/`, 'https://api.example', ['https://other.example']]) {
    as.active.set('opaque', { ...goodClaims(as.issuer), aud })
    assert.equal((await refusalOf(resource, 'opaque')).error, 'invalid_token', JSON.stringify(aud))
  }
})

test('9.2.2 an answer about another issuer, a refresh token or a bound token is refused', async (t) => {
  const { as, resource } = await setUp(t)
  const wrong = [
    { iss: 'https://other.example' },
    { token_type: 'refresh_token' },
    { token_type: 'N_A' },
    { token_type: 'DPoP' },
    { token_type: 7 },
    { client_id: undefined },
    { cnf: { jkt: 'x' } },
    { exp: NOW / 1000 - 10 },
    { nbf: NOW / 1000 + 60 },
    { exp: 'soon' },
  ]
  for (const members of wrong) {
    as.active.set('opaque', { ...goodClaims(as.issuer), ...members })
    assert.equal((await refusalOf(resource, 'opaque')).error, 'invalid_token', JSON.stringify(members))
  }
})

test('by default every request asks, so a revoked token is refused by the next one', async (t) => {
  const { as, resource, asks } = await setUp(t)
  await resource.verify(requestWith('opaque'))
  await resource.verify(requestWith('opaque'))
  assert.equal(asks(), 2)
  as.active.delete('opaque')
  await refusalOf(resource, 'opaque')
  assert.equal(asks(), 3)
})

test('a remembered positive answer serves for its seconds and not longer', async (t) => {
  const { as, time, resource, asks } = await setUp(t, { cache_seconds: 30 })
  await resource.verify(requestWith('opaque'))
  as.active.delete('opaque')
  time.now += 29_999
  await resource.verify(requestWith('opaque'))
  assert.equal(asks(), 1)
  time.now += 1
  await refusalOf(resource, 'opaque')
  assert.equal(asks(), 2)
  // From here the negative answer is the one that is remembered.
  await refusalOf(resource, 'opaque')
  assert.equal(asks(), 2)
})

test('a remembered positive answer does not outlive the token', async (t) => {
  const { as, time, resource, asks } = await setUp(t, { cache_seconds: 30 })
  as.active.set('opaque', { ...goodClaims(as.issuer), exp: NOW / 1000 + 5 })
  await resource.verify(requestWith('opaque'))
  time.now += 5000
  as.active.delete('opaque')
  assert.equal((await refusalOf(resource, 'opaque')).error_description, 'The access token is not active')
  assert.equal(asks(), 2)
})

test('GHSA-qvp4-rpmr-xwrr scope, audience and authentication are checked on a remembered answer too', async (t) => {
  const { as, resource, asks } = await setUp(t, { cache_seconds: 30 })
  await resource.verify(requestWith('opaque'), { scope: 'mcp:tools' })
  assert.equal((await refusalOf(resource, 'opaque', { scope: 'admin:write' })).error, 'insufficient_scope')
  assert.equal((await refusalOf(resource, 'opaque', { acr_values: 'gold' })).status, 401)
  assert.equal(asks(), 1)
  as.active.set('elsewhere', { ...goodClaims(as.issuer), aud: 'https://other.example' })
  for (let n = 0; n < 3; n++)
    assert.match((await refusalOf(resource, 'elsewhere')).error_description, /another resource/)
  assert.equal(asks(), 2)
})

test('CVE-2026-33496 a remembered answer belongs to the whole token, and to the resource and the server that asked', async (t) => {
  const { as, resource, asks } = await setUp(t, { cache_seconds: 30 })
  await resource.verify(requestWith('opaque'))
  for (const token of ['opaqu', 'opaquee', 'OPAQUE', 'opaque=']) {
    assert.equal((await refusalOf(resource, token)).error, 'invalid_token')
  }
  const elsewhere = await startIssuer('/elsewhere')
  t.after(() => elsewhere.close())
  const asked = asks()
  const introspection = { client_id: 'api', client_secret: 'secret', cache_seconds: 30 }
  const make = (at: { resource: string; issuer: string }) => createResource({ ...at, clock: () => NOW, introspection })
  const other = make({ resource: 'https://other.example', issuer: as.issuer })
  assert.equal((await refusalOf(other, 'opaque')).error, 'invalid_token', 'the token is for another resource')
  assert.equal(asks(), asked + 1, 'and this one has asked for itself')
  const there = make({ resource: RESOURCE, issuer: elsewhere.issuer })
  assert.equal((await refusalOf(there, 'opaque')).error, 'invalid_token', 'of the other server it is nothing')
  assert.deepEqual([asks(), elsewhere.count('/introspect')], [asked + 1, 1])
  await resource.verify(requestWith('opaque'))
  assert.equal(asks(), asked + 1)
})

test('a negative answer serves for five seconds', async (t) => {
  const { as, time, resource, asks } = await setUp(t)
  for (let n = 0; n < 10; n++) await refusalOf(resource, 'unknown')
  assert.equal(asks(), 1)
  as.active.set('unknown', goodClaims(as.issuer))
  time.now += 5000
  await resource.verify(requestWith('unknown'))
})

test('64 parallel requests with one token ask twice at most, once when answers may be remembered', async (t) => {
  for (const [cache_seconds, most] of [
    [0, 2],
    [10, 1],
  ] as const) {
    const { resource, asks } = await setUp(t, { cache_seconds })
    await Promise.all(Array.from({ length: 64 }, () => resource.verify(requestWith('opaque'))))
    assert.equal(asks(), most)
  }
})

test('a request that comes after a revocation is not answered by a question asked before it', async (t) => {
  const { as, resource } = await setUp(t)
  const held: (() => void)[] = []
  const reached = Promise.withResolvers<void>()
  as.routes.set('/introspect', (_, res) => {
    const answer = JSON.stringify(
      as.active.has('opaque') ? { active: true, ...goodClaims(as.issuer) } : { active: false },
    )
    if (held.length > 0) res.end(answer)
    else {
      held.push(() => res.end(answer))
      reached.resolve()
    }
    return 'handled'
  })
  const before = resource.verify(requestWith('opaque'))
  await Promise.race([reached.promise, before])
  as.active.delete('opaque')
  const afterwards = refusalOf(resource, 'opaque')
  held[0]!()
  await before
  assert.equal((await afterwards).error, 'invalid_token')
})

test('when the server does not answer, the answer is 503 with Retry-After and never a pass', async (t) => {
  const { as, time, resource, refused } = await setUp(t, { cache_seconds: 5 }, 0.2)
  await resource.verify(requestWith('opaque'))
  time.now += 5000
  const failures: Parameters<typeof as.routes.set>[1][] = [
    () => ({ status: 500, body: { active: true } }),
    () => ({ status: 401, body: { error: 'invalid_client' } }),
    () => ({ status: 302, headers: { location: `${as.origin}/elsewhere` }, body: '' }),
    () => ({ body: 'active' }),
    () => ({ body: [{ active: true }] }),
    () => ({ body: { active: true, pad: 'x'.repeat(70_000) } }),
    () => 'handled',
    (_, res) => {
      res.destroy()
      return 'handled'
    },
  ]
  for (const failure of failures) {
    as.routes.set('/introspect', failure)
    const { status, error, headers } = await refusalOf(resource, 'opaque')
    assert.deepEqual([status, error, headers['retry-after']], [503, 'temporarily_unavailable', '5'])
    assert(refused.at(-1)?.cause instanceof Error)
  }
  assert.equal(as.count('/elsewhere'), 0)
})

test('more questions under way than allowed are refused with 503', async (t) => {
  const { as, resource } = await setUp(t, { max_in_flight: 2 }, 0.2)
  as.routes.set('/introspect', () => 'handled')
  const refusals = await Promise.all(['a', 'b', 'c'].map((token) => refusalOf(resource, token)))
  const tooMany = refusals.filter(({ error_description }) => error_description.startsWith('Too many'))
  assert.deepEqual([tooMany.length, tooMany[0]?.status], [1, 503])
})

test('without introspection an opaque token is refused, and nobody is asked', async (t) => {
  const { as } = await setUp(t)
  const resource = createResource({ resource: RESOURCE, issuer: as.issuer, clock: () => NOW })
  assert.match((await refusalOf(resource, 'opaque')).error_description, /is not a JWT/)
  assert.deepEqual(as.asked, [])
})

test('a JWT is verified here and not asked about, unless the options say so', async (t) => {
  const { as, resource, asks } = await setUp(t)
  await resource.verify(requestWith(await as.sign()))
  assert.equal(asks(), 0)
})

test('with `jwt` a revoked JWT is refused at once, a narrowed one is narrow, a forged one is not asked about', async (t) => {
  const { as, resource, asks } = await setUp(t, { jwt: true, negative_cache_seconds: 0 })
  const token = await as.sign()
  as.active.set(token, { ...goodClaims(as.issuer), scope: 'api:read' })
  const access = await resource.verify(requestWith(token))
  assert.deepEqual([...access.scope], ['api:read'])
  as.active.delete(token)
  assert.equal((await refusalOf(resource, token)).error_description, 'The access token is not active')
  assert.equal(asks(), 2)
  const [header, payload] = token.split('.')
  await refusalOf(resource, `${header}.${payload}.${'A'.repeat(86)}`)
  assert.equal(asks(), 2)
})

test('a JWT of another trusted server is not shown to the server that is asked about its own', async (t) => {
  const { as, asks } = await setUp(t)
  const other = await startIssuer('/other')
  t.after(() => other.close())
  const introspection = { client_id: 'api', client_secret: 'secret', jwt: true }
  const authorization_servers = [{ issuer: as.issuer, introspection }, other.issuer]
  const resource = createResource({ resource: RESOURCE, authorization_servers, clock: () => NOW })
  await resource.verify(requestWith(await other.sign()))
  assert.equal(asks(), 0)
})

test('options that would be unsafe are refused when the resource is described', () => {
  const describe = (introspection: Partial<IntrospectionOptions>) => () =>
    createResource({
      resource: RESOURCE,
      issuer: 'https://as.example',
      introspection: { client_id: 'api', client_secret: 'secret', ...introspection },
    })
  assert.throws(describe({ cache_seconds: 31 }), /introspection.cache_seconds must be between 0 and 30/)
  assert.throws(describe({ cache_seconds: -1 }), TypeError)
  assert.throws(describe({ cache_seconds: Number.NaN }), TypeError)
  assert.throws(describe({ negative_cache_seconds: 3600 }), TypeError)
  assert.throws(describe({ cache_entries: -1 }), TypeError)
  assert.throws(describe({ client_secret: '' }), TypeError)
  assert.throws(describe({ endpoint: 'http://as.example/introspect' }), /must be an https URL/)
})
