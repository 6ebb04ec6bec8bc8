import type { Break, Flow, Param, SignedJwt, Step } from '../flow.ts'

/** What an assertion says of itself, besides who it is by and about. */
export const assertionClaims = (iss: Param, sub: Param): readonly Param[] => [
  ...[iss, sub],
  { name: 'aud', value: '{issuer}', spec: 'RFC 7523 § 3', note: 'aud_issuer' },
  { name: 'jti', value: '{random}', spec: 'RFC 7523 § 3', note: 'jti' },
  { name: 'exp', value: 'now + 60 s', spec: 'RFC 7523 § 3', note: 'exp_soon' },
]

/** Wrong ways to make one, whatever it is for. */
export const wrongAssertions = (error: string, key: string): readonly Break[] => [
  { break: 'other_key', error, values: { [key]: '{other_key}' } },
  { break: 'wrong_aud', error, values: { aud: '{token_endpoint}' } },
  { break: 'expired', error, values: { exp: 'now - 60 s' } },
  { break: 'reused_assertion', error, values: { jti: '{last_jti}' }, after: true },
]

const signs: SignedJwt = {
  ...{ name: 'client_assertion', key: 'client_key' },
  claims: assertionClaims(
    { name: 'iss', value: '{client_id}', spec: 'RFC 7523 § 3', note: 'own_id' },
    { name: 'sub', value: '{client_id}', spec: 'RFC 7523 § 3', note: 'own_id' },
  ),
}

const ASSERTION: readonly Param[] = [
  {
    ...{ name: 'client_assertion_type', value: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' },
    ...{ spec: 'RFC 7523 § 2.2', note: 'assertion_type' },
  },
  { name: 'client_assertion', value: '{client_assertion}', spec: 'RFC 7523 § 2.2', note: 'client_assertion' },
]

const ask = { kind: 'request', from: 'app', to: 'server', method: 'POST', signs } as const
const token: Param = { name: 'token', value: '{access_token}', spec: 'RFC 7662 § 2.1', note: 'token' }

/** A program that proves by a key who it is: nothing that it sends could be used again by whoever reads it. */
export const private_key_jwt: Flow = {
  flow: 'private_key_jwt',
  spec: 'RFC 7523 § 2.2, OpenID Connect Core § 9',
  key: { name: 'client_key', of: 'client' },
  client: {
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'private_key_jwt',
    scope: 'admin:read',
  },
  steps: [
    {
      ...{ step: 'token', says: 'token_by_key', ...ask, url: '{token_endpoint}', code: 'token_by_key' },
      body: [
        { name: 'grant_type', value: 'client_credentials', spec: 'RFC 6749 § 4.4.2' },
        { name: 'scope', value: 'admin:read', spec: 'RFC 6749 § 3.3', note: 'least_scope' },
        { name: 'resource', value: '{issuer}/api', spec: 'RFC 8707 § 2', note: 'resource' },
        ...ASSERTION,
      ],
      keeps: { access_token: 'access_token' },
      breaks: [
        ...wrongAssertions('invalid_client', 'client_key'),
        {
          ...{ break: 'no_assertion', error: 'invalid_client' },
          set: { client_assertion_type: null, client_assertion: null, client_id: '{client_id}' },
        },
      ],
    },
    {
      ...{ step: 'call', says: 'call', kind: 'request', from: 'app', to: 'api' },
      ...{ method: 'GET', url: '{issuer}/api/connections', authorization: 'bearer', code: 'list_connections' },
    },
    {
      ...{ step: 'introspect', says: 'introspect_by_key', ...ask, url: '{introspection_endpoint}' },
      ...{ body: [token, ...ASSERTION], checks: { active: true }, code: 'introspect_by_key' },
      breaks: [{ break: 'reused_assertion', error: 'invalid_client', values: { jti: '{last_jti}' } }],
    },
    {
      ...{ step: 'revoke', says: 'revoke_one', ...ask, url: '{revocation_endpoint}', code: 'revoke_by_key' },
      body: [{ ...token, spec: 'RFC 7009 § 2.1' }, ...ASSERTION],
    },
    {
      ...{ step: 'ended', says: 'ended_one', ...ask, url: '{introspection_endpoint}', code: 'introspect_by_key' },
      ...{ body: [{ ...token, note: 'ended_token' }, ...ASSERTION], checks: { active: false } },
    } as Step,
  ],
}
