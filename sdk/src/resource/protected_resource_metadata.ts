import type { ResourceSettings } from './options.ts'
import type { RequestLike } from './presented_token.ts'
import type { SenderConstraint } from './sender_constraint.ts'

/** What a protected resource says about itself (RFC 9728 section 2). */
export interface ProtectedResourceMetadata {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly bearer_methods_supported: readonly ['header']
  readonly dpop_signing_alg_values_supported: readonly string[]
  readonly dpop_bound_access_tokens_required?: boolean
  readonly scopes_supported?: readonly string[]
  readonly resource_name?: string
  readonly resource_documentation?: string
  readonly resource_policy_uri?: string
  readonly resource_tos_uri?: string
}

/** The document, frozen; members without a value are left out (RFC 9728 section 2). */
export function describeResource(
  described: ResourceSettings,
  authorization_servers: readonly string[],
  senders: Pick<SenderConstraint, 'algorithms' | 'required'>,
): ProtectedResourceMetadata {
  const { resource, scopes_supported, resource_name } = described
  const { resource_documentation, resource_policy_uri, resource_tos_uri } = described
  return Object.freeze({
    resource,
    authorization_servers,
    bearer_methods_supported: ['header'] as const,
    dpop_signing_alg_values_supported: senders.algorithms,
    ...(senders.required && { dpop_bound_access_tokens_required: true }),
    ...(scopes_supported && { scopes_supported }),
    ...(resource_name && { resource_name }),
    ...(resource_documentation && { resource_documentation }),
    ...(resource_policy_uri && { resource_policy_uri }),
    ...(resource_tos_uri && { resource_tos_uri }),
  })
}

const HEADERS = {
  // Public and without credentials: browser-based clients read it from any origin.
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, HEAD, OPTIONS',
  'access-control-allow-headers': '*',
}

/** Where a resource's metadata is: the well-known path is put between host and path (RFC 9728 section 3.1). */
export function metadataUrl(resource: URL): string {
  const path = resource.pathname === '/' ? '' : resource.pathname
  return `${resource.origin}/.well-known/oauth-protected-resource${path}${resource.search}`
}

/** Answers a request for the metadata at `url` (RFC 9728 section 3.2); undefined when the request is for something else. */
export function answerMetadata(
  request: Pick<RequestLike, 'method' | 'url'>,
  url: string,
  metadata: ProtectedResourceMetadata,
): Response | undefined {
  const wanted = pathOf(url)
  const asked = pathOf(request.url)
  if (asked !== wanted && (wanted.includes('?') || asked.split('?')[0] !== wanted)) return undefined
  if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: HEADERS })
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return new Response(null, { status: 405, headers: { ...HEADERS, allow: 'GET, HEAD, OPTIONS' } })
  }
  const headers = { ...HEADERS, 'cache-control': 'public, max-age=3600' }
  if (request.method === 'GET') return Response.json(metadata, { headers })
  return new Response(null, { headers: { ...headers, 'content-type': 'application/json' } })
}

/** Path and query. The host is left out: behind a proxy it may be another than the public one. */
function pathOf(url: string): string {
  return url.replace(/^[a-z]+:\/\/[^/?#]*/i, '')
}
