import type { HeldToken } from './api_headers.ts'
import type { RelyingContext, RelyingParty } from './context.ts'
import { discoverProvider } from './discovery.ts'
import { isErrorWithin200, readErrorResponse, readRetryAfter } from './error_response.ts'
import { type Throttled, type Unknown, unknownOutcome } from './outcome.ts'
import { type JsonObject, readJsonObject } from './read_json.ts'
import { callAsTold } from './told_call.ts'

/** What a provider says of a token of ours. */
export type IntrospectionOutcome =
  | { readonly kind: 'claims'; readonly claims: JsonObject }
  /** The token is dead. */
  | { readonly kind: 'inactive' }
  | { readonly kind: 'unsupported' }
  /** It is not for us to ask. */
  | { readonly kind: 'refused'; readonly status: number }
  | Throttled
  | Unknown

/** Asks about an access token (RFC 7662, or as the provider's record says). */
export async function introspectToken(
  context: RelyingContext,
  party: RelyingParty,
  input: HeldToken,
): Promise<IntrospectionOutcome> {
  const { parameter, ...request } = party.provider.introspection_request
  let response: Response
  let text: string
  try {
    const server = await discoverProvider(context, party.provider)
    const url = server.introspection_endpoint
    if (!url) return { kind: 'unsupported' }
    const params = parameter === null ? {} : { [parameter]: input.access_token }
    response = await callAsTold(context, party, server, { ...request, purpose: 'userinfo', url, params }, input)
    text = await response.text()
  } catch (cause) {
    return unknownOutcome(cause)
  }
  const { status } = response
  const retry_after_seconds = readRetryAfter(response.headers, context.clock())
  if (status === 429) return { kind: 'throttled', retry_after_seconds }
  if (status === 401 || status === 403) {
    return request.authorization === 'bearer' && status === 401 ? { kind: 'inactive' } : { kind: 'refused', status }
  }
  if (status !== 200) {
    return unknownOutcome(new Error(`The provider answered with status ${status}`), { status, retry_after_seconds })
  }
  try {
    const claims = readJsonObject(text)
    const { error_response } = party.provider
    if (isErrorWithin200(error_response, claims)) {
      const error = readErrorResponse(error_response, claims, status, retry_after_seconds, [input.access_token])
      if (error?.kind === 'refused' && error.error === 'invalid_grant') return { kind: 'inactive' }
      return error?.kind === 'throttled' || error?.kind === 'unknown' ? error : { kind: 'refused', status }
    }
    return claims['active'] === false ? { kind: 'inactive' } : { kind: 'claims', claims }
  } catch (cause) {
    return unknownOutcome(cause, { status })
  }
}
