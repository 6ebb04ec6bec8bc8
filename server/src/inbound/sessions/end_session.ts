import { verifyOwnJwt } from '../../crypto/jwt.ts'
import type { Client } from '../../oauth/clients/client.ts'
import { type EndSessionRequest, type IdTokenHint, readEndSessionRequest, whoLogsOut } from '../../oauth/end_session.ts'
import type { Params } from '../../oauth/params.ts'
import type { Configuration } from '../../store/tenant.ts'
import { readClientRecord } from '../clients/client_record.ts'
import type { InboundContext } from '../context.ts'

const LIFETIME_MS = 60 * 60_000

/** What a client asked, with the client where it is known. */
export interface EndSession {
  readonly request: EndSessionRequest
  readonly client: Client | null
}

/** Reads a request for the end of a session (OpenID Connect RP-Initiated Logout 1.0 section 2). */
export async function readEndSession(
  context: InboundContext,
  params: Params,
  configuration: Configuration,
): Promise<EndSession> {
  const hint = readHint(context, params.values['id_token_hint'], configuration)
  const client = await findEnabledClient(context, whoLogsOut(params, hint))
  return { request: readEndSessionRequest(params, client, hint), client }
}

// An ID token is good as a hint long after its end (section 4); one that we did not sign counts as none.
function readHint(
  { tenant }: InboundContext,
  text: string | undefined,
  configuration: Configuration,
): IdTokenHint | null {
  if (text === undefined) return null
  const claims = verifyOwnJwt(text, 'JWT', (kid) => configuration.verifying_keys.get(kid))
  if (claims?.['iss'] !== tenant.issuer || typeof claims['aud'] !== 'string') return null
  return { aud: claims['aud'], sid: typeof claims['sid'] === 'string' ? claims['sid'] : null }
}

async function findEnabledClient({ tenant }: InboundContext, client_id: string | null): Promise<Client | null> {
  if (client_id === null || client_id.includes('\0')) return null
  const record = await tenant.store.findClient({ tenant_id: tenant.tenant_id, client_id })
  return record === null || record.disabled_at !== null ? null : readClientRecord(record)
}

/** Seals a request that was checked, for the page between; it has no `query`, so it opens as nothing else. */
export function sealEndSession({ tenant, interactions }: InboundContext, request: EndSessionRequest): string {
  return interactions.seal(tenant.keys, { end_session: request, asked_at: tenant.clock() })
}

/** Opens a sealed request; null when it is not ours or too old, or its client is gone. */
export async function openEndSession(context: InboundContext, sealed: string | undefined): Promise<EndSession | null> {
  const { tenant, interactions } = context
  const claims = sealed === undefined ? null : interactions.open(tenant.keys, sealed)
  const request = claims?.['end_session'] as EndSessionRequest | undefined
  if (!request || tenant.clock() - Number(claims?.['asked_at']) > LIFETIME_MS) return null
  const client = await findEnabledClient(context, request.client_id)
  return (client?.client_id ?? null) === request.client_id ? { request, client } : null
}
