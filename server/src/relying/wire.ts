import type { Purpose } from '../egress/call.ts'
import type { Egress } from '../egress/egress.ts'
import type { RelyingContext, RelyingParty } from './context.ts'
import { proveKey } from './dpop.ts'
import { readJsonObject } from './read_json.ts'

/** A request as the library hands it on. */
export interface WireRequest {
  readonly method: string
  readonly headers: Record<string, string>
}

/** A fetch for documents that a library parses: within the guard's limits, and bounded in depth before it is handed on. */
export function fetchJson(egress: Egress, purpose: Purpose): (url: string, request: WireRequest) => Promise<Response> {
  return async (url, { method, headers }) => {
    const response = await egress.fetch(url, { purpose, method, headers })
    const text = await response.text()
    if (response.status === 200) readJsonObject(text)
    return new Response(text, { status: response.status, headers: response.headers })
  }
}

/** The grant type of a request that has none, where a library insists on one. */
export const NO_GRANT_TYPE = 'urn:sallyport:no-grant-type'

/** A fetch for token requests, which puts the form that RFC 6749 asks for into the body that the provider takes. */
export function fetchToken(
  context: RelyingContext,
  { provider, proof_key, identity }: Pick<RelyingParty, 'provider' | 'proof_key' | 'identity'>,
  timeoutMs: number,
): (url: string, request: WireRequest & { readonly body: URLSearchParams }) => Promise<Response> {
  const { egress } = context
  const prove = (method: string, url: string): Record<string, string> =>
    proof_key ? { DPoP: proveKey(context, proof_key, { method, url }) } : {}
  return async (url, { method, headers: given, body }) => {
    const headers = { ...given, ...prove(provider.token_request === 'query' ? 'GET' : method, url) }
    if (body.get('grant_type') === NO_GRANT_TYPE) body.delete('grant_type')
    const init = {
      purpose: 'token' as const,
      identity,
      timeoutMs,
      headers: { ...headers, ...provider.token_request_headers },
    }
    if (provider.token_request === 'form') return egress.fetch(url, { ...init, method, body: String(body) })
    if (provider.token_request === 'json') {
      const json = { ...init.headers, 'content-type': 'application/json' }
      return egress.fetch(url, { ...init, method, headers: json, body: JSON.stringify(Object.fromEntries(body)) })
    }
    const target = new URL(url)
    for (const [name, value] of body) target.searchParams.set(name, value)
    const { 'content-type': _, ...bodyless } = init.headers
    return egress.fetch(target, { ...init, headers: bodyless })
  }
}
