import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { basicChallenge, bearerChallenge, buildChallenge } from './challenge.ts'

fc.configureGlobal({ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1000) })

test('RFC 6750 a bearer challenge names realm, scope and error, each quoted', () => {
  assert.equal(
    bearerChallenge({ realm: 'https://id.example', scope: 'a b', error: 'insufficient_scope' }),
    'Bearer realm="https://id.example", scope="a b", error="insufficient_scope"',
  )
  assert.equal(bearerChallenge({}), 'Bearer')
  assert.equal(bearerChallenge({ error: undefined }), 'Bearer')
})

test('RFC 9728 and RFC 9470 parameters go into the challenge', () => {
  assert.equal(
    bearerChallenge({
      error: 'insufficient_user_authentication',
      acr_values: 'mfa',
      max_age: 300,
      resource_metadata: 'https://api.example/.well-known/oauth-protected-resource',
    }),
    'Bearer error="insufficient_user_authentication", acr_values="mfa", max_age="300", ' +
      'resource_metadata="https://api.example/.well-known/oauth-protected-resource"',
  )
})

test('RFC 7617 a Basic challenge names its realm and UTF-8', () => {
  assert.equal(basicChallenge('https://id.example/hub'), 'Basic realm="https://id.example/hub", charset="UTF-8"')
})

test('no value can leave its quotes, start a header line or hold anything but printable ASCII', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string()), (value) => {
      const challenge = buildChallenge('DPoP', { realm: value, algs: 'ES256' })
      assert.match(challenge, /^DPoP realm="(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*", algs="ES256"$/)
    }),
  )
  assert.equal(bearerChallenge({ realm: 'a"b\\c\r\nd\u00e9' }), 'Bearer realm="a\\"b\\\\c??d?"')
})
