import type { Flow } from '../flow.ts'

/** A program that acts for itself. */
export const client_credentials: Flow = {
  flow: 'client_credentials',
  spec: 'RFC 6749 § 4.4, RFC 8707',
  client: {
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: 'admin:read',
  },
  steps: [
    {
      ...{ step: 'token', says: 'token_for_itself', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'POST', url: '{token_endpoint}', authorization: 'client' },
      body: [
        { name: 'grant_type', value: 'client_credentials', spec: 'RFC 6749 § 4.4.2' },
        { name: 'scope', value: 'admin:read', spec: 'RFC 6749 § 3.3', note: 'least_scope' },
        { name: 'resource', value: '{issuer}/api', spec: 'RFC 8707 § 2', note: 'resource' },
      ],
      keeps: { access_token: 'access_token' },
      code: 'client_token',
      breaks: [
        {
          ...{ break: 'wrong_secret', error: 'invalid_client' },
          values: { client_secret: '{random}' },
        },
        {
          ...{ break: 'unregistered_scope', error: 'invalid_scope' },
          set: { scope: 'admin:write' },
        },
        {
          ...{ break: 'wrong_resource', error: 'invalid_target' },
          set: { resource: 'https://api.elsewhere.example' },
        },
        {
          ...{ break: 'wrong_grant_type', error: 'unauthorized_client' },
          set: { grant_type: 'authorization_code', code: '{random}' },
        },
      ],
    },
    {
      ...{ step: 'call', says: 'call', kind: 'request', from: 'app', to: 'api' },
      ...{ method: 'GET', url: '{issuer}/api/connections', authorization: 'bearer', code: 'list_connections' },
      breaks: [
        {
          ...{ break: 'wrong_token', error: 'invalid_token' },
          values: { access_token: '{random}' },
        },
      ],
    },
    {
      ...{ step: 'revoke', says: 'revoke_one', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'POST', url: '{revocation_endpoint}', authorization: 'client', code: 'revoke_access_token' },
      body: [{ name: 'token', value: '{access_token}', spec: 'RFC 7009 § 2.1' }],
    },
    {
      ...{ step: 'ended', says: 'ended_one', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'POST', url: '{introspection_endpoint}', authorization: 'client', checks: { active: false } },
      code: 'introspect',
      body: [{ name: 'token', value: '{access_token}', spec: 'RFC 7662 § 2.1' }],
    },
  ],
}
