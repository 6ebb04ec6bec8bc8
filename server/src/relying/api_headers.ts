import type { ProofKey } from '../crypto/proof_key.ts'
import type { ResolvedProvider } from '../providers/resolve.ts'
import type { RelyingContext } from './context.ts'
import { isNonceChallenge, noteNonce, proveKey } from './dpop.ts'
import { type JsonObject, readPath } from './read_json.ts'

/** What an access token needs beside it to be used. */
export interface HeldToken {
  readonly access_token: string
  /** `DPoP` where the token is of use with a proof alone. */
  readonly token_type?: string | undefined
  /** What is kept beside it, of which a header may name a part. */
  readonly extra?: JsonObject | undefined
}

/** The headers that a provider's API wants of every call: the token, in its header and scheme, and what is fixed. */
export function readApiHeaders(
  provider: ResolvedProvider,
  token: HeldToken,
  proof: string | null = null,
): { [name: string]: string } {
  const fixed = readFixedHeaders(provider, token.extra)
  // RFC 9449 section 7.1.
  if (proof !== null) return { ...fixed, authorization: `DPoP ${token.access_token}`, dpop: proof }
  const { authorization_header, authorization_scheme } = provider
  const scheme = authorization_scheme === null ? '' : `${authorization_scheme} `
  return { ...fixed, [authorization_header]: `${scheme}${token.access_token}` }
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

/** What proves the key of a bound token for one call; null for any other token. */
export function proveUse(
  context: Pick<RelyingContext, 'clock' | 'nonces'>,
  proof_key: ProofKey | undefined,
  { token_type, access_token }: HeldToken,
  request: { readonly method: string; readonly url: string | URL },
): string | null {
  return proof_key && token_type === 'DPoP' ? proveKey(context, proof_key, { ...request, access_token }) : null
}

/** Makes a call with a token; once more where the API has only told the nonce that it wants (RFC 9449 section 9). */
export async function callWithToken(
  context: RelyingContext,
  { provider, proof_key }: { readonly provider: ResolvedProvider; readonly proof_key?: ProofKey | undefined },
  token: HeldToken,
  request: { readonly method: string; readonly url: string | URL },
  send: (headers: { [name: string]: string }) => Promise<Response>,
): Promise<Response> {
  const call = () => send(readApiHeaders(provider, token, proveUse(context, proof_key, token, request)))
  const first = await call()
  if (token.token_type !== 'DPoP') return first
  noteNonce(context, request.url, first)
  if (!isNonceChallenge(first)) return first
  await first.body?.cancel()
  return call()
}
