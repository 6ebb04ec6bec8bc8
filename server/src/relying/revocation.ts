import { type AuthorizationServer, allowInsecureRequests, customFetch, revocationRequest } from 'oauth4webapi'
import type { RevocationRequest } from '../providers/quirks.ts'
import { readFixedHeaders } from './api_headers.ts'
import { readClientAuth } from './client_auth.ts'
import type { RelyingContext, RelyingParty } from './context.ts'
import { discoverProvider } from './discovery.ts'
import { isErrorWithin200, readErrorResponse, readRetryAfter } from './error_response.ts'
import { type ClientRefused, type Refused, type Throttled, type Unknown, unknownOutcome } from './outcome.ts'
import { type JsonObject, readJsonObject, readPath } from './read_json.ts'
import { callAsTold } from './told_call.ts'

/** The tokens of a connection that ends. */
export interface RevocationInput {
  readonly refresh_token: string | null
  readonly access_token: string | null
  /** What is kept beside the tokens. */
  readonly extra?: JsonObject
}

/** What a revocation came to; `unsupported` where the provider offers none for what is held. */
export type RevocationOutcome =
  | { readonly kind: 'revoked' }
  | { readonly kind: 'unsupported' }
  | Refused
  | ClientRefused
  | Throttled
  | Unknown

/** Tells the provider that a connection has ended (RFC 7009, or as the provider's record says). */
export async function revokeToken(
  context: RelyingContext,
  party: RelyingParty,
  input: RevocationInput,
): Promise<RevocationOutcome> {
  const { provider } = party
  let server: AuthorizationServer
  try {
    server = await discoverProvider(context, provider)
  } catch (cause) {
    return unknownOutcome(cause, { sent: false })
  }
  const endpoint = provider.revocation_endpoint ?? server.revocation_endpoint
  const shape = provider.revocation_request
  if (!endpoint) return { kind: 'unsupported' }
  const secrets = [input.refresh_token ?? '', input.access_token ?? '', party.client_secret ?? '']
  try {
    const response = shape
      ? await sendAsTold(context, party, server, shape, endpoint, input)
      : await sendStandard(context, party, server, endpoint, input)
    if (response === null) return { kind: 'unsupported' }
    return readRevocationResponse(context, party, response, await response.text(), secrets)
  } catch (cause) {
    return unknownOutcome(cause)
  }
}

async function sendStandard(
  context: RelyingContext,
  party: RelyingParty,
  server: AuthorizationServer,
  revocation_endpoint: string,
  input: RevocationInput,
): Promise<Response | null> {
  const { egress } = context
  const token = input.refresh_token ?? input.access_token
  if (token === null) return null
  const token_type_hint = token === input.refresh_token ? 'refresh_token' : 'access_token'
  return revocationRequest(
    { ...server, revocation_endpoint },
    { client_id: party.client_id },
    readClientAuth(context, party, server, party.provider.revocation_endpoint_auth_method ?? undefined),
    token,
    {
      additionalParameters: { token_type_hint },
      [customFetch]: (url, { method, headers, body }) =>
        egress.fetch(url, {
          purpose: 'revocation',
          identity: party.identity,
          method,
          headers: { ...headers, ...readFixedHeaders(party.provider, input.extra) },
          body: String(body),
        }),
      [allowInsecureRequests]: egress.mayUseHttp(revocation_endpoint),
    },
  )
}

async function sendAsTold(
  context: RelyingContext,
  party: RelyingParty,
  server: AuthorizationServer,
  shape: RevocationRequest,
  endpoint: string,
  { access_token, refresh_token, extra = {} }: RevocationInput,
): Promise<Response | null> {
  const token = shape.token === 'refresh_token' ? refresh_token : access_token
  const kept = Object.entries(shape.kept_params).map(([name, path]) => [name, readPath(extra, path)] as const)
  // Without what it names, the call would end nothing, or something else.
  if ((shape.token !== null && token === null) || kept.some(([, value]) => typeof value !== 'string')) return null
  const named = shape.parameter === null || token === null ? {} : { [shape.parameter]: token }
  const call = {
    ...{ purpose: 'revocation' as const, method: shape.method, body: shape.body, authorization: shape.authorization },
    auth_method: party.provider.revocation_endpoint_auth_method,
    url: endpoint.replace('{token}', encodeURIComponent(token ?? '')),
    params: { ...shape.params, ...named, ...(Object.fromEntries(kept) as Record<string, string>) },
  }
  return callAsTold(context, party, server, call, access_token === null ? null : { access_token, extra })
}

function readRevocationResponse(
  context: RelyingContext,
  party: RelyingParty,
  response: Response,
  text: string,
  secrets: readonly string[],
): RevocationOutcome {
  const { status } = response
  const shape = party.provider.error_response
  const retry_after_seconds = readRetryAfter(response.headers, context.clock())
  if (status === 429) return { kind: 'throttled', retry_after_seconds }
  const body = readObjectOrNull(text)
  const failed = status < 200 || status >= 300 || (body !== null && isErrorWithin200(shape, body))
  if (!failed) return { kind: 'revoked' }
  if (status < 500 && body !== null) {
    const refusal = readErrorResponse(shape, body, status, retry_after_seconds, secrets)
    if (refusal) return refusal
  }
  return unknownOutcome(new Error(`The provider answered with status ${status}`), { status, retry_after_seconds })
}

// RFC 7009 section 2.2: the body of a success is of no interest, and is often empty.
function readObjectOrNull(text: string): JsonObject | null {
  try {
    return readJsonObject(text)
  } catch {
    return null
  }
}
