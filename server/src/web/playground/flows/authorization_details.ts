import type { Flow, Param } from '../flow.ts'
import { ANSWER, authorization_code, pick, REQUEST, secrets, unbroken } from './authorization_code.ts'

const DETAILS = '[{"type":"connection","connector":"{connector}","actions":["read"]}]'

const details = (value: string, spec: string, note: Param['note']): Param => ({
  ...{ name: 'authorization_details', value, spec },
  ...(note && { note }),
})

/** Rights finer than a scope: one account, and reading alone. */
export const authorization_details: Flow = {
  flow: 'authorization_details',
  spec: 'RFC 9396, RFC 8707',
  inputs: ['connector', 'path'],
  client: authorization_code.client,
  steps: [
    secrets,
    {
      ...{ step: 'authorize', says: 'authorize_details', kind: 'browser', from: 'person', to: 'server' },
      ...{ url: '{authorization_endpoint}', ...ANSWER },
      query: [
        ...REQUEST,
        { name: 'resource', value: '{issuer}', spec: 'RFC 8707 § 2', note: 'resource' },
        details(DETAILS, 'RFC 9396 § 3', 'details'),
      ],
      breaks: [
        {
          ...{ break: 'unknown_connector', error: 'invalid_authorization_details' },
          set: { authorization_details: '[{"type":"connection","connector":"elsewhere"}]' },
        },
        {
          ...{ break: 'unknown_type', error: 'invalid_authorization_details' },
          set: { authorization_details: '[{"type":"payment","amount":"1000"}]' },
        },
        { break: 'wrong_resource', error: 'invalid_target', set: { resource: 'https://api.elsewhere.example' } },
      ],
    },
    ...pick('token').map(unbroken),
    {
      ...{ step: 'read', says: 'read_allowed', kind: 'request', from: 'app', to: 'provider' },
      ...{ method: 'GET', url: '{issuer}/proxy/{connector}{path}', authorization: 'bearer', code: 'proxy' },
    },
    {
      ...{ step: 'write', says: 'write_refused', kind: 'request', from: 'app', to: 'provider' },
      ...{ method: 'POST', url: '{issuer}/proxy/{connector}{path}', authorization: 'bearer' },
      refused_with: 'connection_not_allowed',
      code: 'write_refused',
    },
    {
      ...{ step: 'narrow', says: 'narrow', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'POST', url: '{token_endpoint}', authorization: 'client' },
      body: [
        { name: 'grant_type', value: 'refresh_token', spec: 'RFC 6749 § 6' },
        { name: 'refresh_token', value: '{refresh_token}', spec: 'RFC 6749 § 6', note: 'refresh_token' },
        details('[]', 'RFC 9396 § 6', 'no_details'),
      ],
      keeps: { access_token: 'access_token', next_refresh_token: 'refresh_token' },
      code: 'narrow',
      breaks: [
        {
          ...{ break: 'unknown_type', error: 'invalid_authorization_details' },
          set: { authorization_details: '[{"type":"payment","amount":"1000"}]' },
        },
      ],
    },
    ...pick('revoke', 'ended'),
  ],
}
