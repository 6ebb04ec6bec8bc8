import { OAuthError } from '../../oauth/errors.ts'
import { SCOPE_CLAIMS } from '../../oauth/userinfo.ts'
import type { Tenant } from '../../store/tenant.ts'
import { event } from '../event.ts'

/** Scopes that go only with the whole access: without them the client is another thing, not a lesser one. */
const WHOLE: ReadonlySet<string> = new Set(['openid', 'offline_access'])

/** Whether a user may take a scope back and leave the rest. */
export function mayTakeBack(scope: string): boolean {
  return !WHOLE.has(scope)
}

/**
 * Leaves a client only some of the scopes that a user has allowed it (ASVS 10.7.3): the next refresh carries no more, and
 * introspection says so at once.
 */
export async function narrowConsent(
  tenant: Tenant,
  args: { user_id: string; client_id: string; kept: readonly string[] },
): Promise<void> {
  const { user_id, client_id, kept } = args
  const { tenant_id, store } = tenant
  const grants = (await store.listGrantsOfUser({ tenant_id, user_id })).filter((grant) => grant.client_id === client_id)
  const held = new Set(grants.flatMap(({ scope }) => scope.split(' ')))
  const removed = [...held].filter((scope) => mayTakeBack(scope) && !kept.includes(scope))
  if (removed.length === 0) return
  if (removed.length === held.size) {
    throw new OAuthError('invalid_request', 'Nothing would be left: remove the access of the app instead')
  }
  const removed_claims = removed.flatMap((scope) => SCOPE_CLAIMS[scope as keyof typeof SCOPE_CLAIMS] ?? [])
  await store.narrowConsent({
    ...{ tenant_id, user_id, client_id, removed, removed_claims },
    event: event(tenant, 'consent.narrowed', `user:${user_id}`, { client_id, user_id, detail: { removed } }),
  })
}
