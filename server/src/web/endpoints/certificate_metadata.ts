import type { CertificateForwarding } from '../../inbound/certificate_forwarding.ts'
import { TLS_METHODS } from '../../oauth/client_certificate.ts'
import type { EndpointUrls } from '../../oauth/metadata.ts'

/** The methods by which clients prove themselves in TLS here: one of them needs authorities to issue certificates. */
export function tlsMethods(forwarding: CertificateForwarding | null): readonly string[] {
  if (!forwarding) return []
  return TLS_METHODS.filter((method) => method !== 'tls_client_auth' || forwarding.authorities.length > 0)
}

// What clients call themselves (RFC 8705 section 5); people's browsers would be asked for a certificate elsewhere.
const ALIASED = [
  'token_endpoint',
  'userinfo_endpoint',
  'introspection_endpoint',
  'revocation_endpoint',
  'registration_endpoint',
  'pushed_authorization_request_endpoint',
  'device_authorization_endpoint',
] as const satisfies readonly (keyof EndpointUrls)[]

/** What discovery says about certificates (RFC 8705 sections 3.3 and 5). */
export function describeCertificates(
  forwarding: CertificateForwarding | null,
  endpoints: EndpointUrls,
): Readonly<Record<string, unknown>> {
  if (!forwarding) return {}
  const { origin } = forwarding
  const aliases = ALIASED.flatMap((name) => {
    const url = endpoints[name]
    return url === undefined || origin === undefined ? [] : [[name, url.replace(new URL(url).origin, origin)]]
  })
  return {
    tls_client_certificate_bound_access_tokens: true,
    ...(aliases.length > 0 && { mtls_endpoint_aliases: Object.fromEntries(aliases) }),
  }
}
