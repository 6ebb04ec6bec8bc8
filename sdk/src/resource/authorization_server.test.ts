import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createKey, NOW, RESOURCE, requestWith, startIssuer, type TestIssuer } from '../../test/issuer.ts'
import { refusalOf } from '../../test/refusal.ts'
import { createResource, type OAuthError, type ResourceSettings } from './resource.ts'

const METADATA = '/.well-known/oauth-authorization-server'
const OPENID = '/.well-known/openid-configuration'

/** An issuer, a resource that trusts it, and the clock of both. */
async function setUp(t: TestContext, { path = '', settings = {} as Partial<ResourceSettings> } = {}) {
  const as = await startIssuer(path)
  t.after(() => as.close())
  const time = { now: NOW }
  const refused: OAuthError[] = []
  const onRefusal = (refusal: OAuthError) => refused.push(refusal)
  const resource = createResource({
    resource: RESOURCE,
    issuer: as.issuer,
    clock: () => time.now,
    onRefusal,
    ...settings,
  })
  return { as, time, resource, refused }
}

function causeOf(refusals: OAuthError[]): string {
  return String(refusals.at(-1)?.cause)
}

/** Claims that outlive every test. */
const LONG = { exp: NOW / 1000 + 1_000_000 }

test('the metadata of an issuer with a path is found by RFC 8414, by insertion', async (t) => {
  const { as, resource } = await setUp(t, { path: '/hub' })
  await resource.verify(requestWith(await as.sign()))
  assert.deepEqual(
    as.asked.map(({ path }) => path),
    [`${METADATA}/hub`, '/jwks'],
  )
})

test('the metadata is found by OpenID Connect Discovery where RFC 8414 is not served', async (t) => {
  const { as, resource } = await setUp(t, { path: '/hub' })
  const route = as.routes.get(`${METADATA}/hub`)!
  as.routes.delete(`${METADATA}/hub`)
  as.routes.set(`/hub${OPENID}`, route)
  await resource.verify(requestWith(await as.sign()))
  assert.deepEqual(
    as.asked.map(({ path }) => path),
    [`${METADATA}/hub`, `/hub${OPENID}`, '/jwks'],
  )
})

test('10.5.3 metadata of another issuer is not used, whatever the difference', async (t) => {
  const { as } = await setUp(t)
  const body = { issuer: '', jwks_uri: `${as.origin}/jwks` }
  as.routes.set(METADATA, () => ({ body }))
  for (const issuer of [`${as.issuer}/`, as.issuer.toUpperCase(), 'https://other.example', undefined, [as.issuer]]) {
    body.issuer = issuer as string
    const { resource, refused } = await trust(as)
    const { status, error, headers } = await refusalOf(resource, await as.sign())
    assert.deepEqual([status, error, headers['retry-after']], [503, 'temporarily_unavailable', '5'])
    assert.match(causeOf(refused), /another issuer/)
  }
  assert.equal(as.count('/jwks'), 0)
})

async function trust(as: TestIssuer, settings: Partial<ResourceSettings> = {}) {
  const refused: OAuthError[] = []
  const onRefusal = (refusal: OAuthError) => refused.push(refusal)
  const resource = createResource({ resource: RESOURCE, issuer: as.issuer, clock: () => NOW, onRefusal, ...settings })
  return { resource, refused }
}

test('metadata cannot send the resource to an insecure place', async (t) => {
  const { as } = await setUp(t)
  const fetched: string[] = []
  const record = (url: string, init: RequestInit) => {
    fetched.push(url)
    return fetch(url, init)
  }
  const introspection = { client_id: 'api', client_secret: 'secret' }
  for (const place of [
    'http://keys.example/',
    'file:///etc/passwd',
    'data:,{}',
    '/jwks',
    'https://u:p@x/',
    7,
    undefined,
  ]) {
    for (const [member, asToken] of [
      ['jwks_uri', () => as.sign()],
      ['introspection_endpoint', async () => 'opaque'],
    ] as const) {
      as.routes.set(METADATA, () => ({ body: { issuer: as.issuer, [member]: place } }))
      const { resource } = await trust(as, { fetch: record, introspection } as Partial<ResourceSettings>)
      assert.equal((await refusalOf(resource, await asToken())).status, 503, `${member} ${place}`)
    }
  }
  assert.deepEqual([...new Set(fetched)], [as.origin + METADATA])
})

test('redirects are not followed, neither for metadata nor for keys', async (t) => {
  const { as } = await setUp(t)
  const elsewhere = await startIssuer()
  t.after(() => elsewhere.close())
  for (const path of [METADATA, '/jwks']) {
    const route = as.routes.get(path)!
    as.routes.set(path, () => ({ status: 302, headers: { location: `${elsewhere.origin}/jwks` }, body: '' }))
    const { resource } = await trust(as)
    assert.equal((await refusalOf(resource, await as.sign())).status, 503)
    as.routes.set(path, route)
  }
  assert.deepEqual(elsewhere.asked, [])
})

test('an answer that is too large, no JSON, not UTF-8 or no object is no answer', async (t) => {
  const { as } = await setUp(t)
  const bodies = [
    `{"keys":[],"pad":"${'x'.repeat(300_000)}"}`,
    'keys',
    Buffer.from('{"keys":[],"x":"\xff"}', 'latin1'),
    '[]',
    'null',
    '',
  ]
  for (const body of bodies) {
    as.routes.set('/jwks', () => ({ body }))
    const { resource } = await trust(as)
    assert.equal((await refusalOf(resource, await as.sign())).status, 503)
  }
})

test('a server that accepts the question and never answers is given up', async (t) => {
  const { as } = await setUp(t)
  as.routes.set('/jwks', () => 'handled')
  const { resource, refused } = await trust(as, { timeout_seconds: 0.05 })
  assert.equal((await refusalOf(resource, await as.sign())).status, 503)
  assert.match(causeOf(refused), /TimeoutError/)
})

test('64 parallel requests fetch the keys once', async (t) => {
  const { as, resource } = await setUp(t)
  const token = await as.sign()
  await Promise.all(Array.from({ length: 64 }, () => resource.verify(requestWith(token))))
  assert.deepEqual([as.count(METADATA), as.count('/jwks')], [1, 1])
})

test('a new key is fetched when a token names it, at most once in a cooldown', async (t) => {
  const { as, time, resource } = await setUp(t)
  await resource.verify(requestWith(await as.sign()))
  as.keys.unshift(await createKey('ES256', 'second'))
  const rotated = await as.sign(LONG)
  // The keys were fetched a moment ago.
  assert.match((await refusalOf(resource, rotated)).error_description, /unknown key/)
  assert.equal(as.count('/jwks'), 1)
  time.now += 30_000
  await resource.verify(requestWith(rotated))
  assert.equal(as.count('/jwks'), 2)
})

test('tokens with invented key ids cause one fetch in a cooldown, however many there are', async (t) => {
  const { as, time, resource } = await setUp(t)
  await resource.verify(requestWith(await as.sign()))
  time.now += 30_000
  for (let n = 0; n < 50; n++) await refusalOf(resource, await as.sign(LONG, { kid: `invented-${n}` }))
  assert.equal(as.count('/jwks'), 2)
})

test('a withdrawn key is refused once the keys were fetched again, also for tokens that were verified before', async (t) => {
  const { as, time, resource } = await setUp(t)
  const token = await as.sign(LONG)
  await resource.verify(requestWith(token))
  as.keys[0] = await createKey('ES256', 'second')
  time.now += 599_000
  await resource.verify(requestWith(token))
  time.now += 1000
  assert.match((await refusalOf(resource, token)).error_description, /unknown key/)
})

test('while the server is down the known keys serve for a limited time, and never longer', async (t) => {
  const { as, time, resource } = await setUp(t)
  const token = await as.sign(LONG)
  await resource.verify(requestWith(token))
  as.routes.set('/jwks', () => ({ status: 500, body: 'down' }))
  time.now += 4_199_000
  await resource.verify(requestWith(token))
  time.now += 1000
  const { status, error, headers, error_description } = await refusalOf(resource, token)
  assert.deepEqual([status, error], [503, 'temporarily_unavailable'])
  assert.equal(headers['retry-after'], '5')
  assert.equal(headers['www-authenticate'], undefined)
  assert.match(error_description, /keys of the authorization server cannot be fetched/)
})

test('an unknown key while the server is down is no verdict about the token', async (t) => {
  const { as, time, resource } = await setUp(t)
  await resource.verify(requestWith(await as.sign()))
  as.routes.set('/jwks', () => ({ status: 503, body: 'down' }))
  time.now += 30_000
  assert.equal((await refusalOf(resource, await as.sign(LONG, { kid: 'new' }))).status, 503)
  await resource.verify(requestWith(await as.sign(LONG)))
})

test('a server that was down at the start is asked again, and not by every request', async (t) => {
  const { as, time, resource } = await setUp(t)
  const route = as.routes.get(METADATA)!
  as.routes.set(METADATA, () => ({ status: 502, body: '' }))
  const token = await as.sign()
  for (let n = 0; n < 20; n++) assert.equal((await refusalOf(resource, token)).status, 503)
  assert.equal(as.count(METADATA), 1)
  as.routes.set(METADATA, route)
  time.now += 3000
  await resource.verify(requestWith(token))
})

test('a given jwks_uri needs no metadata', async (t) => {
  const { as } = await setUp(t)
  const { resource } = await trust(as, { jwks_uri: `${as.origin}/jwks` } as Partial<ResourceSettings>)
  await resource.verify(requestWith(await as.sign()))
  assert.deepEqual(
    as.asked.map(({ path }) => path),
    ['/jwks'],
  )
})
