/** Where an answer goes, in words for the consent page (RFC 8252 section 7). */
export interface RedirectTarget {
  /** A web server, a program on this computer, or an app with a scheme of its own. */
  readonly kind: 'web' | 'loopback' | 'app'
  /** The host in its ASCII form with a port that is not the usual one, or the scheme. Never cut. */
  readonly shown: string
}

/** What the consent page says about a redirect URI. Internationalised hosts stay in their `xn--` form. */
export function redirectTarget(redirect_uri: string): RedirectTarget {
  const url = URL.canParse(redirect_uri) ? new URL(redirect_uri) : undefined
  if (!url) return { kind: 'app', shown: redirect_uri }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { kind: 'app', shown: url.protocol }
  const loopback =
    url.hostname === 'localhost' || url.hostname.endsWith('.localhost') || isLoopbackAddress(url.hostname)
  return { kind: loopback ? 'loopback' : 'web', shown: url.host }
}

function isLoopbackAddress(hostname: string): boolean {
  return hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
