import type { Flow, Param, Step } from '../flow.ts'

/** What the app makes before it sends anybody anywhere. */
export const secrets: Step = {
  ...{ step: 'secrets', says: 'secrets', kind: 'make', from: 'app', to: 'app' },
  makes: [
    { name: 'state', how: 'random', spec: 'RFC 6749 § 10.12', note: 'state' },
    { name: 'nonce', how: 'random', spec: 'OpenID Connect Core § 3.1.2.1', note: 'nonce' },
    { name: 'code_verifier', how: 'random', spec: 'RFC 7636 § 4.1', note: 'code_verifier' },
    {
      ...{ name: 'code_challenge', how: 'S256', of: 'code_verifier' },
      ...{ spec: 'RFC 7636 § 4.2', note: 'code_challenge' },
    },
  ],
}

/** The parameters of an authorization request, wherever they travel. */
export const REQUEST: readonly Param[] = [
  { name: 'response_type', value: 'code', spec: 'RFC 6749 § 4.1.1', note: 'response_type' },
  { name: 'client_id', value: '{client_id}', spec: 'RFC 6749 § 2.2', note: 'client_id' },
  { name: 'redirect_uri', value: '{redirect_uri}', spec: 'RFC 6749 § 3.1.2', note: 'redirect_uri' },
  { name: 'scope', value: '{scope}', spec: 'RFC 6749 § 3.3', note: 'scope' },
  { name: 'state', value: '{state}', spec: 'RFC 6749 § 4.1.1', note: 'state_sent' },
  { name: 'nonce', value: '{nonce}', spec: 'OpenID Connect Core § 3.1.2.1', note: 'nonce_sent' },
  {
    name: 'code_challenge',
    value: '{code_challenge}',
    spec: 'RFC 7636 § 4.3',
    note: 'challenge_sent',
  },
  { name: 'code_challenge_method', value: 'S256', spec: 'RFC 7636 § 4.3', note: 'code_challenge_method' },
]

/** The answer of the authorization endpoint is the same for every way to ask. */
export const ANSWER = { checks: { state: '{state}', iss: '{issuer}' }, keeps: ['code'] } as const

/** The code is exchanged, and what came of it is used, renewed and ended. */
export const tokens: readonly Step[] = [
  {
    ...{ step: 'token', says: 'token', kind: 'request', from: 'app', to: 'server' },
    ...{ method: 'POST', url: '{token_endpoint}', authorization: 'client' },
    body: [
      { name: 'grant_type', value: 'authorization_code', spec: 'RFC 6749 § 4.1.3' },
      { name: 'code', value: '{code}', spec: 'RFC 6749 § 4.1.3', note: 'code' },
      {
        name: 'redirect_uri',
        value: '{redirect_uri}',
        spec: 'RFC 6749 § 4.1.3',
        note: 'redirect_uri_again',
      },
      { name: 'code_verifier', value: '{code_verifier}', spec: 'RFC 7636 § 4.5', note: 'verifier_sent' },
    ],
    keeps: { access_token: 'access_token', refresh_token: 'refresh_token', id_token: 'id_token' },
    code: 'exchange_code',
    breaks: [
      {
        ...{ break: 'wrong_verifier', error: 'invalid_grant' },
        set: { code_verifier: '{random}' },
      },
      {
        ...{ break: 'wrong_redirect_uri', error: 'invalid_grant' },
        set: { redirect_uri: 'https://elsewhere.example/callback' },
      },
      { break: 'no_verifier', error: 'invalid_grant', set: { code_verifier: null } },
      { break: 'wrong_code', error: 'invalid_grant', set: { code: '{random}' } },
      { break: 'reused_code', error: 'invalid_grant', after: true, ends: true },
    ],
  },
  {
    ...{ step: 'userinfo', says: 'userinfo', kind: 'request', from: 'app', to: 'server' },
    ...{ method: 'GET', url: '{userinfo_endpoint}', authorization: 'bearer', code: 'userinfo' },
    breaks: [
      {
        ...{ break: 'wrong_token', error: 'invalid_token' },
        values: { access_token: '{random}' },
      },
    ],
  },
  {
    ...{ step: 'refresh', says: 'refresh', kind: 'request', from: 'app', to: 'server' },
    ...{ method: 'POST', url: '{token_endpoint}', authorization: 'client' },
    body: [
      { name: 'grant_type', value: 'refresh_token', spec: 'RFC 6749 § 6' },
      {
        name: 'refresh_token',
        value: '{refresh_token}',
        spec: 'RFC 6749 § 6',
        note: 'refresh_token',
      },
    ],
    keeps: { access_token: 'access_token', next_refresh_token: 'refresh_token' },
    code: 'refresh',
    breaks: [
      {
        ...{ break: 'wrong_refresh_token', error: 'invalid_grant' },
        set: { refresh_token: '{random}' },
      },
      {
        ...{ break: 'more_scope', error: 'invalid_scope' },
        set: { scope: 'openid address phone' },
      },
    ],
  },
  {
    ...{ step: 'introspect', says: 'introspect', kind: 'request', from: 'app', to: 'server' },
    ...{ method: 'POST', url: '{introspection_endpoint}', authorization: 'client', checks: { active: true } },
    code: 'introspect',
    body: [{ name: 'token', value: '{access_token}', spec: 'RFC 7662 § 2.1', note: 'token' }],
  },
  {
    ...{ step: 'revoke', says: 'revoke', kind: 'request', from: 'app', to: 'server' },
    ...{ method: 'POST', url: '{revocation_endpoint}', authorization: 'client', code: 'revoke' },
    body: [
      { name: 'token', value: '{next_refresh_token}', spec: 'RFC 7009 § 2.1', note: 'either_token' },
      { name: 'token_type_hint', value: 'refresh_token', spec: 'RFC 7009 § 2.1', note: 'token_type_hint' },
    ],
  },
  {
    ...{ step: 'ended', says: 'ended', kind: 'request', from: 'app', to: 'server' },
    ...{ method: 'POST', url: '{introspection_endpoint}', authorization: 'client', checks: { active: false } },
    code: 'introspect',
    body: [{ name: 'token', value: '{access_token}', spec: 'RFC 7662 § 2.1', note: 'ended_token' }],
  },
]

/** The steps of these names, for flows that share them. */
export const pick = (...steps: readonly string[]) => tokens.filter(({ step }) => steps.includes(step))

/** A step as it should be, and not otherwise. */
export const unbroken = ({ breaks: _, ...step }: Step) => step as Step

/** Ends the grant of a flow that has not refreshed. */
export const revokeFirst: Step = {
  ...{ step: 'revoke', says: 'revoke', kind: 'request', from: 'app', to: 'server' },
  ...{ method: 'POST', url: '{revocation_endpoint}', authorization: 'client', code: 'revoke_refresh_token' },
  body: [{ name: 'token', value: '{refresh_token}', spec: 'RFC 7009 § 2.1', note: 'either_token' }],
}

/** The grant that nearly everybody needs. */
export const authorization_code: Flow = {
  flow: 'authorization_code',
  spec: 'RFC 6749 § 4.1, RFC 7636, OpenID Connect Core § 3.1',
  client: {
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: 'openid profile email offline_access',
  },
  steps: [
    secrets,
    {
      ...{ step: 'authorize', says: 'authorize', kind: 'browser', from: 'person', to: 'server' },
      ...{ url: '{authorization_endpoint}', query: REQUEST, ...ANSWER },
      breaks: [
        {
          ...{ break: 'unknown_scope', error: 'invalid_scope' },
          set: { scope: 'openid everything' },
        },
        {
          ...{ break: 'no_challenge', error: 'invalid_request' },
          set: { code_challenge: null, code_challenge_method: null },
        },
        {
          ...{ break: 'no_prompt', error: 'consent_required' },
          set: { prompt: 'none' },
        },
      ],
    },
    ...tokens,
  ],
}
