import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OAuthError } from '../oauth_error.ts'
import { LONGEST_TOKEN, type PresentedToken, readPresentedToken } from './presented_token.ts'

function read(authorization: string | undefined, url = 'https://api.example/'): PresentedToken {
  const headers = new Headers()
  if (authorization !== undefined) headers.set('authorization', authorization)
  return readPresentedToken({ method: 'GET', url, headers })
}

function refusal(authorization: string | undefined, url?: string): OAuthError {
  try {
    read(authorization, url)
  } catch (error) {
    assert(error instanceof OAuthError)
    return error
  }
  assert.fail(`${authorization} was accepted`)
}

test('the scheme is compared without regard to case', () => {
  for (const [spelled, scheme] of [
    ...['Bearer', 'bearer', 'BEARER', 'bEaReR'].map((spelled) => [spelled, 'Bearer']),
    ...['DPoP', 'dpop', 'DPOP'].map((spelled) => [spelled, 'DPoP']),
  ]) {
    assert.deepEqual(read(`${spelled} abc.DEF-_~+/==`), { scheme, token: 'abc.DEF-_~+/==' })
  }
})

test('a request without credentials, or with those of another scheme, is refused without an error code', () => {
  for (const authorization of [undefined, '', 'Basic YTpi', 'Bearerabc', 'DPoPabc', 'Negotiate abc']) {
    const { error, status } = refusal(authorization)
    assert.deepEqual([error, status], [undefined, 401])
  }
})

test('B-05 a token in the query is no token', () => {
  assert.equal(refusal(undefined, 'https://api.example/?access_token=abc').error, undefined)
})

test('a malformed value is invalid_request', () => {
  for (const value of [
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer a,b',
    'Bearer "a"',
    'Bearer a=b',
    'Bearer =',
    'Bearer \u00e9',
    'DPoP',
    'DPoP a b',
    'DPoP a, Bearer a',
  ]) {
    const { error, status } = refusal(value)
    assert.deepEqual([error, status], ['invalid_request', 400], value)
  }
})

test('two Authorization fields are refused, even when both hold the same token', () => {
  const headers = new Headers([
    ['authorization', 'Bearer abc'],
    ['authorization', 'Bearer abc'],
  ])
  assert.throws(() => readPresentedToken({ method: 'GET', url: '/', headers }), {
    error: 'invalid_request',
    status: 400,
  })
})

test('a token of the largest size is read, a longer one is refused before anything else looks at it', () => {
  for (const scheme of ['Bearer', 'DPoP']) {
    assert.equal(read(`${scheme} ${'a'.repeat(LONGEST_TOKEN)}`).token.length, LONGEST_TOKEN)
    assert.equal(refusal(`${scheme} ${'a'.repeat(LONGEST_TOKEN + 1)}`).error, 'invalid_token')
  }
  assert.equal(refusal(`Bearer ${'a.'.repeat(1_000_000)}`).error, 'invalid_token')
})
