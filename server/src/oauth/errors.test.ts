import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ERROR_STATUS, OAuthError } from './errors.ts'

test('a direct answer has the status of its registered code', () => {
  assert.equal(new OAuthError('invalid_request', 'x').status, 400)
  assert.equal(new OAuthError('invalid_client', 'x').status, 401)
  assert.equal(new OAuthError('insufficient_scope', 'x').status, 403)
  assert.equal(new OAuthError('invalid_request', 'x', { status: 413 }).status, 413)
})

test('a refusal by the user is 400 where it is a direct answer, as RFC 8628 section 3.5 has it', () => {
  assert.equal(new OAuthError('access_denied', 'x').status, 400)
})

test('every registered code is made of characters that RFC 6749 allows', () => {
  for (const code of Object.keys(ERROR_STATUS)) assert.match(code, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
})

test('a description holds only the characters that RFC 6749 allows, whatever was put in', () => {
  assert.equal(new OAuthError('invalid_scope', 'Scope "\u00e9" \\ \n').error_description, "Scope '?' ' ?")
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.match(new OAuthError('invalid_request', text).error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/)
    }),
  )
})

test('the cause is kept for the log, and appears nowhere else', () => {
  const cause = new Error('secret')
  const error = new OAuthError('server_error', 'Try again later', { cause, headers: { 'retry-after': '1' } })
  assert.equal(error.cause, cause)
  assert.equal(error.message, 'server_error: Try again later')
  assert.deepEqual(error.headers, { 'retry-after': '1' })
  assert.ok(!('cause' in new OAuthError('server_error', 'x')))
})
