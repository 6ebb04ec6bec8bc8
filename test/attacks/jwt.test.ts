import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { after, before, test } from 'node:test'
import { signJwt } from '../../server/src/crypto/jwt.ts'
import type { OwnSigningKey } from '../../server/src/crypto/signing_keys.ts'
import { claimsOf, JWT_API, OPAQUE_API, type Platform, startPlatform } from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

let p: Platform
let agent: UserAgent
let kinds: { jwt: string; id_token: string }
let signing_key: OwnSigningKey

before(async () => {
  p = await startPlatform()
  agent = new UserAgent()
  const { body } = await p.exchange('web', await p.getCode('web', { resource: p.issuer }, agent))
  await p.getCode('web', {}, agent)
  kinds = { jwt: body.access_token, id_token: body.id_token }
  const configuration = await p.server.app.tenant.currentConfiguration()
  signing_key = configuration.signing_key as OwnSigningKey
})
after(() => p.stop())

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Every consumer of JWTs that we sign, each with the kind it takes. */
const inputs: [string, 'jwt' | 'id_token', (token: string) => Promise<boolean>][] = [
  ['userinfo', 'jwt', async (token) => (await p.userinfo(token)).status === 200],
  ['introspection', 'jwt', async (token) => (await p.introspect(token, 'web')).active],
  ['id_token_hint', 'id_token', acceptsHint],
]

async function acceptsHint(id_token_hint: string): Promise<boolean> {
  const response = await agent.request(p.authorizeUrl('web', { id_token_hint, prompt: 'none' }))
  return new URL(response.headers.get('location')!).searchParams.has('code')
}

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

test('9.1.3 CVE-2026-27962 CVE-2025-59420 CVE-2016-9122 keys come from us alone, and an unknown crit is refused', async () => {
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

test('3.L CVE-2025-27144 CVE-2025-22868 a token of a thousand dots or of many kilobytes costs nothing', async () => {
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
  assert.equal((await p.userinfo(await forge({}))).status, 200)
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
    const token = await forge(changes)
    assert.equal((await p.userinfo(token)).status, 401, JSON.stringify(changes))
    assert.deepEqual(await p.introspect(token, 'web'), { active: false }, JSON.stringify(changes))
  }
})

test('10.3.1 B-11 T-10 CVE-2020-26160 userinfo takes only tokens that are for the issuer, in each form of aud', async () => {
  const claims = claimsOf(kinds.jwt)
  const forge = (aud: unknown) => signJwt(signing_key, 'at+jwt', { ...claims, aud })
  const { issuer } = p
  for (const aud of [issuer, [issuer], [JWT_API, issuer]])
    assert.equal((await p.userinfo(await forge(aud))).status, 200)
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
    const { status, body } = await p.userinfo(await forge(aud))
    assert.deepEqual([status, body.error], [401, 'invalid_token'], JSON.stringify(aud))
  }
  for (const resource of [JWT_API, OPAQUE_API]) {
    const scope = resource === JWT_API ? 'openid api:read' : 'openid vault:open'
    const { access_token } = await p.getTokens('web', { resource, scope })
    assert.equal((await p.userinfo(access_token)).status, 401, resource)
  }
})
