import { equalBytes } from '../../crypto/hash.ts'
import { isTlsMethod } from '../../oauth/client_certificate.ts'
import {
  type ClientCredentials,
  checkMethodAllowed,
  clientAuthenticationError,
} from '../../oauth/client_credentials.ts'
import type { Client } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { rulesOf } from '../../oauth/profile.ts'
import type { ClientRecord, TenantState } from '../../store/records.ts'
import type { Tenant } from '../../store/tenant.ts'
import { readClientRecord } from '../clients/client_record.ts'
import { readPresentDocument } from '../clients/document_clients.ts'
import type { InboundContext } from '../context.ts'
import { withFewFailures } from '../limits.ts'
import { proveByAssertion } from './client_assertion.ts'
import { whyCertificateFails } from './client_certificates.ts'
import type { DirectRequest } from './direct_request.ts'
import { Proofs } from './proofs.ts'

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
  return withFewFailures(context, 'client_authentication', source, prove, (outcome) => {
    return 'error' in outcome && isInvalidClient(outcome.error)
  })
}

function isInvalidClient(error: unknown): boolean {
  return error instanceof OAuthError && error.error === 'invalid_client'
}

interface ClientAuthority {
  readonly tenant: TenantState
  readonly client: ClientRecord | null
  readonly now: number
}

async function proveClient(
  context: InboundContext,
  { certificate }: DirectRequest,
  credentials: ClientCredentials,
  authority: ClientAuthority | null,
): Promise<AuthenticatedClient> {
  const { tenant } = context
  const now = authority?.now ?? 0
  const record = authority && (await findPresentRecord(context, authority))
  const named = credentials.client_id.slice(0, 100)
  const failed = (cause: string) => clientAuthenticationError(tenant.issuer, undefined, `${named}: ${cause}`)
  if (!record || record.client_id !== credentials.client_id) throw failed('no such client')
  if (record.disabled_at !== null) throw failed('the client is disabled')
  const client = readClientRecord(record)
  if (credentials.method === 'client_assertion') {
    checkMethodAllowed(client, credentials, tenant.issuer)
    const { settings } = await tenant.configuration(authority!.tenant.config_version)
    const { signing_algs } = rulesOf(client, settings)
    const proof = await proveByAssertion(context, client, credentials.assertion, { now, signing_algs })
    return { client, proofs: new Proofs([proof]) }
  }
  if (credentials.method === 'none' && isTlsMethod(client.token_endpoint_auth_method)) {
    const why = await whyCertificateFails(context, client, certificate, now)
    if (why !== null) throw failed(why)
    return { client, proofs: new Proofs() }
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

// What a client's metadata document says may be newer than its row.
async function findPresentRecord(context: InboundContext, authority: ClientAuthority): Promise<ClientRecord | null> {
  const { client, tenant } = authority
  if (client?.source !== 'metadata_document') return client
  const { settings } = await context.tenant.configuration(tenant.config_version)
  return readPresentDocument(context, client, settings)
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
