import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildAccessTokenClaims } from './access_token.ts'
import { buildIntrospectionResponse, INACTIVE } from './introspection.ts'

fc.configureGlobal({ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1000) })

const claims = buildAccessTokenClaims({
  iss: 'https://id.example',
  sub: 'u1',
  client_id: 'web',
  jti: 'j1',
  ep: [1, 2, 3, 4],
  resources: ['https://api.example/', 'https://id.example'],
  scope: ['openid', 'api:read', 'api:write'],
  roles: ['member', 'editor'],
  grant_id: 'g1',
  sid: 's1',
  acr: 'mfa',
  auth_time: 1_699_999_999,
  cnf: { jkt: 'thumb' },
  now: 1_700_000_000_000,
  lifetime_seconds: 600,
})
const all = { scope: ['openid', 'api:read', 'api:write'] }
const bearer = { token_type: 'Bearer' } as const

test('RFC 7662 2.2 a living token is answered with its claims, and nothing private', () => {
  assert.deepEqual(buildIntrospectionResponse(claims, all, { token_type: 'DPoP', username: 'alice' }), {
    active: true,
    scope: 'openid api:read api:write',
    client_id: 'web',
    username: 'alice',
    token_type: 'DPoP',
    exp: 1_700_000_600,
    iat: 1_700_000_000,
    sub: 'u1',
    aud: ['https://api.example/', 'https://id.example'],
    iss: 'https://id.example',
    jti: 'j1',
    auth_time: 1_699_999_999,
    acr: 'mfa',
    roles: ['member', 'editor'],
    cnf: { jkt: 'thumb' },
  })
})

test('a narrowed grant narrows the answer for tokens that are already out', () => {
  const rights = { scope: ['api:read', 'other'], resources: ['https://api.example/'], roles: ['editor'] }
  const response = buildIntrospectionResponse(claims, rights, bearer)
  assert.ok(response.active)
  assert.deepEqual(
    [response['scope'], response['aud'], response['roles']],
    ['api:read', 'https://api.example/', ['editor']],
  )
})

test('a token that has lost each scope or each resource is inactive', () => {
  assert.equal(buildIntrospectionResponse(claims, { scope: [] }, bearer), INACTIVE)
  assert.equal(buildIntrospectionResponse(claims, { ...all, resources: [] }, bearer), INACTIVE)
  assert.equal(buildIntrospectionResponse(claims, { ...all, resources: ['https://other.example/'] }, bearer), INACTIVE)
})

test('an inactive answer says nothing else and cannot be changed', () => {
  assert.deepEqual(INACTIVE, { active: false })
  assert.ok(Object.isFrozen(INACTIVE))
})

test('a refresh token is answered without audience', () => {
  const { aud: _aud, jti: _jti, ep: _ep, ...refresh } = claims
  const response = buildIntrospectionResponse(refresh, all, { token_type: 'N_A' })
  assert.ok(response.active && !('aud' in response) && !('jti' in response))
})

test('an answer never says more than the token and the present rights', () => {
  const some = fc.subarray(['openid', 'api:read', 'api:write', 'x'])
  fc.assert(
    fc.property(some, some, (scope, present) => {
      const response = buildIntrospectionResponse({ ...claims, scope: scope.join(' ') }, { scope: present }, bearer)
      const both = scope.filter((one) => present.includes(one))
      // One that never had a scope has lost none: a token for the use of a connection.
      assert.equal(response.active, both.length > 0 || scope.length === 0)
      if (response.active) assert.equal(response['scope'], both.join(' '))
    }),
  )
})
