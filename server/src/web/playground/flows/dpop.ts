import type { Flow, Step } from '../flow.ts'
import { authorization_code, pick, revokeFirst, unbroken } from './authorization_code.ts'

const [token] = pick('token') as [Extract<Step, { kind: 'request' }>]
// Without a proof it is another step, and other code.
const { breaks: _, code: __, ...exchange } = token

const makeKey: Step = {
  ...{ step: 'key', says: 'dpop_key', kind: 'make', from: 'app', to: 'app' },
  makes: [
    { name: 'dpop_key', how: 'key', spec: 'RFC 9449 § 4.2', note: 'dpop_key' },
    { name: 'jkt', how: 'thumbprint', of: 'dpop_key', spec: 'RFC 9449 § 6.1', note: 'jkt' },
  ],
}

/** A token that is nothing without the key of its owner. */
export const dpop: Flow = {
  flow: 'dpop',
  spec: 'RFC 9449',
  client: { ...authorization_code.client, dpop_bound_access_tokens: true, require_dpop_nonce: true },
  steps: [
    ...authorization_code.steps.slice(0, 1),
    makeKey,
    ...authorization_code.steps.slice(1, 2).map(unbroken),
    {
      ...{ ...exchange, step: 'nonce', says: 'dpop_nonce', proof: true },
      keeps: {},
      keeps_headers: { dpop_nonce: 'dpop-nonce' },
      refused_with: 'use_dpop_nonce',
    },
    {
      ...{ ...exchange, says: 'dpop_token', proof: true, code: 'dpop_token' },
      checks: { token_type: 'DPoP' },
      breaks: [
        { break: 'wrong_htu', error: 'invalid_dpop_proof', values: { htu: 'https://elsewhere.example/token' } },
        { break: 'wrong_htm', error: 'invalid_dpop_proof', values: { htm: 'GET' } },
        { break: 'wrong_nonce', error: 'use_dpop_nonce', values: { dpop_nonce: '{random}' } },
      ],
    },
    {
      ...{ step: 'bound', says: 'bound', kind: 'check', from: 'app', to: 'app', token: 'access_token' },
      checks: [
        { check: 'typ', how: 'header', value: 'at+jwt', spec: 'RFC 9068 § 2.1', note: 'typ' },
        { check: 'signature', how: 'signature', spec: 'RFC 9068 § 4', note: 'signature' },
        { check: 'cnf.jkt', how: 'equal', value: '{jkt}', spec: 'RFC 9449 § 6.1', note: 'cnf' },
      ],
      breaks: [{ break: 'forged_token', error: 'signature', values: { access_token: '{forged}' } }],
    },
    {
      ...{ step: 'userinfo', says: 'dpop_userinfo', kind: 'request', from: 'app', to: 'server', proof: true },
      ...{ method: 'GET', url: '{userinfo_endpoint}', authorization: 'dpop', code: 'dpop_userinfo' },
      breaks: [
        { break: 'wrong_htu', error: 'invalid_dpop_proof', values: { htu: 'https://elsewhere.example/userinfo' } },
        { break: 'reused_jti', error: 'invalid_dpop_proof', values: { jti: '{last_jti}' } },
        { break: 'other_key', error: 'invalid_token', values: { dpop_key: '{other_key}' } },
      ],
    },
    {
      ...{ step: 'as_bearer', says: 'as_bearer', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'GET', url: '{userinfo_endpoint}', authorization: 'bearer', refused_with: 'invalid_token' },
      code: 'userinfo_refused',
    },
    ...pick('introspect').map((step) => ({ ...step, checks: { active: true, 'cnf.jkt': '{jkt}' } }) as Step),
    revokeFirst,
    ...pick('ended'),
  ],
}
