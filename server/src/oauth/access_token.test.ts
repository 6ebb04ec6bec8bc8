import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AccessTokenInput, buildAccessTokenClaims } from './access_token.ts'
import { OAuthError } from './errors.ts'

fc.configureGlobal({ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1000) })

const input: AccessTokenInput = {
  iss: 'https://id.example',
  sub: 'u1',
  client_id: 'web',
  jti: 'j1',
  ep: [1, 2, 3, 4],
  resources: ['https://api.example/'],
  scope: ['openid', 'api:read'],
  now: 1_700_000_000_999,
  lifetime_seconds: 600,
}

test('RFC 9068 2.2 an access token has the required claims', () => {
  assert.deepEqual(buildAccessTokenClaims(input), {
    iss: 'https://id.example',
    sub: 'u1',
    aud: 'https://api.example/',
    exp: 1_700_000_600,
    iat: 1_700_000_000,
    jti: 'j1',
    client_id: 'web',
    scope: 'openid api:read',
    ep: [1, 2, 3, 4],
  })
})

test('what is known of the sign-in, the grant and the key goes in, null does not', () => {
  const optional = {
    auth_time: 1_699_999_999,
    acr: 'mfa',
    amr: ['pwd', 'otp'],
    roles: ['member'],
    grant_id: 'g1',
    sid: 's1',
    cnf: { jkt: 'thumb' },
    act: { sub: 'agent' },
  }
  assert.deepEqual(buildAccessTokenClaims({ ...input, ...optional }), { ...buildAccessTokenClaims(input), ...optional })
  const nothing = Object.fromEntries(Object.keys(optional).map((name) => [name, null]))
  assert.deepEqual(buildAccessTokenClaims({ ...input, ...nothing }), buildAccessTokenClaims(input))
})

test('several resources are a list in aud', () => {
  const resources = ['https://api.example/', 'https://id.example']
  assert.deepEqual(buildAccessTokenClaims({ ...input, resources }).aud, resources)
})

test('10.4.8 no access token outlives what it descends from', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -10_000, max: 10_000_000 }),
      fc.integer({ min: 1, max: 86_400 }),
      (rest, lifetime_seconds) => {
        const ends_at = input.now + rest
        try {
          const { exp, iat } = buildAccessTokenClaims({ ...input, lifetime_seconds, ends_at })
          assert.ok(exp * 1000 <= ends_at && exp > iat && exp <= iat + lifetime_seconds)
        } catch (error) {
          assert.ok(error instanceof OAuthError && error.error === 'invalid_grant')
          assert.ok(rest < 1000)
        }
      },
    ),
  )
  assert.equal(buildAccessTokenClaims({ ...input, ends_at: null }).exp, 1_700_000_600)
})
