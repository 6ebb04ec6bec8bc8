import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { SigningKey } from '../../server/src/crypto/jwt.ts'
import { signJwt } from '../../server/src/crypto/jwt.ts'
import { basic, claimsOf, JWT_API, OPAQUE_API, type Platform, startPlatform } from '../parts/platform.ts'
import { snapshotRows } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

let p: Platform
let agent: UserAgent
/** One of each kind. */
let kinds: Record<
  | 'jwt'
  | 'opaque'
  | 'id_token'
  | 'refresh_token'
  | 'code'
  | 'session'
  | 'browser'
  | 'interaction'
  | 'csrf'
  | 'client_secret',
  string
>
let signing_key: SigningKey

before(async () => {
  p = await startPlatform()
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
    id_token: jwt.id_token,
    refresh_token: jwt.refresh_token,
    code: await p.getCode('web', {}, agent),
    session: cookie('session'),
    browser: cookie('browser'),
    interaction: new URLSearchParams(/action="[^"]*\/consent\?([^"]*)"/.exec(html)![1]!).get('request')!,
    csrf: /name="csrf_token" value="([^"]+)"/.exec(html)![1]!,
    client_secret: 'secret-of-web',
  }
  ;({ signing_key } = await p.server.app.tenant.currentConfiguration())
})
after(() => p.stop())

/** Who takes which kind; everything else must be refused. */
const consumers: Record<string, { takes: (keyof typeof kinds)[]; accepts(value: string): Promise<boolean> }> = {
  userinfo: { takes: ['jwt'], accepts: async (value) => (await p.userinfo(value)).status === 200 },
  introspection: {
    takes: ['jwt', 'opaque', 'refresh_token'],
    accepts: async (token) => (await p.introspect(token, 'web')).active,
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

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Every consumer of JWTs that we sign, each with the kind it takes. */
const inputs: [string, 'jwt' | 'id_token', (token: string) => Promise<boolean>][] = [
  ['userinfo', 'jwt', (token) => consumers['userinfo']!.accepts(token)],
  ['introspection', 'jwt', (token) => consumers['introspection']!.accepts(token)],
  ['id_token_hint', 'id_token', (token) => consumers['id_token_hint']!.accepts(token)],
]

test('9.1.1 a JWT with any one character changed is refused', async () => {
  for (const [name, kind, accepts] of inputs) {
    const token = kinds[kind]
    assert.equal(await accepts(token), true, name)
    const step = Math.ceil(token.length / 120)
    for (let at = 0; at < token.length; at += step) {
      const other = token[at] === 'A' ? 'B' : 'A'
      assert.equal(await accepts(token.slice(0, at) + other + token.slice(at + 1)), false, `${name} at ${at}`)
    }
    // Spaces around a header's value are no part of it.
    const spaced = name === 'userinfo' ? [] : [` ${token}`, `${token}\n`]
    for (const spelling of [
      ...spaced,
      `${token}=`,
      `${token}.`,
      `.${token}`,
      token.replace('.', '..'),
      token.slice(0, -1),
    ]) {
      assert.equal(await accepts(spelling), false, `${name} ${spelling.slice(-5)}`)
    }
  }
})

test('9.1.2 CVE-2026-11800 CVE-2023-48223 CVE-2026-107724 no algorithm but our own, whatever the header says', async () => {
  const public_jwk = createPublicKey(signing_key.privateKey).export({ format: 'jwk' })
  const publicKey = createPublicKey(signing_key.privateKey)
  const secrets = [
    '',
    publicKey.export({ format: 'pem', type: 'spki' }),
    publicKey.export({ format: 'pem', type: 'spki' }).toString().trim(),
    publicKey.export({ format: 'der', type: 'spki' }),
    JSON.stringify(public_jwk),
    JSON.stringify({ keys: [public_jwk] }),
    Buffer.from(public_jwk.x!, 'base64url'),
    signing_key.kid,
  ]
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const ed = generateKeyPairSync('ed25519').privateKey
  const algs = [
    'none',
    'None',
    'NONE',
    'nOnE',
    '',
    'HS256',
    'HS384',
    'HS512',
    'RS256',
    'PS256',
    'ES256K',
    'ES384',
    'ES512',
    'EdDSA',
    'es256',
    'ES256 ',
  ]
  for (const [name, kind, accepts] of inputs) {
    const typ = kind === 'jwt' ? 'at+jwt' : 'JWT'
    const [, payload] = kinds[kind].split('.')
    for (const alg of algs) {
      const signing = `${encode({ alg, typ, kid: signing_key.kid })}.${payload}`
      const signatures = ['', 'AAAA', kinds[kind].split('.')[2]!, encode('\0'.repeat(64))]
      const hash = /384$/.test(alg) ? 'sha384' : /512$/.test(alg) ? 'sha512' : 'sha256'
      for (const secret of secrets) signatures.push(createHmac(hash, secret).update(signing).digest('base64url'))
      signatures.push(sign('sha256', Buffer.from(signing), rsa).toString('base64url'))
      signatures.push(sign(null, Buffer.from(signing), ed).toString('base64url'))
      for (const signature of signatures)
        assert.equal(await accepts(`${signing}.${signature}`), false, `${name} ${alg}`)
    }
  }
})

test('9.1.3 CVE-2026-27962 CVE-2025-59420 keys come from us alone, and an unknown crit is refused', async () => {
  const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = attacker.publicKey.export({ format: 'jwk' })
  const { kid } = signing_key
  for (const [name, kind, accepts] of inputs) {
    const typ = kind === 'jwt' ? 'at+jwt' : 'JWT'
    const [, payload] = kinds[kind].split('.')
    const headers: object[] = [
      { kid, jwk },
      { jwk },
      { kid, jku: 'https://evil.example/jwks' },
      { kid, x5u: 'https://evil.example/x5' },
      { kid, x5c: ['AAAA'] },
      ...[
        '',
        'x',
        '../../etc/passwd',
        "' or 1=1 --",
        '__proto__',
        'constructor',
        'x'.repeat(3000),
        null,
        1,
        [kid],
        { kid },
      ].map((other) => ({ kid: other })),
      {},
    ]
    for (const header of headers) {
      const signing = `${encode({ alg: 'ES256', typ, ...header })}.${payload}`
      const signature = sign('sha256', Buffer.from(signing), { key: attacker.privateKey, dsaEncoding: 'ieee-p1363' })
      assert.equal(
        await accepts(`${signing}.${signature.toString('base64url')}`),
        false,
        `${name} ${JSON.stringify(header).slice(0, 60)}`,
      )
    }
    // Rightly signed, and still not what it must be.
    const own = (header: object) => {
      const signing = `${encode({ alg: 'ES256', typ, kid, ...header })}.${payload}`
      return `${signing}.${sign('sha256', Buffer.from(signing), { key: signing_key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
    }
    assert.equal(await accepts(own({})), true, name)
    for (const header of [
      { crit: ['x'], x: 1 },
      { crit: [] },
      { b64: false, crit: ['b64'] },
      { typ: 'x' },
      { typ: undefined },
      { typ: 'logout+jwt' },
    ]) {
      assert.equal(await accepts(own(header)), false, `${name} ${JSON.stringify(header)}`)
    }
    const [head, , signature] = kinds[kind].split('.')
    const flattened = JSON.stringify({ payload, protected: head, signature })
    assert.equal(await accepts(flattened), false, 'CVE-2016-9122 the JSON serialization')
    for (const zeros of [
      Buffer.alloc(64),
      Buffer.alloc(64, 0xff),
      Buffer.alloc(0),
      Buffer.alloc(63),
      Buffer.alloc(65),
    ]) {
      assert.equal(await accepts(`${head}.${payload}.${zeros.toString('base64url')}`), false, 'CVE-2022-21449')
    }
  }
})

test('3.L CVE-2025-27144 a token of a thousand dots or of many kilobytes costs nothing', async () => {
  const started = performance.now()
  for (const token of [
    '.'.repeat(3000),
    `${'a.'.repeat(1500)}`,
    'x'.repeat(15_000),
    `${encode({ alg: 'ES256' })}.${'A'.repeat(14_000)}.x`,
  ]) {
    assert.equal((await p.introspect(token, 'web')).active, false)
  }
  assert.ok(performance.now() - started < 500)
})

test('9.2.1 9.2.3 what lacks an end, an audience or a birth is no access token, even when we signed it', async () => {
  const claims = claimsOf(kinds.jwt)
  const forge = (changes: object) => signJwt(signing_key, 'at+jwt', { ...claims, ...changes })
  assert.equal((await p.userinfo(forge({}))).status, 200)
  const broken = [
    { exp: undefined },
    { exp: 'x' },
    { exp: null },
    { exp: claims['iat'] },
    { ep: undefined },
    { ep: [] },
    { ep: [0, 0, 0] },
    { iss: 'http://evil.example' },
    { iss: undefined },
    { sub: undefined },
    { client_id: undefined },
    { scope: undefined },
    { jti: undefined },
    { grant_id: undefined },
    { grant_id: 'x' },
    { sub: 'x' },
    { client_id: 'other-than-any' },
    { ep: [1, 0, 0, 0] },
    { ep: [0, 1, 0, 0] },
    { ep: [0, 0, 1, 0] },
  ]
  for (const changes of broken) {
    const token = forge(changes)
    assert.equal((await p.userinfo(token)).status, 401, JSON.stringify(changes))
    assert.deepEqual(await p.introspect(token, 'web'), { active: false }, JSON.stringify(changes))
  }
})

test('10.3.1 CVE-2020-26160 userinfo takes only tokens that are for the issuer, in each form of aud', async () => {
  const claims = claimsOf(kinds.jwt)
  const forge = (aud: unknown) => signJwt(signing_key, 'at+jwt', { ...claims, aud })
  const { issuer } = p
  for (const aud of [issuer, [issuer], [JWT_API, issuer]]) assert.equal((await p.userinfo(forge(aud))).status, 200)
  const wrong = [
    JWT_API,
    `${issuer}/`,
    `${issuer}/api`,
    issuer.slice(0, -1),
    issuer.toUpperCase(),
    new URL(issuer).origin,
    [JWT_API],
    [],
    [[issuer]],
    '',
    null,
    undefined,
    0,
    { [issuer]: 1 },
    `${JWT_API} ${issuer}`,
  ]
  for (const aud of wrong) {
    const { status, body } = await p.userinfo(forge(aud))
    assert.deepEqual([status, body.error], [401, 'invalid_token'], JSON.stringify(aud))
  }
  for (const resource of [JWT_API, OPAQUE_API]) {
    const scope = resource === JWT_API ? 'openid api:read' : 'openid vault:open'
    const { access_token } = await p.getTokens('web', { resource, scope })
    assert.equal((await p.userinfo(access_token)).status, 401, resource)
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

test('10.4.4 each client may use the grants it is registered for, and no other is known', async () => {
  const before = await snapshotRows(p.server.store)
  for (const grant_type of [
    'password',
    'implicit',
    'urn:ietf:params:oauth:grant-type:device_code',
    'CLIENT_CREDENTIALS',
    '__proto__',
    'constructor',
    'x',
  ]) {
    const { status, body } = await p.post(
      '/token',
      { grant_type, username: 'alice', password: 'correct horse battery' },
      'web',
    )
    assert.deepEqual([status, body.error], [400, 'unsupported_grant_type'], grant_type)
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
