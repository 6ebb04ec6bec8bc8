import { OAuthError } from './errors.ts'

/** Where a client runs (OpenID Connect Registration section 2). */
export type ApplicationType = 'web' | 'native'

/** The four shapes a redirect URI may have (RFC 8252 section 7). */
export type RedirectUriKind = 'https' | 'loopback' | 'localhost' | 'private_use'

const LONGEST_URI = 2048
// RFC 3986 section 2 without # (a fragment) and * (what other servers take for a wildcard).
const CHARACTERS = /^(?:[A-Za-z0-9\-._~:/?@!$&'()+,;=[\]]|%[0-9A-Fa-f]{2})+$/
const PRIVATE_USE = /^[a-z][a-z0-9+-]*(?:\.[a-z0-9][a-z0-9+-]*)+:/
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/
// An encoded dot, slash, backslash or percent sign is a path that two parsers read in two ways.
const AMBIGUOUS_PATH = /%(?:2e|2f|5c|25)/i
const CONTROL = /%(?:[01][0-9a-f]|7f)/i
const LOOPBACK = /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(?::([1-9][0-9]{0,4}))?(?=[/?]|$)/

// A registered query must not collide with what the answer adds (RFC 6749 section 4.1.2, RFC 9207 section 2).
const ANSWER_PARAMETERS = [
  'code',
  'state',
  'iss',
  'error',
  'error_description',
  'error_uri',
  'access_token',
  'token_type',
  'expires_in',
  'scope',
  'id_token',
  'response',
]

/**
 * Checks a redirect URI that is to be registered, and says which shape it has (RFC 6749 section 3.1.2, RFC 8252
 * sections 7 and 8.4). Only a string that the WHATWG parser keeps as it is passes, so that no browser reads it
 * otherwise. `web_loopback` lets a web client have http at loopback, which an administrator may want.
 */
export function validateRedirectUri(
  uri: string,
  options: { application_type: ApplicationType; web_loopback?: boolean },
): RedirectUriKind {
  if (uri.length === 0 || uri.length > LONGEST_URI) throw refusal('must have 1 to 2048 characters')
  if (uri.includes('#')) throw refusal('must not have a fragment')
  if (uri.includes('*')) throw refusal('must not have a wildcard')
  if (!CHARACTERS.test(uri)) throw refusal('has a character or percent-encoding that is not allowed in a URI')
  if (CONTROL.test(uri)) throw refusal('must not hold an encoded control character')
  if (!URL.canParse(uri)) throw refusal('is not an absolute URI')
  const url = new URL(uri)
  const kind = PRIVATE_USE.test(uri) ? checkPrivateUse(uri, options.application_type) : checkWeb(uri, url, options)
  checkPathAndQuery(uri, url)
  return kind
}

function checkPrivateUse(uri: string, application_type: ApplicationType): RedirectUriKind {
  if (application_type !== 'native') throw refusal('may have a private-use scheme only for a native client')
  if (!/^[^:]*:\/(?!\/)/.test(uri)) throw refusal('must have exactly one slash after its private-use scheme')
  return 'private_use'
}

function checkWeb(
  uri: string,
  url: URL,
  options: { application_type: ApplicationType; web_loopback?: boolean },
): RedirectUriKind {
  const authority = /^https?:\/\/([^/?]*)/.exec(uri)?.[1]
  if (authority === undefined) {
    throw refusal('must be https, http at a loopback address, or a private-use scheme with a dot in it')
  }
  if (authority.includes('@')) throw refusal('must not have a user name or password')
  if (url.hostname.endsWith('.')) throw refusal('must not have a host that ends with a dot')
  if (url.protocol === 'https:') return 'https'
  const host = LOOPBACK.exec(uri)?.[1]
  if (host === undefined) throw refusal('may be http only at 127.0.0.1, [::1] or localhost')
  if (options.application_type !== 'native' && options.web_loopback !== true) {
    throw refusal('may be http at a loopback address only for a native client')
  }
  return host === 'localhost' ? 'localhost' : 'loopback'
}

function checkPathAndQuery(uri: string, url: URL): void {
  const [beforeQuery = ''] = uri.split('?', 1)
  const path = beforeQuery.replace(/^[^:]*:(?:\/\/[^/]*)?/, '')
  if (DOT_SEGMENT.test(path)) throw refusal('must not have . or .. as a path segment')
  if (AMBIGUOUS_PATH.test(path))
    throw refusal('must not have an encoded dot, slash, backslash or percent sign in its path')
  if (/[[\]]/.test(path + url.search)) throw refusal('may have brackets only around an IPv6 address')
  if (url.href !== uri && url.href !== `${uri}/`)
    throw refusal('must be written in its normal form, as a browser shows it')
  for (const name of ANSWER_PARAMETERS) {
    if (url.searchParams.has(name)) throw refusal(`must not have the parameter ${name}, which the answer adds`)
  }
}

function refusal(what: string): OAuthError {
  return new OAuthError('invalid_redirect_uri', `A redirect URI ${what}`)
}

/** The shape of a redirect URI that was registered before. */
export function redirectUriKind(uri: string): RedirectUriKind {
  if (uri.startsWith('https:')) return 'https'
  if (!uri.startsWith('http:')) return 'private_use'
  return uri.startsWith('http://localhost') ? 'localhost' : 'loopback'
}

/**
 * Whether a requested redirect URI is one of the client's: the same string (RFC 9700 section 2.1). Native clients may
 * use another port at a loopback address, with the same scheme, address, path and query (RFC 8252 section 7.3);
 * `localhost` counts as such an address only where `loopback_localhost` says so. Never a pattern, and a prefix only for
 * a client that an administrator has marked so.
 */
export function matchRedirectUri(
  requested: string,
  registered: readonly string[],
  options: {
    application_type: ApplicationType
    loopback_localhost?: boolean | undefined
    redirect_uri_prefix?: boolean | undefined
  },
): boolean {
  if (registered.includes(requested)) return true
  if (options.redirect_uri_prefix === true && registered.some((uri) => liesUnder(requested, uri))) return true
  if (options.application_type !== 'native') return false
  const portless = withoutPort(requested, options.loopback_localhost === true)
  if (portless === undefined) return false
  for (const uri of registered) if (withoutPort(uri, true) === portless) return true
  return false
}

/**
 * Legacy: whether an address lies under a registered one by whole path segments, at the same scheme, host and port. What
 * could be read in two ways does not, nor what has a query, an empty segment, or parameters of a segment: there are
 * servers to which `..;` is `..`.
 */
function liesUnder(requested: string, registered: string): boolean {
  if (!/^https?:/.test(registered) || /\?/.test(registered + requested)) return false
  const path = registered.replace(/^https?:\/\/[^/]*/, '')
  const folder = registered.slice(0, registered.length - path.length) + path.replace(/\/$/, '')
  const rest = requested.startsWith(`${folder}/`) ? requested.slice(folder.length) : ''
  if (rest === '' || /\/\/|;|%3b/i.test(rest)) return false
  try {
    validateRedirectUri(requested, { application_type: 'web', web_loopback: true })
    return true
  } catch {
    return false
  }
}

function withoutPort(uri: string, localhost: boolean): string | undefined {
  const found = LOOPBACK.exec(uri)
  if (found === null || (found[1] === 'localhost' && !localhost) || Number(found[2] ?? 0) > 65_535) return undefined
  return `http://${found[1]}${uri.slice(found[0].length)}`
}
