import type { AuthorizationTarget } from '../../oauth/authorization_request.ts'
import type { Client } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { type Params, readSoundParams } from '../../oauth/params.ts'
import { type ProfileRules, rulesOf } from '../../oauth/profile.ts'
import type { ClientRecord } from '../../store/records.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { BrowserAuthority } from '../../store/verbs/sessions.ts'
import { readClientRecord } from '../clients/client_record.ts'
import { findDocumentClient } from '../clients/document_clients.ts'
import type { InboundContext } from '../context.ts'
import { type Interaction, refuseLongRequest } from '../interactions.ts'
import { mayNameDocument } from '../metadata_documents.ts'
import { judgeSession, type SessionToken, type SignedIn } from '../sessions/sessions.ts'
import { readPushedRequest } from './pushed_requests.ts'
import { requireTarget } from './wanted.ts'

/** A request whose client and redirect URI are trusted, and what else of it could be read. */
export interface TrustedTarget {
  readonly params: Params
  readonly refusals: ReadonlyMap<string, OAuthError>
  readonly client: Client
  readonly target: AuthorizationTarget
  readonly authority: BrowserAuthority
  readonly configuration: Configuration
  /** The rules that the client stands under. */
  readonly profile: ProfileRules
  /** The pushed request that this is, to be answered once; null where everything came through the browser. */
  readonly request_hash: Uint8Array | null
  /** What the store has of a client whose metadata document says something else by now, or null for nothing. */
  readonly outdated: { readonly metadata: string | null } | null
}

/** A client that has to be fetched, which nobody makes this server do who is not signed in (T-07): its name is all there is. */
export interface UnknownClient {
  readonly sign_in_first: true
  readonly login_hint: string | undefined
}

const LONGEST_HINT = 255

/** First phase: what it throws is shown on a page (RFC 6749 section 4.1.2.1). */
export async function readTarget(
  context: InboundContext,
  interaction: Interaction,
  session: SessionToken | null,
): Promise<TrustedTarget | UnknownClient> {
  const { tenant } = context
  const { query, started_at } = interaction
  const { params: sent, refusals } = readSoundParams(query)
  for (const name of ['client_id', 'redirect_uri', 'request_uri']) {
    const refusal = refusals.get(name)
    if (refusal) throw refusal
  }
  const pushed = await readPushedRequest(context, sent, started_at)
  const params = pushed?.params ?? sent
  const authority = await tenant.store.loadBrowserAuthority({
    tenant_id: tenant.tenant_id,
    session_id: session?.session_id ?? '',
    client_id: params.values['client_id'] ?? '',
  })
  if (!authority) throw new Error(`tenant ${tenant.tenant_id} is gone`)
  if (authority.tenant.disabled_at !== null) {
    throw new OAuthError('temporarily_unavailable', 'Sign-in is switched off here')
  }
  const configuration = await tenant.configuration(authority.tenant.config_version)
  const stored = authority.client
  if (stored && stored.disabled_at !== null) throw new OAuthError('invalid_request', 'This client is disabled')
  const signed_in = judgeSession(authority, session, configuration.settings)
  const record = await findPresentClient(context, params, { stored, signed_in, configuration })
  if (record === 'unknown') {
    if (params.values['prompt'] === 'none') throw new OAuthError('login_required', 'The user must sign in')
    refuseLongRequest(interaction)
    const { login_hint = '' } = params.values
    return { sign_in_first: true, login_hint: login_hint.length > LONGEST_HINT ? undefined : login_hint || undefined }
  }
  const client = record ? readClientRecord(record) : undefined
  const profile = rulesOf(client ?? {}, configuration.settings)
  const target = requireTarget(params, client, profile)
  return {
    ...{ params, client: client!, target, authority: { ...authority, client: record }, configuration, profile },
    outdated: record?.metadata === stored?.metadata ? null : { metadata: stored?.metadata ?? null },
    // Of what came beside the name of a pushed request nothing is read (RFC 9126 section 4).
    refusals: pushed ? new Map() : refusals,
    request_hash: pushed?.request_hash ?? null,
  }
}

/** The client's row, or as it would be where its metadata document describes it (Client ID Metadata Document section 5). */
async function findPresentClient(
  context: InboundContext,
  { values }: Params,
  args: { stored: ClientRecord | null; signed_in: SignedIn | null; configuration: Configuration },
): Promise<ClientRecord | null | 'unknown'> {
  const { stored, signed_in, configuration } = args
  const client_id = values['client_id'] ?? ''
  if (stored !== null && stored.source !== 'metadata_document') return stored
  if (!mayNameDocument(client_id, configuration.settings)) return null
  if (signed_in) return findDocumentClient(context, { client_id, record: stored, user_id: signed_in.user.user_id })
  return stored ?? 'unknown'
}
