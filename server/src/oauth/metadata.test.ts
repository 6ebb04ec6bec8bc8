import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  buildMetadata,
  buildProtectedResourceMetadata,
  type MetadataInput,
  protectedResourceMetadataUrl,
  wellKnownPaths,
} from './metadata.ts'

const issuer = 'https://id.example/hub'
const input: MetadataInput = {
  issuer,
  endpoints: {
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    userinfo_endpoint: `${issuer}/userinfo`,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_endpoint: `${issuer}/revoke`,
  },
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  response_types: ['code'],
  response_modes: ['query', 'fragment', 'form_post'],
  prompts: ['none', 'login', 'consent', 'select_account'],
  scopes: ['openid', 'profile'],
  claims: ['sub', 'name'],
  token_endpoint_auth_methods: ['client_secret_basic', 'client_secret_post', 'none'],
  id_token_signing_algs: ['ES256'],
}

test('RFC 8414 2 and OpenID Connect Discovery 3: the required members are there', () => {
  const metadata = buildMetadata(input)
  for (const name of [
    'issuer',
    'authorization_endpoint',
    'token_endpoint',
    'jwks_uri',
    'response_types_supported',
    'subject_types_supported',
    'id_token_signing_alg_values_supported',
    'grant_types_supported',
    'scopes_supported',
  ]) {
    assert.ok(metadata[name] !== undefined, name)
  }
  assert.deepEqual(JSON.parse(JSON.stringify(metadata)), metadata)
})

test('B-22 M-02 B-06 S256 and iss are advertised', () => {
  const metadata = buildMetadata(input)
  assert.deepEqual(metadata['code_challenge_methods_supported'], ['S256'])
  assert.equal(metadata['authorization_response_iss_parameter_supported'], true)
})

test('10.4.4 grant and response types are those of the registries', () => {
  const metadata = buildMetadata(input)
  assert.deepEqual(metadata['grant_types_supported'], input.grant_types)
  assert.deepEqual(metadata['response_types_supported'], ['code'])
})

test('what is not offered has no member, and introspection has no public clients', () => {
  const { introspection_endpoint: _i, revocation_endpoint: _r, ...fewer } = input.endpoints
  const metadata = buildMetadata({ ...input, endpoints: fewer })
  assert.deepEqual(
    Object.keys(metadata).filter((name) => /introspection|revocation|registration|signing_alg_values/.test(name)),
    ['id_token_signing_alg_values_supported'],
  )
  assert.deepEqual(buildMetadata(input)['introspection_endpoint_auth_methods_supported'], [
    'client_secret_basic',
    'client_secret_post',
  ])
  assert.deepEqual(
    buildMetadata(input)['revocation_endpoint_auth_methods_supported'],
    input.token_endpoint_auth_methods,
  )
})

test('RFC 8414 2 signing algorithms are there when a method needs them', () => {
  const metadata = buildMetadata({
    ...input,
    token_endpoint_auth_methods: ['private_key_jwt'],
    token_endpoint_auth_signing_algs: ['ES256'],
  })
  for (const endpoint of ['token', 'revocation', 'introspection']) {
    assert.deepEqual(metadata[`${endpoint}_endpoint_auth_signing_alg_values_supported`], ['ES256'])
  }
})

test('further members are added, and replace nothing', () => {
  const metadata = buildMetadata({
    ...input,
    further: { dpop_signing_alg_values_supported: ['ES256'], issuer: 'https://evil.example' },
  })
  assert.deepEqual(metadata['dpop_signing_alg_values_supported'], ['ES256'])
  assert.equal(metadata.issuer, issuer)
})

test('the metadata of an issuer with a path is at both the suffix and the inserted path', () => {
  assert.deepEqual(wellKnownPaths('https://id.example/hub'), [
    { name: 'openid-configuration', path: '/hub/.well-known/openid-configuration' },
    { name: 'openid-configuration', path: '/.well-known/openid-configuration/hub' },
    { name: 'oauth-authorization-server', path: '/hub/.well-known/oauth-authorization-server' },
    { name: 'oauth-authorization-server', path: '/.well-known/oauth-authorization-server/hub' },
  ])
  assert.deepEqual(wellKnownPaths('https://id.example/hub/'), wellKnownPaths('https://id.example/hub'))
  assert.deepEqual(
    wellKnownPaths('http://localhost:9400').map(({ path }) => path),
    ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'],
  )
})

test('RFC 9728 3.1 the metadata of a resource is between its host and its path', () => {
  assert.equal(
    protectedResourceMetadataUrl('https://api.example/mcp?x=1'),
    'https://api.example/.well-known/oauth-protected-resource/mcp?x=1',
  )
  for (const resource of ['https://api.example/', 'https://api.example']) {
    assert.equal(protectedResourceMetadataUrl(resource), 'https://api.example/.well-known/oauth-protected-resource')
  }
})

test('B-05 RFC 9728 2 a resource takes tokens from the header only', () => {
  assert.deepEqual(buildProtectedResourceMetadata({ resource: 'https://api.example/', issuer, scopes: ['api:read'] }), {
    resource: 'https://api.example/',
    authorization_servers: [issuer],
    scopes_supported: ['api:read'],
    bearer_methods_supported: ['header'],
  })
})
