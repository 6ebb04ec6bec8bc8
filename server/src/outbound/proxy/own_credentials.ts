import { OAuthError } from '../../oauth/errors.ts'

// What this server gives out begins so (access tokens) or is as long as this (cookies).
const OWN_TOKEN = /\bsp_[a-z]{2}_[\w-]{16}/
const SHORTEST_COOKIE = 20

/**
 * Refuses a request for a provider that shows one of our own credentials outside of the headers that never leave: the
 * access token that it came with, a cookie, or anything that looks like a token of ours.
 */
export function refuseOwnCredentials(headers: Headers, sent: Headers, path: string, query: string): void {
  const token = /^\S+ +(\S+)$/.exec(headers.get('authorization') ?? '')?.[1]
  const cookies = (headers.get('cookie') ?? '').split(/[;,]/).map((pair) => pair.slice(pair.indexOf('=') + 1).trim())
  const secrets = [
    ...(token === undefined ? [] : [token]),
    ...cookies.filter((value) => value.length >= SHORTEST_COOKIE),
  ]
  const holds = (text: string) => OWN_TOKEN.test(text) || secrets.some((secret) => text.includes(secret))
  const where = holds(decode(path)) ? 'path' : holds(decode(query)) ? 'query' : undefined
  if (where) throw refusal(`The ${where} shows`)
  for (const [name, value] of sent) if (holds(value)) throw refusal(`Header ${name} shows`)
}

function refusal(what: string): OAuthError {
  return new OAuthError('invalid_request', `${what} a credential of this server, which is not for the provider`)
}

/** A text with its percent-encoding taken off, byte by byte. */
function decode(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
