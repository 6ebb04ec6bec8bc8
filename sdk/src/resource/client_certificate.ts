import { base64url } from 'jose'
import type { ResourceSettings } from './options.ts'
import type { RequestLike } from './presented_token.ts'

const PEM = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/

/** The `x5t#S256` of the certificate that a request's client has shown in TLS (RFC 8705 section 3.1); undefined without one. */
export async function readThumbprint(
  request: RequestLike,
  certificate: ResourceSettings['certificate'],
): Promise<string | undefined> {
  const shown = certificate === undefined ? request.certificate : readOrNothing(certificate, request)
  const der = typeof shown === 'string' ? readPem(shown) : shown
  if (der === null || der === undefined || der.length === 0) return undefined
  const hash = await crypto.subtle.digest('SHA-256', Uint8Array.from(der))
  return base64url.encode(new Uint8Array(hash))
}

// What cannot be decoded is no certificate, and no reason to fail.
function readOrNothing(certificate: NonNullable<ResourceSettings['certificate']>, request: RequestLike) {
  try {
    return certificate(request)
  } catch {
    return undefined
  }
}

/** The DER of a certificate in PEM; undefined when it is not exactly one. */
function readPem(text: string): Uint8Array | undefined {
  const base64 = PEM.exec(text)?.[1]?.replace(/\s+/g, '')
  if (base64 === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}
