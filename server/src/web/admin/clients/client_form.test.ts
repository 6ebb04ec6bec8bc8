import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAdministratedClient } from '../../../inbound/clients/register_client.ts'
import { describeMembers, readForm, writeForm } from './client_form.ts'
import { CLIENT_MEMBERS } from './templates/client_members.ts'

const GRANTS = ['authorization_code', 'refresh_token', 'client_credentials', 'password', 'implicit']
const read = (json: unknown) => readAdministratedClient(json, GRANTS)
const KEY = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', kid: 'a' }

const EVERYDAY = {
  ...{ client_name: 'A <b>"client"</b>', application_type: 'native', contacts: ['a@b.example', 'c@d.example'] },
  ...{ client_uri: 'https://a.example/', logo_uri: 'https://a.example/l', policy_uri: 'https://a.example/p' },
  ...{ tos_uri: 'https://a.example/t', software_id: 'notes', software_version: '1.2' },
  redirect_uris: ['https://a.example/cb?x=1', 'com.example.app:/cb', 'http://127.0.0.1/cb'],
  ...{ loopback_localhost: true, initiate_login_uri: 'https://a.example/start', response_modes: ['form_post'] },
  grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
  ...{ scope: 'openid a:read', optional_scope: 'a:read', default_resource: 'https://api.example' },
  role_scopes: { 'team:clerk': ['a:read', 'a:write'], guest: [] },
  ...{ one_role: true, service_account: { user_id: 'u 1', role: 'clerk' }, every_service: true },
  token_exchange: { resources: ['https://api.example', 'https://other.example'], impersonation: true },
  ...{ access_token_lifetime_seconds: 60, grant_lifetime_seconds: 3600, offline_refresh_only: true },
  ...{ id_token_signed_response_alg: 'PS256', subject_type: 'pairwise', default_max_age: 0, require_auth_time: true },
  ...{ sector_identifier_uri: 'https://a.example/list', default_acr_values: ['phr', 'mfa'] },
  ...{ token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'EdDSA', jwks: { keys: [KEY] } },
  ...{ require_pkce: false, require_pushed_authorization_requests: true, dpop_bound_access_tokens: true },
  ...{ require_dpop_nonce: true, tls_client_certificate_bound_access_tokens: true },
  ...{ post_logout_redirect_uris: ['https://a.example/bye'], backchannel_logout_uri: 'https://a.example/out' },
  ...{ backchannel_logout_session_required: true, trusted: true },
  ...{ json_requests: true, bearer_authentication: true, redirect_uri_prefix: true },
}
const WEB = { redirect_uris: ['https://a.example/cb'], token_endpoint_auth_method: 'tls_client_auth' }
const SAMPLES = [
  EVERYDAY,
  { ...WEB, grant_types: ['implicit'], tls_client_auth_subject_dn: 'CN=a,O=b' },
  { ...WEB, profile: 'fapi2', tls_client_auth_san_dns: 'a.example' },
  { ...WEB, tls_client_auth_san_uri: 'urn:a' },
  { ...WEB, tls_client_auth_san_ip: '192.0.2.1' },
  { ...WEB, tls_client_auth_san_email: 'a@b.example' },
  { ...WEB, token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks_uri: 'https://a.example/jwks' },
]

test('what is registered of a client goes through the form of the console unchanged, every member of it', () => {
  const said = new Set<string>()
  for (const sample of SAMPLES) {
    const metadata = read(sample)
    const typed = new Map(Object.entries(writeForm(metadata)))
    // A browser sends no box that is not ticked, and ends lines its own way.
    const posted = Object.fromEntries([...typed].map(([name, text]) => [name, text.replaceAll('\n', '\r\n')]))
    assert.deepEqual(read(readForm(posted)), metadata)
    for (const name of Object.keys(sample)) said.add(name)
    const described = new Set<string>(describeMembers(metadata).map(({ name }) => name))
    for (const name of Object.keys(sample)) assert.ok(described.has(name), `${name} is shown`)
  }
  const derived = ['response_types']
  assert.deepEqual([...said, ...derived].sort(), Object.keys(CLIENT_MEMBERS).sort())
})

test('what cannot be read of a form is refused by the name of its member', () => {
  for (const [name, text, sentence] of [
    ['role_scopes', 'clerk a:read', /^Member role_scopes has a line/],
    ['role_scopes', 'clerk: a\nclerk: b', /^Member role_scopes has a name twice/],
    ['role_scopes', '__proto__: a"b', /^Member role_scopes has something/],
    ['jwks', '{"keys":', /^Member jwks is not JSON/],
    ['jwks', '{"keys":[],"keys":[]}', /^Member jwks is not JSON that names each member once/],
    ['service_account.user_id', 'u', /^Member service_account must name a user_id and a role/],
    ['access_token_lifetime_seconds', '1e3', /^Member access_token_lifetime_seconds must be a whole number/],
    ['default_max_age', '-1', /^Member default_max_age must be a whole number/],
    ['response_modes.0', 'jwt', /^Member response_modes may hold only/],
    ['grant_types.7', 'magic', /^Member grant_types may hold only/],
    ['subject_type', 'secret', /^Member subject_type must be/],
    ['profile', 'none', /^Member profile must be one of/],
    [
      'post_logout_redirect_uris',
      'http://a.example/',
      /^Member post_logout_redirect_uris: A redirect URI may be http only/,
    ],
  ] as const) {
    const values = { redirect_uris: 'https://a.example/cb', require_pkce: 'true', [name]: text }
    assert.throws(
      () => read(readForm(values)),
      (error: { error_description?: string }) => {
        assert.match(error.error_description ?? String(error), sentence)
        return true
      },
    )
  }
})
