import { type GrantType, listResponseTypes } from '../../inbound/authorization/grant_type.ts'
import { listOfferedGrants } from '../../inbound/authorization/offered_grants.ts'
import { TOKEN_ENDPOINT_AUTH_METHODS } from '../../inbound/clients/register_client.ts'
import { offeredPrompts } from '../../inbound/users/sign_up.ts'
import { ACRS } from '../../oauth/acr.ts'
import { RESPONSE_MODES } from '../../oauth/authorization_request.ts'
import { CLIENT_ASSERTION_ALGORITHMS } from '../../oauth/client_assertion.ts'
import { DPOP_ALGORITHMS } from '../../oauth/dpop.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { buildMetadata, buildProtectedResourceMetadata, type Metadata } from '../../oauth/metadata.ts'
import { PROFILES } from '../../oauth/profile.ts'
import { IDENTITY_SCOPES } from '../../oauth/scope.ts'
import { SCOPE_CLAIMS } from '../../oauth/userinfo.ts'
import { listConnectorKeys } from '../../outbound/administration/connectors.ts'
import type { Configuration } from '../../store/tenant.ts'
import { aliasedUrls } from '../endpoint_paths.ts'
import type { Answer, MachineEndpoint } from '../machine.ts'
import type { Web } from '../web.ts'
import { describeCertificates, tlsMethods } from './certificate_metadata.ts'

const DOCUMENT = {
  'Content-Type': 'application/json',
  'Cache-Control': 'public, max-age=300',
  // With an Origin there is a CORS header, without one there is none: a cache must not mix them up.
  Vary: 'Origin',
  'X-Content-Type-Options': 'nosniff',
}
const CLAIMS = [
  ...['sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'acr', 'amr', 'azp', 'sid', 'at_hash'],
  ...Object.values(SCOPE_CLAIMS).flat(),
]

/** GET /.well-known/openid-configuration and /.well-known/oauth-authorization-server (RFC 8414, OpenID Connect Discovery). */
export const metadata: MachineEndpoint<Web> = {
  methods: ['GET'],
  cors: true,
  async answer(web) {
    const offered = await listOfferedGrants(web.tenant, web.grant_types)
    return publish(describeServer(web, await web.tenant.currentConfiguration(), offered))
  },
}

/** GET /jwks (RFC 7517 section 5). */
export const jwks: MachineEndpoint<Web> = {
  methods: ['GET'],
  cors: true,
  async answer(web) {
    const { jwks } = await web.tenant.currentConfiguration()
    return publish(jwks)
  },
}

/** GET /jwks/{connector}: the public keys by which a connector authenticates at its provider (RFC 7517 section 5). */
export const connectorJwks: MachineEndpoint<Web> = {
  methods: ['GET'],
  cors: true,
  async answer(web, { path }) {
    const keys = await listConnectorKeys(web.outbound, path.slice(path.lastIndexOf('/') + 1))
    if (!keys) throw new OAuthError('invalid_request', 'There is no such key set', { status: 404 })
    return publish(keys)
  },
}

/** GET /.well-known/oauth-protected-resource for our own administration API (RFC 9728 section 3). */
export const protectedResource: MachineEndpoint<Web> = {
  methods: ['GET'],
  cors: true,
  async answer(web) {
    const { issuer } = web.tenant
    const resource = `${issuer}/api`
    const { resources } = await web.tenant.currentConfiguration()
    const scopes = [...(resources.get(resource)?.scopes.keys() ?? [])]
    const about = { resource, issuer, scopes, resource_name: 'Administration', dpop_signing_algs: DPOP_ALGORITHMS }
    return publish(buildProtectedResourceMetadata(about))
  },
}

function publish(document: unknown): Answer {
  return { status: 200, headers: DOCUMENT, body: JSON.stringify(document) }
}

function describeServer(web: Web, configuration: Configuration, offered: readonly GrantType[]): Metadata {
  const { issuer } = web.tenant
  const forwarding = web.inbound.certificate_forwarding
  const scopes = [...configuration.resources.values()].flatMap((resource) => [...resource.scopes.keys()])
  const endpoints = {
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    userinfo_endpoint: `${issuer}/userinfo`,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_endpoint: `${issuer}/revoke`,
    pushed_authorization_request_endpoint: `${issuer}/par`,
    end_session_endpoint: `${issuer}/logout`,
    device_authorization_endpoint: `${issuer}/device_authorization`,
    ...(configuration.settings.registration !== 'off' && { registration_endpoint: `${issuer}/register` }),
    ...aliasedUrls(issuer, web.aliases),
  }
  return buildMetadata({
    issuer,
    endpoints,
    grant_types: offered.map(({ grant_type }) => grant_type),
    response_types: listResponseTypes(offered),
    response_modes: RESPONSE_MODES,
    prompts: offeredPrompts(web.inbound, configuration),
    scopes: [...new Set([...IDENTITY_SCOPES, ...scopes])],
    claims: CLAIMS,
    token_endpoint_auth_methods: [...TOKEN_ENDPOINT_AUTH_METHODS, ...tlsMethods(forwarding)],
    token_endpoint_auth_signing_algs: Object.values(CLIENT_ASSERTION_ALGORITHMS).flat(),
    acr_values: ACRS,
    ui_locales: web.languages.all.map(({ tag }) => tag),
    id_token_signing_algs: [...configuration.signing_keys.keys()],
    further: {
      authorization_details_types_supported: ['connection'],
      dpop_signing_alg_values_supported: DPOP_ALGORITHMS,
      ...describeCertificates(forwarding, endpoints),
      ...(requiresPushed(configuration) && { require_pushed_authorization_requests: true }),
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      // Our own: docs/adr/0013.
      revocation_feed_endpoint: `${issuer}/revocations`,
      ...(configuration.settings.metadata_documents !== 'off' && { client_id_metadata_document_supported: true }),
    },
  })
}

/** Whether no client of the tenant gets by without pushing its requests (RFC 9126 section 5). */
function requiresPushed({ settings }: Configuration): boolean {
  return settings.require_pushed_authorization_requests || PROFILES[settings.profile].pushed_requests
}
