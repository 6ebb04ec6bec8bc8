import { signJwt } from '../../crypto/jwt.ts'
import { newId } from '../../crypto/random.ts'
import type { Client } from '../../oauth/clients/client.ts'
import { buildLogoutTokenClaims } from '../../oauth/logout_token.ts'
import { pickSigningKey } from '../../store/tenant.ts'
import type { LogoutNotice } from '../../store/verbs/logouts.ts'
import { readMetadata } from '../clients/client_record.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { subjectOf } from '../subjects.ts'

const AT_ONCE = 16
// Longer than a call may take: whoever sees the notice again knows that the one who took it has failed.
const FIRST_WAIT_MS = 10_000
const LONGEST_WAIT_MS = 3_600_000

/** Whether a client that is granted these scopes hears of the end of the session: it has an ID token, and an address. */
export function isToldOfLogout(client: Client, scope: string): boolean {
  return client.backchannel_logout_uri !== undefined && scope.split(' ').includes('openid')
}

/** How long until the next try, after so many. */
export function waitAfter(attempts: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** attempts, LONGEST_WAIT_MS)
}

/**
 * Tells clients of sessions that have ended (OpenID Connect Back-Channel Logout 1.0 section 2.5), at least once each,
 * until they have taken it or it is hopeless; says how many notices it saw to.
 */
export async function deliverLogouts(context: InboundContext): Promise<number> {
  const { tenant_id, store } = context.tenant
  for (let seen = 0; ; ) {
    const due = await store.listDueNotices({ tenant_id, most: AT_ONCE })
    await Promise.all(due.map((notice) => deliver(context, notice)))
    seen += due.length
    if (due.length < AT_ONCE) return seen
  }
}

async function deliver(context: InboundContext, notice: LogoutNotice): Promise<void> {
  const { tenant } = context
  const { sid, client_id, attempts, metadata, now } = notice
  const again_in_ms = waitAfter(attempts)
  const key = { tenant_id: tenant.tenant_id, sid, client_id }
  // The wait is committed before the call: a process that dies over it leaves the notice to the next one.
  if (!(await tenant.store.leaseNotice({ ...key, attempts, again_in_ms }))) return
  const client = metadata === null ? null : readMetadata(metadata)
  const outcome = client?.backchannel_logout_uri ? await send(context, notice, client) : 'withdrawn'
  if (outcome === 'unanswered' && now + again_in_ms < notice.expires_at) return
  const type = outcome === 'delivered' ? 'logout.delivered' : 'logout.failed'
  const detail = { sid, attempts: attempts + 1, ...(outcome === 'delivered' ? {} : { reason: outcome }) }
  const about = { client_id, user_id: notice.user_id, detail }
  await tenant.store.settleNotice({ ...key, event: event(tenant, type, 'system', about) })
}

type Outcome = 'delivered' | 'refused' | 'unanswered' | 'withdrawn'

async function send(
  context: InboundContext,
  notice: LogoutNotice,
  client: ReturnType<typeof readMetadata>,
): Promise<Outcome> {
  const { tenant, egress } = context
  const { client_id, sid } = notice
  const configuration = await tenant.currentConfiguration()
  const now = tenant.clock()
  const claims = buildLogoutTokenClaims({
    ...{
      iss: tenant.issuer,
      sub: subjectOf(tenant, { ...client, client_id }, notice.user_id),
      client_id,
      sid,
      jti: newId(now),
      now,
    },
  })
  const key = pickSigningKey(configuration, client.id_token_signed_response_alg)
  try {
    const logout_token = await signJwt(key, 'logout+jwt', claims)
    // The address is the registered one and nothing else: no part of any request is in it.
    const response = await egress.fetch(client.backchannel_logout_uri!, {
      purpose: 'webhook',
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ logout_token }).toString(),
    })
    await response.body?.cancel()
    if (response.ok) return 'delivered'
    // What the client will not take now it will not take later; what may pass is tried again.
    return response.status < 500 && ![408, 425, 429].includes(response.status) ? 'refused' : 'unanswered'
  } catch {
    return 'unanswered'
  }
}
