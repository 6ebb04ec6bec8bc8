import { type AlternativeName, type ClientCertificate, readCertificate } from '../crypto/certificate.ts'
import { type Jwk, thumbprint } from '../crypto/public_key.ts'
import { type Json, readBoolean, readText, refusal } from './clients/metadata_member.ts'
import { isSameName, readDistinguishedName } from './distinguished_name.ts'

/** The methods by which a client proves itself in TLS (RFC 8705 section 2). */
export const TLS_METHODS = ['tls_client_auth', 'self_signed_tls_client_auth'] as const

/** Whether clients of this registered method prove themselves in TLS. */
export function isTlsMethod(method: string): method is (typeof TLS_METHODS)[number] {
  return (TLS_METHODS as readonly string[]).includes(method)
}

/** What is registered about a client's certificates (RFC 8705 sections 2.1.2 and 3.4). */
export interface CertificateMetadata {
  tls_client_auth_subject_dn?: string
  tls_client_auth_san_dns?: string
  tls_client_auth_san_uri?: string
  tls_client_auth_san_ip?: string
  tls_client_auth_san_email?: string
  tls_client_certificate_bound_access_tokens?: boolean
}

const NAMES = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const

/** Reads it; a client of tls_client_auth is known by exactly one name (RFC 8705 section 2.1.2). */
export function readCertificateMetadata(source: Json, method: string): CertificateMetadata {
  const metadata: CertificateMetadata = {}
  const bound = readBoolean(source, 'tls_client_certificate_bound_access_tokens')
  if (bound === true) metadata.tls_client_certificate_bound_access_tokens = true
  if (method !== 'tls_client_auth') return metadata
  const given = NAMES.flatMap((name) => {
    const text = readText(source, name, 1024)
    return text === undefined ? [] : [[name, text] as const]
  })
  const [only, ...more] = given
  if (!only || more.length > 0)
    throw refusal('tls_client_auth_subject_dn', `or one other of ${NAMES.join(', ')} is needed`)
  const [name, text] = only
  metadata[name] = readExpectedName(name, text)
  return metadata
}

function readExpectedName(name: (typeof NAMES)[number], text: string): string {
  if (name === 'tls_client_auth_subject_dn' && !readDistinguishedName(text)) {
    throw refusal(name, 'must be a distinguished name, as in RFC 4514')
  }
  if (name === 'tls_client_auth_san_dns') return text.toLowerCase()
  if (name !== 'tls_client_auth_san_ip') return text
  const address = /^[0-9A-Fa-f.:]+$/.test(text) && /[.:]/.test(text) ? canonicalAddress(text) : undefined
  if (address === undefined) throw refusal(name, 'must be an IP address')
  return address
}

// As certificates are read: IPv6 in the form of RFC 5952, which is how the URL parser writes it.
function canonicalAddress(text: string): string | undefined {
  return URL.parse(`http://${text.includes(':') ? `[${text}]` : text}`)?.hostname.replace(/^\[|\]$/g, '')
}

/** Whether a certificate bears the one name that its client is known by (tls_client_auth, RFC 8705 section 2.1). */
export function bearsExpectedName(client: CertificateMetadata, certificate: ClientCertificate): boolean {
  const { tls_client_auth_subject_dn: subject } = client
  if (subject !== undefined) {
    const expected = readDistinguishedName(subject)
    return expected !== null && isSameName(expected, certificate.subject)
  }
  for (const kind of ['dns', 'uri', 'ip', 'email'] as const satisfies readonly AlternativeName[]) {
    const expected = client[`tls_client_auth_san_${kind}`]
    if (expected !== undefined) return certificate.alternative_names[kind].includes(expected)
  }
  return false
}

/** Whether a certificate is by one of a client's registered keys (self_signed_tls_client_auth, RFC 8705 section 2.2). */
export function isByRegisteredKey(keys: readonly Jwk[], { key_thumbprint }: ClientCertificate): boolean {
  return key_thumbprint !== null && keys.some((key) => key.use !== 'enc' && thumbprint(key) === key_thumbprint)
}

const PEM = /^-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/
const ENVOY_ELEMENT = /(?:^|;)Cert="([^",;]*)"/g

/**
 * Reads the certificate that a proxy passes on: as RFC 9440 section 2.2 has it, as the escaped PEM of nginx, in Envoy's
 * X-Forwarded-Client-Cert, or as bare base64. Null when there is not exactly one.
 */
export function readForwardedCertificate(header: string): ClientCertificate | null {
  if (header.length > 16_384) return null
  const elements = [...header.matchAll(ENVOY_ELEMENT)]
  if (elements.length > 1 || (elements.length === 1 && header.includes(','))) return null
  const value = elements.length === 1 ? elements[0]![1]! : header.trim()
  const base64 = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(value)?.[1] ?? readPem(value)
  if (base64 === null || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return null
  return readCertificate(Buffer.from(base64, 'base64'))
}

function readPem(value: string): string | null {
  let text = value
  if (value.includes('%')) {
    try {
      text = decodeURIComponent(value)
    } catch {
      return null
    }
  }
  return (PEM.exec(text)?.[1] ?? text).replace(/\s+/g, '')
}
