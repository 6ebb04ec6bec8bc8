import { refuse } from './config_error.ts'

/**
 * Reads an issuer (RFC 8414 section 2): https, or http where the host is this machine itself; no query, no fragment.
 * Clients compare it as a string, so only its one normal form, without a slash at the end, is taken.
 */
export function readIssuer(text: string, name: string): string {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) throw refuse(`${name} must be a URL such as https://login.example.com`)
  if (url.username !== '' || url.password !== '') throw refuse(`${name} must not have a user name or password`)
  if (/[?#]/.test(text)) throw refuse(`${name} must not have a query or a fragment`)
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw refuse(
      `${name} may be http only at localhost, 127.0.0.1 or [::1], which means development; elsewhere it must be https`,
    )
  }
  const normal = url.href.replace(/(?<!\/)\/+$/, '')
  if (text !== normal) throw refuse(`${name} must be written as ${normal}`)
  if (!/^(\/[A-Za-z0-9._~-]+)*\/?$/.test(url.pathname) || /\/\.well-known(\/|$)/.test(url.pathname)) {
    throw refuse(`${name} may have a path of letters, digits and - . _ ~ only, and none called .well-known`)
  }
  return text
}

/** The port that an issuer on this machine names: there its server listens, unless it is told otherwise. */
export function portOfIssuer(issuer: string | undefined): number | undefined {
  const url = issuer === undefined ? null : URL.parse(issuer)
  return url?.protocol === 'http:' ? Number(url.port) || undefined : undefined
}

/** Whether a host name can only mean this machine (RFC 6761 section 6.3, RFC 8252 section 8.3). */
export function isLoopback(hostname: string): boolean {
  return /^(.+\.)?localhost$|^127(\.\d{1,3}){3}$|^(\[::1\]|::1)$/.test(hostname)
}
