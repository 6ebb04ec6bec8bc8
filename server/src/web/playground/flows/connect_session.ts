import type { Flow, Param } from '../flow.ts'

const SCOPE = 'connect:sessions connect:token'

const ASK: readonly Param[] = [
  { name: 'end_user_id', value: '{end_user_id}', spec: 'POST /api/connect_sessions', note: 'end_user_id' },
  { name: 'connectors', value: '["{connector}"]', json: true, spec: 'POST /api/connect_sessions', note: 'connectors' },
  { name: 'origins', value: '["{origin}"]', json: true, spec: 'POST /api/connect_sessions', note: 'origins' },
  { name: 'return_uri', value: '{redirect_uri}', spec: 'POST /api/connect_sessions', note: 'return_uri' },
]

const api = { authorization: 'bearer', json: true } as const

/** Outbound: a platform has its own users connect accounts, uses them, and ends what it has got. */
export const connect_session: Flow = {
  flow: 'connect_session',
  spec: 'RFC 6749 § 4.4, RFC 7009',
  inputs: ['connector', 'path'],
  client: {
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: SCOPE,
  },
  steps: [
    {
      ...{ step: 'end_user', says: 'end_user', kind: 'make', from: 'app', to: 'app' },
      makes: [{ name: 'end_user_id', how: 'random', spec: 'POST /api/connect_sessions', note: 'end_user_id' }],
    },
    {
      ...{ step: 'token', says: 'token_for_itself', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'POST', url: '{token_endpoint}', authorization: 'client', code: 'platform_token' },
      body: [
        { name: 'grant_type', value: 'client_credentials', spec: 'RFC 6749 § 4.4.2' },
        { name: 'scope', value: SCOPE, spec: 'RFC 6749 § 3.3', note: 'least_scope' },
        { name: 'resource', value: '{issuer}/api', spec: 'RFC 8707 § 2', note: 'resource' },
      ],
      keeps: { access_token: 'access_token' },
    },
    {
      ...{ step: 'session', says: 'session', kind: 'request', from: 'app', to: 'server', ...api },
      ...{ method: 'POST', url: '{issuer}/api/connect_sessions', body: ASK, code: 'make_session' },
      keeps: { session_id: 'session_id', session_token: 'session_token' },
      breaks: [
        { break: 'other_origin', error: 'invalid_request', set: { return_uri: 'https://elsewhere.example/' } },
        { break: 'wrong_token', error: 'invalid_token', values: { access_token: '{random}' } },
      ],
    },
    {
      ...{ step: 'open', says: 'open_session', kind: 'browser', method: 'POST', from: 'person', to: 'provider' },
      url: '{issuer}/connect/session',
      query: [
        { name: 'session_token', value: '{session_token}', spec: 'POST /connect/session', note: 'session_token' },
      ],
      checks: { session_id: '{session_id}' },
      keeps: ['code'],
    },
    {
      ...{ step: 'confirm', says: 'confirm', kind: 'request', from: 'app', to: 'server', ...api },
      ...{ method: 'POST', url: '{issuer}/api/connect_sessions/{session_id}/confirm', code: 'confirm_session' },
      body: [
        {
          name: 'confirmation_code',
          value: '{code}',
          spec: 'POST /api/connect_sessions/{}/confirm',
          note: 'confirmation_code',
        },
      ],
      keeps: { connection_id: 'connection_id' },
      checks: { status: 'connected' },
      breaks: [{ break: 'wrong_code', error: 'invalid_request', set: { confirmation_code: '{random}' } }],
    },
    {
      ...{ step: 'call', says: 'call_connection', kind: 'request', from: 'app', to: 'provider', method: 'GET' },
      ...{ url: '{issuer}/proxy/connections/{connection_id}{path}', authorization: 'bearer', code: 'proxy_connection' },
      breaks: [{ break: 'wrong_token', error: 'invalid_token', values: { access_token: '{random}' } }],
    },
    {
      ...{ step: 'refresh', says: 'refresh_connection', kind: 'request', from: 'app', to: 'provider', ...api },
      ...{ method: 'POST', url: '{issuer}/api/connections/{connection_id}/refresh', code: 'refresh_connection' },
    },
    {
      ...{ step: 'disconnect', says: 'disconnect', kind: 'request', from: 'app', to: 'server', ...api },
      ...{ method: 'POST', url: '{issuer}/api/connections/{connection_id}/disconnect', code: 'disconnect' },
    },
    {
      ...{ step: 'gone', says: 'connection_gone', kind: 'request', from: 'app', to: 'provider', method: 'GET' },
      ...{ url: '{issuer}/proxy/connections/{connection_id}{path}', authorization: 'bearer' },
      refused_with: 'connection_required',
      code: 'connection_gone',
    },
  ],
}
