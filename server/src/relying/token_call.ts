import {
  type AuthorizationServer,
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  customFetch,
  genericTokenEndpointRequest,
  nopkce,
  refreshTokenGrantRequest,
} from 'oauth4webapi'
import { PURPOSES } from '../egress/call.ts'
import { EgressError } from '../egress/egress_error.ts'
import { SettingError } from '../providers/setting_error.ts'
import { readClientAuth } from './client_auth.ts'
import type { RelyingContext, RelyingParty } from './context.ts'
import { discoverProvider } from './discovery.ts'
import { isNonceAnswer, noteNonce } from './dpop.ts'
import { type TokenOutcome, unknownOutcome } from './outcome.ts'
import { readTokenResponse } from './token_response.ts'
import { fetchToken, NO_GRANT_TYPE } from './wire.ts'

/** A refresh (RFC 6749 section 6). */
export interface RefreshInput {
  readonly refresh_token: string
  /** The access token that is held, for providers that renew it itself. */
  readonly access_token?: string
  /** The scope that was granted, sent only where the provider wants it. */
  readonly scope?: string
  readonly timeoutMs?: number
}

/** Asks for new tokens (RFC 6749 section 6); what is not a definite answer is unknown, and says whether it was sent. */
export async function refreshToken(
  context: RelyingContext,
  party: RelyingParty,
  input: RefreshInput,
): Promise<TokenOutcome> {
  const { provider } = party
  const renewal = provider.refresh_grant
  const sent = renewal?.sends === 'access_token' ? (input.access_token ?? input.refresh_token) : input.refresh_token
  const params: Record<string, string> = { ...provider.refresh_params }
  if (provider.refresh_sends.includes('redirect_uri')) params['redirect_uri'] = party.redirect_uri
  if (provider.refresh_sends.includes('scope') && input.scope) {
    params[provider.scope_parameter ?? 'scope'] = input.scope.split(' ').join(provider.scope_separator)
  }
  return callTokenEndpoint(context, party, { ...input, refresh: true, secrets: [sent] }, (server, call) => {
    const { client, auth, options } = call
    if (!renewal) {
      return refreshTokenGrantRequest(server, client, auth, sent, { ...options, additionalParameters: params })
    }
    const all = { ...params, [renewal.token_param]: sent }
    return genericTokenEndpointRequest(server, client, auth, renewal.grant_type ?? NO_GRANT_TYPE, all, options)
  })
}

/** Redeems a code that a validated authorization response brought (RFC 6749 section 4.1.3). */
export async function redeemCode(
  context: RelyingContext,
  party: RelyingParty,
  input: { response: URLSearchParams; code_verifier: string | null; timeoutMs?: number },
): Promise<TokenOutcome> {
  const { response, code_verifier } = input
  const secrets = [response.get('code') ?? '', code_verifier ?? '']
  return callTokenEndpoint(context, party, { ...input, refresh: false, secrets }, (server, call) => {
    const { client, auth } = call
    const options = { ...call.options, additionalParameters: { ...party.provider.token_params } }
    const verifier = code_verifier ?? nopkce
    return authorizationCodeGrantRequest(server, client, auth, response, party.redirect_uri, verifier, options)
  })
}

type PreparedCall = ReturnType<typeof prepareCall>

/** Makes one request of the token endpoint and reads its answer, all within one deadline. */
export async function callTokenEndpoint(
  context: RelyingContext,
  party: RelyingParty,
  input: { refresh: boolean; secrets: readonly string[]; timeoutMs?: number; again?: boolean },
  request: (server: AuthorizationServer, call: PreparedCall) => Promise<Response>,
): Promise<TokenOutcome> {
  const { provider } = party
  const { timeoutMs = PURPOSES.token.timeoutMs } = input
  const left = countDown(context, timeoutMs)
  let server: AuthorizationServer
  try {
    server = await discoverProvider(context, provider)
  } catch (cause) {
    return unknownOutcome(cause, { sent: false })
  }
  if (left() <= 0) return unknownOutcome(new Error('The metadata came too late'), { sent: false })
  if (input.refresh && provider.refresh_endpoint) server = { ...server, token_endpoint: provider.refresh_endpoint }
  let response: Response
  try {
    const send = () => request(server, prepareCall(context, party, server, left()))
    response = await sendWithNonce(context, party, server, { send, mayRepeat: () => left() >= timeoutMs / 2 })
  } catch (cause) {
    if (cause instanceof SettingError) return refuseSetting(cause)
    // What is not the guard's word was found wrong before anything was sent, or by a server that has only asked for a nonce.
    return unknownOutcome(cause, { sent: cause instanceof EgressError ? cause.sent : false })
  }
  const secrets = [...input.secrets, party.client_secret ?? '']
  // Tokens of before they had to be bound are renewed as they are.
  const proof = party.proof_key ? 'sent' : input.refresh || input.again ? 'none' : 'missing'
  return readTokenResponse(provider, response, { now: context.clock(), secrets, refresh: input.refresh, proof })
}

/**
 * Sends once more where the server has only told the nonce that it wants: that used nothing up (RFC 9449 section 8). A second
 * try that could not wait for its answer might lose it: then the next call has the nonce from the start.
 */
async function sendWithNonce(
  context: RelyingContext,
  { proof_key }: RelyingParty,
  { token_endpoint }: AuthorizationServer,
  { send, mayRepeat }: { readonly send: () => Promise<Response>; readonly mayRepeat: () => boolean },
): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const response = await send()
    if (!proof_key || !token_endpoint) return response
    noteNonce(context, token_endpoint, response)
    if (!(await isNonceAnswer(response))) return response
    await response.body?.cancel()
    if (tries > 1 || !mayRepeat()) throw new Error('The server has asked for another nonce')
  }
}

/** What is left of the time that a call has in all; a clock that is set back gives it no more. */
function countDown({ clock }: RelyingContext, total_ms: number): () => number {
  const ends_at = clock() + total_ms
  return () => Math.min(total_ms, ends_at - clock())
}

// A connector that cannot even ask is refused on the provider's behalf: nobody but its administrator can help.
function refuseSetting(cause: SettingError): TokenOutcome {
  return { kind: 'client_refused', error: 'invalid_client', provider_error: '', error_description: cause.message }
}

function prepareCall(context: RelyingContext, party: RelyingParty, server: AuthorizationServer, timeoutMs: number) {
  const endpoint = server.token_endpoint
  if (!endpoint) throw new SettingError('token_endpoint', 'The provider has no token endpoint')
  return {
    client: { client_id: party.client_id },
    auth: readClientAuth(context, party, server),
    options: {
      [customFetch]: fetchToken(context, party, timeoutMs),
      [allowInsecureRequests]: context.egress.mayUseHttp(endpoint),
    },
  }
}
