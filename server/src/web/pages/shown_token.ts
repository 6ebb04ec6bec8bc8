import { beginningOf } from '../../inbound/tokens/permanent_tokens.ts'
import { endOfToken, scopeOfToken, stateOfToken } from '../../inbound/tokens/personal_access_tokens.ts'
import type { UserRecord } from '../../store/records.ts'
import type { PermanentToken } from '../../store/verbs/permanent_tokens.ts'
import type { Visit } from '../page.ts'
import type { AccountToken } from './templates/account_tokens.ts'

/** A permanent token as people see it: what it is for, what is left of what it may do, whether and how long it works. */
export function showToken(
  { configuration, view, signed_in, web }: Visit,
  user: Pick<UserRecord, 'epoch' | 'roles'>,
  token: PermanentToken,
  sentences: ReadonlyMap<string, string> = new Map(),
): AccountToken {
  const { token_id, name, resource, created_at, expires_at, last_used_at } = token
  const named = JSON.parse(resource) as string[]
  const scope = scopeOfToken(web.tenant, configuration, token, user)
  // Whoever sees it is of the tenant as it is now.
  const at = { user, tenant_epoch: signed_in?.session.tenant_epoch, now: view.now }
  const state = stateOfToken(web.tenant, configuration, token, at)
  return {
    ...{ token_id, name, beginning: beginningOf(token_id), created_at, last_used_at: last_used_at ?? undefined },
    resources: named.map((one) => configuration.resources.get(one)?.name ?? one),
    scopes: scope.map((one) => {
      const at = named.map((known) => configuration.resources.get(known)?.scopes.get(one)).find(Boolean)
      return { scope: one, description: at ?? sentences.get(one) ?? one }
    }),
    state,
    ends_at: expires_at === null || state !== 'works' ? undefined : endOfToken(token, configuration),
  }
}
