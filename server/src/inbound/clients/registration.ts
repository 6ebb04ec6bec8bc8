import { equalBytes } from '../../crypto/hash.ts'
import { newId, randomSecret } from '../../crypto/random.ts'
import { RESPONSE_MODES } from '../../oauth/authorization_request.ts'
import { bearerChallenge } from '../../oauth/challenge.ts'
import { hasSecret } from '../../oauth/clients/authentication_metadata.ts'
import type { KeptMetadata } from '../../oauth/clients/client.ts'
import { readClientMetadata } from '../../oauth/clients/client_metadata.ts'
import type { Json } from '../../oauth/clients/metadata_member.ts'
import { buildRegistration, checkUpdate } from '../../oauth/clients/registration.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { formatScope, parseScope } from '../../oauth/scope.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { ListedClient } from '../../store/verbs/clients.ts'
import type { RegistrationTokenRecord, SecretChange } from '../../store/verbs/registrations.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { takeTurn } from '../limits.ts'
import { UNKNOWN_CLIENTS_GRANT_TYPES } from '../metadata_documents.ts'
import { mayUnknownClientsHave } from '../rights.ts'
import { readMetadata } from './client_record.ts'
import { TOKEN_ENDPOINT_AUTH_METHODS } from './register_client.ts'
import { checkSectorIdentifier } from './sector_identifier.ts'
import { applySoftwareStatement, type Stated } from './software_statements.ts'

const DAY_MS = 86_400_000

/** A request at the registration endpoint: a description, or a client's own token. */
export interface RegistrationRequest {
  readonly authorization: string | undefined
  readonly address: string | undefined
}

/** The client information that is answered (RFC 7591 section 3.2.1). */
export type Registration = Readonly<Record<string, unknown>>

/**
 * Registers a client that describes itself (RFC 7591 section 3): where the tenant lets anyone, or with an initial access
 * token. It is never trusted, its users are asked each time, and what it may have is the tenant's policy or the token's.
 */
export async function registerDynamicClient(
  context: InboundContext,
  grant_types: readonly string[],
  source: Json,
  request: RegistrationRequest,
): Promise<Registration> {
  const { tenant } = context
  const { tenant_id, store, keys } = tenant
  const configuration = await requireSwitchedOn(context)
  const token = await findInitialToken(context, request.authorization, configuration)
  const stated = await applySoftwareStatement(context, source)
  const metadata = readDynamicClient(stated, { grant_types, token, configuration })
  if (!token) {
    await takeTurn(context, 'registration', request)
    await takeTurn(context, 'registration_of_tenant', {})
  }
  await checkSectorIdentifier(context.egress, metadata)
  const issued_at = tenant.clock()
  const client_id = newId(issued_at)
  const client_secret = hasSecret(metadata.token_endpoint_auth_method) ? randomSecret('sp_cs_') : undefined
  const secret_expires_at = client_secret === undefined ? undefined : secretEnd(configuration, issued_at)
  const registration_access_token = randomSecret('sp_rat_')
  const outcome = await store.registerDynamicClient({
    tenant_id,
    token_id: token?.token_id ?? null,
    client: {
      ...{ client_id, client_name: metadata.client_name ?? client_id, metadata: JSON.stringify(metadata) },
      ...{ source: 'dynamic', trusted: false, client_secret_expires_at: secret_expires_at ?? null },
      client_secret_hash: client_secret === undefined ? null : keys.hashSecret(client_secret),
      registration_token_hash: keys.hashSecret(registration_access_token),
    },
    event: event(tenant, 'client.created', token ? `registration_token:${token.token_id}` : 'anonymous', {
      client_id,
      detail: {
        ...{ source: 'dynamic', redirect_uris: metadata.redirect_uris },
        ...(token && { registration_token: token.name }),
      },
    }),
  })
  if (outcome === 'spent') throw refuseToken(context, 'The initial access token is spent or has ended')
  const registration_client_uri = clientUri(context, client_id)
  const answer = { client_id, issued_at, client_secret, secret_expires_at, registration_access_token }
  return buildRegistration(metadata, { ...answer, registration_client_uri })
}

/** A client's registration as it stands (RFC 7592 section 2.1). Its secret is not in it: only its hash is kept. */
export async function readRegistration(
  context: InboundContext,
  client_id: string,
  request: RegistrationRequest,
): Promise<Registration> {
  const { client, registration_access_token } = await findOwnRegistration(context, client_id, request)
  return describe(context, client, { registration_access_token })
}

/**
 * Replaces what a client says about itself (RFC 7592 section 2.2). Its registration access token stays the same one: an
 * answer that is lost must not lock it out. A secret that has an end is renewed, and the old one keeps its own end.
 */
export async function updateRegistration(
  context: InboundContext,
  grant_types: readonly string[],
  args: { client_id: string; source: Json },
  request: RegistrationRequest,
): Promise<Registration> {
  const { tenant } = context
  const { client_id, source } = args
  const { client, registration_access_token } = await findOwnRegistration(context, client_id, request)
  const configuration = await tenant.currentConfiguration()
  checkUpdate(source, client_id, (secret) => equalBytes(tenant.keys.hashSecret(secret), client.client_secret_hash))
  const before = readMetadata(client.metadata)
  const stated = await applySoftwareStatement(context, source)
  const metadata = readDynamicClient(stated, { grant_types, token: null, configuration, before })
  await checkSectorIdentifier(context.egress, metadata)
  const now = tenant.clock()
  const renew = hasSecret(metadata.token_endpoint_auth_method)
    ? client.client_secret_hash === null || client.client_secret_expires_at !== null
    : false
  const client_secret = renew ? randomSecret('sp_cs_') : undefined
  const secret: SecretChange = renew
    ? { kind: 'renew', hash: tenant.keys.hashSecret(client_secret!), expires_at: secretEnd(configuration, now) }
    : { kind: hasSecret(metadata.token_endpoint_auth_method) ? 'keep' : 'drop' }
  const kept = { client_id, client_name: metadata.client_name ?? client_id, metadata: JSON.stringify(metadata) }
  const changed = await tenant.store.updateRegistration({
    tenant_id: tenant.tenant_id,
    client: kept,
    seen: client,
    secret,
    event: event(tenant, 'client.updated', `client:${client_id}`, { client_id }),
  })
  if (!changed) {
    throw new OAuthError('temporarily_unavailable', 'The registration was changed at the same moment', { status: 409 })
  }
  const ends = secret.kind === 'renew' ? secret.expires_at : client.client_secret_expires_at
  const now_kept = { ...client, ...kept, client_secret_expires_at: ends }
  return describe(context, now_kept, { registration_access_token, client_secret })
}

/** Ends a registration, with all that the client was given (RFC 7592 section 2.3). */
export async function deleteRegistration(
  context: InboundContext,
  client_id: string,
  request: RegistrationRequest,
): Promise<void> {
  const { tenant } = context
  await findOwnRegistration(context, client_id, request)
  const deleted = event(tenant, 'client.deleted', `client:${client_id}`, { client_id })
  await tenant.store.deleteClient({ tenant_id: tenant.tenant_id, client_id, event: deleted })
}

function describe(
  context: InboundContext,
  client: Pick<ListedClient, 'client_id' | 'metadata' | 'created_at' | 'client_secret_expires_at'>,
  answer: { registration_access_token: string; client_secret?: string | undefined },
): Registration {
  const metadata = readMetadata(client.metadata)
  return buildRegistration(metadata, {
    client_id: client.client_id,
    issued_at: client.created_at,
    client_secret: answer.client_secret,
    secret_expires_at: hasSecret(metadata.token_endpoint_auth_method) ? client.client_secret_expires_at : undefined,
    registration_access_token: answer.registration_access_token,
    registration_client_uri: clientUri(context, client.client_id),
  })
}

/** Checks what a client says about itself, and adds what follows from its being unknown. */
function readDynamicClient(
  { source, software_statement }: Stated,
  args: {
    grant_types: readonly string[]
    token: RegistrationTokenRecord | null
    configuration: Configuration
    /** An update keeps what an initial access token once allowed. */
    before?: KeptMetadata
  },
): KeptMetadata {
  const { token, configuration, before } = args
  const allowed = token?.grant_types?.split(' ') ?? [...UNKNOWN_CLIENTS_GRANT_TYPES, ...(before?.grant_types ?? [])]
  const metadata: KeptMetadata = readClientMetadata(source, {
    door: 'dynamic',
    grant_types: args.grant_types.filter((grant_type) => allowed.includes(grant_type)),
    response_types: ['code'],
    response_modes: RESPONSE_MODES,
    // Who signs with a shared secret needs it to be kept; that is for an administrator to want.
    token_endpoint_auth_methods: TOKEN_ENDPOINT_AUTH_METHODS.filter((method) => method !== 'client_secret_jwt'),
  })
  metadata.unverified = true
  if (software_statement !== undefined) metadata.software_statement = software_statement
  const limit = before && !before.scope_by_policy ? before.scope : token?.scope
  if (limit === undefined || limit === null) {
    metadata.scope_by_policy = true
    const usable = (scope: string) => mayUnknownClientsHave(scope, configuration)
    metadata.scope = formatScope(parseScope(metadata.scope).filter(usable))
  } else {
    const most = parseScope(limit)
    const asked = parseScope(metadata.scope)
    metadata.scope = formatScope(asked.length === 0 ? most : asked.filter((scope) => most.includes(scope)))
  }
  return metadata
}

async function requireSwitchedOn({ tenant }: InboundContext): Promise<Configuration> {
  const state = await tenant.store.loadTenantState({ tenant_id: tenant.tenant_id })
  if (!state || state.disabled_at !== null) {
    throw new OAuthError('temporarily_unavailable', 'This server is switched off')
  }
  const configuration = await tenant.configuration(state.config_version)
  if (configuration.settings.registration === 'off') {
    throw new OAuthError('access_denied', 'Clients are registered by administrators here', { status: 403 })
  }
  return configuration
}

async function findInitialToken(
  context: InboundContext,
  authorization: string | undefined,
  { settings }: Configuration,
): Promise<RegistrationTokenRecord | null> {
  if (authorization === undefined && settings.registration === 'open') return null
  const { tenant_id, store, keys } = context.tenant
  const secret = readBearer(context, authorization)
  const token = await store.findRegistrationToken({ tenant_id, secret_hash: keys.hashSecret(secret) })
  if (!token) throw refuseToken(context, 'The initial access token is unknown, spent or has ended')
  return token
}

async function findOwnRegistration(
  context: InboundContext,
  client_id: string,
  { authorization }: RegistrationRequest,
): Promise<{ client: ListedClient; registration_access_token: string }> {
  const { tenant_id, store, keys } = context.tenant
  const registration_access_token = readBearer(context, authorization)
  const state = await store.loadTenantState({ tenant_id })
  if (!state || state.disabled_at !== null) {
    throw new OAuthError('temporarily_unavailable', 'This server is switched off')
  }
  const registration_token_hash = keys.hashSecret(registration_access_token)
  const client = await store.findRegistration({ tenant_id, client_id, registration_token_hash })
  // Unknown clients and wrong tokens are told alike (RFC 7592 section 2.1).
  if (!client) throw refuseToken(context, 'The registration access token is not that of this client')
  return { client, registration_access_token }
}

function readBearer(context: InboundContext, authorization: string | undefined): string {
  const token = /^Bearer +([A-Za-z0-9._~+/-]{1,512}=*) *$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) throw refuseToken(context, 'A bearer token is needed in the Authorization header')
  return token
}

function refuseToken({ tenant: { issuer } }: InboundContext, error_description: string): OAuthError {
  const challenge = bearerChallenge({ realm: issuer, error: 'invalid_token', error_description })
  return new OAuthError('invalid_token', error_description, { headers: { 'WWW-Authenticate': challenge } })
}

function secretEnd({ settings }: Configuration, now: number): number | null {
  const days = settings.dynamic_client_secret_days
  return days === 0 ? null : now + days * DAY_MS
}

function clientUri({ tenant }: InboundContext, client_id: string): string {
  return `${tenant.issuer}/register/${client_id}`
}
