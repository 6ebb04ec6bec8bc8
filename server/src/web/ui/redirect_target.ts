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
  return { kind: isThisComputer(url.hostname.replace(/\.$/, '')) ? 'loopback' : 'web', shown: url.host }
}

// The parser has already written every address in its one usual form.
function isThisComputer(hostname: string): boolean {
  return (
    /^(.+\.)?localhost$/.test(hostname) ||
    /^(127\.\d+\.\d+\.\d+|0\.0\.0\.0)$/.test(hostname) ||
    /^\[::(1|ffff:7f[0-9a-f]{2}:[0-9a-f]+|ffff:0:0)?\]$/.test(hostname)
  )
}
