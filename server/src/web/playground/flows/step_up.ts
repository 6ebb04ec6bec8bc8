import type { Flow } from '../flow.ts'
import { ANSWER, authorization_code, pick, REQUEST, revokeFirst, secrets, unbroken } from './authorization_code.ts'

const CORE = 'OpenID Connect Core'
const UNREACHABLE = '{"id_token":{"acr":{"essential":true,"value":"urn:example:not-here"}}}'

/** Before what matters the person signs in anew, and the app sees when and how. */
export const step_up: Flow = {
  flow: 'step_up',
  spec: `RFC 9470, ${CORE} § 5.5.1.1`,
  client: authorization_code.client,
  steps: [
    secrets,
    {
      ...{ step: 'authorize', says: 'authorize_anew', kind: 'browser', from: 'person', to: 'server' },
      ...{ url: '{authorization_endpoint}', ...ANSWER },
      query: [...REQUEST, { name: 'max_age', value: '0', spec: `${CORE} § 3.1.2.1`, note: 'max_age' }],
      breaks: [
        { break: 'no_prompt', error: 'login_required', set: { prompt: 'none' } },
        {
          ...{ break: 'unreachable_acr', error: 'unmet_authentication_requirements' },
          set: { claims: UNREACHABLE, max_age: null },
        },
      ],
    },
    ...pick('token').map(unbroken),
    {
      ...{ step: 'how', says: 'how_signed_in', kind: 'check', from: 'app', to: 'app', token: 'id_token' },
      checks: [
        { check: 'signature', how: 'signature', spec: `${CORE} § 3.1.3.7`, note: 'signature' },
        { check: 'aud', how: 'equal', value: '{client_id}', spec: `${CORE} § 3.1.3.7`, note: 'aud' },
        { check: 'nonce', how: 'equal', value: '{nonce}', spec: `${CORE} § 3.1.3.7`, note: 'nonce_back' },
        { check: 'auth_time', how: 'lately', spec: `${CORE} § 2`, note: 'auth_time' },
        { check: 'acr', how: 'some', spec: 'RFC 9470 § 5', note: 'acr' },
      ],
      breaks: [
        { break: 'forged_token', error: 'signature', values: { id_token: '{forged}' } },
        { break: 'other_session', error: 'nonce', values: { nonce: '{random}' } },
      ],
    },
    revokeFirst,
    ...pick('ended'),
  ],
}
