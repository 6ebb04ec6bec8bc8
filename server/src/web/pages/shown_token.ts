import { beginningOf } from '../../inbound/tokens/permanent_tokens.ts'
import { endOfToken, hasPersonalTokens } from '../../inbound/tokens/personal_access_tokens.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { PermanentToken } from '../../store/verbs/permanent_tokens.ts'
import type { AccountToken } from './templates/account_tokens.ts'

/** A permanent token as people see it: what it is for, by the names of its resources, and when it ends by the settings of now. */
export function showToken(
  configuration: Configuration,
  token: PermanentToken,
  sentences: ReadonlyMap<string, string>,
): AccountToken {
  const { token_id, name, scope, resource, created_at, expires_at, last_used_at } = token
  const named = JSON.parse(resource) as string[]
  const off = expires_at !== null && !hasPersonalTokens(configuration)
  return {
    ...{ token_id, name, beginning: beginningOf(token_id), created_at, last_used_at: last_used_at ?? undefined, off },
    resources: named.map((one) => configuration.resources.get(one)?.name ?? one),
    scopes: scope.split(' ').map((one) => {
      const at = named.map((known) => configuration.resources.get(known)?.scopes.get(one)).find(Boolean)
      return { scope: one, description: at ?? sentences.get(one) ?? one }
    }),
    ends_at: expires_at === null || off ? undefined : endOfToken(token, configuration),
  }
}
