import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OAuthError } from '../oauth_error.ts'
import { addChallenge, formatChallenge } from './challenge.ts'

const METADATA = { resource_metadata: 'https://api.example/.well-known/oauth-protected-resource' }

function challengeOf(refusal: OAuthError, requirements = {}, realm?: string): string | undefined {
  return addChallenge(refusal, { ...METADATA, realm }, requirements).headers['www-authenticate']
}

test('without credentials the challenge carries no error information', () => {
  const none = new OAuthError(undefined, 'The request carries no access token')
  assert.equal(challengeOf(none), `Bearer resource_metadata="${METADATA.resource_metadata}"`)
  assert.equal(challengeOf(none, {}, 'api'), `Bearer realm="api", resource_metadata="${METADATA.resource_metadata}"`)
})

test('without credentials the challenge names the scope that the route needs', () => {
  const challenge = challengeOf(new OAuthError(undefined, 'None'), { scope: 'a b', max_age: 5 })
  assert.equal(challenge, `Bearer resource_metadata="${METADATA.resource_metadata}", scope="a b"`)
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

test('a 503 carries no challenge', () => {
  assert.equal(challengeOf(new OAuthError('temporarily_unavailable', 'Down')), undefined)
})

test('no attribute can end its quotes or start another header', () => {
  const hostile = 'a"b\\c\r\nSet-Cookie: x=1\u0000\u0007\u2028\u00e9'
  const challenge = formatChallenge({ realm: hostile, scope: hostile, acr_values: hostile, error_description: hostile })
  assert.match(challenge, /^[\x20-\x7e]+$/)
  const quoted = '"a\\"b\\\\c??Set-Cookie: x=1????"'
  assert.equal(challenge, `Bearer realm=${quoted}, scope=${quoted}, acr_values=${quoted}, error_description=${quoted}`)
  new Headers({ 'www-authenticate': challenge })
})

test('a description holds what RFC 6750 section 3 allows and nothing else', () => {
  const { error_description } = new OAuthError('invalid_token', 'a "b" \\ c\r\nd\u00e9')
  assert.equal(error_description, "a 'b' ' c??d?")
})
