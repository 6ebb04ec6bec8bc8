import type { NewEvent } from '../records.ts'
import { NOW, type Run, read, sql, together, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import { endAllOfUser } from './users.ts'

/**
 * Deletes a user for good: what they were issued dies, what is known of them is erased, the details of their audit events
 * included (the chain verifies without them). The row stays, nameless, so that nobody else gets this user_id; connections
 * are at their end, and whoever sees to those takes them back at the provider.
 */
export const deleteUser = write(function* (args: {
  tenant_id: string
  user_id: string
  event: NewEvent
}): Run<boolean> {
  const { tenant_id, user_id, event } = args
  // No username has a control character, so this key is in nobody's way.
  const key = `\u0001${user_id}`
  const [deleted] = yield* sql<{ epoch: number }>`
    update users set deleted_at = ${NOW}, disabled_at = coalesce(disabled_at, ${NOW}), epoch = epoch + 1,
      username_key = ${key}, username = ${user_id}, name = null, email = null, email_verified = 0, claims = '{}',
      roles = '[]', password_hash = null, updated_at = ${event.at}
    where tenant_id = ${tenant_id} and user_id = ${user_id} and deleted_at is null returning epoch`
  if (!deleted) return false
  yield* endAllOfUser(event, user_id, deleted.epoch)
  yield* together([
    sql`
      update grants set revoked_at = ${NOW}, revoked_reason = 'user_deleted'
      where tenant_id = ${tenant_id} and user_id = ${user_id} and revoked_at is null`,
    sql`delete from passkeys where tenant_id = ${tenant_id} and user_id = ${user_id}`,
    sql`delete from totp_seeds where tenant_id = ${tenant_id} and user_id = ${user_id}`,
    sql`delete from recovery_codes where tenant_id = ${tenant_id} and user_id = ${user_id}`,
    sql`delete from identities where tenant_id = ${tenant_id} and user_id = ${user_id}`,
    sql`delete from consents where tenant_id = ${tenant_id} and user_id = ${user_id}`,
    sql`delete from permanent_tokens where tenant_id = ${tenant_id} and user_id = ${user_id}`,
    sql`delete from one_time_links where tenant_id = ${tenant_id} and user_id = ${user_id}`,
    sql`
      update connections set account = null, account_name = null,
        ends_at = case when state = 'disconnected' then ends_at else ${NOW} end
      where tenant_id = ${tenant_id} and user_id = ${user_id}`,
    // As the sealer does: it must not chain a detail that is erased meanwhile.
    sql`update event_chains set sequence = sequence where tenant_id = ${tenant_id}`,
  ])
  yield* sql`
    update events set detail = '{}', detail_salt = null
    where tenant_id = ${tenant_id} and user_id = ${user_id} and detail <> '{}'`
  yield* insertEvent(event)
  return true
})

/** Whether a user_id is or was somebody's. */
export const isUserId = read(function* (args: { tenant_id: string; user_id: string }): Run<boolean> {
  const [user] = yield* sql<{ user_id: string }>`
    select user_id from users where tenant_id = ${args.tenant_id} and user_id = ${args.user_id}`
  return user !== undefined
})

/** Whether somebody else who may sign in holds a role. */
export const hasOtherUserWithRole = read(function* (args: {
  tenant_id: string
  role: string
  user_id: string
}): Run<boolean> {
  const [user] = yield* sql<{ user_id: string }>`
    select user_id from users where tenant_id = ${args.tenant_id} and user_id <> ${args.user_id}
      and disabled_at is null and replace(roles, ${JSON.stringify(args.role)}, '') <> roles limit 1`
  return user !== undefined
})
