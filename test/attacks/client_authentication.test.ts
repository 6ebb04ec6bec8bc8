import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { basic, onBothDatabases, type Platform, readReply, VERIFIER } from '../parts/platform.ts'
import { snapshotRows } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()

/** Every request that a client authenticates, good but for its credentials. */
async function requestsOf(p: Platform): Promise<[path: string, form: Record<string, string>][]> {
  const agent = new UserAgent()
  const { access_token, refresh_token } = (await p.exchange('web', await p.getCode('web', {}, agent))).body
  const code = await p.getCode('web', {}, agent)
  return [
    ['/token', { grant_type: 'authorization_code', code, code_verifier: VERIFIER }],
    ['/token', { grant_type: 'refresh_token', refresh_token }],
    ['/token', { grant_type: 'client_credentials', scope: 'api:read', resource: 'http://127.0.0.1:5000/mcp' }],
    ['/introspect', { token: access_token }],
    ['/revoke', { token: access_token }],
  ]
}

async function send(p: Platform, path: string, form: Record<string, string>, authorization?: string) {
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
  return readReply(await fetch(p.issuer + path, { method: 'POST', headers, body: new URLSearchParams(form) }))
}

testOnBoth('10.4.10 V-07 each back-channel request needs the right client by its one method', async (p) => {
  // Long enough that the limit of failures can be waited out in between.
  await p.server.saveSettings({ code_lifetime_seconds: 600 })
  const requests = await requestsOf(p)
  const before = await snapshotRows(p.server.store)
  const good = basic('web', 'secret-of-web')
  const assertion = {
    client_assertion: 'eyJ',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  }
  const several: [string, Record<string, string>, string?][] = [
    ['Basic and secret in the body', { client_id: 'web', client_secret: 'secret-of-web' }, good],
    ['Basic and a secret alone', { client_secret: 'secret-of-web' }, good],
    ['Basic and an assertion', assertion, good],
    ['secret and assertion', { client_id: 'web', client_secret: 'secret-of-web', ...assertion }],
    ['Basic of one, client_id of another', { client_id: 'other' }, good],
    ['a secret of nobody', { client_secret: 'secret-of-web' }],
    ['an assertion of no known type', { ...assertion, client_assertion_type: 'x' }],
    ['a type without an assertion', { client_assertion_type: assertion.client_assertion_type }],
  ]
  const failing: [string, Record<string, string>, string?][] = [
    ['nothing', {}],
    ['the identifier alone', { client_id: 'web' }],
    ['an empty secret', { client_id: 'web', client_secret: '' }],
    ['Basic without a secret', {}, basic('web', '')],
    ['the body instead of Basic', { client_id: 'web', client_secret: 'secret-of-web' }],
    ['a wrong secret', {}, basic('web', 'secret-of-other')],
    ['the secret in capitals', {}, basic('web', 'SECRET-OF-WEB')],
    ['the secret cut', {}, basic('web', 'secret-of-we')],
    ['the secret longer', {}, basic('web', 'secret-of-web ')],
    ['the secret of another for an unknown client', {}, basic('nobody', 'secret-of-web')],
    ['an identifier in capitals', {}, basic('WEB', 'secret-of-web')],
    ['a NUL', {}, basic('web\0', 'secret-of-web')],
    ['SQL', {}, basic("web' --", 'x')],
    ['an assertion', assertion],
    ['Bearer', {}, 'Bearer secret-of-web'],
    ['Digest', {}, 'Digest username="web"'],
    ['Basic of nothing', {}, 'Basic '],
    ['Basic of no base64', {}, 'Basic ???'],
    ['Basic without a colon', {}, `Basic ${btoa('web')}`],
    ['Basic without a client', {}, `Basic ${btoa(':secret-of-web')}`],
    ['Basic twice', {}, `${good}, ${good}`],
  ]
  for (const [path, form] of requests) {
    p.pass(60)
    for (const [what, more, authorization] of several) {
      const { status, body } = await send(p, path, { ...form, ...more }, authorization)
      assert.deepEqual([status, body.error], [400, 'invalid_request'], `${path} ${what}`)
    }
    for (const [what, more, authorization] of failing) {
      const { status, body, headers, text } = await send(p, path, { ...form, ...more }, authorization)
      assert.deepEqual([status, body.error], [401, 'invalid_client'], `${path} ${what}`)
      assert.match(headers.get('www-authenticate')!, /^Basic realm="/, what)
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.doesNotMatch(text, /secret-of/)
    }
  }
  assert.deepEqual(await snapshotRows(p.server.store), before)
  for (const [path, form] of requests) assert.equal((await send(p, path, form, good)).status, 200, path)
})

testOnBoth('T-03 21 failures of a client in a minute from one address, and the next is not looked at', async (p) => {
  const form = { grant_type: 'client_credentials', scope: 'api:read', resource: 'http://127.0.0.1:5000/mcp' }
  const flow = { grant_types: ['client_credentials'], scope: 'api:read' }
  for (const client_id of ['limited', 'neighbour']) {
    await p.server.addClient({ ...flow, client_id, client_secret: `secret-of-${client_id}` })
  }
  const wrong = (path = '/token') => send(p, path, { ...form, token: 'x' }, basic('limited', 'wrong'))
  for (let i = 0; i < 20; i++) assert.equal((await wrong(['/token', '/introspect', '/revoke'][i % 3])).status, 401)
  for (const path of ['/token', '/introspect', '/revoke']) {
    const { status, headers, body } = await wrong(path)
    assert.deepEqual([status, body.error, headers.get('retry-after')], [429, 'temporarily_unavailable', '60'])
  }
  const good = () => send(p, '/token', form, basic('limited', 'secret-of-limited'))
  assert.equal((await good()).status, 429, 'not even a right one')
  const neighbour = await send(p, '/token', form, basic('neighbour', 'secret-of-neighbour'))
  assert.equal(neighbour.status, 200, 'other clients are not concerned')
  const elsewhere = await p.server.app.fetch(
    new Request(`${p.issuer}/token`, {
      method: 'POST',
      headers: { authorization: basic('limited', 'secret-of-limited') },
      body: new URLSearchParams(form),
    }),
    { address: '192.0.2.7' },
  )
  assert.equal(elsewhere.status, 200, 'nor is the same client at another address')
  p.pass(60)
  assert.equal((await good()).status, 200)
  for (let i = 0; i < 40; i++) assert.equal((await good()).status, 200, 'successes are not counted')
})

testOnBoth('6.3.8 CVE-2022-31186 an unknown client and a wrong secret are one answer', async (p) => {
  const ask = (id: string, secret: string) => send(p, '/token', { grant_type: 'client_credentials' }, basic(id, secret))
  const [unknown, wrong] = [await ask('nobody', 'x'), await ask('web', 'x')]
  await p.setDisabled(true, { client_id: 'other' })
  const disabled = await ask('other', 'secret-of-other')
  await p.setDisabled(false, { client_id: 'other' })
  assert.equal(unknown.text, wrong.text)
  assert.equal(unknown.text, disabled.text)
})

testOnBoth('N-04 a public client proves nothing: a secret is refused, and it introspects nothing', async (p) => {
  const { access_token, refresh_token } = await p.getTokens('spa')
  const form = { grant_type: 'refresh_token', refresh_token }
  for (const [more, authorization] of [
    [{}, basic('spa', 'x')],
    [{ client_id: 'spa', client_secret: 'x' }, undefined],
  ] as const) {
    const { status, body } = await send(p, '/token', { ...form, ...more }, authorization)
    assert.deepEqual([status, body.error], [401, 'invalid_client'])
  }
  const { status, body } = await p.post('/introspect', { token: access_token }, 'spa')
  assert.deepEqual([status, body.error], [401, 'invalid_client'])
  assert.equal(
    (await send(p, '/token', { ...form, client_secret: '' }, basic('spa', ''))).status,
    200,
    'empty is absent',
  )
})

testOnBoth(
  'RFC 6749 2.3.1 Basic with empty parameters beside it is one method, and the name of the scheme has no case',
  async (p) => {
    const form = { grant_type: 'client_credentials', scope: 'api:read', resource: 'http://127.0.0.1:5000/mcp' }
    const good = basic('web', 'secret-of-web')
    assert.equal((await send(p, '/token', { ...form, client_id: '', client_secret: '' }, good)).status, 200)
    assert.equal((await send(p, '/token', { ...form, client_id: 'web' }, good)).status, 200)
    assert.equal((await send(p, '/token', form, good.replace('Basic', 'bAsIc'))).status, 200)
  },
)

testOnBoth('RFC 6749 2.3.1 a secret of special characters works form-encoded and as it is', async (p) => {
  const client_secret = 'p+a%s:w&o=r d/?#"ü'.padEnd(20, '~')
  const client_id = 'a:b+c%d'
  await p.server.addClient({ client_id, client_secret, grant_types: ['client_credentials'], scope: 'api:read' })
  const form = { grant_type: 'client_credentials', scope: 'api:read', resource: 'http://127.0.0.1:5000/mcp' }
  const encode = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)
  assert.equal((await send(p, '/token', form, basic(encode(client_id), encode(client_secret)))).status, 200)
  assert.equal((await send(p, '/token', form, basic(encode(client_id), encode('another')))).status, 401)
})

testOnBoth('13.3.4 after a rotation two secrets live, until the former one ends', async (p) => {
  const { tenant } = p.server.app
  const { tenant_id } = tenant
  const ask = async (secret: string) =>
    (
      await send(
        p,
        '/token',
        { grant_type: 'client_credentials', scope: 'api:read', resource: 'http://127.0.0.1:5000/mcp' },
        basic('twice', secret),
      )
    ).status
  await p.server.addClient({
    client_id: 'twice',
    client_secret: 'the-former-secret',
    grant_types: ['client_credentials'],
    scope: 'api:read',
  })
  const rotate = (secret: string, former_expires_at: number | null) =>
    p.server.store.rotateClientSecret({
      tenant_id,
      client_id: 'twice',
      client_secret_hash: tenant.keys.hashSecret(secret),
      former_expires_at,
      event: { tenant_id, event_id: randomUUID(), at: p.now(), type: 'client.secret_rotated', actor: 'cli' },
    })
  await rotate('the-newest-secret', p.now() + 60_000)
  assert.deepEqual([await ask('the-newest-secret'), await ask('the-former-secret')], [200, 200])
  p.pass(59)
  assert.equal(await ask('the-former-secret'), 200)
  p.pass(1)
  assert.deepEqual([await ask('the-newest-secret'), await ask('the-former-secret')], [200, 401])
  await rotate('the-third-secret!', null)
  assert.deepEqual(
    [await ask('the-third-secret!'), await ask('the-newest-secret'), await ask('the-former-secret')],
    [200, 401, 401],
  )
})

testOnBoth('4.2.1 a request with two Authorization headers has none', async (p) => {
  const answers = []
  for (const pair of [
    [basic('web', 'secret-of-web'), basic('other', 'x')],
    [basic('other', 'x'), basic('web', 'secret-of-web')],
  ]) {
    const status = await new Promise<number>((resolve, reject) => {
      const headers = { authorization: pair, 'content-type': 'application/x-www-form-urlencoded' }
      const request = httpRequest(`${p.issuer}/token`, { method: 'POST', headers: headers as never }, (response) => {
        response.resume()
        resolve(response.statusCode!)
      })
      request.on('error', reject)
      request.end('grant_type=client_credentials&scope=api:read')
    })
    answers.push(status)
  }
  assert.deepEqual(answers, [401, 401])
})
