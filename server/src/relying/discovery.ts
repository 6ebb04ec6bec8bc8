import {
  type AuthorizationServer,
  allowInsecureRequests,
  customFetch,
  discoveryRequest,
  processDiscoveryResponse,
} from 'oauth4webapi'
import type { ResolvedProvider } from '../providers/resolve.ts'
import type { RelyingContext, RememberedMetadata } from './context.ts'
import { fetchJson } from './wire.ts'

/** Why a provider's metadata cannot be used. */
export class DiscoveryError extends Error {
  readonly reason: 'unreachable' | 'invalid' | 'issuer_mismatch' | 'missing'
  /** Nothing was asked of the provider but its metadata. */
  readonly sent = false

  constructor(reason: DiscoveryError['reason'], message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'DiscoveryError'
    this.reason = reason
  }
}

const FRESH_MS = 60 * 60 * 1000
// What was good a day ago serves while the provider's metadata cannot be had.
const STALE_MS = 24 * 60 * 60 * 1000

// Members of RFC 8414 and OpenID Connect Discovery that a record may also give itself; the record's word counts more.
const ENDPOINTS = [
  'authorization_endpoint',
  'token_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
  'userinfo_endpoint',
  'device_authorization_endpoint',
  'pushed_authorization_request_endpoint',
  'jwks_uri',
] as const

const LISTS = [
  'code_challenge_methods_supported',
  'token_endpoint_auth_methods_supported',
  'revocation_endpoint_auth_methods_supported',
  'id_token_signing_alg_values_supported',
  'dpop_signing_alg_values_supported',
] as const

const NO_ALIASES: ReadonlySet<string> = new Set(['authorization_endpoint', 'jwks_uri'])

const SWITCHES = ['authorization_response_iss_parameter_supported', 'require_pushed_authorization_requests'] as const

const SIGNATURES = ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

/** Stands for the issuer of a provider that has none, where a library insists on one. */
const NO_ISSUER = 'urn:sallyport:no-issuer'

/** True where the provider has an issuer to compare with. */
export function hasIssuer(server: AuthorizationServer): boolean {
  return server.issuer !== NO_ISSUER
}

/**
 * The provider's metadata (RFC 8414, OpenID Connect Discovery 1.0): from its record, filled up from its metadata
 * document where the record says there is one. Its issuer must be the configured one, character for character.
 */
export async function discoverProvider(
  context: RelyingContext,
  provider: ResolvedProvider,
): Promise<AuthorizationServer> {
  const server = await loadProvider(context, provider)
  return showsCertificate(provider) ? overlayAliases(provider, server) : server
}

/** Whether we show a certificate there: as the client, or because tokens are bound to it. */
function showsCertificate(provider: ResolvedProvider): boolean {
  const { token_endpoint_auth_method: method, tls_client_certificate_bound_access_tokens: is_bound } = provider
  return is_bound || method === 'tls_client_auth' || method === 'self_signed_tls_client_auth'
}

// RFC 8705 section 5: where a provider asks for certificates, if not everywhere.
function overlayAliases(provider: ResolvedProvider, server: AuthorizationServer): AuthorizationServer {
  const aliases = Object.entries(server.mtls_endpoint_aliases ?? {})
  const own = aliases.filter(([name]) => !provider[name as (typeof ENDPOINTS)[number]])
  return own.length === 0 ? server : { ...server, ...Object.fromEntries(own) }
}

async function loadProvider(context: RelyingContext, provider: ResolvedProvider): Promise<AuthorizationServer> {
  const { issuer, discovery } = provider
  const own = ownEndpoints(provider)
  const key = JSON.stringify([issuer, discovery, own])
  const now = context.clock()
  const known = context.metadata.get(key)
  if (known && (known.loaded === null || (now >= known.loaded_at && now - known.loaded_at < FRESH_MS))) {
    return known.loading
  }
  const loading = load(context, provider, own).then(
    (loaded) => {
      remember({ loading: Promise.resolve(loaded), loaded, loaded_at: context.clock() })
      return loaded
    },
    (error) => {
      const stale = known?.loaded && context.clock() - known.loaded_at < STALE_MS
      if (stale) remember(known)
      else context.metadata.delete(key)
      if (stale && error.reason === 'unreachable') return known.loaded!
      throw error
    },
  )
  const remember = (metadata: RememberedMetadata) => context.metadata.set(key, metadata)
  remember({ loading, loaded: null, loaded_at: now })
  return loading
}

function ownEndpoints(provider: ResolvedProvider): Record<string, string> {
  return Object.fromEntries(ENDPOINTS.flatMap((name) => (provider[name] ? [[name, provider[name]]] : [])))
}

async function load(
  context: RelyingContext,
  provider: ResolvedProvider,
  own: Readonly<Record<string, string>>,
): Promise<AuthorizationServer> {
  const { issuer, discovery } = provider
  const fetched = issuer !== null && discovery !== null ? await fetchMetadata(context, issuer, discovery) : {}
  return { id_token_signing_alg_values_supported: SIGNATURES, ...fetched, ...own, issuer: issuer ?? NO_ISSUER }
}

async function fetchMetadata(
  context: RelyingContext,
  issuer: string,
  algorithm: 'oidc' | 'oauth2',
): Promise<Partial<AuthorizationServer>> {
  const url = URL.parse(issuer)
  if (!url) throw new DiscoveryError('invalid', 'The issuer is not a URL')
  let response: Response
  try {
    response = await discoveryRequest(url, {
      algorithm,
      [customFetch]: fetchJson(context.egress, 'discovery'),
      [allowInsecureRequests]: context.egress.mayUseHttp(url),
    })
  } catch (cause) {
    throw new DiscoveryError('unreachable', `The metadata of ${url.host} could not be fetched`, { cause })
  }
  if (response.status !== 200) {
    const reason = response.status >= 500 || response.status === 429 ? 'unreachable' : 'invalid'
    throw new DiscoveryError(reason, `The metadata of ${url.host} was answered with status ${response.status}`)
  }
  let metadata: AuthorizationServer
  try {
    metadata = await processDiscoveryResponse(url, response)
  } catch (cause) {
    const mismatch = cause instanceof Error && 'code' in cause && String(cause.code).includes('ATTRIBUTE_COMPARISON')
    const reason = mismatch ? 'issuer_mismatch' : 'invalid'
    throw new DiscoveryError(
      reason,
      `The metadata of ${url.host} ${mismatch ? 'names another issuer' : 'is not valid'}`,
      {
        cause,
      },
    )
  }
  // The library compares URLs; issuers are compared as strings (RFC 8414 section 3.3).
  if (metadata.issuer !== issuer) {
    throw new DiscoveryError('issuer_mismatch', `The metadata of ${url.host} writes its issuer otherwise`)
  }
  return pickMetadata(metadata)
}

function pickMetadata(metadata: AuthorizationServer): Partial<AuthorizationServer> {
  const picked: Record<string, unknown> = {}
  for (const name of ENDPOINTS) if (typeof metadata[name] === 'string') picked[name] = metadata[name]
  for (const name of LISTS) {
    const list: unknown = metadata[name]
    if (Array.isArray(list)) picked[name] = list.filter((item) => typeof item === 'string').slice(0, 64)
  }
  const aliases: unknown = metadata.mtls_endpoint_aliases
  if (typeof aliases === 'object' && aliases !== null) {
    const known = ENDPOINTS.filter((name) => typeof (aliases as Record<string, unknown>)[name] === 'string')
    const named = known.map((name) => [name, (aliases as Record<string, unknown>)[name]] as const)
    // The browser goes to no other place, and keys are the same everywhere.
    picked['mtls_endpoint_aliases'] = Object.fromEntries(named.filter(([name]) => !NO_ALIASES.has(name)))
  }
  for (const name of SWITCHES) if (metadata[name] === true) picked[name] = true
  return picked as Partial<AuthorizationServer>
}
