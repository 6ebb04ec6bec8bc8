import type { Flow, Param } from '../flow.ts'

const DESCRIPTION: readonly Param[] = [
  { name: 'client_name', value: 'Registered in the playground', spec: 'RFC 7591 § 2', note: 'client_name' },
  { name: 'redirect_uris', value: '["{redirect_uri}"]', json: true, spec: 'RFC 7591 § 2', note: 'redirect_uri' },
  { name: 'grant_types', value: '["authorization_code"]', json: true, spec: 'RFC 7591 § 2', note: 'grant_types' },
  { name: 'token_endpoint_auth_method', value: 'none', spec: 'RFC 7591 § 2', note: 'auth_method' },
]

const own = { url: '{registration_client_uri}', authorization: 'bearer', token: 'registration_access_token' } as const

/** A client that nobody knew registers itself, and takes itself away. */
export const registration: Flow = {
  flow: 'registration',
  spec: 'RFC 7591, RFC 7592',
  needs: 'open_registration',
  client: { grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_basic' },
  steps: [
    {
      ...{ step: 'register', says: 'register', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'POST', url: '{registration_endpoint}', json: true, body: DESCRIPTION, code: 'register' },
      keeps: {
        ...{ registered_id: 'client_id', registration_access_token: 'registration_access_token' },
        registration_client_uri: 'registration_client_uri',
      },
      breaks: [
        {
          ...{ break: 'unsafe_redirect_uri', error: 'invalid_redirect_uri' },
          set: { redirect_uris: '["http://elsewhere.example/callback"]' },
        },
        {
          ...{ break: 'unknown_method', error: 'invalid_client_metadata' },
          set: { token_endpoint_auth_method: 'a_word' },
        },
      ],
    },
    {
      ...{ step: 'read', says: 'read_registration', kind: 'request', from: 'app', to: 'server', method: 'GET', ...own },
      checks: { client_id: '{registered_id}' },
      breaks: [{ break: 'wrong_token', error: 'invalid_token', values: { registration_access_token: '{random}' } }],
    },
    {
      ...{ step: 'delete', says: 'delete_registration', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'DELETE', ...own },
    },
    {
      ...{ step: 'gone', says: 'registration_gone', kind: 'request', from: 'app', to: 'server', method: 'GET', ...own },
      refused_with: 'invalid_token',
    },
  ],
}
