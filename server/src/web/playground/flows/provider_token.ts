import { TOKEN_EXCHANGE_GRANT } from '../../../oauth/token_exchange.ts'
import type { Flow, Param } from '../flow.ts'
import { authorization_code, pick, revokeFirst, unbroken } from './authorization_code.ts'
import { connection } from './connection.ts'

const ask = { kind: 'request', from: 'app', to: 'server', method: 'POST', url: '{token_endpoint}' } as const
const EXCHANGE: readonly Param[] = [
  { name: 'grant_type', value: TOKEN_EXCHANGE_GRANT, spec: 'RFC 8693 § 2.1' },
  { name: 'subject_token', value: '{access_token}', spec: 'RFC 8693 § 2.1', note: 'subject_token' },
  {
    ...{ name: 'subject_token_type', value: 'urn:ietf:params:oauth:token-type:access_token' },
    ...{ spec: 'RFC 8693 § 3', note: 'token_type' },
  },
  { name: 'audience', value: 'connector:{connector}', spec: 'RFC 8693 § 2.1', note: 'whose_token' },
]

/** Outbound: the app gets the provider's own token, fresh each time, for what no proxy can do. */
export const provider_token: Flow = {
  flow: 'provider_token',
  spec: 'RFC 8693, RFC 8707',
  inputs: ['connector'],
  client: {
    ...authorization_code.client,
    grant_types: ['authorization_code', 'refresh_token', TOKEN_EXCHANGE_GRANT],
  },
  steps: [
    ...connection.steps.slice(0, 2).map(unbroken),
    ...pick('token').map(unbroken),
    {
      ...{ step: 'exchange', says: 'take_provider_token', ...ask, authorization: 'client', code: 'provider_token' },
      body: EXCHANGE,
      keeps: { provider_token: 'access_token' },
      breaks: [
        { break: 'wrong_subject', error: 'invalid_request', set: { subject_token: '{random}' } },
        { break: 'wrong_token_type', error: 'invalid_request', set: { subject_token_type: 'urn:example:anything' } },
        { break: 'unknown_connector', error: 'invalid_target', set: { audience: 'connector:elsewhere' } },
      ],
    },
    {
      ...{ step: 'renew', says: 'renew_provider_token', ...ask, authorization: 'client', code: 'renewed_token' },
      body: [
        ...EXCHANGE,
        { name: 'failed_token', value: '{provider_token}', spec: 'POST /token', note: 'failed_token' },
      ],
      keeps: { renewed_provider_token: 'access_token' },
    },
    revokeFirst,
    {
      ...{ step: 'ended', says: 'no_provider_token', ...ask, authorization: 'client', body: EXCHANGE },
      refused_with: 'invalid_request',
    },
  ],
}
