import type { Flow } from '../flow.ts'
import { ANSWER, authorization_code, pick, REQUEST, secrets } from './authorization_code.ts'

/** Outbound: the app uses an account that the person has at another provider, and never sees that provider's token. */
export const connection: Flow = {
  flow: 'connection',
  spec: 'RFC 8707, RFC 9396',
  inputs: ['connector', 'path'],
  client: authorization_code.client,
  steps: [
    secrets,
    {
      ...{ step: 'authorize', says: 'authorize_connection', kind: 'browser', from: 'person', to: 'server' },
      ...{ url: '{authorization_endpoint}', ...ANSWER },
      query: [
        ...REQUEST,
        { name: 'resource', value: '{issuer}/proxy/{connector}', spec: 'RFC 8707 § 2', note: 'proxy' },
      ],
      breaks: [
        {
          ...{ break: 'wrong_resource', error: 'invalid_target' },
          set: { resource: '{issuer}/proxy/elsewhere' },
        },
      ],
    },
    ...pick('token'),
    {
      ...{ step: 'call', says: 'call_provider', kind: 'request', from: 'app', to: 'provider' },
      ...{ method: 'GET', url: '{issuer}/proxy/{connector}{path}', authorization: 'bearer', code: 'proxy' },
      breaks: [{ ...{ break: 'wrong_token', error: 'invalid_token' }, values: { access_token: '{random}' } }],
    },
    ...pick('refresh', 'revoke', 'ended'),
  ],
}
