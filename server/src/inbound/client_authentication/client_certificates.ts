import { type ClientCertificate, isIssuedBy } from '../../crypto/certificate.ts'
import { bearsExpectedName, isByRegisteredKey, isTlsMethod } from '../../oauth/client_certificate.ts'
import type { Client } from '../../oauth/clients/client.ts'
import type { InboundContext } from '../context.ts'
import { KeysUnavailable } from '../remote_keys.ts'

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
