import type { NewEvent } from '../records.ts'
import { NOW, type Run, read, sql, text, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import { type EndedGrant, revokeTokensOf } from './revocations.ts'

/** What a user has allowed a client, as it is remembered. */
export interface ListedConsent {
  readonly client_id: string
  readonly client_name: string
  readonly scope: string
  readonly created_at: number
  readonly updated_at: number
}

/** What a user has allowed clients. */
export const listConsentsOfUser = read(function* (args: { tenant_id: string; user_id: string }): Run<ListedConsent[]> {
  return yield* sql<ListedConsent>`
    select k.client_id, c.client_name, k.scope, k.created_at, k.updated_at
    from consents k join clients c on c.tenant_id = k.tenant_id and c.client_id = k.client_id
    where k.tenant_id = ${args.tenant_id} and k.user_id = ${args.user_id}
    order by k.client_id limit 500`
})

/** What a user has allowed one client, or null. */
export const findConsent = read(function* (args: {
  tenant_id: string
  user_id: string
  client_id: string
}): Run<{ scope: string } | null> {
  const [consent] = yield* sql<{ scope: string }>`
    select scope from consents
    where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} and client_id = ${args.client_id}`
  return consent ?? null
})

/** Ends every grant of a user with a client, and forgets the consent. */
export const withdrawConsent = write(function* (args: {
  tenant_id: string
  user_id: string
  client_id: string
  event: NewEvent
}): Run<number> {
  // First the consent: a grant that rests on it is committed before it goes, and ends here, or is never made.
  yield* sql`
      delete from consents
      where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} and client_id = ${args.client_id}`
  const ended = yield* sql<EndedGrant>`
      update grants set revoked_at = ${NOW}, revoked_reason = 'consent_withdrawn'
      where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} and client_id = ${args.client_id}
        and revoked_at is null returning grant_id`
  yield* revokeTokensOf(args.event, ended)
  yield* insertEvent(args.event)
  return ended.length
})

/**
 * Takes scopes back from every grant of a user with a client, and from what is remembered (ASVS 10.7.3). A grant of which
 * nothing is left ends. Says how many grants were changed.
 */
export const narrowConsent = write(function* (args: {
  tenant_id: string
  user_id: string
  client_id: string
  removed: readonly string[]
  /** Claims asked for by name that go with the scopes. */
  removed_claims: readonly string[]
  event: NewEvent
}): Run<number> {
  const { tenant_id, user_id, client_id, removed } = args
  const without = (scope: string) => scope.split(' ').filter((name) => !removed.includes(name))
  // Updating the row locks it: a grant that is being made rests on it, and is then seen here.
  const [consent] = yield* sql<{ scope: string; resource: string }>`
    update consents set updated_at = ${NOW}
    where tenant_id = ${tenant_id} and user_id = ${user_id} and client_id = ${client_id} returning scope, resource`
  if (consent) {
    const by_resource = Object.entries(JSON.parse(consent.resource) as Record<string, string[]>)
    const kept = Object.fromEntries(by_resource.map(([name, scopes]) => [name, without(scopes.join(' '))]))
    yield* sql`
      update consents set scope = ${without(consent.scope).join(' ')}, resource = ${JSON.stringify(kept)}
      where tenant_id = ${tenant_id} and user_id = ${user_id} and client_id = ${client_id}`
  }
  const grants = yield* sql<{ grant_id: string; scope: string; claims: string | null }>`
    update grants set scope = scope
    where tenant_id = ${tenant_id} and user_id = ${user_id} and client_id = ${client_id} and revoked_at is null
    returning grant_id, scope, claims`
  const ended: EndedGrant[] = []
  let changed = 0
  for (const { grant_id, scope, claims } of grants) {
    const kept = without(scope).join(' ')
    if (kept === scope) continue
    changed++
    const is_over = kept === '' || kept === 'offline_access'
    if (is_over) ended.push({ grant_id })
    yield* sql`
      update grants set scope = ${kept}, claims = ${text(narrowClaims(claims, args.removed_claims))},
        revoked_at = case when ${is_over ? 1 : 0} = 1 then ${NOW} else revoked_at end,
        revoked_reason = case when ${is_over ? 1 : 0} = 1 then 'consent_withdrawn' else revoked_reason end
      where tenant_id = ${tenant_id} and grant_id = ${grant_id}`
  }
  if (ended.length > 0) yield* revokeTokensOf(args.event, ended)
  yield* insertEvent(args.event)
  return changed
})

function narrowClaims(claims: string | null, removed: readonly string[]): string | null {
  if (claims === null) return null
  const places = Object.entries(JSON.parse(claims) as Record<string, string[]>)
  return JSON.stringify(
    Object.fromEntries(places.map(([place, names]) => [place, names.filter((name) => !removed.includes(name))])),
  )
}
