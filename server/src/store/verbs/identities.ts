import type { NewEvent } from '../records.ts'
import { NOW, type Run, read, sql, text, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import { createUser, type SavedUser } from './users.ts'

/** An account at somebody else's server by which a user signs in (OpenID Connect Core section 5.7). */
export interface Identity {
  /** Who vouches for it: the issuer, or the origin of a provider that has none. */
  readonly authority: string
  readonly account: string
  readonly connector: string
  readonly account_name: string | null
}

/** An identity as its owner sees it. */
export interface ListedIdentity extends Identity {
  readonly created_at: number
  readonly last_used_at: number | null
}

/** Somebody else has this identity already. */
export class IdentityTaken extends Error {}

/** Whose identity this is, and that it is used now; null when it is nobody's. */
export const useIdentity = write(
  function* (args: { tenant_id: string; authority: string; account: string }): Run<string | null> {
    const [identity] = yield* sql<{ user_id: string }>`
      update identities set last_used_at = ${NOW}
      where tenant_id = ${args.tenant_id} and authority = ${args.authority} and account = ${args.account}
      returning user_id`
    return identity?.user_id ?? null
  },
  { key: identityKey, repeatable: true },
)

/** Links an identity to a user who has proved both; `taken` when it is somebody else's. */
export const linkIdentity = write(
  function* (args: {
    tenant_id: string
    identity: Identity
    user_id: string
    event: NewEvent
  }): Run<'linked' | 'known' | 'taken'> {
    const { tenant_id, identity, user_id } = args
    if (yield* insertIdentity(tenant_id, identity, user_id)) {
      yield* insertEvent(args.event)
      return 'linked'
    }
    const [found] = yield* sql<{ user_id: string }>`
      select user_id from identities
      where tenant_id = ${tenant_id} and authority = ${identity.authority} and account = ${identity.account}`
    return found?.user_id === user_id ? 'known' : 'taken'
  },
  { key: ({ tenant_id, identity }) => identityKey({ tenant_id, ...identity }) },
)

/** Makes a user together with the identity that brought them; false when the username is taken. Throws IdentityTaken. */
export const createUserOfIdentity = write(function* (args: {
  tenant_id: string
  identity: Identity
  user: SavedUser
  event: NewEvent
}): Run<boolean> {
  const { tenant_id, identity, user } = args
  if (!(yield* createUser.run({ tenant_id, user, event: args.event }))) return false
  if (!(yield* insertIdentity(tenant_id, identity, user.user_id))) throw new IdentityTaken()
  return true
})

/** Takes an identity from its user; false when it is not theirs. */
export const unlinkIdentity = write(
  function* (args: {
    tenant_id: string
    authority: string
    account: string
    user_id: string
    event: NewEvent
  }): Run<boolean> {
    const [gone] = yield* sql<{ user_id: string }>`
      delete from identities where tenant_id = ${args.tenant_id} and authority = ${args.authority}
        and account = ${args.account} and user_id = ${args.user_id} returning user_id`
    if (gone) yield* insertEvent(args.event)
    return gone !== undefined
  },
  { key: identityKey },
)

/** By what a user can sign in besides their own factors. */
export const listIdentitiesOfUser = read(function* (args: {
  tenant_id: string
  user_id: string
}): Run<ListedIdentity[]> {
  return yield* sql<ListedIdentity>`
    select authority, account, connector, account_name, created_at, last_used_at from identities
    where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} order by created_at limit 100`
})

function* insertIdentity(tenant_id: string, identity: Identity, user_id: string): Run<boolean> {
  const [made] = yield* sql<{ user_id: string }>`
    insert into identities (tenant_id, authority, account, user_id, connector, account_name, created_at, last_used_at)
    values (${tenant_id}, ${identity.authority}, ${identity.account}, ${user_id}, ${identity.connector},
      ${text(identity.account_name)}, ${NOW}, ${NOW})
    on conflict do nothing returning user_id`
  return made !== undefined
}

function identityKey({ tenant_id, authority, account }: { tenant_id: string; authority: string; account: string }) {
  return `${tenant_id}/${JSON.stringify([authority, account])}`
}
