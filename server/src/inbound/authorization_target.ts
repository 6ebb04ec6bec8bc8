import { type AuthorizationTarget, readAuthorizationTarget } from '../oauth/authorization_request.ts'
import type { Client } from '../oauth/client.ts'
import { OAuthError } from '../oauth/errors.ts'
import { type Params, readSoundParams } from '../oauth/params.ts'
import type { BrowserAuthority } from '../store/verbs/sessions.ts'
import { readClientRecord } from './clients.ts'
import type { InboundContext } from './context.ts'
import type { SessionToken } from './sessions.ts'

/** A request whose client and redirect URI are trusted, and what else of it could be read. */
export interface TrustedTarget {
  readonly params: Params
  readonly refusals: ReadonlyMap<string, OAuthError>
  readonly client: Client
  readonly target: AuthorizationTarget
  readonly authority: BrowserAuthority
}

/** First phase: what it throws is shown on a page (RFC 6749 section 4.1.2.1). */
export async function readTarget(
  context: InboundContext,
  query: string,
  session: SessionToken | null,
): Promise<TrustedTarget> {
  const { tenant } = context
  const { params, refusals } = readSoundParams(query)
  for (const name of ['client_id', 'redirect_uri']) {
    const refusal = refusals.get(name)
    if (refusal) throw refusal
  }
  const authority = await tenant.store.loadBrowserAuthority({
    tenant_id: tenant.tenant_id,
    session_id: session?.session_id ?? '',
    client_id: params.values['client_id'] ?? '',
  })
  if (!authority) throw new Error(`tenant ${tenant.tenant_id} is gone`)
  if (authority.tenant.disabled_at !== null) {
    throw new OAuthError('temporarily_unavailable', 'Sign-in is switched off here')
  }
  const record = authority.client
  if (record && record.disabled_at !== null) throw new OAuthError('invalid_request', 'This client is disabled')
  const client = record ? readClientRecord(record) : undefined
  const target = readAuthorizationTarget(params, client)
  return { params, refusals, client: client!, target, authority }
}
