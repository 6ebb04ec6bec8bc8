import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AuthorizationRules, readAuthorizationRequest, readAuthorizationTarget } from './authorization_request.ts'
import type { Client } from './clients/client.ts'
import { OAuthError, type OAuthErrorCode } from './errors.ts'
import { readParams } from './params.ts'

fc.configureGlobal({ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1000) })

const client: Client = {
  client_id: 'web',
  redirect_uris: ['https://app.example/callback'],
  grant_types: ['authorization_code'],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_basic',
  scope: 'openid api:read',
  application_type: 'web',
  trusted: false,
  require_pkce: true,
}
const rules: AuthorizationRules = { response_types: ['code'] }
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
const minimal = {
  client_id: 'web',
  redirect_uri: 'https://app.example/callback',
  response_type: 'code',
  code_challenge: CHALLENGE,
  code_challenge_method: 'S256',
}
type Given = Record<string, string | undefined>
const paramsOf = (given: Given) =>
  readParams(
    new URLSearchParams(
      Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ).toString(),
  )
const target = (given: Given, who: Client | undefined = client) =>
  readAuthorizationTarget(paramsOf({ ...minimal, ...given }), who)
const read = (given: Given, who: Client = client, how: AuthorizationRules = rules) => {
  const params = paramsOf({ ...minimal, ...given })
  return readAuthorizationRequest(params, who, readAuthorizationTarget(params, who), how)
}
const refused = (code: OAuthErrorCode, pattern?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof OAuthError, String(error))
  assert.equal(error.error, code, error.error_description)
  if (pattern) assert.match(error.error_description, pattern)
  return true
}

test('the target is the registered redirect URI with the state', () => {
  assert.deepEqual(target({ state: 'xyz' }), {
    client_id: 'web',
    redirect_uri: 'https://app.example/callback',
    response_mode: 'query',
    state: 'xyz',
  })
})

test('an unknown client gives no target', () => {
  assert.throws(() => readAuthorizationTarget(paramsOf(minimal), undefined), refused('invalid_request', /client_id/))
  assert.throws(() => target({ client_id: 'other' }), refused('invalid_request', /client_id/))
  assert.throws(() => target({ client_id: undefined }), refused('invalid_request', /client_id is missing/))
})

test('10.4.1 CVE-2025-4143 a redirect URI that is not registered gives no target', () => {
  for (const redirect_uri of [
    'https://app.example/callback/',
    'https://app.example/callback?x=1',
    'https://evil.example/callback',
    'http://app.example/callback',
    'javascript:alert(1)',
  ]) {
    assert.throws(() => target({ redirect_uri }), refused('invalid_request', /redirect_uri/), redirect_uri)
  }
  assert.throws(() => target({}, { ...client, redirect_uris: [] }), refused('invalid_request', /redirect_uri/))
})

test('a missing redirect_uri stands for the only registered one, but never with openid', () => {
  assert.equal(target({ redirect_uri: undefined }).redirect_uri, 'https://app.example/callback')
  assert.throws(
    () => target({ redirect_uri: undefined, scope: 'email openid' }),
    refused('invalid_request', /redirect_uri is missing/),
  )
  const several = { ...client, redirect_uris: ['https://app.example/a', 'https://app.example/b'] }
  assert.throws(
    () => target({ redirect_uri: undefined }, several),
    refused('invalid_request', /redirect_uri is missing/),
  )
  assert.throws(
    () => target({ redirect_uri: undefined }, { ...client, redirect_uris: [] }),
    refused('invalid_request', /redirect_uri is missing/),
  )
})

test('V-15 a native client may use any port at a loopback address', () => {
  const native: Client = {
    ...client,
    application_type: 'native',
    redirect_uris: ['http://127.0.0.1/cb', 'http://localhost/cb'],
  }
  assert.equal(target({ redirect_uri: 'http://127.0.0.1:5/cb' }, native).redirect_uri, 'http://127.0.0.1:5/cb')
  assert.throws(() => target({ redirect_uri: 'http://localhost:5/cb' }, native), refused('invalid_request'))
  target({ redirect_uri: 'http://localhost:5/cb' }, { ...native, loopback_localhost: true })
})

test('a minimal request is read, with lists for what was not said', () => {
  assert.deepEqual(read({}), {
    client_id: 'web',
    redirect_uri: 'https://app.example/callback',
    response_mode: 'query',
    response_type: 'code',
    scope: [],
    resource: [],
    prompt: [],
    acr_values: [],
    ui_locales: [],
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
  })
})

test('every parameter is read', () => {
  const request = read({
    response_mode: 'form_post',
    state: 'a b&c=\u00e9',
    nonce: 'n',
    scope: 'openid api:read',
    resource: 'https://api.example/',
    prompt: 'login consent',
    max_age: '0',
    acr_values: 'mfa pwd',
    ui_locales: 'de-CH en x_y',
    login_hint: 'alice',
    id_token_hint: 'a.b.c',
    claims: '{"userinfo":{"name":null,"email":{"essential":true}},"id_token":{"acr":{"values":["mfa"]}}}',
  })
  assert.deepEqual(request, {
    client_id: 'web',
    redirect_uri: 'https://app.example/callback',
    response_mode: 'form_post',
    response_type: 'code',
    state: 'a b&c=\u00e9',
    nonce: 'n',
    scope: ['openid', 'api:read'],
    resource: ['https://api.example/'],
    prompt: ['login', 'consent'],
    max_age: 0,
    acr_values: ['mfa', 'pwd'],
    ui_locales: ['de-CH', 'en'],
    login_hint: 'alice',
    id_token_hint: 'a.b.c',
    claims: {
      userinfo: { name: { essential: false, values: [] }, email: { essential: true, values: [] } },
      id_token: { acr: { essential: false, values: ['mfa'] } },
    },
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
  })
  assert.deepEqual(JSON.parse(JSON.stringify(request)), request)
})

test('10.4.4 a response type that the server or the client does not have is refused', () => {
  assert.throws(() => read({ response_type: undefined }), refused('invalid_request', /response_type is missing/))
  for (const response_type of [
    'token',
    'id_token',
    'id_token token',
    'code token',
    'code id_token',
    'none',
    'CODE',
    'code code',
  ]) {
    assert.throws(() => read({ response_type }), refused('unsupported_response_type', /response_type/), response_type)
  }
  assert.throws(() => read({}, { ...client, response_types: [] }), refused('unauthorized_client', /response_type/))
  assert.throws(
    () => read({ response_type: 'token' }, client, { response_types: ['code', 'token'] }),
    refused('unauthorized_client', /response_type token/),
  )
})

test('a client with the implicit grant switched on gets the fragment and needs no PKCE', () => {
  const implicit = { ...client, response_types: ['token'] }
  const both = { response_types: ['code', 'token'] }
  const given = { response_type: 'token', code_challenge: undefined, code_challenge_method: undefined }
  assert.equal(read(given, implicit, both).response_mode, 'fragment')
  assert.equal(read({ ...given, response_mode: 'form_post' }, implicit, both).response_mode, 'form_post')
  assert.throws(
    () => read({ ...given, response_mode: 'query' }, implicit, both),
    refused('invalid_request', /response_mode/),
  )
  assert.equal(target({ ...given, response_mode: 'query' }, implicit).response_mode, 'fragment')
})

test('an error about an unknown response type travels in the query, about a token in the fragment', () => {
  assert.equal(target({ response_type: undefined }).response_mode, 'query')
  assert.equal(target({ response_type: 'x_token' }).response_mode, 'query')
  for (const response_type of ['token', 'id_token', 'code id_token', 'id_token token', 'code token']) {
    assert.equal(target({ response_type }).response_mode, 'fragment', response_type)
  }
})

test('10.4.12 a response mode outside the list of the client is refused, and the error travels by the standard one', () => {
  const onlyQuery = { ...client, response_modes: ['query'] }
  for (const response_mode of ['form_post', 'fragment', 'query.jwt', 'jwt', 'web_message', 'QUERY', 'x']) {
    assert.throws(() => read({ response_mode }, onlyQuery), refused('invalid_request', /response_mode/), response_mode)
    assert.equal(target({ response_mode }, onlyQuery).response_mode, 'query')
  }
  assert.throws(() => read({ response_mode: 'web_message' }), refused('invalid_request', /response_mode/))
  assert.throws(
    () => read({}, { ...client, response_modes: ['form_post'] }),
    refused('invalid_request', /response_mode/),
  )
  assert.equal(read({ response_mode: 'query' }, onlyQuery).response_mode, 'query')
})

test('10.4.6 CVE-2024-22258 PKCE is required of every client but an exempt confidential one', () => {
  const without = { code_challenge: undefined, code_challenge_method: undefined }
  assert.throws(() => read(without), refused('invalid_request', /code_challenge/))
  assert.equal(read(without, { ...client, require_pkce: false }).code_challenge, undefined)
  assert.equal(read({}, { ...client, require_pkce: false }).code_challenge, CHALLENGE)
  assert.throws(
    () => read({ code_challenge_method: 'plain' }, { ...client, require_pkce: false }),
    refused('invalid_request', /S256/),
  )
  // A public client has no exemption, whatever its row says.
  assert.throws(
    () => read(without, { ...client, require_pkce: false, token_endpoint_auth_method: 'none' }),
    refused('invalid_request', /code_challenge/),
  )
})

test('request, request_uri and registration are refused by their own codes', () => {
  assert.throws(() => read({ request: 'a.b.c' }), refused('request_not_supported'))
  assert.throws(() => read({ request_uri: 'https://app.example/r' }), refused('request_uri_not_supported'))
  assert.throws(() => read({ registration: '{}' }), refused('registration_not_supported'))
})

test('14.2.1 client credentials in the browser are refused, over the back channel they are not', () => {
  for (const name of ['client_secret', 'client_assertion']) {
    assert.throws(
      () => read({ [name]: 'hunter2' }),
      (error) => {
        assert.ok(refused('invalid_request', new RegExp(name))(error))
        return !String(error).includes('hunter2')
      },
    )
    read({ [name]: 'hunter2' }, client, { ...rules, pushed: true })
  }
})

test('4.2.5 an overlong or unprintable state is refused, and not repeated', () => {
  assert.equal(read({ state: 'x'.repeat(4096) }).state?.length, 4096)
  for (const state of ['x'.repeat(4097), 'a\r\nSet-Cookie: x', 'a\u0007']) {
    assert.throws(() => read({ state }), refused('invalid_request', /state/))
    assert.equal(target({ state }).state, undefined)
  }
})

test('prompt none stands alone, and unknown values are refused', () => {
  assert.deepEqual(read({ prompt: 'none' }).prompt, ['none'])
  for (const prompt of ['none login', 'consent none', 'Login', 'x', 'create']) {
    assert.throws(() => read({ prompt }), refused('invalid_request', /prompt/), prompt)
  }
  assert.deepEqual(read({ prompt: 'create' }, client, { ...rules, prompts: ['create'] }).prompt, ['create'])
})

test('max_age is a whole number of seconds, by default that of the client', () => {
  for (const max_age of ['-1', '1.5', 'x', '1e3', '0x10', ' 1', '9999999999']) {
    assert.throws(() => read({ max_age }), refused('invalid_request', /max_age/), max_age)
  }
  assert.equal(read({ max_age: '60' }, { ...client, default_max_age: 5 }).max_age, 60)
  assert.equal(read({}, { ...client, default_max_age: 5 }).max_age, 5)
})

test('P-25 a nonce of 64 characters is taken, one of 256 refused', () => {
  assert.equal(read({ nonce: 'n'.repeat(64) }).nonce?.length, 64)
  assert.throws(() => read({ nonce: 'n'.repeat(256) }), refused('invalid_request', /nonce/))
})

test('a malformed scope or resource is refused by its own code', () => {
  assert.throws(() => read({ scope: 'a"b' }), refused('invalid_scope'))
  assert.throws(() => read({ resource: 'api' }), refused('invalid_target'))
  assert.throws(() => read({ resource: 'https://api.example/#f' }), refused('invalid_target'))
  const params = readParams(`${new URLSearchParams(minimal)}${'&resource=https://api.example/'.repeat(21)}`)
  assert.throws(
    () => readAuthorizationRequest(params, client, readAuthorizationTarget(params, client), rules),
    refused('invalid_target', /too often/),
  )
})

test('lists and hints have limits', () => {
  assert.throws(
    () => read({ acr_values: Array.from({ length: 21 }, (_, i) => `a${i}`).join(' ') }),
    refused('invalid_request', /acr_values/),
  )
  assert.throws(() => read({ acr_values: '\u00e9' }), refused('invalid_request', /acr_values/))
  assert.throws(() => read({ login_hint: 'x'.repeat(256) }), refused('invalid_request', /login_hint/))
})

test('claims must be a JSON object of objects', () => {
  for (const claims of [
    'x',
    '[]',
    'null',
    '1',
    '{"userinfo":[]}',
    '{"id_token":"x"}',
    `{"userinfo":{"${'x'.repeat(8192)}":null}}`,
  ]) {
    assert.throws(() => read({ claims }), refused('invalid_request', /claims/), claims.slice(0, 40))
  }
  assert.deepEqual(read({ claims: '{}' }).claims, { userinfo: {}, id_token: {} })
  const odd = read({ claims: '{"userinfo":{"__proto__":null,"a b":null}}' }).claims
  assert.deepEqual(Object.keys(odd!.userinfo), ['__proto__'])
})

test('any parameters give a request or a refusal, and the target never leaves the registered redirect URI', () => {
  const names = [
    'response_type',
    'response_mode',
    'scope',
    'state',
    'nonce',
    'prompt',
    'max_age',
    'claims',
    'resource',
    'redirect_uri',
    'code_challenge_method',
    'acr_values',
  ]
  const values = fc.oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.json(),
    fc.constantFrom('code', 'token', 'none', 'query', '1'),
  )
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), values), (given) => {
      try {
        const request = read(given)
        assert.equal(request.redirect_uri, 'https://app.example/callback')
        assert.equal(request.response_type, 'code')
        assert.equal(request.code_challenge, CHALLENGE)
      } catch (error) {
        assert.ok(error instanceof OAuthError, String(error))
      }
    }),
  )
})
