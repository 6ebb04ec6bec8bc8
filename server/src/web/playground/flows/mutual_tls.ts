import type { Flow, Step } from '../flow.ts'
import { authorization_code, pick, revokeFirst, unbroken } from './authorization_code.ts'

const [token] = pick('token') as [Extract<Step, { kind: 'request' }>]
const { breaks = [], code: _, keeps = {}, ...exchange } = token
const userinfo = { kind: 'request', from: 'app', to: 'server', method: 'GET', authorization: 'bearer' } as const

/** A token that is nothing without a certificate: what the page cannot send is sent from a terminal. */
export const mutual_tls: Flow = {
  flow: 'mutual_tls',
  spec: 'RFC 8705',
  needs: 'client_certificates',
  client: { ...authorization_code.client, tls_client_certificate_bound_access_tokens: true },
  steps: [
    {
      ...{ step: 'certificate', says: 'make_certificate', kind: 'show', from: 'app', to: 'app' },
      value: 'make_certificate',
    },
    ...authorization_code.steps.slice(0, 2).map(unbroken),
    { ...exchange, step: 'plain', says: 'without_certificate', refused_with: 'invalid_request' },
    {
      ...{ ...exchange, says: 'token_by_certificate', certificate: true, url: '{mtls_token_endpoint}', keeps },
      code: 'mtls_token',
      breaks: breaks.filter((one) => one.break === 'wrong_verifier'),
    },
    {
      ...{ step: 'bound', says: 'bound_to_certificate', kind: 'check', from: 'app', to: 'app', token: 'access_token' },
      checks: [
        { check: 'typ', how: 'header', value: 'at+jwt', spec: 'RFC 9068 § 2.1', note: 'typ' },
        { check: 'signature', how: 'signature', spec: 'RFC 9068 § 4', note: 'signature' },
        { check: 'cnf.x5t#S256', how: 'some', spec: 'RFC 8705 § 3.1', note: 'x5t' },
      ],
      breaks: [{ break: 'forged_token', error: 'signature', values: { access_token: '{forged}' } }],
    },
    {
      ...{ step: 'thief', says: 'thief_without_certificate', ...userinfo, url: '{userinfo_endpoint}' },
      ...{ refused_with: 'invalid_token', code: 'userinfo_refused' },
    },
    {
      ...{ step: 'userinfo', says: 'userinfo_by_certificate', ...userinfo, url: '{mtls_userinfo_endpoint}' },
      ...{ certificate: true, code: 'mtls_userinfo' },
    },
    revokeFirst,
    ...pick('ended'),
  ],
}
