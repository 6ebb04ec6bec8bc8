import { OAuthError } from '../../oauth/errors.ts'

// As long as a URL may be here: the consent page, to which a person comes back, carries the whole request.
const LONGEST = 8192
// A browser drops tabs and line breaks inside a URL and reads a backslash as a slash; neither is ever needed here.
const PRINTABLE = /^[\x21-\x5b\x5d-\x7e]+$/

/**
 * Where a person goes after a consent flow: a path of this issuer, or a URI registered with the connector, compared
 * character by character (RFC 9700 section 4.11.1: no open redirector). Without one it is the account page.
 */
export function readReturnTo(issuer: string, registered: readonly string[], return_to: string | undefined): string {
  const own = new URL(issuer)
  const base = own.pathname.replace(/\/$/, '')
  if (return_to === undefined) return `${base}/account`
  if (registered.includes(return_to)) return return_to
  const url = return_to.length <= LONGEST && PRINTABLE.test(return_to) ? URL.parse(return_to, own.origin) : null
  const starts = /^\/(?!\/)/.test(return_to) || return_to.startsWith(`${own.origin}/`)
  const inside = url?.origin === own.origin && `${url.pathname}/`.startsWith(`${base}/`)
  // Removing `/.` can leave a path of two slashes, which is a host to the next reader.
  if (!url || !starts || !inside || url.pathname.startsWith('//')) {
    throw new OAuthError('invalid_request', 'Parameter return_to is neither a path of this server nor a registered URI')
  }
  return `${url.pathname}${url.search}${url.hash}`
}
