import assert from 'node:assert/strict'
import { createPublicKey, randomInt, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
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
