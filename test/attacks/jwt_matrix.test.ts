import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, randomInt, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { asAssertion, JWKS, pairFor, signAssertion } from '../parts/assertions.ts'
import { makeDpopKey, makeProof } from '../parts/dpop.ts'
import { forgeJwts } from '../parts/forged_jwts.ts'
import { ALICE, basic, JWT_API, type Platform, readReply, startPlatform } from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

const SIGNER = { client_id: 'signer', grant_types: ['client_credentials'], scope: 'api:read' }
const CALL = { grant_type: 'client_credentials', scope: 'api:read', resource: JWT_API }
const BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const GRANT = { grant_type: BEARER, scope: 'api:read', resource: JWT_API }
const IDP = 'https://idp.example'
const dpop_key = makeDpopKey()

let p: Platform
let agent: UserAgent
before(async () => {
  p = await startPlatform()
  agent = new UserAgent()
  await agent.authorize(p.authorizeUrl('trusted'), ALICE)
  await p.server.addClient({ ...SIGNER, token_endpoint_auth_method: 'private_key_jwt', jwks: JWKS })
  await p.server.addClient({
    client_id: 'bearer',
    client_secret: 'secret-of-bearer',
    grant_types: [BEARER],
    scope: 'api:read',
  })
  const { tenant } = p.server.app
  await p.server.store.saveTrustedIssuer({
    tenant_id: tenant.tenant_id,
    issuer: IDP,
    rules: JSON.stringify({ jwks: JWKS, subject_is: 'username', clients: ['bearer'], scope: 'api:read' }),
    disabled: false,
    event: {
      tenant_id: tenant.tenant_id,
      event_id: randomUUID(),
      at: p.now(),
      type: 'trusted_issuer.saved',
      actor: 'cli',
    },
  })
})
after(() => p.stop())

async function ask(form: Record<string, string>, headers: Record<string, string> = {}) {
  const request = { method: 'POST', headers, body: new URLSearchParams(form) }
  return readReply(await fetch(`${p.issuer}/token`, request))
}

interface Input {
  readonly input: string
  /** A JWT that is taken, and the public key that verifies it. */
  good(): Promise<{ token: string; key: Parameters<typeof forgeJwts>[1] }>
  takes(token: string): Promise<boolean>
}

async function ownToken(name: 'id_token' | 'access_token') {
  const code = new URL((await agent.follow(p.authorizeUrl('trusted'))).url).searchParams.get('code')!
  const { body } = await p.exchange('trusted', code)
  const token = body[name] as string
  const { kid } = JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString())
  const { verifying_keys } = await p.server.app.tenant.currentConfiguration()
  return { token, key: verifying_keys.get(kid)!.publicKey }
}

/** Every place where a JWT of somebody comes in; whoever adds one adds a line. */
const INPUTS: readonly Input[] = [
  ...['ES256', 'PS256', 'RS256', 'EdDSA'].map((alg) => ({
    input: `client assertion by ${alg}`,
    good: async () => ({
      // Long enough for all forgeries of it: what refuses them is never the time.
      token: await signAssertion(p, 'signer', { alg, claims: { exp: Math.floor(p.now() / 1000) + 300 } }),
      key: pairFor(alg).publicKey,
    }),
    takes: async (token: string) => {
      // Who fails twenty times in a minute is not looked at any more.
      p.pass(4)
      return (await ask({ ...CALL, ...asAssertion(token) })).status === 200
    },
  })),
  ...['ES256', 'PS256', 'RS256', 'EdDSA'].map((alg) => ({
    input: `assertion as a grant by ${alg}`,
    good: async () => ({
      token: await signAssertion(p, IDP, { alg, claims: { sub: 'alice', exp: Math.floor(p.now() / 1000) + 3600 } }),
      key: pairFor(alg).publicKey,
    }),
    takes: async (token: string) => {
      const authorization = basic('bearer', 'secret-of-bearer')
      const { status, text } = await ask({ ...GRANT, assertion: token }, { authorization })
      assert.ok(status === 200 || status === 400, text)
      return status === 200
    },
  })),
  {
    input: 'DPoP proof',
    good: async () => ({
      token: makeProof(dpop_key, {
        claims: { htm: 'POST', htu: `${p.issuer}/token`, iat: Math.floor(p.now() / 1000) },
      }),
      key: createPublicKey(dpop_key.privateKey),
    }),
    takes: async (dpop) => {
      const { status, body } = await ask(CALL, { dpop, authorization: basic('web', 'secret-of-web') })
      return (
        status === 200 &&
        body.token_type === 'DPoP' &&
        p.introspect(body.access_token).then(({ cnf }) => cnf.jkt === dpop_key.jkt)
      )
    },
  },
  {
    input: 'id_token_hint',
    good: () => ownToken('id_token'),
    takes: async (token) => {
      const { url } = await agent.follow(p.authorizeUrl('trusted', { prompt: 'none', id_token_hint: token }))
      return new URL(url).searchParams.has('code')
    },
  },
  {
    input: 'access token',
    good: () => ownToken('access_token'),
    takes: async (token) => (await p.introspect(token, 'trusted')).active === true,
  },
]

for (const { input, good, takes } of INPUTS) {
  test(`9.1.2 3.G CVE-2026-11800 CVE-2026-22817 CVE-2022-23540 CVE-2026-28802 no forged JWT is taken as ${input}`, async () => {
    const { token, key } = await good()
    const forged = forgeJwts(token, key)
    assert.ok(forged.length > 50)
    for (const [what, jwt] of forged) assert.equal(await takes(jwt), false, what)
    assert.equal(await takes((await good()).token), true, 'the good one')
  })
}

/** Encrypted JWTs, each with something that cost, or broke, whoever tried to open it. */
function makeEncrypted(inside: string): [what: string, token: string][] {
  const encode = (value: object | Uint8Array | string) =>
    Buffer.from(value instanceof Uint8Array || typeof value === 'string' ? value : JSON.stringify(value)).toString(
      'base64url',
    )
  const part = (bytes: number) => encode(randomBytes(bytes))
  const bomb = encode(deflateRawSync(Buffer.alloc(4 * 2 ** 20), { level: 9 }))
  const p2 = { p2s: part(16), p2c: 2 ** 31 - 1 }
  const headers: [string, object, string?][] = [
    ['a password that is stretched two billion times', { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', ...p2 }],
    ['the same by SHA-512', { alg: 'PBES2-HS512+A256KW', enc: 'A256CBC-HS512', ...p2 }],
    ['no salt, and a count that is none', { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2s: '', p2c: -1 }],
    ['four megabytes in four kilobytes', { alg: 'dir', enc: 'A256GCM', zip: 'DEF' }, bomb],
    ['four megabytes behind RSA', { alg: 'RSA-OAEP-256', enc: 'A256GCM', zip: 'DEF' }, bomb],
    ['CBC with one padding', { alg: 'dir', enc: 'A128CBC-HS256' }, part(16)],
    ['CBC with another', { alg: 'dir', enc: 'A128CBC-HS256' }, part(32)],
    ['CBC with half a block', { alg: 'dir', enc: 'A128CBC-HS256' }, part(7)],
    ['RSA with the padding of 1993', { alg: 'RSA1_5', enc: 'A128CBC-HS256' }],
    ['a key that is wrapped in nothing', { alg: 'A128KW', enc: 'A128GCM' }, ''],
    [
      'a point that is on no curve',
      { alg: 'ECDH-ES', enc: 'A128GCM', epk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } },
    ],
    ['an algorithm that is an object', { alg: { toString: 'dir' }, enc: [] }],
  ]
  const tokens = headers.map(([what, header, text = encode(inside)]): [string, string] => [
    what,
    [encode({ typ: 'JWT', cty: 'JWT', ...header }), part(32), part(12), text, part(16)].join('.'),
  ])
  const [head] = tokens[0]![1].split('.')
  return [
    ...tokens,
    ['five parts of nothing', '....'],
    ['a header alone', `${head}....`],
    ['a part too few', `${head}...`],
  ]
}

for (const { input, good, takes } of INPUTS) {
  test(`CVE-2023-49290 CVE-2023-50966 GHSA-2c7c-3mj9-8fqh GHSA-6qvw-249j-h44c CVE-2024-28180 CVE-2024-28122 CVE-2024-29371 CVE-2026-34986 nothing encrypted is opened as ${input}`, async () => {
    const encrypted = makeEncrypted((await good()).token)
    const started = performance.now()
    for (const [what, token] of encrypted) assert.equal(await takes(token), false, what)
    // One password stretched so often takes minutes, and one bomb more memory than all of these.
    assert.ok(performance.now() - started < 4000)
    assert.equal(await takes((await good()).token), true, 'the good one')
  })
}

test('GHSA-rm8v-mxj3-5rmq CVE-2021-29443 whatever is wrong inside of what is encrypted, the answer is one', async () => {
  const authorization = basic('bearer', 'secret-of-bearer')
  const answers = new Set<string>()
  for (const [, assertion] of makeEncrypted('x')) {
    const { status, text } = await ask({ ...GRANT, assertion }, { authorization })
    answers.add(`${status} ${text}`)
  }
  assert.equal(answers.size, 1, [...answers].join('\n'))
})

test('9.1.1 of 2,000 mutants of an assertion none is taken', async () => {
  const token = await signAssertion(p, IDP, { claims: { sub: 'alice' } })
  const authorization = basic('bearer', 'secret-of-bearer')
  const parts = token.split('.')
  for (let i = 0; i < 2000; i++) {
    const bytes = Buffer.from(parts[i % 3]!, 'base64url')
    bytes[randomInt(bytes.length)]! ^= 1 << (i % 8)
    const assertion = parts.map((part, n) => (n === i % 3 ? bytes.toString('base64url') : part)).join('.')
    const { status, body } = await ask({ ...GRANT, assertion }, { authorization })
    assert.deepEqual([status, body.error], [400, 'invalid_grant'], assertion)
  }
  assert.equal((await ask({ ...GRANT, assertion: token }, { authorization })).status, 200)
})
