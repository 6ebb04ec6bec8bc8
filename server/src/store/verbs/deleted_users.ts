import type { NewEvent } from '../records.ts'
import { NOW, type Run, read, type Statement, sql, together, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import { endAllOfUser, isLastHolder } from './users.ts'

/**
 * Deletes a user for good: whatever they were issued dies with this commit, and their name is gone. The row stays, so that
 * nobody else gets this user_id; what else is known of them is erased by `eraseDeletedUser`. `last` when nobody else who
 * may sign in holds the role that somebody must hold.
 */
export const deleteUser = write(function* (args: {
  tenant_id: string
  user_id: string
  /** Somebody must be left who holds it. */
  indispensable_role: string
  event: NewEvent
}): Run<'deleted' | 'last' | 'unknown'> {
  const { tenant_id, user_id, event } = args
  if (yield* isLastHolder({ ...args, role: args.indispensable_role })) return 'last'
  const [deleted] = yield* deletion(tenant_id, user_id)
  if (!deleted) return 'unknown'
  yield* endAllOfUser(event, user_id, deleted.epoch)
  yield* sql`
    update grants set revoked_at = ${NOW}, revoked_reason = 'user_deleted'
    where tenant_id = ${tenant_id} and user_id = ${user_id} and revoked_at is null`
  yield* insertEvent(event)
  return 'deleted'
})

/** The statement that deletes a user inside of a verb; a row where there was one. */
export function deletion(tenant_id: string, user_id: string): Statement<{ epoch: number }> {
  // No username has a control character, so this key is in nobody's way.
  const key = `\u0001${user_id}`
  return sql<{ epoch: number }>`
    update users set deleted_at = ${NOW}, disabled_at = coalesce(disabled_at, ${NOW}), epoch = epoch + 1,
      username_key = ${key}, username = ${user_id}, name = null, email = null, email_verified = 0, claims = '{}',
      roles = '[]', password_hash = null, updated_at = ${NOW}
    where tenant_id = ${tenant_id} and user_id = ${user_id} and deleted_at is null returning epoch`
}

/**
 * Erases what is known of a deleted user, and the details of some of their audit events (the chain verifies without them);
 * connections are at their end, and whoever sees to those takes them back at the provider. Says how many events there
 * were; the last were fewer than `most`. It may come again: for a while whatever was under way still leaves something.
 */
export const eraseDeletedUser = write(
  function* (args: { tenant_id: string; user_id: string; most: number }): Run<number> {
    const { tenant_id, user_id } = args
    const [user] = yield* sql<{ user_id: string }>`
      select user_id from users where tenant_id = ${tenant_id} and user_id = ${user_id} and deleted_at is not null`
    if (!user) return 0
    yield* together([
      sql`delete from passkeys where tenant_id = ${tenant_id} and user_id = ${user_id}`,
      sql`delete from totp_seeds where tenant_id = ${tenant_id} and user_id = ${user_id}`,
      sql`delete from recovery_codes where tenant_id = ${tenant_id} and user_id = ${user_id}`,
      sql`delete from identities where tenant_id = ${tenant_id} and user_id = ${user_id}`,
      sql`delete from consents where tenant_id = ${tenant_id} and user_id = ${user_id}`,
      sql`delete from permanent_tokens where tenant_id = ${tenant_id} and user_id = ${user_id}`,
      sql`delete from one_time_links where tenant_id = ${tenant_id} and user_id = ${user_id}`,
      sql`
        update sessions set user_agent = null
        where tenant_id = ${tenant_id} and user_id = ${user_id} and user_agent is not null`,
      // Until the provider has been told, the account says what else rests on it over there.
      sql`
        update connections set account_name = null,
          account = case when data_key is null then null else account end,
          ends_at = case when state = 'disconnected' then ends_at else ${NOW} end
        where tenant_id = ${tenant_id} and user_id = ${user_id} and (account_name is not null
          or (account is not null and data_key is null) or (state <> 'disconnected' and (ends_at is null or ends_at > ${NOW})))`,
      // As the sealer does: it must not chain a detail that is erased meanwhile.
      sql`update event_chains set sequence = sequence where tenant_id = ${tenant_id}`,
    ])
    const erased = yield* sql<{ event_id: string }>`
      update events set detail = '{}', detail_salt = null
      where tenant_id = ${tenant_id} and event_id in (
        select event_id from events
        where tenant_id = ${tenant_id} and user_id = ${user_id} and detail <> '{}' order by event_id limit ${args.most})
      returning event_id`
    return erased.length
  },
  { repeatable: true },
)

/** Deleted users of whom something may still be known. */
export const listUsersToErase = read(function* (args: { tenant_id: string }): Run<string[]> {
  const rows = yield* sql<{ user_id: string }>`
    select user_id from users where tenant_id = ${args.tenant_id} and deleted_at is not null and erased_at is null
    order by user_id limit 100`
  return rows.map(({ user_id }) => user_id)
})

/** Notes that nothing more is to be erased of a user, once nothing that was under way at the deletion can be. */
export const finishErasure = write(
  function* (args: { tenant_id: string; user_id: string; after_ms: number }): Run<void> {
    yield* sql`
      update users set erased_at = ${NOW}
      where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} and deleted_at < ${NOW} - ${args.after_ms}
        and erased_at is null and not exists (
          select 1 from connections c
          where c.tenant_id = users.tenant_id and c.user_id = users.user_id and c.data_key is not null)`
  },
  { repeatable: true },
)

/** Whether a user_id is or was somebody's. */
export const isUserId = read(function* (args: { tenant_id: string; user_id: string }): Run<boolean> {
  const [user] = yield* sql<{ user_id: string }>`
    select user_id from users where tenant_id = ${args.tenant_id} and user_id = ${args.user_id}`
  return user !== undefined
})
