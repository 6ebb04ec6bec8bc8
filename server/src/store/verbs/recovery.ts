import type { NewEvent, UserRecord } from '../records.ts'
import { bytes, int, NOW, type Run, read, sql, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import { type EndedSession, endWhatHangsOn } from './logouts.ts'
import { type EndedGrant, revokeTokensOf } from './revocations.ts'
import { endSignInLinks } from './sign_in_links.ts'
import { endAllOfUser } from './users.ts'

/** What a link to a mailbox does: set a new password, confirm the address, or sign in. */
export type UserLinkKind = 'reset' | 'email' | 'sign_in'

const ofUser = (args: { tenant_id: string; user_id: string }) => `${args.tenant_id}/${args.user_id}`

// Whoever presses twice has two letters, and opens whichever comes first.
const PRESSED_TWICE_MS = 60_000

/**
 * Makes a link to a user's mailbox; it takes the place of those of its kind that the user did not open. One that went to
 * the same mailbox just before stays beside it, unless it signs in.
 */
export const createUserLink = write(
  function* (args: {
    tenant_id: string
    kind: UserLinkKind
    user_id: string
    email: string
    secret_hash: Uint8Array
    expires_at: number
    /** Of one that signs in: which request of which browser asked for it, and the user's epoch then. */
    asked?: { readonly asked_hash: Uint8Array; readonly user_epoch: number } | undefined
    event: NewEvent
  }): Run<void> {
    const { tenant_id, kind, user_id, asked, event } = args
    yield* sql`
      delete from one_time_links
      where tenant_id = ${tenant_id} and user_id = ${user_id} and kind = ${kind} and used_at is null
        and (kind = 'sign_in' or email <> ${args.email} or created_at <= ${NOW} - ${PRESSED_TWICE_MS})`
    yield* sql`
      insert into one_time_links (tenant_id, kind, secret_hash, created_at, expires_at, user_id, email, asked_hash,
        user_epoch)
      values (${tenant_id}, ${kind}, ${args.secret_hash}, ${NOW}, ${args.expires_at}, ${user_id}, ${args.email},
        ${bytes(asked?.asked_hash)}, ${int(asked?.user_epoch)})`
    yield* insertEvent(event)
  },
  { key: ofUser },
)

/** Whose link it is, and for which address, while it can be used. */
export interface UserLink {
  readonly email: string
  readonly user: UserRecord
}

/** A link that can still be used, with its user. */
export const findUserLink = read(function* (args: {
  tenant_id: string
  kind: UserLinkKind
  secret_hash: Uint8Array
}): Run<UserLink | null> {
  const [row] = yield* sql<UserRecord & { link_email: string }>`
    select l.email as link_email, u.user_id, u.username, u.name, u.email, u.email_verified, u.claims, u.roles, u.epoch,
      u.disabled_at, u.updated_at
    from one_time_links l join users u on u.tenant_id = l.tenant_id and u.user_id = l.user_id
    where l.tenant_id = ${args.tenant_id} and l.kind = ${args.kind} and l.secret_hash = ${args.secret_hash}
      and l.used_at is null and l.expires_at > ${NOW} and u.disabled_at is null`
  if (!row) return null
  const { link_email, ...user } = row
  return { email: link_email, user }
})

// By the user's key: of two letters that are opened in the same moment one is spent.
function* spendUserLink(
  kind: UserLinkKind,
  { tenant_id, user_id, secret_hash }: { tenant_id: string; user_id: string; secret_hash: Uint8Array },
): Run<string | null> {
  const [link] = yield* sql<{ email: string }>`
    update one_time_links set used_at = ${NOW}
    where tenant_id = ${tenant_id} and kind = ${kind} and secret_hash = ${secret_hash} and user_id = ${user_id}
      and used_at is null and expires_at > ${NOW} returning email`
  return link?.email ?? null
}

/**
 * Sets a new password by a link: link and password in one, or neither. The epoch rises, so that whoever knew the former
 * one keeps no session, grant or token. Other factors stay (ASVS 6.4.3).
 */
export const redeemResetLink = write(
  function* (args: {
    tenant_id: string
    user_id: string
    secret_hash: Uint8Array
    password_hash: string
    event: NewEvent
  }): Run<'reset' | 'spent'> {
    const { tenant_id, user_id, event } = args
    const email = yield* spendUserLink('reset', args)
    if (email === null) return 'spent'
    // Of an address that is no longer the user's the mailbox proves nothing; nor of one that was never shown to be, where
    // somebody signs in by another server: whoever left the address there would stay in the account beside its owner.
    const [user] = yield* sql<{ epoch: number }>`
      update users set password_hash = ${args.password_hash}, epoch = epoch + 1, email_verified = 1,
        updated_at = ${event.at}
      where tenant_id = ${tenant_id} and user_id = ${user_id} and email = ${email} and disabled_at is null
        and (email_verified = 1 or not exists (
          select 1 from identities i where i.tenant_id = ${tenant_id} and i.user_id = ${user_id}))
      returning epoch`
    if (!user) return 'spent'
    yield* sql`
      delete from one_time_links where tenant_id = ${tenant_id} and user_id = ${user_id} and used_at is null`
    yield* endAllOfUser(event, user_id, user.epoch)
    yield* insertEvent(event)
    return 'reset'
  },
  { key: ofUser },
)

/** Confirms an address by a link, if it is this user's: the address becomes theirs, or is marked as confirmed. */
export const redeemEmailLink = write(
  function* (args: {
    tenant_id: string
    user_id: string
    secret_hash: Uint8Array
    event: NewEvent
  }): Run<'confirmed' | 'spent'> {
    const { tenant_id, user_id, event } = args
    const email = yield* spendUserLink('email', args)
    if (email === null) return 'spent'
    yield* sql`
      update users set email = ${email}, email_verified = 1, updated_at = ${event.at}
      where tenant_id = ${tenant_id} and user_id = ${user_id}`
    // A reset that went to the former mailbox is no longer the user's.
    yield* sql`
      delete from one_time_links where tenant_id = ${tenant_id} and user_id = ${user_id} and used_at is null`
    yield* insertEvent(event)
    return 'confirmed'
  },
  { key: ofUser },
)

/** Changes a password that its user knows; `stale` when another change came first. */
export const changePassword = write(
  function* (args: {
    tenant_id: string
    user_id: string
    former_hash: string
    password_hash: string
    /** Null where the other sessions stay. */
    only_session_id: string | null
    end_apps: boolean
    event: NewEvent
  }): Run<'changed' | 'stale'> {
    const { tenant_id, user_id, event } = args
    const [changed] = yield* sql<{ user_id: string }>`
      update users set password_hash = ${args.password_hash}, updated_at = ${event.at}
      where tenant_id = ${tenant_id} and user_id = ${user_id} and password_hash = ${args.former_hash} returning user_id`
    if (!changed) return 'stale'
    yield* sql`
      delete from one_time_links
      where tenant_id = ${tenant_id} and user_id = ${user_id} and kind = 'reset' and used_at is null`
    yield* endSignInLinks(tenant_id, user_id)
    if (args.only_session_id !== null) {
      const sessions = yield* sql<EndedSession>`
        update sessions set ended_at = ${NOW}, epoch = epoch + 1
        where tenant_id = ${tenant_id} and user_id = ${user_id} and session_id <> ${args.only_session_id}
          and ended_at is null
        returning session_id, coalesce(sid, session_id) as sid`
      yield* endWhatHangsOn(event, sessions)
    }
    if (args.end_apps) {
      const grants = yield* sql<EndedGrant>`
        update grants set revoked_at = ${NOW}, revoked_reason = 'password_changed'
        where tenant_id = ${tenant_id} and user_id = ${user_id} and revoked_at is null
        returning grant_id`
      yield* revokeTokensOf(event, grants)
      yield* sql`delete from permanent_tokens where tenant_id = ${tenant_id} and user_id = ${user_id}`
    }
    yield* insertEvent(event)
    return 'changed'
  },
  { key: ofUser },
)

/** The users whose address this is: it need not be one user's alone. Without `disabled_too` those who can sign in. */
export const findUsersByEmail = read(function* (args: {
  tenant_id: string
  email: string
  disabled_too?: boolean
  most: number
}): Run<UserRecord[]> {
  // Said otherwise, SQLite would read all users of the tenant: its index has only those with an address, in another order.
  return yield* sql<UserRecord>`
    select user_id, username, name, email, email_verified, claims, roles, epoch, disabled_at, updated_at
    from users where tenant_id = ${args.tenant_id} and lower(email) = lower(${args.email}) and email is not null
      and (disabled_at is null or ${args.disabled_too ? 1 : 0} = 1) order by user_id || '' limit ${args.most}`
})
