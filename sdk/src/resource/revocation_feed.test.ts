import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { SignJWT } from 'jose'
import { createKey, NOW, RESOURCE, requestWith, startIssuer } from '../../test/issuer.ts'
import { createResource, OAuthError, type RevocationOptions } from './resource.ts'

const EMPTY = { jti: [], grant_id: [], kid: [], client_id: {}, sub: {}, epoch: 0 }

async function refusalOf(verification: Promise<unknown>): Promise<OAuthError> {
  const refusal = await verification.then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(refusal instanceof OAuthError, String(refusal))
  return refusal
}

/** An issuer with a feed, a resource that follows it, and the clock of both. */
async function setUp(t: TestContext, options: Partial<RevocationOptions> = {}) {
  const as = await startIssuer()
  t.after(() => as.close())
  const time = { now: NOW }
  const stale: [boolean, unknown][] = []
  const resource = createResource({
    resource: RESOURCE,
    issuer: as.issuer,
    clock: () => time.now,
    revocation: {
      ...{ client_id: 'api', client_secret: 'secret', onStale: (is_stale, cause) => stale.push([is_stale, cause]) },
      ...options,
    },
  })
  const feed = {
    page: {} as Record<string, unknown>,
    header: {} as Record<string, unknown>,
    fails: false,
    key: as.keys[0]!,
  }
  const metadata = as.routes.get('/.well-known/oauth-authorization-server')!
  as.routes.set('/.well-known/oauth-authorization-server', (asked, res) => {
    const { body } = metadata(asked, res) as { body: object }
    return { body: { ...body, revocation_feed_endpoint: `${as.origin}/revocations` } }
  })
  const pages: Record<string, unknown>[] = []
  as.routes.set('/revocations', (_, res) => {
    if (feed.fails) return { status: 503, body: '' }
    const claims = {
      ...{ iss: as.issuer, aud: 'api', iat: time.now / 1000, cursor: '1', more: false, keep_seconds: 660 },
    }
    void new SignJWT({ ...claims, ...EMPTY, ...(pages.shift() ?? feed.page) } as never)
      .setProtectedHeader({ typ: 'revocations+jwt', kid: feed.key.jwk.kid!, ...feed.header, alg: feed.key.alg })
      .sign(feed.key.privateKey)
      .then((jws) => res.writeHead(200, { 'content-type': 'application/jwt' }).end(jws))
    return 'handled'
  })
  const polls = () => as.asked.filter(({ path }) => path === '/revocations')
  const born = { grant_id: 'g1', ep: [1, 5, 2, 0] }
  const pass = (token: string) => resource.verify(requestWith(token))
  return { as, time, feed, pages, stale, resource, polls, born, pass }
}

test('a token passes until the feed names it by any of its claims, or what signed it', async (t) => {
  const { as, time, feed, born, pass } = await setUp(t)
  const token = await as.sign(born)
  const names: Record<string, unknown>[] = [
    { jti: ['token-1'] },
    { grant_id: ['g1'] },
    { kid: ['first'] },
    { client_id: { web: 6 } },
    { sub: { alice: 3 } },
    { epoch: 2 },
  ]
  for (const [i, page] of names.entries()) {
    const { as, time, feed, pass } = await setUp(t)
    const token = await as.sign(born)
    assert.equal((await pass(token)).sub, 'alice')
    feed.page = page
    time.now += 4001
    const refusal = await refusalOf(pass(token))
    assert.deepEqual([refusal.error, refusal.status], ['invalid_token', 401], String(i))
  }
  // A token that was exchanged hangs on all those that it was exchanged for as well.
  const chain = [
    ['portal', 4, 'token-of-portal', 'key-of-portal'],
    ['orders', 9, 'token-of-orders', null],
  ]
  for (const [i, page] of [
    { client_id: { portal: 5 } },
    { client_id: { orders: 10 } },
    { jti: ['token-of-portal'] },
    { jti: ['token-of-orders'] },
    { kid: ['key-of-portal'] },
  ].entries()) {
    const { as, time, feed, pass } = await setUp(t)
    const exchanged = await as.sign({ ...born, exchanged_from: chain })
    feed.page = { client_id: { portal: 4, orders: 9 }, jti: ['token-of-others'], kid: ['key-of-others'] }
    await pass(exchanged)
    feed.page = page
    time.now += 4001
    assert.equal((await refusalOf(pass(exchanged))).status, 401, String(i))
  }
  // What is about others, or about tokens that were born before this one.
  feed.page = {
    jti: ['other'],
    grant_id: ['g2'],
    kid: ['x'],
    client_id: { web: 5, other: 9 },
    sub: { bob: 9, alice: 2 },
    epoch: 1,
  }
  time.now += 4001
  await pass(token)
})

test('a token that does not say when it was born counts as born before', async (t) => {
  const { as, feed, pass } = await setUp(t)
  feed.page = { client_id: { web: 1 } }
  for (const ep of [undefined, 'x', [], [1, '9', 1, 1], [1, null, 1, 1]]) {
    assert.equal((await refusalOf(pass(await as.sign({ ep, jti: `j${JSON.stringify(ep)}` })))).status, 401)
  }
  await pass(await as.sign({ ep: [1, 1, 1, 1] }))
})

test('the feed is asked when tokens come, at most once in a turn, by its cursor and with the credentials', async (t) => {
  const { as, time, born, pass, polls, pages } = await setUp(t)
  const token = await as.sign(born)
  pages.push({ cursor: '7', more: true, jti: ['a'] }, { cursor: '9' })
  await Promise.all([pass(token), pass(token), pass(token)])
  assert.equal(polls().length, 2, 'more is asked for at once')
  assert.equal(polls()[0]!.authorization, `Basic ${btoa('api:secret')}`)
  assert.deepEqual(
    polls().map(({ body }) => body),
    ['', 'cursor=7'],
  )
  for (let i = 0; i < 20; i++) {
    time.now += 40
    await pass(token)
  }
  assert.equal(polls().length, 2)
  time.now += 60_000
  await pass(token)
  assert.deepEqual(
    polls()
      .map(({ body }) => body)
      .slice(2),
    ['cursor=9'],
  )
})

test('what is a turn old is asked about beside the request, what is two turns old before it', async (t) => {
  const { as, time, feed, born, pass, polls } = await setUp(t)
  const token = await as.sign(born)
  await pass(token)
  feed.page = { jti: ['token-1'] }
  time.now += 2001
  await pass(token)
  const passes = () =>
    pass(token).then(
      () => true,
      () => false,
    )
  for (let i = 0; i < 1000 && (await passes()); i++) await new Promise((done) => setImmediate(done))
  assert.equal((await refusalOf(pass(token))).status, 401, 'by the answer that came meanwhile')
  assert.equal(polls().length, 2)
})

test('a stale feed fails closed with 503 and Retry-After, tells the hook once, and heals by itself', async (t) => {
  const { as, time, feed, born, pass, stale } = await setUp(t)
  const token = await as.sign({ ...born, exp: NOW / 1000 + 3600 })
  await pass(token)
  feed.fails = true
  time.now += 29_000
  await pass(token)
  assert.equal(stale.length, 0)
  for (let i = 0; i < 3; i++) {
    time.now += 2000
    const refusal = await refusalOf(pass(token))
    assert.deepEqual([refusal.error, refusal.status], ['temporarily_unavailable', 503])
    assert.equal(refusal.getResponse().headers.get('retry-after'), '5')
  }
  assert.equal(stale.length, 1)
  assert.match(String(stale[0]![1]), /503/)
  feed.fails = false
  time.now += 31_000
  await pass(token)
  assert.deepEqual(
    stale.map(([is_stale]) => is_stale),
    [true, false],
  )
})

test('a stale feed that may is let pass, and what was known is still refused', async (t) => {
  const { as, time, feed, born, pass, stale } = await setUp(t, { when_stale: 'allow', stale_seconds: 5 })
  feed.page = { jti: ['dead'] }
  const exp = NOW / 1000 + 3600
  const [good, dead] = [await as.sign({ ...born, exp }), await as.sign({ ...born, exp, jti: 'dead' })]
  await pass(good)
  feed.fails = true
  time.now += 600_000
  await pass(good)
  assert.equal((await refusalOf(pass(dead))).status, 401)
  assert.equal(stale.length, 1)
})

test('while the feed fails it is asked ever more rarely', async (t) => {
  const { as, time, feed, born, pass, polls } = await setUp(t, { when_stale: 'allow' })
  const token = await as.sign({ ...born, exp: NOW / 1000 + 3600 })
  feed.fails = true
  for (let second = 0; second < 600; second++) {
    await pass(token)
    time.now += 1000
  }
  assert.ok(polls().length >= 20 && polls().length <= 50, String(polls().length))
})

test('9.1.2 9.2.2 an answer that the issuer did not sign as a feed for this client, and now, is none', async (t) => {
  const { as, time, feed, born, pass } = await setUp(t, { stale_seconds: 4 })
  const token = await as.sign({ ...born, exp: NOW / 1000 + 86_400 })
  const stranger = await createKey('ES256', 'first')
  const bad: [string, () => void][] = [
    ['another key', () => Object.assign(feed, { key: stranger })],
    ['another type', () => Object.assign(feed, { header: { typ: 'at+jwt' } })],
    ['no type', () => Object.assign(feed, { header: { typ: undefined } })],
    ['another issuer', () => Object.assign(feed, { page: { iss: 'https://evil.example' } })],
    ['another client', () => Object.assign(feed, { page: { aud: 'other' } })],
    ['an old one', () => Object.assign(feed, { page: { iat: time.now / 1000 - 61 } })],
    ['no time', () => Object.assign(feed, { page: { iat: undefined } })],
    ['no cursor', () => Object.assign(feed, { page: { cursor: undefined } })],
    ['no list', () => Object.assign(feed, { page: { jti: 'x' } })],
    ['no map', () => Object.assign(feed, { page: { sub: [] } })],
  ]
  for (const [what, spoil] of bad) {
    time.now += 60_000
    await pass(token)
    spoil()
    time.now += 60_000
    assert.equal((await refusalOf(pass(token))).status, 503, what)
    Object.assign(feed, { page: {}, header: {}, key: as.keys[0] })
  }
})

test('a feed signed by a key that came a moment ago is understood: the keys are fetched again at once', async (t) => {
  const { as, time, feed, born, pass } = await setUp(t)
  const token = await as.sign(born)
  await pass(token)
  const fresh = await createKey('PS256', 'second')
  as.keys.push(fresh)
  Object.assign(feed, { key: fresh, page: { kid: ['first'] } })
  time.now += 4001
  assert.equal((await refusalOf(pass(token))).status, 401)
})

test('what was heard longer ago than any token lives is forgotten', async (t) => {
  const { as, time, feed, born, pass } = await setUp(t)
  feed.page = { jti: ['token-1'] }
  const token = await as.sign({ ...born, exp: NOW / 1000 + 86_400 })
  assert.equal((await refusalOf(pass(token))).status, 401)
  feed.page = {}
  time.now += 600_000
  assert.equal((await refusalOf(pass(token))).status, 401)
  for (let i = 0; i < 3; i++) {
    time.now += 661_000
    await pass(token).catch(() => {})
  }
  await pass(token)
})

test('options that cannot be right are refused at once', () => {
  const good = { client_id: 'api', client_secret: 'secret' }
  const make = (revocation: RevocationOptions) =>
    createResource({ resource: RESOURCE, issuer: 'https://as.example', revocation })
  make(good)
  for (const wrong of [
    { client_id: '' },
    { client_secret: '' },
    { poll_seconds: 0 },
    { poll_seconds: 61 },
    { poll_seconds: 10, stale_seconds: 19 },
    { stale_seconds: Number.NaN },
    { when_stale: 'maybe' as 'fail' },
    { endpoint: 'http://as.example/revocations' },
  ]) {
    assert.throws(() => make({ ...good, ...wrong }), TypeError, JSON.stringify(wrong))
  }
})
