import { newId } from '../../crypto/random.ts'
import type { Actor } from '../../oauth/access_token.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { GrantRecord, UserRecord } from '../../store/records.ts'
import type { Proof } from '../../store/verbs/proofs.ts'
import type { Loaded, TokenRequest } from '../authorization/grant_type.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { type IssuedAccessToken, issueAccessToken } from './access_tokens.ts'

/** What somebody whom we trust says of one of our users, and what comes of it. */
export interface AssertedGrant {
  readonly user: UserRecord
  readonly role: string | null
  readonly scope: readonly string[]
  readonly resource: readonly string[]
  /** When and how the user signed in, as far as that was said. */
  readonly signed_in: Pick<GrantRecord, 'auth_time' | 'acr' | 'amr'>
  /** The session that it hangs on; null for one that is not of this server. */
  readonly session: { readonly session_id: string; readonly epoch: number } | null
  readonly act?: Actor | undefined
  readonly ends_at?: number | undefined
  /** What was presented and is good once. */
  readonly proof?: Proof
  /** For the audit log. */
  readonly detail: Readonly<Record<string, unknown>>
}

const NOTHING_TO_REDEEM = { code_hash: null, code_expires_at: null, code_challenge: null, redirect_uri: null }
// Its token ends long before; the row then ends with it.
const LATEST = 2 ** 52

/** Makes a grant for one access token, which it ends with: who wants another one brings another assertion. */
export async function issueAsserted(
  context: InboundContext,
  request: TokenRequest<Loaded>,
  asserted: AssertedGrant,
): Promise<IssuedAccessToken> {
  const { tenant } = context
  const { client, configuration, authority, cnf, proofs } = request
  const { user, role, scope, resource, session, act, ends_at } = asserted
  const { now } = authority
  const { client_id } = client
  const grant = {
    ...{ grant_id: newId(now), client_id, user_id: user.user_id, session_id: session?.session_id ?? null, role },
    ...{ scope: scope.join(' '), resource: JSON.stringify(resource), authorization_details: null, connections: null },
    ...{ ...asserted.signed_in, nonce: null },
    ...{ tenant_epoch: authority.tenant.epoch, client_epoch: authority.client!.epoch, user_epoch: user.epoch },
    ...{ session_epoch: session?.epoch ?? 0, offline: session ? 0 : 1, ...NOTHING_TO_REDEEM },
    ...{ cnf: cnf && JSON.stringify(cnf), created_at: now, idle_expires_at: null, expires_at: LATEST },
  }
  const epochs = [grant.tenant_epoch, grant.client_epoch, grant.user_epoch, grant.session_epoch] as const
  const order = { client, configuration, scope, resource, now, epochs, cnf, grant, user, act, ends_at }
  const token = await issueAccessToken(context, order)
  if (asserted.proof) proofs.add(asserted.proof)
  const outcome = await tenant.store.approveGrant({
    tenant_id: tenant.tenant_id,
    grant: { ...grant, expires_at: now + token.expires_in * 1000 },
    consent: null,
    proofs: proofs.list(),
    event: event(tenant, 'grant.created', `client:${client_id}`, {
      ...{ client_id, user_id: user.user_id, grant_id: grant.grant_id },
      detail: { ...asserted.detail, scope: grant.scope, resource, ...(role && { role }) },
    }),
  })
  if (outcome !== 'approved') throw new OAuthError('invalid_grant', 'The session has ended', { cause: outcome })
  proofs.settle()
  return token
}

/** The time of a sign-in as somebody else tells it; never in the future. */
export function readAuthTime(auth_time: unknown, now: number): number {
  if (typeof auth_time !== 'number' || !(auth_time >= 0)) return 0
  return Math.min(Math.floor(auth_time) * 1000, now)
}
