import { formatScope } from './scope.ts'

/**
 * A successful token answer (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3, RFC 8693 section 2.2.1,
 * RFC 9396 section 7).
 */
export interface TokenResponse {
  access_token: string
  token_type: 'Bearer' | 'DPoP' | 'N_A'
  /** Left out where nobody knows, which only the tokens of others can be. */
  expires_in?: number
  scope: string
  refresh_token?: string
  id_token?: string
  authorization_details?: readonly object[]
  issued_token_type?: string
}

/** What a token answer is made of. */
export interface TokenResponseInput {
  access_token: string
  token_type?: TokenResponse['token_type'] | undefined
  expires_in: number | undefined
  scope: readonly string[]
  refresh_token?: string | undefined
  id_token?: string | undefined
  authorization_details?: readonly object[] | undefined
  issued_token_type?: string | undefined
}

/** Builds a token answer. The scope is always there, so that a client sees what was left out (RFC 6749 section 3.3). */
export function buildTokenResponse(input: TokenResponseInput): TokenResponse {
  const response: TokenResponse = {
    access_token: input.access_token,
    token_type: input.token_type ?? 'Bearer',
    ...(input.expires_in !== undefined && { expires_in: input.expires_in }),
    scope: formatScope(input.scope),
  }
  if (input.refresh_token !== undefined) response.refresh_token = input.refresh_token
  if (input.id_token !== undefined) response.id_token = input.id_token
  if (input.authorization_details !== undefined) response.authorization_details = input.authorization_details
  if (input.issued_token_type !== undefined) response.issued_token_type = input.issued_token_type
  return response
}
