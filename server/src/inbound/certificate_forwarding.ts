import type { X509Certificate } from 'node:crypto'
import type { ClientCertificate } from '../crypto/certificate.ts'
import { readForwardedCertificate } from '../oauth/client_certificate.ts'
import type { Sender } from './client_address.ts'

/** How clients' certificates reach us, when a proxy ends TLS (RFC 8705, RFC 9440). */
export interface CertificateForwarding {
  /** The header that the proxy sets, in lower case; it is read from trusted proxies alone. */
  readonly header: string
  /** Who issues the certificates of tls_client_auth: checked here, because a proxy may let any certificate through. */
  readonly authorities: readonly X509Certificate[]
  /** The origin at which the proxy asks for a certificate, if that is not the issuer's (RFC 8705 section 5). */
  readonly origin?: string | undefined
}

/** The certificate that a trusted proxy says its client has shown; undefined where there is none, or nobody to believe. */
export function findCertificate(
  forwarding: CertificateForwarding | null,
  sender: Sender,
  header: (name: string) => string | undefined,
): ClientCertificate | undefined {
  if (!forwarding || sender.through_proxy !== true) return undefined
  const value = header(forwarding.header)
  return (value && readForwardedCertificate(value)) || undefined
}
