import type { AuthorizationServer } from 'oauth4webapi'
import type { Purpose } from '../egress/call.ts'
import type { ClientAuthMethod } from '../providers/provider.ts'
import type { CallAuthorization, CallBody } from '../providers/quirks.ts'
import { SettingError } from '../providers/setting_error.ts'
import { callWithToken, type HeldToken, readFixedHeaders } from './api_headers.ts'
import { readClientAuth } from './client_auth.ts'
import type { RelyingContext, RelyingParty } from './context.ts'

/** A call that a provider's record describes. */
export interface ToldCall {
  readonly purpose: Purpose
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly url: string
  readonly authorization: CallAuthorization
  /** How the client authenticates, where it is not as at the token endpoint. */
  readonly auth_method?: ClientAuthMethod | null
  readonly params: Readonly<Record<string, string>>
  readonly body: CallBody
}

/** Makes a call as the provider's record says, with the token that it is about, if there is one. */
export async function callAsTold(
  context: RelyingContext,
  party: RelyingParty,
  server: AuthorizationServer,
  call: ToldCall,
  token: HeldToken | null,
): Promise<Response> {
  const { provider } = party
  const { authorization, method, purpose } = call
  const headers = new Headers({ accept: 'application/json', ...readFixedHeaders(provider, token?.extra) })
  const params = new URLSearchParams(call.params)
  if (authorization === 'client') {
    const authenticate = readClientAuth(context, party, server, call.auth_method ?? undefined)
    await authenticate(server, { client_id: party.client_id }, params, headers)
  } else if (typeof authorization === 'object') {
    if (party.client_secret === null) throw new SettingError('client_secret', 'The connector has no client secret')
    headers.set('authorization', `${authorization.secret_scheme} ${party.client_secret}`)
  }
  const url = new URL(call.url)
  const isJson = call.body === 'json'
  const body = isJson ? JSON.stringify(Object.fromEntries(params)) : String(params)
  if (call.body === 'query') for (const [name, value] of params) url.searchParams.set(name, value)
  else headers.set('content-type', isJson ? 'application/json' : 'application/x-www-form-urlencoded')
  const sent = { purpose, method, identity: party.identity, ...(call.body !== 'query' && { body }) }
  if (authorization !== 'bearer' || token === null) return context.egress.fetch(url, { ...sent, headers })
  return callWithToken(context, party, token, { method, url }, (own) => {
    for (const [name, value] of Object.entries(own)) headers.set(name, value)
    return context.egress.fetch(url, { ...sent, headers })
  })
}
