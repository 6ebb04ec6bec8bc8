import type { Confirmation } from './access_token.ts'
import type { Client } from './clients/client.ts'
import { OAuthError } from './errors.ts'

/** The type of a token that is bound so (RFC 9449 section 5); one bound to a certificate is Bearer (RFC 8705 section 3). */
export function tokenType(cnf: Confirmation | null | undefined): 'Bearer' | 'DPoP' {
  return cnf?.jkt === undefined ? 'Bearer' : 'DPoP'
}

/** Whether a request shows everything that something is bound to. */
export function showsBinding(shown: Confirmation | null, bound: Confirmation): boolean {
  const members = Object.entries(bound) as [keyof Confirmation, string][]
  return members.length > 0 && members.every(([name, value]) => shown?.[name] === value)
}

/** Refuses a token that its client's registration wants bound, and that would not be (RFC 9449 section 5.2, RFC 8705 section 3.4). */
export function requireBinding(
  client: Pick<Client, 'dpop_bound_access_tokens' | 'tls_client_certificate_bound_access_tokens'>,
  cnf: Confirmation | null,
): void {
  if (client.tls_client_certificate_bound_access_tokens === true && cnf?.['x5t#S256'] === undefined) {
    throw new OAuthError(
      'invalid_request',
      'This client is registered for tokens that are bound to its TLS certificate',
    )
  }
  if (client.dpop_bound_access_tokens === true && cnf?.jkt === undefined) {
    throw new OAuthError('invalid_dpop_proof', 'This client is registered for DPoP: the request needs a DPoP header')
  }
}
