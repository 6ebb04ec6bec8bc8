import { OAuthError } from '../oauth_error.ts'

/** Longest access token that is looked at, in characters. */
export const LONGEST_TOKEN = 16_384

/** The part of a Request that decides about access: the Fetch API's Request fits, and so does an adapter's literal. */
export interface RequestLike {
  readonly method: string
  readonly url: string
  readonly headers: { get(name: string): string | null }
  /** The certificate that its client has shown in TLS, as DER: where this process itself ends TLS (RFC 8705). */
  readonly certificate?: Uint8Array | undefined
}

/** How an access token is presented: by whoever has it (RFC 6750), or with a proof of a key (RFC 9449 section 7.1). */
export type Scheme = 'Bearer' | 'DPoP'

/** The access token of a request, and how it came. */
export interface PresentedToken {
  readonly scheme: Scheme
  readonly token: string
}

/** The scheme that a request names; Bearer where it names none of ours. Its case does not matter (RFC 9110 section 11.1). */
export function readScheme(request: RequestLike): Scheme {
  return /^dpop( |$)/i.test(request.headers.get('authorization') ?? '') ? 'DPoP' : 'Bearer'
}

/**
 * The access token of a request. It is read from the Authorization header alone, never from the query or the body
 * (RFC 6750 section 2.1, RFC 9700 section 4.3.2).
 */
export function readPresentedToken(request: RequestLike): PresentedToken {
  const authorization = request.headers.get('authorization')
  if (authorization === null) throw new OAuthError(undefined, 'The request carries no access token')
  const scheme = readScheme(request)
  if (!/^(bearer|dpop)( |$)/i.test(authorization)) {
    throw new OAuthError(undefined, 'The request carries no access token of the Bearer or DPoP scheme')
  }
  if (authorization.length > LONGEST_TOKEN + scheme.length + 1) {
    throw new OAuthError('invalid_token', `The access token is longer than ${LONGEST_TOKEN} characters`)
  }
  // Two Authorization fields arrive here joined by a comma, which is no character of a token (RFC 9110 section 5.3).
  const token = /^ +([A-Za-z0-9\-._~+/]+=*)$/.exec(authorization.slice(scheme.length))?.[1]
  if (token === undefined) {
    throw new OAuthError('invalid_request', `The Authorization header must hold one ${scheme} token`)
  }
  return { scheme, token }
}
