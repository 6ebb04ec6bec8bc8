import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OAuthError } from './errors.ts'
import { buildErrorResponse, buildTokenResponse, TOKEN_RESPONSE_HEADERS } from './token_response.ts'

test('RFC 6749 5.1 a token answer has its type, its lifetime and the scope that was issued', () => {
  assert.deepEqual(buildTokenResponse({ access_token: 'a', expires_in: 600, scope: ['openid', 'api:read'] }), {
    access_token: 'a',
    token_type: 'Bearer',
    expires_in: 600,
    scope: 'openid api:read',
  })
})

test('what else was issued goes in', () => {
  const further = {
    token_type: 'DPoP',
    refresh_token: 'r',
    id_token: 'i',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  } as const
  assert.deepEqual(buildTokenResponse({ access_token: 'a', expires_in: 1, scope: ['x'], ...further }), {
    access_token: 'a',
    expires_in: 1,
    scope: 'x',
    ...further,
  })
})

test('RFC 6749 5.2 a refusal says its code and description, never its cause', () => {
  const error = new OAuthError('invalid_grant', 'The code was used before', { cause: new Error('secret') })
  assert.deepEqual(buildErrorResponse(error), { error: 'invalid_grant', error_description: 'The code was used before' })
})

test('14.3.2 T-09 token answers are never cached', () => {
  assert.equal(TOKEN_RESPONSE_HEADERS['cache-control'], 'no-store')
})
