import { TOKEN_EXCHANGE_GRANT } from '../../../oauth/token_exchange.ts'
import type { Flow, Param } from '../flow.ts'
import { ANSWER, pick, REQUEST, revokeFirst, secrets, unbroken } from './authorization_code.ts'

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const API: Param = { name: 'resource', value: '{issuer}/api', spec: 'RFC 8707 § 2', note: 'resource' }

/** A token for less, which says who acts with it: what goes on to the next server is never the token of the user. */
export const token_exchange: Flow = {
  flow: 'token_exchange',
  spec: 'RFC 8693',
  client: {
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials', TOKEN_EXCHANGE_GRANT],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: 'openid admin:read admin:write offline_access',
  },
  steps: [
    secrets,
    {
      ...{ step: 'authorize', says: 'authorize_api', kind: 'browser', from: 'person', to: 'server' },
      ...{ url: '{authorization_endpoint}', query: [...REQUEST, API], ...ANSWER },
    },
    ...pick('token').map(unbroken),
    {
      ...{ step: 'actor', says: 'actor', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'POST', url: '{token_endpoint}', authorization: 'client', code: 'client_token' },
      body: [
        { name: 'grant_type', value: 'client_credentials', spec: 'RFC 6749 § 4.4.2' },
        { name: 'scope', value: 'admin:read', spec: 'RFC 6749 § 3.3', note: 'least_scope' },
        API,
      ],
      keeps: { actor_token: 'access_token' },
    },
    {
      ...{ step: 'exchange', says: 'exchange', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'POST', url: '{token_endpoint}', authorization: 'client', code: 'exchange' },
      body: [
        { name: 'grant_type', value: TOKEN_EXCHANGE_GRANT, spec: 'RFC 8693 § 2.1' },
        { name: 'subject_token', value: '{access_token}', spec: 'RFC 8693 § 2.1', note: 'subject_token' },
        { name: 'subject_token_type', value: ACCESS_TOKEN, spec: 'RFC 8693 § 3', note: 'token_type' },
        { name: 'actor_token', value: '{actor_token}', spec: 'RFC 8693 § 2.1', note: 'actor_token' },
        { name: 'actor_token_type', value: ACCESS_TOKEN, spec: 'RFC 8693 § 3', note: 'token_type' },
        API,
        { name: 'scope', value: 'admin:read', spec: 'RFC 8693 § 2.1', note: 'narrower_scope' },
      ],
      keeps: { exchanged_token: 'access_token' },
      checks: { scope: 'admin:read', issued_token_type: ACCESS_TOKEN },
      breaks: [
        { break: 'wrong_subject', error: 'invalid_request', set: { subject_token: '{random}' } },
        { break: 'wrong_actor', error: 'invalid_request', set: { actor_token: '{random}' } },
        { break: 'wrong_token_type', error: 'invalid_request', set: { subject_token_type: 'urn:example:anything' } },
        { break: 'wrong_resource', error: 'invalid_target', set: { resource: 'https://api.elsewhere.example' } },
        { break: 'more_scope', error: 'invalid_scope', set: { scope: 'vault:token' } },
      ],
    },
    {
      ...{ step: 'acts', says: 'acts', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'POST', url: '{introspection_endpoint}', authorization: 'client', code: 'introspect_exchanged' },
      body: [{ name: 'token', value: '{exchanged_token}', spec: 'RFC 7662 § 2.1', note: 'act' }],
      checks: { active: true, scope: 'admin:read', 'act.sub': '{client_id}' },
    },
    {
      ...{ step: 'call', says: 'call_narrow', kind: 'request', from: 'app', to: 'api', token: 'exchanged_token' },
      ...{ method: 'GET', url: '{issuer}/api/clients', authorization: 'bearer', code: 'list_clients' },
      breaks: [{ break: 'wrong_token', error: 'invalid_token', values: { exchanged_token: '{random}' } }],
    },
    {
      ...{ step: 'too_much', says: 'too_much', kind: 'request', from: 'app', to: 'api', token: 'exchanged_token' },
      ...{ method: 'POST', url: '{issuer}/api/clients', authorization: 'bearer', json: true },
      body: [{ name: 'client_name', value: 'Too much', spec: 'RFC 7591 § 2', note: 'never_made' }],
      refused_with: 'insufficient_scope',
      code: 'too_much',
    },
    { ...revokeFirst, says: 'revoke_root' },
    {
      ...{ step: 'ended', says: 'ended_exchanged', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'POST', url: '{introspection_endpoint}', authorization: 'client', checks: { active: false } },
      body: [{ name: 'token', value: '{exchanged_token}', spec: 'RFC 7662 § 2.1', note: 'ended_token' }],
      code: 'introspect_exchanged',
    },
  ],
}
