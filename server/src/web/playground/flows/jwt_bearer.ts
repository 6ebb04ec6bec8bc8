import type { Flow, Step } from '../flow.ts'
import { pick, unbroken } from './authorization_code.ts'
import { client_credentials } from './client_credentials.ts'
import { assertionClaims, wrongAssertions } from './private_key_jwt.ts'

/** The name that the issuer of the playground has for the throw-away user. */
export const SUBJECT = 'somebody'

/** On the word of somebody else who is trusted: here this very browser, for a user who is thrown away with it. */
export const jwt_bearer: Flow = {
  flow: 'jwt_bearer',
  spec: 'RFC 7521, RFC 7523 § 2.1',
  key: { name: 'issuer_key', of: 'issuer' },
  client: {
    grant_types: ['urn:ietf:params:oauth:grant-type:jwt-bearer'],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: 'openid profile email',
  },
  steps: [
    {
      ...{ step: 'token', says: 'token_by_word', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'POST', url: '{token_endpoint}', authorization: 'client', code: 'token_by_word' },
      signs: {
        ...{ name: 'assertion', key: 'issuer_key' },
        claims: assertionClaims(
          { name: 'iss', value: '{trusted_issuer}', spec: 'RFC 7523 § 3', note: 'trusted_issuer' },
          { name: 'sub', value: SUBJECT, spec: 'RFC 7523 § 3', note: 'subject' },
        ),
      },
      body: [
        { name: 'grant_type', value: 'urn:ietf:params:oauth:grant-type:jwt-bearer', spec: 'RFC 7523 § 2.1' },
        { name: 'assertion', value: '{assertion}', spec: 'RFC 7523 § 2.1', note: 'assertion' },
        { name: 'scope', value: 'openid profile', spec: 'RFC 7521 § 4.1', note: 'issuer_scope' },
      ],
      keeps: { access_token: 'access_token' },
      checks: { scope: 'openid profile' },
      breaks: [
        ...wrongAssertions('invalid_grant', 'issuer_key'),
        { break: 'other_subject', error: 'invalid_grant', values: { sub: 'somebody-else' } },
        { break: 'unknown_issuer', error: 'invalid_grant', values: { iss: 'https://elsewhere.example' } },
        { break: 'more_than_word', error: 'invalid_scope', set: { scope: 'openid email' } },
      ],
    },
    ...pick('userinfo').map(
      (step) => ({ ...unbroken(step), says: 'userinfo_by_word', checks: { name: 'Playground' } }) as Step,
    ),
    ...pick('introspect'),
    ...client_credentials.steps.filter(({ step }) => step === 'revoke' || step === 'ended'),
  ],
}
