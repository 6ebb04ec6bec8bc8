import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OAuthError, type OAuthErrorCode } from '../errors.ts'
import { isConfidential, readClientId, skipsConsent } from './client.ts'
import { type ClientRules, readClientMetadata } from './client_metadata.ts'

fc.configureGlobal({ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1000) })

const dynamic: ClientRules = {
  door: 'dynamic',
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  response_types: ['code'],
  response_modes: ['query', 'fragment', 'form_post'],
  token_endpoint_auth_methods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
}
const administrator: ClientRules = {
  ...dynamic,
  door: 'administrator',
  grant_types: [...dynamic.grant_types, 'implicit', 'password'],
  response_types: ['code', 'token'],
}
const redirect_uris = ['https://app.example/callback']
const refused =
  (code: OAuthErrorCode, pattern?: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof OAuthError, String(error))
    assert.equal(error.error, code, error.error_description)
    if (pattern) assert.match(error.error_description, pattern)
    return true
  }
const invalid = (member: string) => refused('invalid_client_metadata', new RegExp(member))

test('RFC 7591 2 the defaults of an empty registration', () => {
  assert.deepEqual(readClientMetadata({ redirect_uris }, dynamic), {
    redirect_uris,
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: '',
    application_type: 'web',
    trusted: false,
    require_pkce: true,
  })
})

test('every member is read', () => {
  const metadata = {
    client_name: 'Caf\u00e9 \u{1f600}',
    client_uri: 'https://app.example/',
    logo_uri: 'https://app.example/logo.png',
    policy_uri: 'https://app.example/policy',
    tos_uri: 'https://app.example/tos',
    contacts: ['admin@app.example'],
    redirect_uris,
    post_logout_redirect_uris: ['https://app.example/bye'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    response_modes: ['query'],
    token_endpoint_auth_method: 'private_key_jwt',
    scope: 'openid api:read',
    application_type: 'web',
    jwks_uri: 'https://app.example/jwks',
    software_id: 'app',
    software_version: '1.0',
    default_max_age: 3600,
    trusted: true,
    require_pkce: false,
    default_resource: 'https://api.example/',
    access_token_lifetime_seconds: 300,
    loopback_localhost: true,
  }
  assert.deepEqual(readClientMetadata(metadata, administrator), metadata)
})

test('15.3.3 a client that registers itself cannot set what is ours', () => {
  const metadata = readClientMetadata(
    {
      redirect_uris,
      client_id: 'admin',
      client_secret: 'chosen',
      trusted: true,
      require_pkce: false,
      default_resource: 'https://id.example/api',
      access_token_lifetime_seconds: 86_400,
      loopback_localhost: true,
      tenant_id: 'other',
      epoch: 7,
    },
    dynamic,
  )
  assert.deepEqual(metadata, readClientMetadata({ redirect_uris }, dynamic))
})

test('15.3.6 prototype members are ignored', () => {
  const metadata = readClientMetadata(
    JSON.parse('{"redirect_uris":["https://app.example/cb"],"__proto__":{"trusted":true},"constructor":{"x":1}}'),
    administrator,
  )
  assert.equal(metadata.trusted, false)
  assert.equal(Object.getPrototypeOf(metadata), Object.prototype)
})

test('null and empty members count as absent, unknown ones are ignored', () => {
  const nothing = {
    client_name: '',
    logo_uri: null,
    contacts: [],
    jwks: null,
    scope: '',
    default_max_age: null,
    x: 1,
    jwks_uri: '',
  }
  assert.deepEqual(
    readClientMetadata({ redirect_uris, ...nothing }, dynamic),
    readClientMetadata({ redirect_uris }, dynamic),
  )
})

test('what is not an object is refused', () => {
  for (const json of [null, undefined, [], 'x', 1, true]) {
    assert.throws(() => readClientMetadata(json, dynamic), invalid('JSON object'))
  }
})

test('15.3.5 a member of the wrong type is refused by name', () => {
  const wrong: Record<string, unknown[]> = {
    redirect_uris: ['https://app.example/', {}, [1], [null], [''], [['https://app.example/']]],
    grant_types: ['authorization_code', [1]],
    response_types: ['code', {}],
    response_modes: ['query', [{}]],
    token_endpoint_auth_method: [1, [], {}, true],
    scope: [['openid'], 1, 'a"b'],
    application_type: ['desktop', 1],
    client_name: [1, {}, 'a\u0000b', 'a\u202eb', 'a\nb', '\ud800', 'x'.repeat(201)],
    client_uri: [1, 'app', 'ftp://app.example'],
    contacts: ['admin@app.example', [1], Array(51).fill('x')],
    software_id: [1],
    default_max_age: [-1, 1.5, '60', Number.MAX_SAFE_INTEGER],
    jwks: ['{}', [], {}, { keys: [] }],
    jwks_uri: [1],
    post_logout_redirect_uris: ['https://app.example/', [1]],
    trusted: ['true', 1],
    require_pkce: ['false', 0],
    loopback_localhost: ['x'],
    access_token_lifetime_seconds: [0, -1, 1.5, '60', 86_401],
    default_resource: [1, 'api', 'https://api.example/#f'],
  }
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      assert.throws(() => readClientMetadata({ redirect_uris, [name]: value }, administrator), invalid(name), name)
    }
  }
})

test('a client with a redirect flow needs a redirect URI, another one does not', () => {
  assert.throws(() => readClientMetadata({}, dynamic), invalid('redirect_uris'))
  assert.throws(() => readClientMetadata({ redirect_uris: [] }, dynamic), invalid('redirect_uris'))
  const machine = readClientMetadata({ grant_types: ['client_credentials'] }, dynamic)
  assert.deepEqual([machine.redirect_uris, machine.response_types], [[], []])
})

test('10.4.7 a bad redirect URI is invalid_redirect_uri', () => {
  for (const uri of [
    'javascript:alert(1)',
    'data:text/html,x',
    'http://app.example/cb',
    'https://user@app.example/cb',
    'https://app.example/cb#f',
    'https://*.app.example/cb',
    'https://10.0.0.1/cb',
    'https://127.0.0.1/cb',
    'https://[fd00::1]/cb',
    'https://localhost/cb',
    'https://x.localhost/cb',
  ]) {
    assert.throws(() => readClientMetadata({ redirect_uris: [uri] }, dynamic), refused('invalid_redirect_uri'), uri)
    const after_logout = { redirect_uris, post_logout_redirect_uris: [uri] }
    assert.throws(() => readClientMetadata(after_logout, dynamic), refused('invalid_redirect_uri'), uri)
  }
  // An administrator may use addresses inside the house.
  readClientMetadata({ redirect_uris: ['https://10.0.0.1/cb'] }, administrator)
})

test('10.4.7 every other URI of a self-registered client is https with a public host', () => {
  for (const name of ['client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'jwks_uri']) {
    for (const uri of [
      'javascript:alert(1)',
      'data:image/png;base64,AA==',
      'http://app.example/',
      'https://user:password@app.example/',
      'https://10.0.0.1/',
      'https://2130706433/',
      'https://0x7f.1/',
      'https://[::1]/',
      'https://[::ffff:10.0.0.1]/',
      'https://localhost/',
      'https://localhost./',
      'https://app.example/\u00e9',
      'https://app.example/"><script>',
      ' https://app.example/',
      '//app.example/',
      'app.example',
    ]) {
      assert.throws(() => readClientMetadata({ redirect_uris, [name]: uri }, dynamic), invalid(name), `${name} ${uri}`)
    }
    readClientMetadata({ redirect_uris, [name]: 'https://app.example/x?y=1#z' }, dynamic)
  }
  assert.equal(
    readClientMetadata({ redirect_uris, client_uri: 'http://intranet/' }, administrator).client_uri,
    'http://intranet/',
  )
})

test('M-11 application_type decides on redirect URIs', () => {
  const app = ['com.example.app:/cb']
  assert.throws(
    () => readClientMetadata({ redirect_uris: app, application_type: 'web' }, dynamic),
    refused('invalid_redirect_uri'),
  )
  assert.throws(() => readClientMetadata({ redirect_uris: app }, administrator), refused('invalid_redirect_uri'))
  assert.equal(
    readClientMetadata({ redirect_uris: app, application_type: 'native' }, dynamic).application_type,
    'native',
  )
})

test('a self-registered client with only loopback URIs is native whatever it says, with any port', () => {
  for (const application_type of ['web', 'native', undefined]) {
    const metadata = readClientMetadata({ redirect_uris: ['http://localhost/callback'], application_type }, dynamic)
    assert.equal(metadata.application_type, 'native')
    assert.equal(metadata.loopback_localhost, true)
  }
  const mixed = ['http://127.0.0.1/cb', 'https://app.example/cb']
  const metadata = readClientMetadata({ redirect_uris: mixed }, dynamic)
  assert.equal(metadata.application_type, 'native')
  assert.equal(metadata.loopback_localhost, undefined)
  assert.throws(
    () => readClientMetadata({ redirect_uris: mixed, application_type: 'web' }, dynamic),
    refused('invalid_redirect_uri'),
  )
})

test('an administrator may give a web client http at loopback, with its port', () => {
  const metadata = readClientMetadata({ redirect_uris: ['http://127.0.0.1:3000/callback'] }, administrator)
  assert.equal(metadata.application_type, 'web')
})

test('10.4.4 grant types outside the list are refused, or left out of what a client asks for itself', () => {
  assert.throws(
    () => readClientMetadata({ redirect_uris, grant_types: ['authorization_code', 'urn:x'] }, administrator),
    invalid('grant_types'),
  )
  assert.deepEqual(
    readClientMetadata({ redirect_uris, grant_types: ['authorization_code', 'implicit', 'password'] }, dynamic)
      .grant_types,
    ['authorization_code'],
  )
  for (const grant_types of [['implicit'], ['password'], ['toString']]) {
    assert.throws(() => readClientMetadata({ redirect_uris, grant_types }, dynamic), invalid('grant_types'))
  }
})

test('2.2.3 RFC 7591 2.1 grant types and response types must say the same', () => {
  const read = (grant_types: string[], response_types: string[]) => () =>
    readClientMetadata({ redirect_uris, grant_types, response_types }, administrator)
  assert.deepEqual(read(['authorization_code', 'implicit'], ['code', 'token'])().response_types, ['code', 'token'])
  assert.throws(read(['authorization_code'], ['token']), invalid('response_types'))
  assert.throws(read(['authorization_code'], ['code', 'token']), invalid('response_types'))
  assert.throws(read(['client_credentials'], ['code']), invalid('response_types'))
  assert.throws(read(['authorization_code', 'implicit'], ['code']), invalid('response_types'))
  assert.throws(read(['authorization_code'], ['id_token']), invalid('response_types'))
  assert.deepEqual(readClientMetadata({ redirect_uris, grant_types: ['implicit'] }, administrator).response_types, [
    'token',
  ])
})

test('an unsupported authentication method or response mode is refused by name', () => {
  for (const method of ['tls_client_auth', 'client_secret_jwt', 'NONE', 'x']) {
    assert.throws(
      () => readClientMetadata({ redirect_uris, token_endpoint_auth_method: method }, dynamic),
      invalid('token_endpoint_auth_method'),
    )
  }
  assert.throws(
    () => readClientMetadata({ redirect_uris, response_modes: ['web_message'] }, dynamic),
    invalid('response_modes'),
  )
})

test('a public client has PKCE and no client credentials grant', () => {
  const publicly = { redirect_uris, token_endpoint_auth_method: 'none' }
  assert.equal(readClientMetadata(publicly, administrator).require_pkce, true)
  assert.throws(() => readClientMetadata({ ...publicly, require_pkce: false }, administrator), invalid('require_pkce'))
  assert.throws(
    () => readClientMetadata({ ...publicly, grant_types: ['authorization_code', 'client_credentials'] }, administrator),
    invalid('grant_types'),
  )
})

test('a client is confidential when it authenticates', () => {
  assert.equal(isConfidential({ token_endpoint_auth_method: 'none' }), false)
  assert.equal(isConfidential({ token_endpoint_auth_method: 'client_secret_basic' }), true)
})

const x = 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU'
const y = 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0'
const n = 'u'.repeat(342)
const key = { kty: 'EC', crv: 'P-256', x, y }
const withKeys = (...keys: unknown[]) => ({
  redirect_uris,
  jwks: { keys },
  token_endpoint_auth_method: 'private_key_jwt',
})

test('public keys are kept, and what points elsewhere is dropped', () => {
  const metadata = readClientMetadata(
    withKeys(
      { ...key, kid: 'a', use: 'sig', x5u: 'https://evil.example' },
      { kty: 'RSA', n, e: 'AQAB', kid: 'b' },
      { kty: 'OKP', crv: 'Ed25519', x, kid: 'c' },
    ),
    dynamic,
  )
  assert.deepEqual(metadata.jwks, {
    keys: [
      { ...key, kid: 'a', use: 'sig' },
      { kty: 'RSA', n, e: 'AQAB', kid: 'b' },
      { kty: 'OKP', crv: 'Ed25519', x, kid: 'c' },
    ],
  })
})

test('P-28 P-30 private, symmetric, short, unknown and duplicate keys are refused', () => {
  for (const keys of [
    [{ ...key, d: x }],
    [{ kty: 'oct', k: x }],
    [{ kty: 'RSA', n: 'u'.repeat(171), e: 'AQAB' }],
    [{ kty: 'RSA', n, e: 'AQAB', p: x }],
    [{ ...key, crv: 'secp256k1' }],
    [{ ...key, crv: undefined }],
    [{ ...key, x: 'not base64url!' }],
    [{ ...key, use: 'x' }],
    [{ ...key, kid: 1 }],
    [
      { ...key, kid: 'a' },
      { ...key, kid: 'a' },
    ],
    [key, key],
    ['x'],
    [null],
    Array(21).fill(key),
  ]) {
    assert.throws(() => readClientMetadata(withKeys(...keys), dynamic), invalid('jwks'))
  }
})

test('private_key_jwt needs keys, in one place', () => {
  assert.throws(
    () => readClientMetadata({ redirect_uris, token_endpoint_auth_method: 'private_key_jwt' }, dynamic),
    invalid('jwks'),
  )
  assert.throws(
    () => readClientMetadata({ ...withKeys(key), jwks_uri: 'https://app.example/jwks' }, dynamic),
    invalid('jwks_uri'),
  )
})

test('10.7.1 only a trusted client skips consent, and not at a redirect URI that another program can claim', () => {
  const client = readClientMetadata({ redirect_uris, trusted: true }, administrator)
  assert.equal(skipsConsent(client, 'https://app.example/callback'), true)
  assert.equal(skipsConsent({ ...client, trusted: false }, 'https://app.example/callback'), false)
  const native = { ...client, application_type: 'native' } as const
  assert.equal(skipsConsent(native, 'https://app.example/callback'), true)
  for (const uri of ['http://127.0.0.1:5/cb', 'http://localhost/cb', 'com.example.app:/cb']) {
    assert.equal(skipsConsent(native, uri), false)
  }
  // What listens there keeps a secret, or could be anything.
  assert.equal(skipsConsent(client, 'http://127.0.0.1:3000/cb'), true)
  const script = { ...client, token_endpoint_auth_method: 'none' }
  assert.equal(skipsConsent(script, 'https://app.example/callback'), true)
  for (const uri of ['http://127.0.0.1:3000/cb', 'http://localhost:3000/cb']) {
    assert.equal(skipsConsent(script, uri), false)
  }
})

test('a client_id is printable ASCII without space', () => {
  assert.equal(readClientId('web'), 'web')
  for (const value of ['', 'a b', 'caf\u00e9', 'a\n', 1, null, undefined, 'x'.repeat(256)]) {
    assert.throws(() => readClientId(value), invalid('client_id'))
  }
})

test('any JSON gives metadata or a refusal, and its own output reads back the same', () => {
  const names = [
    'redirect_uris',
    'grant_types',
    'response_types',
    'scope',
    'client_name',
    'jwks',
    'contacts',
    'logo_uri',
    'trusted',
    'application_type',
  ]
  const values = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom<unknown>(
      redirect_uris,
      ['http://127.0.0.1/cb'],
      ['com.example:/cb'],
      ['implicit'],
      ['code'],
      'openid',
      true,
      'native',
      null,
    ),
  )
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...names), values),
      fc.constantFrom(dynamic, administrator),
      (json, rules) => {
        try {
          const metadata = readClientMetadata({ redirect_uris, ...json }, rules)
          assert.deepEqual(readClientMetadata(JSON.parse(JSON.stringify(metadata)), rules), metadata)
          if (rules.door === 'dynamic') assert.equal(metadata.trusted, false)
        } catch (error) {
          assert.ok(error instanceof OAuthError && error.error.startsWith('invalid_'), String(error))
        }
      },
    ),
  )
})
