import type { X509Certificate } from 'node:crypto'
import { type ClientCertificate, isIssuedBy } from '../crypto/certificate.ts'
import type { Client } from '../oauth/client.ts'
import {
  bearsExpectedName,
  isByRegisteredKey,
  isTlsMethod,
  readForwardedCertificate,
} from '../oauth/client_certificate.ts'
import type { Sender } from './client_address.ts'
import type { InboundContext } from './context.ts'
import { KeysUnavailable } from './remote_keys.ts'

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

/** Why a certificate does not prove that its sender is a client of a TLS method, or null (RFC 8705 section 2). */
export async function whyCertificateFails(
  context: InboundContext,
  client: Client,
  certificate: ClientCertificate | undefined,
  now: number,
): Promise<string | null> {
  const { certificate_forwarding: forwarding, remote_keys } = context
  const method = client.token_endpoint_auth_method
  if (!isTlsMethod(method) || !forwarding) return 'no certificates are forwarded'
  if (!certificate) return 'no certificate'
  if (method === 'tls_client_auth') {
    if (!isIssuedBy(certificate, forwarding.authorities, now)) return 'not issued by a known authority, or not now'
    return bearsExpectedName(client, certificate) ? null : 'of another name'
  }
  if (client.jwks) return isByRegisteredKey(client.jwks.keys, certificate) ? null : 'by a key that is not registered'
  const { jwks_uri } = client
  if (jwks_uri === undefined) return 'no keys are registered'
  try {
    if (isByRegisteredKey(await remote_keys.find(jwks_uri), certificate)) return null
    const newer = await remote_keys.findNewer(jwks_uri)
    return newer && isByRegisteredKey(newer, certificate) ? null : 'by a key that is not published'
  } catch (error) {
    if (error instanceof KeysUnavailable) return 'the keys at jwks_uri could not be fetched'
    throw error
  }
}
