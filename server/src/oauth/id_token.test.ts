import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildIdTokenClaims, hashLeftHalf, type IdTokenInput } from './id_token.ts'

fc.configureGlobal({ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1000) })

const input: IdTokenInput = {
  iss: 'https://id.example',
  sub: 'u1',
  client_id: 'web',
  now: 1_700_000_000_999,
  lifetime_seconds: 600,
  alg: 'ES256',
}
const required = {
  iss: 'https://id.example',
  sub: 'u1',
  aud: 'web',
  azp: 'web',
  exp: 1_700_000_600,
  iat: 1_700_000_000,
}

test('OpenID Connect Core 2 an ID token has the required claims', () => {
  assert.deepEqual(buildIdTokenClaims(input), required)
})

test('what is known of the sign-in goes in, null does not', () => {
  const known = { auth_time: 1_699_999_999, nonce: 'n', acr: 'mfa', amr: ['pwd'], sid: 's1' }
  assert.deepEqual(buildIdTokenClaims({ ...input, ...known }), { ...required, ...known })
  const nothing = { auth_time: null, nonce: null, acr: null, amr: null, sid: null }
  assert.deepEqual(buildIdTokenClaims({ ...input, ...nothing }), required)
})

test('OpenID Connect Core 3.1.3.6 at_hash and c_hash are those of published examples', () => {
  // OpenID Connect Core appendix A.3 and A.4, signed by RS256.
  assert.equal(hashLeftHalf('jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y', 'RS256'), '77QmUPtjPfzWtF2AnpK9RQ')
  assert.equal(
    hashLeftHalf('Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk', 'RS256'),
    'LDktKdoQak3Pk0cnXxCltA',
  )
  const claims = buildIdTokenClaims({
    ...input,
    access_token: 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y',
    code: 'c',
  })
  assert.equal(claims.at_hash, '77QmUPtjPfzWtF2AnpK9RQ')
  assert.equal(claims.c_hash, hashLeftHalf('c', 'ES256'))
})

test('CVE-2026-28498 the hash follows the algorithm, and an unknown algorithm fails', () => {
  for (const [alg, length] of [
    ['ES256', 22],
    ['PS256', 22],
    ['ES384', 32],
    ['ES512', 43],
    ['EdDSA', 43],
    ['Ed25519', 43],
  ] as const) {
    assert.equal(hashLeftHalf('x', alg).length, length, alg)
  }
  assert.throws(() => hashLeftHalf('x', 'none'), TypeError)
})

test('CVE-2024-29892 claims about the user never replace those of the token', () => {
  const names = fc.constantFrom(
    'iss',
    'sub',
    'aud',
    'azp',
    'exp',
    'iat',
    'nonce',
    'acr',
    'amr',
    'sid',
    'auth_time',
    'at_hash',
    'c_hash',
  )
  fc.assert(
    fc.property(fc.dictionary(names, fc.jsonValue()), (user) => {
      assert.deepEqual(buildIdTokenClaims({ ...input, user }), required)
    }),
  )
  assert.equal(buildIdTokenClaims({ ...input, user: { sub: 'other', name: 'Alice' } })['name'], 'Alice')
})
