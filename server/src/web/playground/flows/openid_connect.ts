import type { Flow, Step } from '../flow.ts'
import { authorization_code, pick, unbroken } from './authorization_code.ts'

/** An ID token is checked step by step: every line of it is the app's duty. */
const checkIdToken: Step = {
  ...{ step: 'id_token', says: 'id_token', kind: 'check', from: 'app', to: 'app', token: 'id_token' },
  checks: [
    { check: 'signature', how: 'signature', spec: 'OpenID Connect Core § 3.1.3.7', note: 'signature' },
    { check: 'iss', how: 'equal', value: '{issuer}', spec: 'OpenID Connect Core § 3.1.3.7', note: 'iss' },
    { check: 'aud', how: 'equal', value: '{client_id}', spec: 'OpenID Connect Core § 3.1.3.7', note: 'aud' },
    { check: 'exp', how: 'future', spec: 'OpenID Connect Core § 3.1.3.7', note: 'exp' },
    { check: 'nonce', how: 'equal', value: '{nonce}', spec: 'OpenID Connect Core § 3.1.3.7', note: 'nonce_back' },
    {
      check: 'at_hash',
      how: 'half_hash',
      value: 'access_token',
      spec: 'OpenID Connect Core § 3.1.3.6',
      note: 'at_hash',
    },
  ],
  breaks: [
    { break: 'forged_token', error: 'signature', values: { id_token: '{forged}' } },
    { break: 'other_client', error: 'aud', values: { client_id: 'another-client' } },
    { break: 'other_session', error: 'nonce', values: { nonce: '{random}' } },
    { break: 'other_access_token', error: 'at_hash', values: { access_token: '{random}' } },
  ],
}

/** Who signed in, how the app knows it, and how the session ends at both sides. */
export const openid_connect: Flow = {
  flow: 'openid_connect',
  spec: 'OpenID Connect Core, RP-Initiated Logout',
  client: { ...authorization_code.client, post_logout_redirect_uris: ['{redirect_uri}'] },
  steps: [
    ...authorization_code.steps.slice(0, 2),
    ...pick('token').map(unbroken),
    checkIdToken,
    ...pick('userinfo'),
    {
      ...{ step: 'logout', says: 'logout', kind: 'browser', from: 'person', to: 'server' },
      url: '{end_session_endpoint}',
      query: [
        { name: 'client_id', value: '{client_id}', spec: 'RP-Initiated Logout § 2', note: 'whose_logout' },
        {
          name: 'post_logout_redirect_uri',
          value: '{redirect_uri}',
          spec: 'RP-Initiated Logout § 2',
          note: 'logout_uri',
        },
        { name: 'state', value: '{state}', spec: 'RP-Initiated Logout § 2', note: 'state_sent' },
      ],
      checks: { state: '{state}' },
      keeps: [],
    },
  ],
}
