import type { Flow, Param, Step } from '../flow.ts'
import { authorization_code, pick, secrets } from './authorization_code.ts'

type RequestStep = Extract<Step, { kind: 'request' }>

const OTHER = { break: 'other_client', error: 'invalid_client', set: { client_id: '{random}' } } as const
const CODES = { exchange_code: 'exchange_code_public', refresh: 'refresh_public', revoke: 'revoke_public' } as const

/** The same request of a client that has no secret: it says which one it is, and proves nothing. */
function unproven({ authorization: _, ...step }: RequestStep): RequestStep {
  const client_id: Param = { name: 'client_id', value: '{client_id}', spec: 'RFC 6749 § 3.2.1', note: 'public_id' }
  const code = CODES[step.code as keyof typeof CODES]
  const breaks = step.breaks && [...step.breaks, OTHER]
  return { ...step, body: [...(step.body ?? []), client_id], code, ...(breaks && { breaks }) }
}

const [token, refresh, revoke] = pick('token', 'refresh', 'revoke') as RequestStep[]

/** The tokens of a client without a secret, from the exchange of the code to their end. */
export const publicTokens: readonly Step[] = [
  { ...unproven(token!), says: 'token_public' },
  ...pick('userinfo'),
  { ...unproven(refresh!), says: 'refresh_public' },
  unproven(revoke!),
  {
    ...{ step: 'ended', says: 'ended_public', kind: 'request', from: 'app', to: 'server' },
    ...{ method: 'GET', url: '{userinfo_endpoint}', authorization: 'bearer', refused_with: 'invalid_token' },
    code: 'userinfo_refused',
  },
]

/** An app in a browser, on a phone or on a desktop: it can keep no secret, and what protects it is PKCE. */
export const public_client: Flow = {
  flow: 'public_client',
  spec: 'RFC 6749 § 2.1, RFC 7636, RFC 8252, RFC 10017',
  client: {
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
    scope: 'openid profile email offline_access',
  },
  steps: [
    secrets,
    ...authorization_code.steps.slice(1, 2).map((step) => {
      const breaks = step.breaks?.filter((one) => one.break === 'no_challenge')
      return { ...step, ...(breaks && { breaks }) } as Step
    }),
    ...publicTokens,
  ],
}
