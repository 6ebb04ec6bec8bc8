import { DEVICE_CODE_GRANT } from '../../../oauth/device.ts'
import type { Flow } from '../flow.ts'
import { pick } from './authorization_code.ts'

/** A device without a keyboard, or a terminal. */
export const device_code: Flow = {
  flow: 'device_code',
  spec: 'RFC 8628',
  client: {
    grant_types: [DEVICE_CODE_GRANT, 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: 'openid profile email offline_access',
  },
  steps: [
    {
      ...{ step: 'device_authorization', says: 'device_authorization', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'POST', url: '{device_authorization_endpoint}', authorization: 'client' },
      body: [{ name: 'scope', value: '{scope}', spec: 'RFC 8628 § 3.1', note: 'scope' }],
      keeps: {
        ...{ device_code: 'device_code', user_code: 'user_code' },
        ...{ verification_uri_complete: 'verification_uri_complete', interval: 'interval' },
      },
      code: 'device_authorization',
      breaks: [
        {
          ...{ break: 'unknown_scope', error: 'invalid_scope' },
          set: { scope: 'everything' },
        },
      ],
    },
    {
      ...{ step: 'verify', says: 'verify', kind: 'person', from: 'person', to: 'server' },
      link: '{verification_uri_complete}',
    },
    {
      ...{ step: 'token', says: 'token_of_device', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'POST', url: '{token_endpoint}', authorization: 'client' },
      body: [
        { name: 'grant_type', value: DEVICE_CODE_GRANT, spec: 'RFC 8628 § 3.4' },
        { name: 'device_code', value: '{device_code}', spec: 'RFC 8628 § 3.4', note: 'device_code' },
      ],
      code: 'device_code',
      again_on: ['authorization_pending', 'slow_down'],
      keeps: { access_token: 'access_token', refresh_token: 'refresh_token' },
      breaks: [
        {
          break: 'wrong_code',
          error: 'invalid_grant',
          set: { device_code: '{random}' },
        },
      ],
    },
    ...pick('userinfo', 'refresh', 'introspect', 'revoke', 'ended'),
  ],
}
