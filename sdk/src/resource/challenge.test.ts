import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OAuthError } from '../oauth_error.ts'
import { addChallenge, type Challenger, formatChallenge } from './challenge.ts'
import type { Scheme } from './presented_token.ts'

const METADATA: Challenger = {
  resource_metadata: 'https://api.example/.well-known/oauth-protected-resource',
  algs: 'ES256 PS256',
  schemes: ['Bearer', 'DPoP'],
}

function challengeOf(refusal: OAuthError, requirements = {}, realm?: string, scheme: Scheme = 'Bearer') {
  return addChallenge(refusal, { ...METADATA, realm }, scheme, requirements).headers['www-authenticate']
}

test('without credentials the challenge carries no error information', () => {
  const none = new OAuthError(undefined, 'The request carries no access token')
  const named = `resource_metadata="${METADATA.resource_metadata}"`
  assert.equal(challengeOf(none), `Bearer ${named}, DPoP ${named}, algs="ES256 PS256"`)
  const both = `Bearer realm="api", ${named}, DPoP realm="api", ${named}, algs="ES256 PS256"`
  assert.equal(challengeOf(none, {}, 'api'), both)
})

test('without credentials the challenge names the scope that the route needs', () => {
  const challenge = challengeOf(new OAuthError(undefined, 'None'), { scope: 'a b', max_age: 5 })
  const named = `resource_metadata="${METADATA.resource_metadata}", scope="a b"`
  assert.equal(challenge, `Bearer ${named}, DPoP ${named}, algs="ES256 PS256"`)
})

test('an invalid token is told why, a missing scope is named', () => {
  assert.equal(
    challengeOf(new OAuthError('invalid_token', 'The access token has expired'), { scope: 'a' }),
    `Bearer resource_metadata="${METADATA.resource_metadata}", error="invalid_token", error_description="The access token has expired"`,
  )
  assert.equal(
    challengeOf(new OAuthError('insufficient_scope', 'Too little'), { scope: 'a b' }),
    `Bearer resource_metadata="${METADATA.resource_metadata}", error="insufficient_scope", error_description="Too little", scope="a b"`,
  )
})

test('10.3.4 the step-up challenge carries acr_values and max_age', () => {
  assert.equal(
    challengeOf(new OAuthError('insufficient_user_authentication', 'Again'), {
      acr_values: 'gold silver',
      max_age: 300,
    }),
    `Bearer resource_metadata="${METADATA.resource_metadata}", error="insufficient_user_authentication", error_description="Again", acr_values="gold silver", max_age="300"`,
  )
})

test('RFC 9449 7.1 the refusal of a bound token is a DPoP challenge with the algorithms of proofs', () => {
  assert.equal(
    challengeOf(new OAuthError('invalid_dpop_proof', 'No proof'), {}, undefined, 'DPoP'),
    `DPoP resource_metadata="${METADATA.resource_metadata}", error="invalid_dpop_proof", error_description="No proof", algs="ES256 PS256"`,
  )
})

test('a 503 carries no challenge', () => {
  assert.equal(challengeOf(new OAuthError('temporarily_unavailable', 'Down')), undefined)
})

test('no attribute can end its quotes or start another header', () => {
  const hostile = 'a"b\\c\r\nSet-Cookie: x=1\u0000\u0007\u2028\u00e9'
  const challenge = formatChallenge('Bearer', {
    realm: hostile,
    scope: hostile,
    acr_values: hostile,
    error_description: hostile,
  })
  assert.match(challenge, /^[\x20-\x7e]+$/)
  const quoted = '"a\\"b\\\\c??Set-Cookie: x=1????"'
  assert.equal(challenge, `Bearer realm=${quoted}, scope=${quoted}, acr_values=${quoted}, error_description=${quoted}`)
  new Headers({ 'www-authenticate': challenge })
})

test('a description holds what RFC 6750 section 3 allows and nothing else', () => {
  const { error_description } = new OAuthError('invalid_token', 'a "b" \\ c\r\nd\u00e9')
  assert.equal(error_description, "a 'b' ' c??d?")
})
