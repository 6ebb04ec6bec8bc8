import { OAuthError } from '../../oauth/errors.ts'
import type { ClientRecord } from '../../store/records.ts'
import type { Settings } from '../../store/settings.ts'
import type { KeptClient } from '../../store/verbs/registrations.ts'
import type { BrowserAuthority } from '../../store/verbs/sessions.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { takeTurn } from '../limits.ts'
import { mayNameDocument } from '../metadata_documents.ts'
import { readMetadata } from './client_record.ts'

/**
 * The client that a document describes, for a user who is signed in: nobody else makes this server fetch. It is the row
 * as it is or would be by the document as it is now; it is kept once the user has allowed something.
 */
export async function findDocumentClient(
  context: InboundContext,
  args: { client_id: string; record: ClientRecord | null; user_id: string },
): Promise<ClientRecord> {
  const { client_id, record, user_id } = args
  let metadata = context.documents.peek(client_id)
  if (metadata === null) {
    await takeTurn(context, 'metadata_document', { account: user_id })
    metadata = await context.documents.fetch(client_id)
  }
  const client_name = readMetadata(metadata).client_name ?? client_id
  if (record) return { ...record, client_name, metadata }
  return {
    ...{ client_id, client_name, metadata, source: 'metadata_document', trusted: 0, client_secret_hash: null },
    ...{ former_client_secret_hash: null, former_client_secret_expires_at: null, client_secret_expires_at: null },
    ...{ epoch: 0, disabled_at: null },
  }
}

/** A client that its metadata document describes gets its row now that somebody has allowed it something, and not before (T-07). */
export async function keepAllowedClient(
  context: InboundContext,
  asked: { readonly authority: BrowserAuthority; readonly outdated: { readonly metadata: string | null } | null },
  actor: string,
): Promise<BrowserAuthority> {
  const { authority, outdated } = asked
  if (outdated === null) return authority
  const record = authority.client!
  const kept = await keepDocumentClient(context, record, outdated.metadata, actor)
  if (kept === null || kept.disabled_at !== null) throw new OAuthError('access_denied', 'This client is disabled')
  return { ...authority, client: { ...record, ...kept } }
}

/** Keeps what a client's document says in its row, where that is new; null where the client_id is taken by another client. */
function keepDocumentClient(
  { tenant }: InboundContext,
  client: Pick<ClientRecord, 'client_id' | 'client_name' | 'metadata'>,
  before: string | null,
  actor: string,
): Promise<KeptClient | null> {
  const { client_id, client_name, metadata } = client
  const proved = before !== null && readMetadata(before).token_endpoint_auth_method !== 'none'
  const { token_endpoint_auth_method, redirect_uris } = readMetadata(metadata)
  return tenant.store.keepDocumentClient({
    tenant_id: tenant.tenant_id,
    client: { client_id, client_name, metadata },
    // Whoever got hold of the URL must not inherit what a client that proved itself was given.
    weaker: proved && token_endpoint_auth_method === 'none',
    event: event(tenant, 'client.seen', actor, { client_id, detail: { source: 'metadata_document', redirect_uris } }),
  })
}

/**
 * A client of a direct request as its document has it now. While the document cannot be had, what it said last holds:
 * an outage of its host must not sign out the client's users. Null where the tenant no longer takes such clients, or
 * where the client now has nothing of what it was given.
 */
export async function readPresentDocument(
  context: InboundContext,
  record: ClientRecord,
  settings: Settings,
): Promise<ClientRecord | null> {
  const { client_id } = record
  if (!mayNameDocument(client_id, settings)) return null
  const { documents } = context
  const metadata = documents.peek(client_id) ?? (await documents.tryFetch(client_id))
  if (metadata === null || metadata === record.metadata) return record
  const present = { ...record, client_name: readMetadata(metadata).client_name ?? client_id, metadata }
  const kept = await keepDocumentClient(context, present, record.metadata, `client:${client_id}`)
  // A raised epoch has ended what this request rests on.
  return kept?.epoch === record.epoch ? { ...present, ...kept } : null
}
