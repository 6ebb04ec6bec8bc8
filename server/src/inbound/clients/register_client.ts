import { newId, randomSecret } from '../../crypto/random.ts'
import { RESPONSE_MODES } from '../../oauth/authorization_request.ts'
import { TLS_METHODS } from '../../oauth/client_certificate.ts'
import { hasSecret } from '../../oauth/clients/authentication_metadata.ts'
import { type ClientMetadata, readClientId } from '../../oauth/clients/client.ts'
import { readClientMetadata } from '../../oauth/clients/client_metadata.ts'
import { isLegacy, legacyDetail } from '../../oauth/clients/own_metadata.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { ResourceRecord } from '../../store/records.ts'
import type { Tenant } from '../../store/tenant.ts'
import { event } from '../event.ts'
import { keepSecret } from './client_secrets.ts'

/** How clients may authenticate (RFC 7591 section 2, OpenID Connect Core section 9); in TLS besides, behind a proxy that says so. */
export const TOKEN_ENDPOINT_AUTH_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'none',
] as const

/** Where a client comes from; the last three were registered by nobody we know (and have no logo: store/verbs/client_logos.ts). */
export type ClientSource =
  | 'console'
  | 'cli'
  | 'playground'
  | 'apply'
  | 'api'
  | 'hub'
  | 'open'
  | 'dynamic'
  | 'metadata_document'

const SELF_REGISTERED: ReadonlySet<string> = new Set<ClientSource>(['open', 'dynamic', 'metadata_document'])

/** Whether nobody whom we know has registered a client, but whoever runs it. */
export function isSelfRegistered(source: string): boolean {
  return SELF_REGISTERED.has(source)
}

/** Checks the metadata of a client that an administrator describes (RFC 7591 section 2). */
export function readAdministratedClient(json: unknown, grant_types: readonly string[]): ClientMetadata {
  return readClientMetadata(json, {
    door: 'administrator',
    grant_types,
    response_types: grant_types.includes('implicit') ? ['code', 'token'] : ['code'],
    response_modes: RESPONSE_MODES,
    token_endpoint_auth_methods: [...TOKEN_ENDPOINT_AUTH_METHODS, ...TLS_METHODS],
  })
}

/**
 * Registers a client; a confidential one gets a random secret unless one is given. The secret is in the answer and
 * nowhere else: the store keeps its hash. A client_id that is taken is refused.
 */
export async function registerClient(
  tenant: Tenant,
  args: {
    metadata: ClientMetadata
    source: ClientSource
    actor: string
    client_id?: string | undefined
    client_secret?: string | undefined
    /** What it stands for: they are made, and deleted, together. */
    resource?: ResourceRecord
  },
): Promise<{ client_id: string; client_secret: string | undefined }> {
  const { metadata, source, actor } = args
  const { tenant_id, store } = tenant
  const client_id = args.client_id === undefined ? newId(tenant.clock()) : readClientId(args.client_id)
  // A client must never be taken for a user (RFC 9700 section 4.15), nor for the issuer, whose name tokens of no client have.
  if (client_id === tenant.issuer || (await store.isUserId({ tenant_id, user_id: client_id }))) throw taken()
  const { token_endpoint_auth_method: method } = metadata
  const client_secret = hasSecret(method) ? (args.client_secret ?? randomSecret('sp_cs_')) : undefined
  const made = await store.createClient({
    tenant_id,
    ...(args.resource && { resource: args.resource }),
    client: {
      client_id,
      client_name: metadata.client_name ?? client_id,
      metadata: JSON.stringify(metadata),
      source,
      trusted: metadata.trusted,
      legacy: isLegacy(metadata),
      client_secret_hash: null,
      ...(client_secret === undefined ? {} : keepSecret(tenant, client_id, method, client_secret)),
    },
    event: event(tenant, 'client.created', actor, {
      client_id,
      detail: { source, trusted: metadata.trusted, ...legacyDetail(metadata) },
    }),
  })
  if (!made) throw taken()
  return { client_id, client_secret }
}

function taken(): OAuthError {
  return new OAuthError('invalid_client_metadata', 'Member client_id is taken')
}
