import { type OwnCertificate, readOwnCertificate } from '../../crypto/certificate.ts'
import type { ClientIdentity } from '../../egress/call.ts'
import type { ProviderFields } from '../../providers/provider.ts'
import { SettingError } from '../../providers/setting_error.ts'
import type { ConnectorKeys } from './connector_key_rotation.ts'
import { splitPems } from './connector_keys.ts'

/** Whether the provider knows a connector by its certificate (RFC 8705 section 2). */
export function isKnownByCertificate({
  token_endpoint_auth_method: method,
}: Pick<ProviderFields, 'token_endpoint_auth_method'>) {
  return method === 'tls_client_auth' || method === 'self_signed_tls_client_auth'
}

/** Whether a connector to such a provider has a certificate: to be known by, or for its tokens to be bound to. */
export function needsCertificate(
  provider: Pick<ProviderFields, 'token_endpoint_auth_method' | 'tls_client_certificate_bound_access_tokens'>,
): boolean {
  return isKnownByCertificate(provider) || provider.tls_client_certificate_bound_access_tokens
}

/**
 * The keys of a connector once its certificate is known to be one of them and good now; its public key then carries the
 * certificate (RFC 7517 section 4.7), by which a provider knows one that nobody else has signed.
 */
export function certify<Chosen extends ConnectorKeys & { readonly secret: string | null }>(
  chosen: Chosen,
  certificate: string | undefined,
  now: number,
): Chosen {
  const { secret, key } = chosen
  if (certificate === undefined || secret === null || !key) return chosen
  const read = readOwnCertificate(certificate, splitPems(secret)[0]!)
  if (!read) throw new SettingError('certificate', 'The certificate is no PEM, or one of another private key')
  if (!isGood(read, now)) throw new SettingError('certificate', 'The certificate is not good now')
  return { ...chosen, key: { ...key, public_jwk: { ...key.public_jwk, x5c: read.x5c } } }
}

function isGood({ from, until }: OwnCertificate, now: number): boolean {
  return from <= now && now < until
}

/** A certificate with its private key, as a connection shows them. */
export function identify(certificate: string | undefined, pems: string | null): { readonly identity?: ClientIdentity } {
  return certificate === undefined || pems === null ? {} : { identity: { cert: certificate, key: splitPems(pems)[0]! } }
}
