import type { Flow } from '../flow.ts'
import { ANSWER, pick, REQUEST, revokeFirst, secrets, unbroken } from './authorization_code.ts'

/** From a refusal to a token, with nothing known beforehand but the address of the API: the way of MCP clients. */
export const discovery: Flow = {
  flow: 'discovery',
  spec: 'RFC 9728, RFC 8414, RFC 8707',
  client: {
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: 'openid admin:read offline_access',
  },
  steps: [
    {
      ...{ step: 'unauthorized', says: 'unauthorized', kind: 'request', from: 'app', to: 'api' },
      ...{ method: 'GET', url: '{issuer}/api/clients', refused_with: 'invalid_token' },
      keeps_headers: { resource_metadata: 'www-authenticate#resource_metadata' },
    },
    {
      ...{ step: 'resource', says: 'resource_metadata', kind: 'request', from: 'app', to: 'api' },
      ...{ method: 'GET', url: '{resource_metadata}', code: 'resource_metadata' },
      checks: { resource: '{issuer}/api' },
      keeps: { resource: 'resource', authorization_server: 'authorization_servers.0' },
    },
    {
      ...{ step: 'server', says: 'server_metadata', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'GET', url: '{metadata_url}', code: 'server_metadata' },
      checks: { issuer: '{authorization_server}', authorization_response_iss_parameter_supported: true },
    },
    secrets,
    {
      ...{ step: 'authorize', says: 'authorize_api', kind: 'browser', from: 'person', to: 'server' },
      ...{ url: '{authorization_endpoint}', ...ANSWER },
      query: [...REQUEST, { name: 'resource', value: '{resource}', spec: 'RFC 8707 § 2', note: 'found_resource' }],
      breaks: [
        { break: 'wrong_resource', error: 'invalid_target', set: { resource: 'https://api.elsewhere.example' } },
      ],
    },
    ...pick('token').map(unbroken),
    {
      ...{ step: 'call', says: 'call', kind: 'request', from: 'app', to: 'api' },
      ...{ method: 'GET', url: '{issuer}/api/connections', authorization: 'bearer', code: 'list_connections' },
      breaks: [{ break: 'wrong_token', error: 'invalid_token', values: { access_token: '{random}' } }],
    },
    revokeFirst,
    ...pick('ended'),
  ],
}
