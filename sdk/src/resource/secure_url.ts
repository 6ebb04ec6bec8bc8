/** Parses an identifier or endpoint that must be https; http is for loopback, that is for development (RFC 8252 section 7.3). */
export function readSecureUrl(value: unknown, name: string): URL {
  if (typeof value !== 'string' || !URL.canParse(value)) throw new TypeError(`${name} must be an absolute URL`)
  const url = new URL(value)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    throw new TypeError(`${name} must be an https URL; http is accepted for loopback hosts only`)
  }
  if (url.username !== '' || url.password !== '') throw new TypeError(`${name} must not carry credentials`)
  if (value.includes('#')) throw new TypeError(`${name} must not have a fragment`)
  return url
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
