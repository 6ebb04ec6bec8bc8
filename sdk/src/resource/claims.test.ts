import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { NOW, RESOURCE, requestWith, startIssuer, type TestIssuer } from '../../test/issuer.ts'
import { refusalOf } from '../../test/refusal.ts'
import { createResource, type Resource, type ResourceOptions, type ResourceSettings } from './resource.ts'

let as: TestIssuer
let resource: Resource

function create(settings: Partial<ResourceSettings> = {}): Resource {
  return createResource({ resource: RESOURCE, issuer: as.issuer, clock: () => NOW, ...settings })
}

before(async () => {
  as = await startIssuer()
  resource = create()
})
after(() => as.close())

test('10.3.1 the audience must be this resource, to the letter', async () => {
  const wrong = [
    'https://api.example/mcp/',
    'https://api.example/mc',
    'https://api.example/mcp2',
    'https://api.example',
    'https://API.example/mcp',
    'https://api.example:443/mcp',
    'http://api.example/mcp',
    ` ${RESOURCE}`,
    `${RESOURCE} https://other.example`,
    '',
    [],
    ['https://other.example'],
    [`${RESOURCE}/`, 'https://other.example'],
    [[RESOURCE]],
    { [RESOURCE]: true },
    [RESOURCE, 1],
    null,
    true,
    undefined,
  ]
  for (const aud of wrong) {
    assert.equal((await refusalOf(resource, await as.sign({ aud }))).error, 'invalid_token', JSON.stringify(aud))
  }
  for (const aud of [RESOURCE, [RESOURCE], ['https://other.example', RESOURCE]]) {
    await resource.verify(requestWith(await as.sign({ aud })))
  }
})

test('9.2.1 exp, nbf and iat are held against the clock with a tolerance of ten seconds', async () => {
  const now = NOW / 1000
  for (const exp of [now - 9, now + 1]) await resource.verify(requestWith(await as.sign({ exp })))
  for (const iat of [now + 9, now + 10]) await resource.verify(requestWith(await as.sign({ iat })))
  for (const nbf of [now + 10, now - 100]) await resource.verify(requestWith(await as.sign({ nbf })))
  assert.match((await refusalOf(resource, await as.sign({ exp: now - 10 }))).error_description, /has expired/)
  assert.match((await refusalOf(resource, await as.sign({ nbf: now + 11 }))).error_description, /not valid yet/)
  assert.match((await refusalOf(resource, await as.sign({ iat: now + 11 }))).error_description, /from the future/)
  assert.match((await refusalOf(resource, await as.sign({ iat: now + 61 }))).error_description, /from the future/)
  for (const exp of ['9999999999', null, {}, true]) {
    assert.equal((await refusalOf(resource, await as.sign({ exp }))).error, 'invalid_token', JSON.stringify(exp))
  }
  const strict = create({ clock_tolerance_seconds: 0 })
  assert.match((await refusalOf(strict, await as.sign({ exp: now }))).error_description, /has expired/)
})

test('a token without one of the claims of RFC 9068 section 2.2 is refused by its name', async () => {
  for (const name of ['exp', 'aud', 'sub', 'client_id', 'iat', 'jti']) {
    const { error, error_description } = await refusalOf(resource, await as.sign({ [name]: undefined }))
    assert.deepEqual([error, error_description], ['invalid_token', `The access token lacks the claim ${name}`])
  }
  for (const name of ['sub', 'client_id', 'jti', 'scope', 'acr']) {
    assert.equal((await refusalOf(resource, await as.sign({ [name]: ['x'] }))).error, 'invalid_token', name)
  }
})

test('CVE-2026-22748 whatever an API sets, issuer, audience, times, type and signature are checked', async () => {
  const { issuer } = as
  const jwks_uri = `${issuer}/jwks`
  const credentials = { client_id: 'api', client_secret: 'hush' }
  const settings: Partial<ResourceOptions>[] = [
    { issuer },
    { issuer, jwks_uri },
    { issuer, introspection: credentials },
    { authorization_servers: [issuer] },
    { authorization_servers: [issuer, 'https://other.example'] },
    { authorization_servers: [{ issuer, jwks_uri, introspection: { ...credentials, cache_seconds: 30 } }] },
    { issuer, algorithms: ['ES256'], jwt_cache_entries: 0, clock_tolerance_seconds: 0 },
    { issuer, dpop: { algorithms: ['ES256'] }, certificate: () => null, realm: 'api', scopes_supported: ['read'] },
  ]
  const now = NOW / 1000
  const wrong: [claims: Record<string, unknown>, header?: Record<string, unknown>][] = [
    [{ iss: 'https://evil.example' }],
    [{ aud: 'https://other.example' }],
    [{ exp: now - 11 }],
    [{ nbf: now + 11 }],
    [{ iat: now + 11 }],
    [{}, { typ: 'JWT' }],
  ]
  for (const setting of settings) {
    const set = createResource({ resource: RESOURCE, clock: () => NOW, ...setting } as ResourceOptions)
    const what = JSON.stringify(setting)
    for (const [claims, header] of wrong) {
      assert.equal(
        (await refusalOf(set, await as.sign(claims, header))).error,
        'invalid_token',
        `${what} ${JSON.stringify(claims)}`,
      )
    }
    const good = await as.sign({})
    const [head, payload] = good.split('.')
    const { error } = await refusalOf(set, `${head}.${payload}.${'A'.repeat(86)}`)
    assert.equal(error, 'invalid_token', what)
    await set.verify(requestWith(good))
  }
})

test('10.3.5 a token that is bound to a key is refused when no proof comes with it', async () => {
  for (const cnf of [{ jkt: 'x' }, { 'x5t#S256': 'x' }, {}, 'x', null]) {
    assert.match((await refusalOf(resource, await as.sign({ cnf }))).error_description, /^The access token is bound/)
  }
})

test('claims are frozen, so that one request cannot change what another one sees', async () => {
  const cached = create()
  const token = await as.sign({ act: { sub: 'agent' }, authorization_details: [{ type: 'payment' }], roles: ['a'] })
  const access = await cached.verify(requestWith(token))
  assert.throws(() => Object.assign(access.claims, { sub: 'mallory' }), TypeError)
  assert.throws(() => (access.claims['authorization_details'] as object[]).push({}), TypeError)
  assert.throws(() => Object.assign(access.act!, { sub: 'mallory' }), TypeError)
  assert.throws(() => (access.roles as string[]).push('admin'), TypeError)
  assert.throws(() => (access.aud as string[]).push('x'), TypeError)
  ;(access.scope as Set<string>).add('admin')
  assert.equal((await cached.verify(requestWith(token))).has('admin'), false)
})
