import type { Flow } from '../flow.ts'
import { ANSWER, authorization_code, REQUEST, secrets, tokens } from './authorization_code.ts'

/** The same with the request sent ahead, so that the browser carries nothing that could be changed. */
export const pushed_request: Flow = {
  ...authorization_code,
  flow: 'pushed_request',
  spec: 'RFC 9126',
  steps: [
    secrets,
    {
      ...{ step: 'push', says: 'push', kind: 'request', from: 'app', to: 'server' },
      ...{ method: 'POST', url: '{pushed_authorization_request_endpoint}', authorization: 'client' },
      body: REQUEST,
      keeps: { request_uri: 'request_uri' },
      code: 'push',
      breaks: [
        {
          ...{
            break: 'unregistered_redirect_uri',
            error: 'invalid_request',
          },
          set: { redirect_uri: 'https://elsewhere.example/callback' },
        },
        {
          break: 'no_type',
          error: 'invalid_request',
          set: { response_type: null },
        },
      ],
    },
    {
      ...{ step: 'authorize', says: 'authorize_by_reference', kind: 'browser', from: 'person', to: 'server' },
      url: '{authorization_endpoint}',
      query: [
        { name: 'client_id', value: '{client_id}', spec: 'RFC 9126 § 4', note: 'whose_request' },
        { name: 'request_uri', value: '{request_uri}', spec: 'RFC 9126 § 2.2', note: 'request_uri' },
      ],
      ...ANSWER,
    },
    ...tokens,
  ],
}
