import { OAuthError } from '../../oauth/errors.ts'
import type { UsableToken } from '../../outbound/connections/fresh_token.ts'

const MOST_SECONDS = 3600

/** The parameter min_seconds: how much life a token is to have left. */
export function readSeconds(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= MOST_SECONDS) return Number(text)
  throw new OAuthError('invalid_request', `Parameter min_seconds must be a whole number up to ${MOST_SECONDS}`)
}

/** A provider's token as it is handed out: its extra members beside the standard ones. */
export function describeToken(token: UsableToken, now: number) {
  const { access_token, token_type, scope, issued_at, expires_at, extra, connection_id } = token
  return {
    ...extra,
    access_token,
    token_type,
    scope,
    connection_id,
    issued_at: Math.floor(issued_at / 1000),
    ...(expires_at !== null && { expires_in: Math.max(0, Math.floor((expires_at - now) / 1000)) }),
  }
}
