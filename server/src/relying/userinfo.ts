import { callWithToken, type HeldToken } from './api_headers.ts'
import type { RelyingContext, RelyingParty } from './context.ts'
import { discoverProvider } from './discovery.ts'
import { readRetryAfter } from './error_response.ts'
import { type Rejected, type Throttled, type Unknown, unknownOutcome } from './outcome.ts'
import { type JsonObject, readJsonObject } from './read_json.ts'

/** What a userinfo endpoint said about the user. */
export type UserinfoOutcome =
  | { readonly kind: 'claims'; readonly claims: JsonObject }
  | { readonly kind: 'unsupported' }
  /** The access token is not taken: 401 or 403. */
  | { readonly kind: 'refused'; readonly status: number }
  | Rejected
  | Throttled
  | Unknown

/**
 * Asks whose token this is (OpenID Connect Core 1.0 section 5.3, or the provider's own endpoint). Where the user is
 * known from an ID token, the answer must be about the same one.
 */
export async function fetchUserinfo(
  context: RelyingContext,
  party: RelyingParty,
  input: HeldToken & { readonly sub?: string },
): Promise<UserinfoOutcome> {
  const { egress } = context
  const { method, json } = party.provider.userinfo_request
  let response: Response
  let text: string
  try {
    const server = await discoverProvider(context, party.provider)
    const url = server.userinfo_endpoint
    if (!url) return { kind: 'unsupported' }
    response = await callWithToken(context, party, input, { method, url }, (given) => {
      const headers = { accept: 'application/json', ...given }
      const sent =
        json === null
          ? { headers }
          : { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(json) }
      return egress.fetch(url, { purpose: 'userinfo', identity: party.identity, method, ...sent })
    })
    text = await response.text()
  } catch (cause) {
    return unknownOutcome(cause)
  }
  const { status } = response
  const retry_after_seconds = readRetryAfter(response.headers, context.clock())
  if (status === 429) return { kind: 'throttled', retry_after_seconds }
  if (status === 401 || status === 403) return { kind: 'refused', status }
  if (status !== 200) {
    return unknownOutcome(new Error(`The provider answered with status ${status}`), { status, retry_after_seconds })
  }
  try {
    const claims = readJsonObject(text)
    if (input.sub === undefined || claims['sub'] === input.sub) return { kind: 'claims', claims }
    return { kind: 'rejected', reason: 'sub', cause: new Error('The userinfo answer is about another user') }
  } catch (cause) {
    return unknownOutcome(cause, { status })
  }
}
