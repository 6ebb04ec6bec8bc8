import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTokenResponse } from './token_response.ts'

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
