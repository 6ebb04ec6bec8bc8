import type { ResolvedProvider } from '../providers/resolve.ts'
import { type JsonObject, readPath } from './read_json.ts'

/** What an access token needs beside it to be used. */
export interface HeldToken {
  readonly access_token: string
  /** What is kept beside it, of which a header may name a part. */
  readonly extra?: JsonObject | undefined
}

/** The headers that a provider's API wants of every call: the token, in its header and scheme, and what is fixed. */
export function readApiHeaders(provider: ResolvedProvider, token: HeldToken): { [name: string]: string } {
  const { authorization_header, authorization_scheme } = provider
  const scheme = authorization_scheme === null ? '' : `${authorization_scheme} `
  return { ...readFixedHeaders(provider, token.extra), [authorization_header]: `${scheme}${token.access_token}` }
}

/** The fixed headers alone. One that names what is not kept here, or cannot stand in a header, is left out. */
export function readFixedHeaders(provider: ResolvedProvider, extra: JsonObject = {}): { [name: string]: string } {
  const headers: { [name: string]: string } = {}
  for (const [name, template] of Object.entries(provider.api_headers)) {
    const value = template.replace(/\{(\w+)\}/g, (_, path: string) => String(readPath(extra, path) ?? '\0'))
    if (/^[\x20-\x7e]{1,512}$/.test(value)) headers[name] = value
  }
  return headers
}
