import { OAuthError } from '../oauth_error.ts'

/** Longest access token that is looked at, in characters. */
export const LONGEST_TOKEN = 16_384

/** The part of a Request that decides about access: the Fetch API's Request fits, and so does an adapter's literal. */
export interface RequestLike {
  readonly method: string
  readonly url: string
  readonly headers: { get(name: string): string | null }
}

/**
 * The access token of a request. It is read from the Authorization header alone, never from the query or the body
 * (RFC 6750 section 2.1, RFC 9700 section 4.3.2). The scheme's case does not matter (RFC 9110 section 11.1).
 */
export function readBearerToken(request: RequestLike): string {
  const authorization = request.headers.get('authorization')
  if (authorization === null) throw new OAuthError(undefined, 'The request carries no access token')
  const space = authorization.indexOf(' ')
  const scheme = (space < 0 ? authorization : authorization.slice(0, space)).toLowerCase()
  if (scheme === 'dpop') {
    throw new OAuthError('invalid_token', 'The DPoP scheme is not supported by this resource; use Bearer')
  }
  if (scheme !== 'bearer') throw new OAuthError(undefined, 'The request carries no access token of the Bearer scheme')
  if (authorization.length > LONGEST_TOKEN + 'Bearer '.length) {
    throw new OAuthError('invalid_token', `The access token is longer than ${LONGEST_TOKEN} characters`)
  }
  // Two Authorization fields arrive here joined by a comma, which is no character of a token (RFC 9110 section 5.3).
  const token = /^ +([A-Za-z0-9\-._~+/]+=*)$/.exec(authorization.slice('bearer'.length))?.[1]
  if (token === undefined)
    throw new OAuthError('invalid_request', 'The Authorization header must hold one Bearer token')
  return token
}
