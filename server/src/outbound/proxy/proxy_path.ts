import { OAuthError } from '../../oauth/errors.ts'

const LONGEST_PATH = 8192
// RFC 3986 section 3.3 and 3.4, without anything that one parser takes for something else.
const PATH = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/
const QUERY = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?[\]|^`{}]|%[0-9A-Fa-f]{2})*$/
const CONTROL = /[\0-\x1f\x7f\\]/
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:[/;]|$)/
// Bytes that some decoders take for a shorter spelling: a dot or a slash in more bytes than it has (RFC 3629 section 3).
const OVERLONG = /[\xc0\xc1]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]/
// How often something between us and the API might decode a path once more.
const MOST_DECODINGS = 3

/**
 * The URL of a proxied request: the API's base and the path as it came, joined as text and never resolved. A path that
 * could leave the base, after any decoding on the way, is refused.
 */
export function joinPath(api_base: string, path: string, query: string): URL {
  const base = new URL(api_base)
  if (path.length > LONGEST_PATH) throw refusal('is too long')
  if (!PATH.test(path)) throw refusal('must start with one slash and hold only characters that a path may have')
  if (path.startsWith('//')) throw refusal('must not start with two slashes')
  for (let text = path, i = 0; i < MOST_DECODINGS; i++) {
    text = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    if (CONTROL.test(text)) throw refusal('must not hold a control character or a backslash, encoded or not')
    if (OVERLONG.test(text)) throw refusal('must be UTF-8, each character in its shortest form')
    if (DOT_SEGMENT.test(text) || DOT_SEGMENT.test(normalize(text)))
      throw refusal('must not have . or .. as a segment, encoded or not')
  }
  if (!QUERY.test(query)) throw new OAuthError('invalid_request', 'The query has a character that a query may not have')
  const url = new URL(`${base.origin}${base.pathname.replace(/\/$/, '')}${path}${query === '' ? '' : `?${query}`}`)
  // The parser had nothing to change: what was judged above is what will be sent.
  if (url.origin !== base.origin || !url.pathname.endsWith(path)) throw refusal('is not written in its normal form')
  return url
}

/** Bytes of UTF-8 as a server may read them that takes look-alikes for what they look like. */
function normalize(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString().normalize('NFKC').replaceAll('\\', '/')
}

function refusal(what: string): OAuthError {
  return new OAuthError('invalid_request', `The path ${what}`)
}
