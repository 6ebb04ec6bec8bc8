import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type AuthorizationAnswer,
  authorizationErrorParams,
  buildAuthorizationResponse,
} from './authorization_response.ts'
import { OAuthError } from './errors.ts'

fc.configureGlobal({ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1000) })

const iss = 'https://id.example/hub'
const answer: AuthorizationAnswer = {
  redirect_uri: 'https://app.example/callback',
  response_mode: 'query',
  params: { code: 'abc' },
  state: 'xyz',
  iss,
}
const location = (change: Partial<AuthorizationAnswer>) => {
  const response = buildAuthorizationResponse({ ...answer, ...change })
  assert.ok(response.response_mode !== 'form_post')
  assert.equal(response.status, 303)
  return response.location
}

test('B-02 B-06 a code is answered in the query, with state, iss and a fragment of our own', () => {
  assert.equal(location({}), 'https://app.example/callback?code=abc&state=xyz&iss=https%3A%2F%2Fid.example%2Fhub#_')
})

test('RFC 6749 3.1.2 the registered query is kept', () => {
  const start = 'https://app.example/cb?tenant=a%20b&x'
  assert.ok(location({ redirect_uri: start }).startsWith(`${start}&code=abc&`))
  assert.ok(location({ redirect_uri: 'https://app.example/cb?' }).startsWith('https://app.example/cb?code=abc&'))
  assert.ok(location({ redirect_uri: 'com.example.app:/cb' }).startsWith('com.example.app:/cb?code=abc&'))
})

test('a fragment answer leaves the query alone', () => {
  assert.equal(
    location({ response_mode: 'fragment', params: { access_token: 'a.b', expires_in: 600 }, state: undefined }),
    'https://app.example/callback#access_token=a.b&expires_in=600&iss=https%3A%2F%2Fid.example%2Fhub',
  )
})

test('a form_post answer is its action and its fields, not yet escaped', () => {
  assert.deepEqual(buildAuthorizationResponse({ ...answer, response_mode: 'form_post', state: '"><script>' }), {
    response_mode: 'form_post',
    status: 200,
    action: 'https://app.example/callback',
    fields: [
      ['code', 'abc'],
      ['state', '"><script>'],
      ['iss', iss],
    ],
  })
})

test('B-06 an error carries iss and state as well', () => {
  const error = new OAuthError('access_denied', 'The user said no')
  assert.deepEqual(authorizationErrorParams(error), { error: 'access_denied', error_description: 'The user said no' })
  const url = new URL(location({ params: authorizationErrorParams(error) }))
  assert.equal(url.searchParams.get('error'), 'access_denied')
  assert.equal(url.searchParams.get('iss'), iss)
  assert.equal(url.searchParams.get('state'), 'xyz')
})

test('undefined values are left out', () => {
  assert.ok(!location({ params: { code: 'abc', scope: undefined }, state: undefined }).includes('scope'))
})

test('whatever the state is, the client gets it back and nothing else changes', () => {
  const state = fc.oneof(fc.string({ unit: 'binary' }), fc.string())
  const redirect_uri = fc.constantFrom(
    'https://app.example/cb',
    'https://app.example/cb?x=1',
    'http://127.0.0.1:5/cb',
    'com.example:/cb',
  )
  fc.assert(
    fc.property(state, redirect_uri, fc.constantFrom('query', 'fragment'), (state, redirect_uri, response_mode) => {
      const text = location({ state, redirect_uri, response_mode })
      assert.match(text, /^[\x21-\x7e]+$/)
      const [there, registered] = [new URL(text), new URL(redirect_uri)]
      assert.equal(there.origin + there.pathname, registered.origin + registered.pathname)
      const params = new URLSearchParams(response_mode === 'query' ? there.search : there.hash.slice(1))
      assert.equal(params.get('state'), state.toWellFormed())
      assert.equal(params.get('code'), 'abc')
      assert.equal(params.get('iss'), iss)
      assert.equal(params.size, 3 + (response_mode === 'query' ? registered.searchParams.size : 0))
    }),
  )
})
