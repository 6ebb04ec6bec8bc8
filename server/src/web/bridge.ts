import type { HandOutToken } from '../inbound/grant_types/token_exchange.ts'
import { OAuthError } from '../oauth/errors.ts'
import { buildTokenResponse } from '../oauth/token_response.ts'
import type { OutboundContext } from '../outbound/context.ts'
import { type BridgeRefusal, handOutToken } from '../outbound/proxy/bridge.ts'
import { readSeconds } from './api/provider_token.ts'

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

/** Joins the token exchange of the inbound half to the vault of the outbound half (RFC 8693 section 2.2). */
export function createHandOut(outbound: OutboundContext): HandOutToken {
  return async ({ connection_id, connector, user_id, ask_url, narrowed, min_seconds, failed_token }) => {
    const token = await handOutToken(outbound, {
      ...{ connection_id, connector, user_id, ask_url, narrowed },
      ...(min_seconds !== undefined && { min_seconds: readSeconds(min_seconds) }),
      ...(failed_token !== undefined && { failed_token }),
    })
    if (token.kind !== 'token') throw readRefusal(token)
    const { access_token, issued_at, expires_at, scope, extra } = token
    const lives_ms = expires_at === null ? undefined : expires_at - outbound.clock()
    const response = buildTokenResponse({
      access_token,
      expires_in: lives_ms && Math.max(0, Math.floor(lives_ms / 1000)),
      scope: scope.split(' ').filter((name) => name !== ''),
      issued_token_type: ACCESS_TOKEN,
    })
    return { ...extra, ...response, issued_at: Math.floor(issued_at / 1000) }
  }
}

/** The refusal of the bridge as an answer of the token endpoint; `reason` says which of them it is. */
export function readRefusal(refusal: BridgeRefusal): OAuthError {
  const { error: reason, error_description, connect_url, retry_after_seconds } = refusal
  const unavailable = reason === 'connection_unavailable'
  return new OAuthError(unavailable ? 'temporarily_unavailable' : 'invalid_target', error_description, {
    members: { reason, ...(connect_url !== undefined && { connect_url }) },
    ...(retry_after_seconds !== undefined && { headers: { 'Retry-After': String(retry_after_seconds) } }),
  })
}
