import type { Flow, Step } from '../flow.ts'
import { authorization_code, pick, unbroken } from './authorization_code.ts'

const refresh = (step: Pick<Step, 'step' | 'says'>, token: string): Extract<Step, { kind: 'request' }> => ({
  ...{ ...step, kind: 'request', from: 'app', to: 'server' },
  ...{ method: 'POST', url: '{token_endpoint}', authorization: 'client' },
  body: [
    { name: 'grant_type', value: 'refresh_token', spec: 'RFC 6749 § 6' },
    { name: 'refresh_token', value: `{${token}}`, spec: 'RFC 6749 § 6', note: 'refresh_token' },
  ],
})

/** How refresh tokens follow one another, and what becomes of a stolen one. */
export const refresh_token: Flow = {
  flow: 'refresh_token',
  spec: 'RFC 6749 § 6, RFC 9700 § 4.14',
  client: authorization_code.client,
  steps: [
    ...authorization_code.steps.slice(0, 2).map(unbroken),
    ...pick('token').map(unbroken),
    {
      ...refresh({ step: 'rotate', says: 'rotate' }, 'refresh_token'),
      keeps: { access_token: 'access_token', second_refresh_token: 'refresh_token' },
      code: 'refresh',
      breaks: [
        { break: 'wrong_refresh_token', error: 'invalid_grant', set: { refresh_token: '{random}' } },
        { break: 'wrong_secret', error: 'invalid_client', values: { client_secret: '{random}' } },
        { break: 'more_scope', error: 'invalid_scope', set: { scope: 'openid address phone' } },
      ],
    },
    {
      ...refresh({ step: 'retry', says: 'retry' }, 'refresh_token'),
      checks: { refresh_token: '{second_refresh_token}' },
      keeps: { access_token: 'access_token' },
      code: 'refresh',
    },
    {
      ...refresh({ step: 'rotate_again', says: 'rotate_again' }, 'second_refresh_token'),
      keeps: { access_token: 'access_token', third_refresh_token: 'refresh_token' },
      code: 'refresh_again',
      breaks: [
        {
          ...{ break: 'replayed_refresh', error: 'invalid_grant', after: true, ends: true },
          set: { refresh_token: '{refresh_token}' },
        },
      ],
    },
    {
      ...refresh({ step: 'replay', says: 'replay' }, 'refresh_token'),
      refused_with: 'invalid_grant',
      code: 'refresh_refused',
    },
    {
      ...refresh({ step: 'family', says: 'family' }, 'third_refresh_token'),
      refused_with: 'invalid_grant',
      code: 'newest_refused',
    },
    ...pick('ended'),
  ],
}
