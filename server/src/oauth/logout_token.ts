/** The claims of a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4); it never has a nonce. */
export interface LogoutTokenClaims {
  iss: string
  sub?: string
  aud: string
  iat: number
  exp: number
  jti: string
  events: Readonly<Record<typeof LOGOUT_EVENT, object>>
  sid: string
}

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout'

// Section 2.4 recommends at most two minutes.
const LIFETIME_SECONDS = 120

/** Builds the claims of a logout token for one session of one user at one client. */
export function buildLogoutTokenClaims(input: {
  iss: string
  sub: string
  client_id: string
  sid: string
  jti: string
  now: number
}): LogoutTokenClaims {
  const iat = Math.floor(input.now / 1000)
  return {
    iss: input.iss,
    sub: input.sub,
    aud: input.client_id,
    iat,
    exp: iat + LIFETIME_SECONDS,
    jti: input.jti,
    events: { [LOGOUT_EVENT]: {} },
    sid: input.sid,
  }
}
