import { CLIENT_ASSERTION_ALGORITHMS, isAssertionMethod } from '../client_assertion.ts'
import { type CertificateMetadata, readCertificateMetadata } from '../client_certificate.ts'
import { type Json, readText, refusal } from './metadata_member.ts'

/** What is registered about the way a client authenticates, beside its method and its keys (RFC 7591 section 2). */
export interface AuthenticationMetadata extends CertificateMetadata {
  /** The one algorithm by which it signs; without it, each that its method has (OpenID Connect Registration section 2). */
  token_endpoint_auth_signing_alg?: string
}

/** Whether a client of this registered method has a secret. */
export function hasSecret(method: string): boolean {
  return method.startsWith('client_secret_')
}

/** Reads what a client of its method needs to authenticate; its keys have been read before. */
export function readAuthentication(
  source: Json,
  metadata: { token_endpoint_auth_method: string; jwks?: object; jwks_uri?: string },
): AuthenticationMetadata {
  const method = metadata.token_endpoint_auth_method
  const authentication: AuthenticationMetadata = readCertificateMetadata(source, method)
  const by_key = method === 'private_key_jwt' || method === 'self_signed_tls_client_auth'
  if (by_key && !metadata.jwks && !metadata.jwks_uri) throw refusal('jwks', `or jwks_uri is needed for ${method}`)
  const alg = readText(source, 'token_endpoint_auth_signing_alg', 20)
  if (alg !== undefined && isAssertionMethod(method)) {
    const algorithms: readonly string[] = CLIENT_ASSERTION_ALGORITHMS[method]
    if (!algorithms.includes(alg))
      throw refusal('token_endpoint_auth_signing_alg', `must be ${algorithms.join(' or ')}`)
    authentication.token_endpoint_auth_signing_alg = alg
  }
  return authentication
}
