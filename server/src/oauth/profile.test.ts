import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OAuthError } from './errors.ts'
import {
  mayRedirect,
  PROFILE_NAMES,
  PROFILES,
  type ProfiledClient,
  requireFit,
  requireProfile,
  rulesOf,
} from './profile.ts'

const client: ProfiledClient = {
  application_type: 'web',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: ['https://app.example/callback'],
  require_pkce: true,
  token_endpoint_auth_method: 'private_key_jwt',
}
const refused = (error: string, what: RegExp) => (thrown: unknown) =>
  thrown instanceof OAuthError && thrown.error === error && what.test(thrown.error_description)

test("a client's own profile comes before its tenant's, and without one the tenant's holds", () => {
  assert.deepEqual(PROFILE_NAMES, ['standard', 'legacy', 'oauth21', 'mcp', 'fapi2'])
  assert.equal(rulesOf({}, { profile: 'fapi2' }), PROFILES.fapi2)
  assert.equal(rulesOf({ profile: 'legacy' }, { profile: 'fapi2' }), PROFILES.legacy)
  assert.equal(rulesOf({}, { profile: 'standard' }), PROFILES.standard)
})

test('P-03 P-06 only a client that proves itself by a key is let in by fapi2', () => {
  for (const token_endpoint_auth_method of ['none', 'client_secret_basic', 'client_secret_post', 'client_secret_jwt']) {
    const other = { ...client, token_endpoint_auth_method }
    assert.throws(
      () => requireFit(other, PROFILES.fapi2),
      refused('invalid_client_metadata', /token_endpoint_auth_method must be one of private_key_jwt/),
    )
    assert.throws(
      () => requireProfile(other, PROFILES.fapi2, 'authorization_code'),
      refused('unauthorized_client', /must authenticate by private_key_jwt/),
    )
    requireProfile(other, PROFILES.oauth21, 'authorization_code')
  }
  for (const token_endpoint_auth_method of ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth']) {
    requireFit({ ...client, token_endpoint_auth_method }, PROFILES.fapi2)
    requireProfile({ ...client, token_endpoint_auth_method }, PROFILES.fapi2, 'refresh_token')
  }
})

test('P-02 10.4.4 the grants of a password and of a fragment exist only where the profile has room for them', () => {
  for (const grant_type of ['password', 'implicit']) {
    for (const name of ['oauth21', 'mcp', 'fapi2'] as const) {
      assert.throws(() => requireProfile(client, PROFILES[name], grant_type), refused('unauthorized_client', /profile/))
      assert.throws(
        () => requireFit({ ...client, grant_types: [grant_type] }, PROFILES[name]),
        refused('invalid_client_metadata', /grant_types/),
      )
    }
    for (const name of ['standard', 'legacy'] as const) requireProfile(client, PROFILES[name], grant_type)
  }
})

test('P-20 B-25 plain http is for the loopback addresses of native clients alone in fapi2', () => {
  const native = { ...client, application_type: 'native' as const }
  assert.equal(mayRedirect(client, 'https://app.example/callback', PROFILES.fapi2), true)
  assert.equal(mayRedirect(client, 'http://127.0.0.1:5000/callback', PROFILES.fapi2), false)
  assert.equal(mayRedirect(native, 'http://127.0.0.1:5000/callback', PROFILES.fapi2), true)
  assert.equal(mayRedirect(native, 'http://[::1]/callback', PROFILES.fapi2), true)
  assert.equal(mayRedirect(native, 'http://localhost/callback', PROFILES.fapi2), false)
  assert.equal(mayRedirect(client, 'http://127.0.0.1:5000/callback', PROFILES.standard), true)
  assert.throws(
    () => requireFit({ ...client, redirect_uris: ['http://127.0.0.1/cb'] }, PROFILES.fapi2),
    refused('invalid_client_metadata', /redirect_uris/),
  )
})

test('10.4.6 nobody is excused from PKCE by oauth21, mcp and fapi2', () => {
  for (const name of ['oauth21', 'mcp', 'fapi2'] as const) {
    assert.throws(
      () => requireFit({ ...client, require_pkce: false }, PROFILES[name]),
      refused('invalid_client_metadata', /require_pkce/),
    )
  }
  requireFit({ ...client, require_pkce: false }, PROFILES.standard)
})

test('P-11 a code of fapi2 lives no longer than 60 s', () => {
  assert.equal(PROFILES.fapi2.longest_code_seconds, 60)
})
