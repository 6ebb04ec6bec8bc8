// The characters of RFC 3986 alone: what else a parser would forgive, such as a backslash, two of them may read differently.
const HTTP_URI = /^https?:\/\/(?![/?#])(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/i
const UNRESERVED = /[A-Za-z0-9\-._~]/
const LONGEST = 8192

/** The public URL of a request without its query, at an address that is known and not what the request says of itself. */
export function targetOf(base_url: string, request_url: string): string {
  // Behind a router or a proxy there may be a path alone, or another host.
  const path = request_url.replace(/^[a-z]+:\/\/[^/?#]*/i, '').replace(/[?#].*$/, '')
  return base_url + (path === '' ? '/' : path)
}

/** Whether two URLs name the same target, query and fragment aside (RFC 9449 section 4.3). */
export function isSameTarget(htu: string, url: string): boolean {
  if (htu === url) return true
  const target = normalize(htu)
  return target !== undefined && target === normalize(url)
}

/** The normal form of RFC 3986 sections 6.2.2 and 6.2.3; undefined for what is no http URL. */
function normalize(uri: string): string | undefined {
  if (uri.length > LONGEST || !HTTP_URI.test(uri) || !URL.canParse(uri)) return undefined
  const { origin, pathname, username, password } = new URL(uri)
  if (username !== '' || password !== '') return undefined
  const path = pathname.replace(/%[0-9A-Fa-f]{2}/g, (escaped) => {
    const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
    return UNRESERVED.test(character) ? character : escaped.toUpperCase()
  })
  return origin + path
}
