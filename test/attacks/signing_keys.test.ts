import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { signJwt } from '../../server/src/crypto/jwt.ts'
import { makeHeldKey } from '../../server/src/crypto/signer.ts'
import { saveSettings } from '../../server/src/inbound/administration/configure.ts'
import {
  listSigningKeys,
  revokeSigningKey,
  rotateSigningKeys,
  rotateSigningKeysNow,
} from '../../server/src/inbound/keys/signing_keys.ts'
import { signingKeyPlace } from '../../server/src/store/tenant.ts'
import { onBothDatabases, type Platform } from '../parts/platform.ts'
import { createRemoteSigner } from '../parts/remote_signer.ts'
import { countRows } from '../parts/snapshot.ts'

const testOnBoth = onBothDatabases()
const DAY = 86_400

async function jwksOf(p: Platform) {
  return (await (await fetch(`${p.issuer}/jwks`)).json()).keys as Record<string, string>[]
}
const kidOf = (token: string) => decodeProtectedHeader(token).kid!
const statesOf = async (p: Platform) => {
  const keys = await listSigningKeys(p.server.app.tenant)
  return Object.fromEntries(keys.map(({ kid, state }) => [kid, state]))
}

testOnBoth('P-30 9.1.3 5.11 the JWKS has each key once, for signatures alone, and public members alone', async (p) => {
  await saveSettings(
    p.server.app.tenant,
    { signing_algs: ['ES256', 'EdDSA', 'PS256', 'RS256'] },
    { actor: 'cli', changed: [] },
  )
  const keys = await jwksOf(p)
  assert.deepEqual(keys.map(({ alg }) => alg).sort(), ['ES256', 'EdDSA', 'PS256', 'RS256'])
  assert.equal(new Set(keys.map(({ kid }) => kid)).size, keys.length)
  const members: Record<string, string[]> = {
    EC: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
    OKP: ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
    RSA: ['alg', 'e', 'kid', 'kty', 'n', 'use'],
  }
  for (const key of keys) {
    assert.deepEqual(Object.keys(key).sort(), members[key['kty']!])
    assert.equal(key['use'], 'sig')
    if (key['kty'] === 'RSA') assert.equal(Buffer.from(key['n']!, 'base64url').length, 384)
  }
  const { id_token_signing_alg_values_supported: algs } = await (
    await fetch(`${p.issuer}/.well-known/openid-configuration`)
  ).json()
  assert.deepEqual(algs, ['ES256', 'EdDSA', 'PS256', 'RS256'])
  await saveSettings(p.server.app.tenant, { signing_algs: ['ES256'] }, { actor: 'cli', changed: [] })
  await rotateSigningKeys(p.server.app.tenant)
  assert.equal((await jwksOf(p)).length, 4, 'what they signed stays good')
  p.pass(2 * DAY)
  await rotateSigningKeys(p.server.app.tenant)
  assert.deepEqual(
    (await jwksOf(p)).map(({ alg }) => alg),
    ['ES256'],
  )
})

testOnBoth(
  '5.11 11.1.1 under traffic on two replicas the keys rotate by themselves, and no token ever fails',
  async (p) => {
    const replica = await p.openReplica()
    const tenants = [p.server.app.tenant, replica.tenant]
    await saveSettings(tenants[0]!, { signing_key_days: 30 }, { actor: 'cli', changed: [] })
    await rotateSigningKeys(tenants[0]!)
    await replica.tenant.currentConfiguration()
    const { refresh_token } = await p.getTokens('web', { scope: 'openid offline_access mcp:tools' })
    let newest = refresh_token
    const seen = new Set<string>()
    const tokens: string[] = []
    let checks = 0
    for (let day = 0; day < 64; day++) {
      // Each in its turn has the upkeep, each in its turn signs; the other one has not looked at its configuration.
      await rotateSigningKeys(tenants[day % 2]!)
      const published = new Set((await jwksOf(p)).map(({ kid }) => kid))
      if (day % 5 === 0 || day > 25) {
        const { body } = await p.refresh('web', newest, {}, day % 2 ? undefined : replica)
        newest = body.refresh_token
        tokens.push(body.access_token)
        assert.ok(published.has(kidOf(body.access_token)), 'it was published before it signed')
        assert.equal(kidOf(body.id_token), kidOf(body.access_token))
        seen.add(kidOf(body.access_token))
      }
      const last = tokens.at(-1)
      if (last && decodeJwt(last).exp! * 1000 > p.now()) {
        for (const app of [undefined, replica]) {
          assert.equal((await p.introspect(last, 'api', app)).active, true)
          checks++
        }
      }
      p.pass(day > 25 ? 300 : DAY)
      if (day > 25) {
        await rotateSigningKeys(tenants[(day + 1) % 2]!)
        assert.equal(
          (await p.introspect(last!, 'api', replica)).active,
          true,
          'after a rotation, before its own reload',
        )
        p.pass(DAY)
      }
    }
    assert.ok(seen.size >= 2, String(seen.size))
    assert.ok(checks > 20)
    const states = Object.values(await statesOf(p))
    assert.equal(states.filter((state) => state === 'current').length, 1)
  },
)

testOnBoth(
  '5.11 P-27 a revoked key is out of JWKS, introspection and userinfo at once, on every replica, and the next one signs',
  async (p) => {
    const replica = await p.openReplica()
    const { tenant } = p.server.app
    const old = await p.getTokens('web', { scope: 'openid', resource: p.issuer })
    assert.equal((await p.introspect(old.access_token, 'web', replica)).active, true)
    const kid = kidOf(old.access_token)
    await revokeSigningKey(tenant, kid, 'cli')
    for (const app of [undefined, replica]) {
      assert.deepEqual(await p.introspect(old.access_token, 'web', app), { active: false })
      assert.equal((await p.userinfo(old.access_token, app)).status, 401)
    }
    assert.ok(!(await jwksOf(p)).some((key) => key['kid'] === kid))
    const fresh = await p.getTokens('web', { scope: 'openid', resource: p.issuer })
    assert.notEqual(kidOf(fresh.access_token), kid)
    assert.equal((await p.userinfo(fresh.access_token, replica)).status, 200)
    assert.equal((await statesOf(p))[kid], 'revoked')
    await assert.rejects(revokeSigningKey(tenant, kid, 'cli'), /revoked already/)
    await assert.rejects(revokeSigningKey(tenant, 'unknown', 'cli'), /no such key/)
    const { tenant_id, store } = tenant
    const events = await store.pageEvents({
      tenant_id,
      before_event_id: '~',
      type: 'signing_key.revoked',
      actor: '',
      most: 5,
    })
    assert.equal(events.length, 1)
    assert.match(events[0]!.detail, new RegExp(kid))
  },
)

testOnBoth(
  '11.2.2 a rotation on demand signs with another key at once, and what was signed before stays good',
  async (p) => {
    const { tenant } = p.server.app
    const old = await p.getTokens('web', { scope: 'openid', resource: p.issuer })
    await rotateSigningKeysNow(tenant, 'ES256', 'cli')
    const fresh = await p.getTokens('web', { scope: 'openid', resource: p.issuer })
    assert.notEqual(kidOf(fresh.access_token), kidOf(old.access_token))
    assert.equal((await p.userinfo(old.access_token)).status, 200)
    await assert.rejects(rotateSigningKeysNow(tenant, 'PS256', 'cli'), /does not sign with PS256/)
  },
)

testOnBoth(
  '11.6.1 each client gets ID tokens, and each resource access tokens, by the algorithm that it asks for',
  async (p) => {
    const { tenant } = p.server.app
    await saveSettings(tenant, { signing_algs: ['ES256', 'PS256', 'EdDSA', 'RS256'] }, { actor: 'cli', changed: [] })
    for (const alg of ['PS256', 'EdDSA', 'RS256'] as const) {
      const resource = `https://${alg.toLowerCase()}.example`
      await p.server.addResource({ resource, scopes: '{"mcp:tools":"Use"}', access_token_signing_alg: alg })
      const client_id = `client-${alg}`
      await p.server.addClient({
        ...{ client_id, client_secret: 'secret-of-the-client', redirect_uris: ['https://c.example/cb'] },
        ...{ grant_types: ['authorization_code', 'client_credentials'], scope: 'openid mcp:tools' },
        ...{ trusted: true, id_token_signed_response_alg: alg },
      })
      const form = { grant_type: 'client_credentials', resource, scope: 'mcp:tools' }
      const headers = { authorization: `Basic ${btoa(`${client_id}:secret-of-the-client`)}` }
      const body = new URLSearchParams(form)
      const answer = await (await fetch(`${p.issuer}/token`, { method: 'POST', headers, body })).json()
      assert.equal(decodeProtectedHeader(answer.access_token).alg, alg)
      assert.equal((await p.post('/introspect', { token: answer.access_token })).status, 200)
    }
    await saveSettings(tenant, { signing_algs: ['ES256'] }, { actor: 'cli', changed: [] })
  },
)

testOnBoth(
  '13.3.3 where a signer holds the keys, they are made, rotated and revoked there, and sign every token',
  async (p) => {
    const algs = ['ES256', 'PS256', 'EdDSA', 'RS256'] as const
    const signer = createRemoteSigner()
    const replica = await p.openReplica({ signer })
    const { tenant } = replica
    const { tenant_id, store, keys } = tenant
    const before = await p.getTokens('web', { scope: 'openid offline_access mcp:tools' })
    for (const { kid } of await listSigningKeys(tenant)) await revokeSigningKey(tenant, kid, 'cli').catch(() => {})
    await saveSettings(tenant, { signing_algs: [...algs] }, { actor: 'cli', changed: [] })
    await rotateSigningKeys(tenant)
    const rows = (await store.loadTenantConfig({ tenant_id }))!.signing_keys.filter(({ state }) => state === 'current')
    assert.deepEqual(rows.map(({ alg }) => alg).sort(), [...algs].sort())
    for (const { kid, sealed_private } of rows) {
      assert.match(keys.open(sealed_private, signingKeyPlace(kid)).toString(), /^signer:projects\/p\/keys\/\d$/)
    }
    const published = await jwksOf(p)
    assert.ok(published.every(({ alg }) => (algs as readonly string[]).includes(alg!)))
    const { body } = await p.refresh('web', before.refresh_token, {}, replica)
    for (const token of [body.access_token, body.id_token]) {
      const jwk = published.find(({ kid }) => kid === kidOf(token))!
      await jwtVerify(token, await importJWK(jwk, 'ES256'))
      assert.ok(signer.signed.some(({ text }) => token.startsWith(`${text}.`)))
    }
    // Who has not got the signer verifies all the same.
    assert.equal((await p.introspect(body.access_token, 'api')).active, true)
    for (const alg of algs) {
      const key = (await tenant.currentConfiguration()).signing_keys.get(alg)!
      const token = await signJwt(key, 'JWT', { iss: p.issuer })
      await jwtVerify(token, await importJWK(published.find(({ kid }) => kid === key.kid)!, alg))
    }
    await rotateSigningKeysNow(tenant, 'ES256', 'cli')
    const next = await p.refresh('web', body.refresh_token, {}, replica)
    assert.notEqual(kidOf(next.body.access_token), kidOf(body.access_token))
    assert.equal((await p.introspect(body.access_token, 'api', replica)).active, true)
    await revokeSigningKey(tenant, kidOf(next.body.access_token), 'cli')
    assert.equal((await p.introspect(next.body.access_token, 'api', replica)).active, false)
    // Without the signer nothing is signed by its keys, and whoever has lost it goes on with keys of one's own.
    const last = next.body.refresh_token
    assert.deepEqual((await p.refresh('web', last)).body.error, 'server_error')
    await saveSettings(p.server.app.tenant, { signing_algs: ['ES256'] }, { actor: 'cli', changed: [] })
    await rotateSigningKeysNow(p.server.app.tenant, 'ES256', 'cli')
    assert.equal((await p.refresh('web', last)).status, 200)
  },
)

testOnBoth(
  'F a signer that fails, is late or signs wrongly is a server_error, and code and refresh token stay good',
  async (p) => {
    const signer = createRemoteSigner()
    const replica = await p.openReplica({ signer })
    await rotateSigningKeysNow(replica.tenant, undefined, 'cli')
    const { refresh_token } = (await p.exchange('web', await p.getCode('web'), {}, replica)).body
    const code = await p.getCode('web')
    const before = await countRows(p.server.store)
    const unsigned = /the signer did not sign by its key/
    const why = { down: /503 at kms/, foreign: unsigned, cut: unsigned }
    for (const mood of ['down', 'silent', 'foreign', 'cut'] as const) {
      signer.mood = mood
      for (const reply of await Promise.all([
        p.exchange('web', code, {}, replica),
        p.refresh('web', refresh_token, {}, replica),
      ])) {
        assert.deepEqual([reply.status, reply.body.error], [500, 'server_error'], mood)
        assert.doesNotMatch(reply.text, /kms|projects|signer/, mood)
      }
      if (mood === 'silent') continue
      const keys = await listSigningKeys(replica.tenant)
      await assert.rejects(rotateSigningKeysNow(replica.tenant, undefined, 'cli'), why[mood])
      assert.deepEqual(await listSigningKeys(replica.tenant), keys, 'a key that cannot sign is not published')
    }
    assert.deepEqual(await countRows(p.server.store), before)
    signer.mood = 'good'
    assert.equal((await p.exchange('web', code, {}, replica)).status, 200)
    assert.equal((await p.refresh('web', refresh_token, {}, replica)).status, 200)
    await rotateSigningKeysNow(p.server.app.tenant, undefined, 'cli')
  },
)

test('11.2.3 a signer’s key of another kind, or too weak, is not taken', async () => {
  const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const make = {
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    EdDSA: p256,
    PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    RS256: p256,
  }
  const signer = createRemoteSigner(make)
  for (const alg of ['ES256', 'EdDSA', 'PS256', 'RS256'] as const)
    await assert.rejects(makeHeldKey(signer, alg), /^Error: the signer made|JWK/, alg)
  const { privateKey } = p256()
  const talkative = {
    createKey: async () => ({ key: 'k', public_jwk: privateKey.export({ format: 'jwk' }) }),
    sign: async (_key: string, _alg: string, input: Buffer) => sign('sha256', input, privateKey),
  }
  assert.equal('d' in (await makeHeldKey(talkative, 'ES256')).public_jwk, false, 'what it tells too much stays unsaid')
})
