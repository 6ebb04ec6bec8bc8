import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { SealError } from '../../server/src/crypto/seal.ts'
import { createEgress } from '../../server/src/egress/egress.ts'
import { rotateClientSecret } from '../../server/src/inbound/clients/client_secrets.ts'
import { readAdministratedClient } from '../../server/src/inbound/clients/register_client.ts'
import { updateClient } from '../../server/src/inbound/clients/update_client.ts'
import {
  type AssertionChange,
  asAssertion,
  JWKS,
  kidFor,
  PAIRS,
  publicJwk,
  signAssertion,
  signBySecret,
} from '../parts/assertions.ts'
import { makeDpopKey, makeProof } from '../parts/dpop.ts'
import { basic, JWT_API, onBothDatabases, type Platform, type Reply, readReply } from '../parts/platform.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { snapshotRows } from '../parts/snapshot.ts'

const testOnBoth = onBothDatabases()
const SECRET = 'a secret of the client with more than 32 bytes'
const REQUEST = { grant_type: 'client_credentials', scope: 'api:read' }
const ALL = { grant_types: ['client_credentials'], scope: 'api:read', default_resource: JWT_API }

async function addClient(p: Platform, client_id: string, more: Record<string, unknown>): Promise<void> {
  await p.server.addClient({ client_id, ...ALL, ...more })
}

/** A client that signs, made once for each platform and test. */
async function addSigner(p: Platform, more: Record<string, unknown> = {}): Promise<string> {
  const client_id = `signer-${randomUUID()}`
  await addClient(p, client_id, { token_endpoint_auth_method: 'private_key_jwt', jwks: JWKS, ...more })
  return client_id
}

const ask = (p: Platform, form: Record<string, string>): Promise<Reply> =>
  p.post('/token', { ...REQUEST, ...form }, null)

async function askBy(p: Platform, client_id: string, change: AssertionChange = {}): Promise<Reply> {
  return ask(p, asAssertion(await signAssertion(p, client_id, change)))
}

function assertRefused({ status, body, headers }: Reply, pattern: RegExp, what?: string): void {
  assert.deepEqual([status, body.error], [401, 'invalid_client'], `${what}: ${JSON.stringify(body)}`)
  assert.match(body.error_description, pattern, what)
  assert.match(headers.get('www-authenticate') ?? '', /^Basic /)
  assert.match(headers.get('cache-control') ?? '', /no-store/)
}

testOnBoth('RFC 7523 2.2 a client signs by each algorithm of discovery, with or without client_id', async (p) => {
  const client_id = await addSigner(p)
  const discovery = (await (await fetch(`${p.issuer}/.well-known/openid-configuration`)).json()) as Record<
    string,
    string[]
  >
  const algorithms = discovery['token_endpoint_auth_signing_alg_values_supported']!.filter((alg) => alg !== 'HS256')
  assert.deepEqual(algorithms, ['ES256', 'PS256', 'EdDSA', 'Ed25519', 'RS256'])
  for (const alg of algorithms) {
    for (const typ of [undefined, 'JWT', 'client-authentication+jwt']) {
      const reply = await askBy(p, client_id, { alg, header: { typ } })
      assert.equal(reply.status, 200, `${alg} ${typ} ${reply.text}`)
    }
  }
  const named = await ask(p, { client_id, ...asAssertion(await signAssertion(p, client_id)) })
  assert.equal(named.status, 200)
  const token = named.body.access_token
  const introspected = await p.post('/introspect', { token, ...asAssertion(await signAssertion(p, client_id)) }, null)
  assert.equal(introspected.body.active, true)
  const revoked = await p.post('/revoke', { token, ...asAssertion(await signAssertion(p, client_id)) }, null)
  assert.equal(revoked.status, 200)
})

testOnBoth('10.4.16 P-08 P-13 V-14 9.2.3 O-01 CVE-2025-27371 what an assertion says must be right', async (p) => {
  const client_id = await addSigner(p)
  const at = Math.floor(p.now() / 1000)
  const before = await snapshotRows(p.server.store)
  const wrong: [string, Record<string, unknown>, RegExp][] = [
    ['aud of the token endpoint', { aud: `${p.issuer}/token` }, /must have aud/],
    ['aud of another server', { aud: 'https://evil.example' }, /must have aud/],
    ['aud with a slash', { aud: `${p.issuer}/` }, /must have aud/],
    ['aud as a list', { aud: [p.issuer] }, /must have aud/],
    ['aud of two', { aud: [p.issuer, 'https://evil.example'] }, /must have aud/],
    ['no aud', { aud: undefined }, /must have aud/],
    ['another iss', { iss: 'other' }, /must have the iss/],
    ['no iss', { iss: undefined }, /must have the iss/],
    ['the issuer as iss', { iss: p.issuer }, /must have the iss/],
    ['expired', { exp: at }, /is expired/],
    ['far future', { exp: at + 3600 }, /must end within 300 s/],
    ['no exp', { exp: undefined }, /must have an exp/],
    ['exp as text', { exp: String(at + 60) }, /exp/],
    ['iat 61 s ahead', { iat: at + 61 }, /in the future/],
    ['nbf 61 s ahead', { nbf: at + 61 }, /in the future/],
    ['a NUL in sub', { sub: `${client_id}\0` }, /must have the client_id as sub/],
    ['half a character in sub', { sub: '\ud800' }, /must have the client_id as sub/],
    ['no jti', { jti: undefined }, /must have a jti/],
    ['an empty jti', { jti: '' }, /must have a jti/],
  ]
  for (const [what, claims, pattern] of wrong) assertRefused(await askBy(p, client_id, { claims }), pattern, what)
  assert.deepEqual(await snapshotRows(p.server.store), before)
  for (const ahead of [0, 9, 10]) {
    assert.equal((await askBy(p, client_id, { claims: { iat: at + ahead, nbf: at + ahead } })).status, 200)
  }
})

testOnBoth(
  '10.4.16 T-12 CVE-2020-15222 an assertion is good for one request, at whatever endpoint and replica',
  async (p) => {
    const client_id = await addSigner(p)
    const replica = await p.openReplica()
    const used = asAssertion(await signAssertion(p, client_id))
    assert.equal((await ask(p, used)).status, 200)
    for (const [path, form] of [
      ['/token', REQUEST],
      ['/introspect', { token: 'x' }],
      ['/revoke', { token: 'x' }],
    ] as const) {
      assertRefused(await p.post(path, { ...form, ...used }, null), /was used before/, path)
      assertRefused(await p.post(path, { ...form, ...used }, null, replica), /was used before/, path)
    }
    const jti = randomUUID()
    const same = async (client: string) => askBy(p, client, { claims: { jti } })
    assert.equal((await same(client_id)).status, 200)
    assertRefused(await same(client_id), /was used before/, 'signed again')
    assert.equal((await same(await addSigner(p))).status, 200, 'the jti of another client is another')

    const racing = asAssertion(await signAssertion(p, client_id))
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        p.post('/token', { ...REQUEST, ...racing }, null, i % 2 ? replica : undefined),
      ),
    )
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  },
)

testOnBoth('F a request that fails consumes no jti', async (p) => {
  const client_id = await addSigner(p)
  const kept = asAssertion(await signAssertion(p, client_id))
  const before = await snapshotRows(p.server.store)
  for (const more of [
    { scope: 'api:admin' },
    { scope: 'openid' },
    { resource: 'https://unknown.example' },
    { grant_type: 'authorization_code', code: 'x', code_verifier: 'y'.repeat(43) },
    { grant_type: 'refresh_token', refresh_token: 'x' },
    { grant_type: 'unknown' },
  ]) {
    assert.equal((await ask(p, { ...kept, ...more })).status, 400, JSON.stringify(more))
  }
  assert.deepEqual(await snapshotRows(p.server.store), before)
  assert.equal((await ask(p, kept)).status, 200)
})

testOnBoth('10.4.10 P-06 a client proves itself by the method it is registered for, and by no other', async (p) => {
  const signer = await addSigner(p)
  await addClient(p, `mac-${signer}`, { token_endpoint_auth_method: 'client_secret_jwt', client_secret: SECRET })
  const mac = `mac-${signer}`
  const bySecret = async (client_id: string, secret = SECRET) => asAssertion(await signBySecret(p, client_id, secret))
  const byKey = async (client_id: string, change: AssertionChange = {}) =>
    asAssertion(await signAssertion(p, client_id, change))
  const attempts: [string, () => Record<string, string> | Promise<Record<string, string>>, string?][] = [
    ['a signer by its identifier alone', () => ({ client_id: signer })],
    ['a signer by a secret', () => ({ client_id: signer, client_secret: SECRET })],
    ['a signer by Basic', () => ({}), basic(signer, SECRET)],
    ['a signer by Basic without a secret', () => ({}), basic(signer, '')],
    ['a signer by HS256', () => bySecret(signer)],
    ['a signer by HS256 with its public key', () => bySecret(signer, JSON.stringify(JWKS))],
    ['a signer by the key of another', () => byKey(signer, { key: PAIRS.other.privateKey })],
    ['a signer by an unknown kid', () => byKey(signer, { header: { kid: 'nobody' } })],
    ['a signer by the kid of its key of another kind', () => byKey(signer, { alg: 'RS256', header: { kid: 'ES256' } })],
    ['a secret client by a key', () => byKey(mac)],
    ['a secret client by its secret in the body', () => ({ client_id: mac, client_secret: SECRET })],
    ['a secret client by Basic', () => ({}), basic(mac, SECRET)],
    ['a secret client by another secret', () => bySecret(mac, `${SECRET}!`)],
    ['a client of Basic by HS256', () => bySecret('web', 'secret-of-web')],
    ['a client of Basic by a key', () => byKey('web')],
    ['a public client by a key', () => byKey('spa')],
    ['nobody', () => byKey('nobody')],
    ['another client named beside', async () => ({ client_id: 'web', ...(await byKey(signer)) })],
  ]
  const before = await snapshotRows(p.server.store)
  for (const [what, form, authorization] of attempts) {
    for (const [path, more] of [
      ['/token', REQUEST],
      ['/introspect', { token: 'x' }],
      ['/revoke', { token: 'x' }],
    ] as const) {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
      const body = new URLSearchParams({ ...more, ...(await form()) })
      const response = await fetch(p.issuer + path, { method: 'POST', headers, body })
      assert.deepEqual(
        [response.status, ((await response.json()) as { error: string }).error],
        [401, 'invalid_client'],
        what,
      )
    }
    // Who fails twenty times in a minute is not looked at any more.
    p.pass(61)
  }
  assert.deepEqual(await snapshotRows(p.server.store), before)
  assert.equal((await ask(p, await byKey(signer))).status, 200)
  assert.equal((await ask(p, await bySecret(mac))).status, 200)
})

testOnBoth('a client held to one algorithm signs by no other', async (p) => {
  const client_id = await addSigner(p, { token_endpoint_auth_signing_alg: 'PS256' })
  assert.equal((await askBy(p, client_id, { alg: 'PS256' })).status, 200)
  for (const alg of ['RS256', 'ES256', 'EdDSA']) {
    assertRefused(await askBy(p, client_id, { alg }), /must have alg PS256/, alg)
  }
})

testOnBoth('P-27 a client of FAPI 2.0 signs by PS256, ES256 and EdDSA alone', async (p) => {
  const client_id = await addSigner(p, { profile: 'fapi2', dpop_bound_access_tokens: true })
  const key = makeDpopKey()
  const at = Math.floor(p.now() / 1000)
  for (const [alg, status] of [
    ['PS256', 200],
    ['ES256', 200],
    ['EdDSA', 200],
    ['RS256', 401],
  ] as const) {
    const dpop = makeProof(key, { claims: { htm: 'POST', htu: `${p.issuer}/token`, iat: at } })
    const body = new URLSearchParams({ ...REQUEST, ...asAssertion(await signAssertion(p, client_id, { alg })) })
    const reply = await readReply(await fetch(`${p.issuer}/token`, { method: 'POST', headers: { dpop }, body }))
    assert.equal(reply.status, status, `${alg} ${reply.text}`)
  }
})

testOnBoth('3.F CVE-2025-64521 a disabled client signs in vain, and in vain what it signed before', async (p) => {
  const client_id = await addSigner(p)
  const before = asAssertion(await signAssertion(p, client_id))
  await p.setDisabled(true, { client_id })
  assertRefused(await askBy(p, client_id), /unknown or its credentials are wrong/)
  assertRefused(await ask(p, before), /unknown or its credentials are wrong/)
  await p.setDisabled(false, { client_id })
  assert.equal((await askBy(p, client_id)).status, 200)
})

testOnBoth('client_secret_jwt: two secrets live during a rotation, and each ends when it must', async (p) => {
  const client_id = `mac-${randomUUID()}`
  await addClient(p, client_id, { token_endpoint_auth_method: 'client_secret_jwt', client_secret: SECRET })
  const by = async (secret: string) => (await ask(p, asAssertion(await signBySecret(p, client_id, secret)))).status
  const { tenant } = p.server.app
  const { tenant_id, store } = tenant
  const record = await store.findClient({ tenant_id, client_id })
  const newest = await rotateClientSecret(tenant, { record: record!, actor: 'cli', now: p.now() })
  assert.equal(await rotateClientSecret(tenant, { record: record!, actor: 'cli', now: p.now() }), null, 'seen before')
  assert.deepEqual([await by(newest!), await by(SECRET), await by('x'.repeat(40))], [200, 200, 401])
  p.pass(30 * 86_400 - 1)
  assert.deepEqual([await by(newest!), await by(SECRET)], [200, 200])
  p.pass(1)
  assert.deepEqual([await by(newest!), await by(SECRET)], [200, 401])
})

testOnBoth('3.1.5 a secret that signs is sealed for its client alone, and dropped with its method', async (p) => {
  const client_id = `mac-${randomUUID()}`
  const json = { ...ALL, token_endpoint_auth_method: 'client_secret_jwt' }
  await addClient(p, client_id, { ...json, client_secret: SECRET })
  const rows = await snapshotRows(p.server.store)
  assert.ok(!JSON.stringify(rows).includes(SECRET))
  const { tenant } = p.server.app
  const { tenant_id, store } = tenant
  const sealed = (await store.findSealedSecrets({ tenant_id, client_id }))!.sealed_client_secret!
  const place = { table: 'clients', row: 'another', column: 'sealed_client_secret', version: 1 }
  assert.throws(() => tenant.keys.open(sealed, place), SealError)
  assert.equal(tenant.keys.open(sealed, { ...place, row: client_id }).toString(), SECRET)
  const change = (method: string, client_secret?: string) =>
    updateClient(tenant, {
      client_id,
      metadata: readAdministratedClient({ ...json, token_endpoint_auth_method: method }, ['client_credentials']),
      client_secret,
      actor: 'cli',
      changed: [],
    })
  await change('client_secret_jwt')
  assert.equal((await ask(p, asAssertion(await signBySecret(p, client_id, SECRET)))).status, 200)
  await change('client_secret_post')
  assert.equal((await store.findSealedSecrets({ tenant_id, client_id }))!.sealed_client_secret, null)
  assert.equal((await ask(p, asAssertion(await signBySecret(p, client_id, SECRET)))).status, 401)
  assert.equal((await ask(p, { client_id, client_secret: SECRET })).status, 200)
  await assert.rejects(change('client_secret_jwt'), /client_secret is needed/)
  await assert.rejects(change('client_secret_jwt', 'short'), /at least 32 bytes/)
  await change('client_secret_jwt', `${SECRET}2`)
  assert.equal((await ask(p, asAssertion(await signBySecret(p, client_id, `${SECRET}2`)))).status, 200)
  assert.equal((await ask(p, asAssertion(await signBySecret(p, client_id, SECRET)))).status, 401)
})

/** Where a client publishes its keys, with a count of who looked. */
async function publishKeys() {
  const state = { keys: JWKS.keys as unknown[], status: 200, body: undefined as string | undefined, asked: 0 }
  const server = createServer((_, response) => {
    state.asked++
    response.writeHead(state.status, { 'content-type': 'application/json', location: 'http://127.0.0.1:1/' })
    setTimeout(() => response.end(state.body ?? JSON.stringify({ keys: state.keys })), 5)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { state, host, jwks_uri: `http://${host}/jwks`, stop: () => server.close() }
}

/** A server that may fetch from one host, with a clock that obeys. */
async function withPublisher(
  run: (args: {
    server: TestServer
    state: Awaited<ReturnType<typeof publishKeys>>['state']
    pass(seconds: number): void
    by(change?: AssertionChange): Promise<number>
    client_id: string
  }) => Promise<void>,
): Promise<void> {
  let now = Date.UTC(2026, 10, 21)
  const { state, host, jwks_uri, stop } = await publishKeys()
  const egress = createEgress({ allow: [host] })
  const server = await startSallyport({ clock: () => now, app: { egress } })
  try {
    await server.addResource({ resource: JWT_API, scopes: '{"api:read":"Read"}' })
    const client_id = 'published'
    await server.addClient({ client_id, ...ALL, token_endpoint_auth_method: 'private_key_jwt', jwks_uri })
    const clock = { issuer: server.issuer, now: () => now }
    await run({
      server,
      state,
      client_id,
      pass: (seconds) => {
        now += seconds * 1000
      },
      by: async (change = {}) => {
        const body = new URLSearchParams({
          ...REQUEST,
          ...asAssertion(await signAssertion(clock, client_id, change)),
        })
        return (await fetch(`${server.issuer}/token`, { method: 'POST', body })).status
      },
    })
  } finally {
    await server.stop()
    await egress.close()
    stop()
  }
}

test('keys of a jwks_uri are fetched once for all who wait, and again when they are five minutes old', () =>
  withPublisher(async ({ state, by, pass }) => {
    const statuses = await Promise.all(Array.from({ length: 32 }, () => by()))
    assert.deepEqual([...new Set(statuses)], [200])
    assert.equal(state.asked, 1)
    pass(299)
    assert.equal(await by(), 200)
    assert.equal(state.asked, 1)
    pass(1)
    assert.equal(await by(), 200)
    assert.equal(state.asked, 2)
  }))

test('9.1.3 a key id that is not known has the keys fetched anew, twice a minute and no more', () =>
  withPublisher(async ({ state, by, pass }) => {
    assert.equal(await by(), 200)
    state.keys = [publicJwk(PAIRS.other.publicKey, 'new')]
    const renewed = { header: { kid: 'new' }, key: PAIRS.other.privateKey }
    for (let i = 0; i < 10; i++) assert.equal(await by({ header: { kid: `made-up-${i}` } }), 401)
    assert.equal(await by(renewed), 401)
    assert.equal(state.asked, 1)
    pass(30)
    assert.equal(await by(renewed), 200)
    assert.equal(state.asked, 2)
    assert.equal(await by({ header: { kid: kidFor('ES256') } }), 401, 'the key that was taken away')
    assert.equal(state.asked, 2)
  }))

test('keys that cannot be had are no answer that is kept; keys that were had are good for an hour without their owner', () =>
  withPublisher(async ({ state, by, pass }) => {
    for (const [status, body] of [
      [500, undefined],
      [302, undefined],
      [200, 'no json'],
      [200, '[]'],
      [200, '{"keys":{}}'],
      [200, `{"keys":[],"x":"${'x'.repeat(70_000)}"}`],
      [200, '{"keys":[],"keys":[]}'],
    ] as const) {
      Object.assign(state, { status, body })
      assert.equal(await by(), 401, `${status} ${body?.slice(0, 20)}`)
      const { asked } = state
      assert.equal(await by(), 401)
      assert.equal(state.asked, asked, 'asked again within a second')
      pass(1)
    }
    Object.assign(state, { status: 200, body: undefined })
    assert.equal(await by(), 200)
    state.status = 503
    pass(3599)
    assert.equal(await by(), 200)
    pass(1)
    assert.equal(await by(), 401)
  }))

test('a client that is unknown, disabled or of another method has nothing fetched, nor has a JWT that cannot be right', () =>
  withPublisher(async ({ server, state, by, client_id }) => {
    const { tenant } = server.app
    const { tenant_id, store } = tenant
    for (const change of [
      { alg: 'HS256', key: (await import('node:crypto')).createSecretKey(Buffer.alloc(32)) },
      { header: { typ: 'at+jwt' } },
      { header: { jku: 'http://127.0.0.1:1/' } },
      { claims: { sub: 'nobody' } },
    ]) {
      assert.equal(await by(change), 401)
    }
    const event = { tenant_id, event_id: randomUUID(), at: 0, type: 'client.disabled', actor: 'cli' }
    await store.setClientDisabled({ tenant_id, client_id, disabled: true, event })
    assert.equal(await by(), 401)
    assert.equal(state.asked, 0)
  }))

test('CVE-2026-22752 9.1.3 keys are fetched from public addresses alone: a sink on the inside sees nothing', async () => {
  const connected: string[] = []
  const egress = createEgress({ onConnect: (address) => connected.push(address) })
  const sink = await publishKeys()
  const server = await startSallyport({ app: { egress } })
  const port = sink.host.split(':')[1]
  const places = [
    ...[`http://${sink.host}/`, `https://${sink.host}/`, `https://localhost:${port}/`, `https://[::1]:${port}/`],
    ...[
      `https://[::ffff:127.0.0.1]:${port}/`,
      `https://2130706433:${port}/`,
      `https://0x7f.1:${port}/`,
      `https://0:${port}/`,
    ],
    ...['https://169.254.169.254/latest/meta-data', 'https://10.0.0.1/', 'https://192.168.1.1/', 'https://[fd00::1]/'],
    ...['https://[64:ff9b::7f00:1]/', 'https://127.0.0.1:8443/', 'https://localhost.:8443/'],
  ]
  try {
    for (const [i, jwks_uri] of places.entries()) {
      const client_id = `ssrf-${i}`
      await server.addClient({ client_id, ...ALL, token_endpoint_auth_method: 'private_key_jwt', jwks_uri })
      const assertion = await signAssertion({ issuer: server.issuer, now: Date.now }, client_id)
      const body = new URLSearchParams({ ...REQUEST, ...asAssertion(assertion) })
      const response = await fetch(`${server.issuer}/token`, { method: 'POST', body })
      assert.equal(response.status, 401, jwks_uri)
      assert.match(((await response.json()) as { error_description: string }).error_description, /could not be fetched/)
    }
    assert.deepEqual([sink.state.asked, connected], [0, []])
  } finally {
    await server.stop()
    await egress.close()
    sink.stop()
  }
})
