import type { NewEvent } from '../records.ts'
import { NOW, type Run, read, sql, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import type { UserWithPassword } from './users.ts'

/** A link that signs its user in, where it was asked for. */
export interface SignInLink {
  readonly secret_hash: Uint8Array
  /** Which request of which browser asked for it. */
  readonly asked_hash: Uint8Array
  readonly created_at: number
  readonly user: UserWithPassword
}

type Row = UserWithPassword & Omit<SignInLink, 'user'>

/**
 * The links that can still be used, by the hash of their own secret or of the request that asked for them: an address may
 * be that of several users. One of before the address, or anything that ends all sessions, has changed is over.
 */
export const findSignInLinks = read(function* (args: { tenant_id: string; hash: Uint8Array }): Run<SignInLink[]> {
  // Not by "or": SQLite would go through all links of the tenant.
  const rows = yield* sql<Row>`
    select l.secret_hash, l.asked_hash, l.created_at, u.user_id, u.username, u.name, u.email, u.email_verified, u.claims, u.roles,
      u.epoch, u.disabled_at, u.updated_at, u.password_hash
    from (
        select * from one_time_links where tenant_id = ${args.tenant_id} and kind = 'sign_in' and secret_hash = ${args.hash}
        union all
        select * from one_time_links where tenant_id = ${args.tenant_id} and asked_hash = ${args.hash}
      ) l join users u on u.tenant_id = l.tenant_id and u.user_id = l.user_id
    where l.used_at is null and l.expires_at > ${NOW} and u.email = l.email and u.email_verified = 1
      and u.epoch = l.user_epoch and u.disabled_at is null
    order by l.created_at desc limit 10`
  return rows.map(({ secret_hash, asked_hash, created_at, ...user }) => ({ secret_hash, asked_hash, created_at, user }))
})

/** Spends a link; false when it was spent before, or is over. */
export function* spendSignInLink(tenant_id: string, user_id: string, secret_hash: Uint8Array): Run<boolean> {
  const [spent] = yield* sql<{ user_id: string }>`
    update one_time_links set used_at = ${NOW}
    where tenant_id = ${tenant_id} and kind = 'sign_in' and secret_hash = ${secret_hash} and user_id = ${user_id}
      and used_at is null and expires_at > ${NOW} and exists (
        select 1 from users u
        where u.tenant_id = one_time_links.tenant_id and u.user_id = one_time_links.user_id
          and u.email = one_time_links.email and u.email_verified = 1 and u.epoch = one_time_links.user_epoch
          and u.disabled_at is null)
    returning user_id`
  return spent !== undefined
}

/** Spends a link of whoever is asked for a second factor after it. Alone it starts a session (`startSession`). */
export const redeemSignInLink = write(
  function* (args: {
    tenant_id: string
    user_id: string
    secret_hash: Uint8Array
    event: NewEvent
  }): Run<'redeemed' | 'spent'> {
    if (!(yield* spendSignInLink(args.tenant_id, args.user_id, args.secret_hash))) return 'spent'
    yield* insertEvent(args.event)
    return 'redeemed'
  },
  { key: (args) => `${args.tenant_id}/${args.user_id}` },
)

/** Ends what a user's mailbox still holds of such links. */
export function* endSignInLinks(tenant_id: string, user_id: string): Run<void> {
  yield* sql`
    delete from one_time_links
    where tenant_id = ${tenant_id} and user_id = ${user_id} and kind = 'sign_in' and used_at is null`
}
