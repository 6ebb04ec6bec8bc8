import { LRUCache } from 'lru-cache'
import { equalBytes } from '../crypto/hash.ts'
import type { Client, KeptMetadata } from '../oauth/client.ts'
import { type ClientCredentials, checkMethodAllowed, clientAuthenticationError } from '../oauth/client_auth.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { ClientRecord } from '../store/records.ts'
import type { Tenant } from '../store/tenant.ts'
import { proveByAssertion } from './client_assertion.ts'
import type { InboundContext } from './context.ts'
import type { DirectRequest } from './direct_request.ts'
import { withFewFailures } from './limits.ts'
import { Proofs } from './proofs.ts'

const parsed = new LRUCache<string, Readonly<KeptMetadata>>({ max: 10_000 })

/** The metadata of a row. Only the reading of its text is remembered, never whether its client lives. */
export function readMetadata(text: string): Readonly<KeptMetadata> {
  let metadata = parsed.get(text)
  if (!metadata) {
    metadata = Object.freeze(JSON.parse(text) as KeptMetadata)
    parsed.set(text, metadata)
  }
  return metadata
}

/** The client that a row describes. */
export function readClientRecord({ metadata, client_id, client_name, trusted }: ClientRecord): Client {
  return { ...readMetadata(metadata), client_id, client_name, trusted: trusted === 1 }
}

/** A client that has proved who it is, and the proofs that this request may be accepted for only once. */
export interface AuthenticatedClient {
  readonly client: Client
  readonly proofs: Proofs
}

/**
 * Authenticates the client of a direct request (RFC 6749 section 2.3.1): known, enabled, by its registered method and
 * with one of its living secrets. One refusal for all reasons but the method's; who fails too often is refused unseen (T-03).
 */
export function authenticateClient(
  context: InboundContext,
  request: DirectRequest,
  credentials: ClientCredentials,
  authority: ClientAuthority | null,
): Promise<AuthenticatedClient> {
  const source = { client_id: credentials.client_id, address: request.address }
  const prove = () => proveClient(context, request, credentials, authority)
  return withFewFailures(context, 'client_authentication', source, prove, isInvalidClient)
}

function isInvalidClient(error: unknown): boolean {
  return error instanceof OAuthError && error.error === 'invalid_client'
}

interface ClientAuthority {
  readonly client: ClientRecord | null
  readonly now: number
}

async function proveClient(
  context: InboundContext,
  _request: DirectRequest,
  credentials: ClientCredentials,
  authority: ClientAuthority | null,
): Promise<AuthenticatedClient> {
  const { tenant } = context
  const { client: record, now } = authority ?? { client: null, now: 0 }
  const failed = (cause: string) =>
    clientAuthenticationError(tenant.issuer, 'The client is unknown or its credentials are wrong', cause)
  if (!record || record.client_id !== credentials.client_id) throw failed('no such client')
  if (record.disabled_at !== null) throw failed('the client is disabled')
  const client = readClientRecord(record)
  if (credentials.method === 'client_assertion') {
    checkMethodAllowed(client, credentials, tenant.issuer)
    return { client, proofs: new Proofs([await proveByAssertion(context, client, credentials.assertion, now)]) }
  }
  if (credentials.method !== 'none') {
    const sent = [credentials.client_secret]
    if (credentials.method === 'client_secret_basic' && credentials.verbatim_client_secret !== undefined) {
      sent.push(credentials.verbatim_client_secret)
    }
    if (!sent.some((secret) => isSecretOf(tenant, record, secret, now))) throw failed('wrong secret')
  }
  checkMethodAllowed(client, credentials, tenant.issuer)
  return { client, proofs: new Proofs() }
}

function isSecretOf(tenant: Tenant, record: ClientRecord, secret: string, now: number): boolean {
  const hash = tenant.keys.hashSecret(secret)
  const ends = record.client_secret_expires_at
  if ((ends === null || ends > now) && equalBytes(hash, record.client_secret_hash)) return true
  const until = record.former_client_secret_expires_at
  return until !== null && until > now && equalBytes(hash, record.former_client_secret_hash)
}

/** Refuses a grant type that the client is not registered for (RFC 6749 section 5.2). */
export function requireGrantType(client: Client, grant_type: string): void {
  if (!client.grant_types.includes(grant_type)) {
    throw new OAuthError('unauthorized_client', `The client is not registered for grant_type ${grant_type}`)
  }
}
