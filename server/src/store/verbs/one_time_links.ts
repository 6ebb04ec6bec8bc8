import type { NewEvent } from '../records.ts'
import { NOW, type Run, read, sql, text, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import type { SavedUser } from './users.ts'

/** Makes a link that works once. */
export const createOneTimeLink = write(function* (args: {
  tenant_id: string
  kind: string
  secret_hash: Uint8Array
  expires_at: number
  at: number
}): Run<void> {
  // A new link of a kind replaces the ones before it that nobody used.
  yield* sql`delete from one_time_links where tenant_id = ${args.tenant_id} and kind = ${args.kind} and used_at is null`
  yield* sql`
    insert into one_time_links (tenant_id, kind, secret_hash, created_at, expires_at)
    values (${args.tenant_id}, ${args.kind}, ${args.secret_hash}, ${args.at}, ${args.expires_at})`
})

/** Whether a link is there to be used. */
export const findOneTimeLink = read(function* (args: {
  tenant_id: string
  kind: string
  secret_hash: Uint8Array
}): Run<boolean> {
  const [link] = yield* sql<{ kind: string }>`
    select kind from one_time_links
    where tenant_id = ${args.tenant_id} and kind = ${args.kind} and secret_hash = ${args.secret_hash}
      and used_at is null and expires_at > ${NOW}`
  return link !== undefined
})

/** Makes the first administrator by a one-time link: the link is spent and the user made, or neither. */
export const redeemSetupLink = write(function* (args: {
  tenant_id: string
  secret_hash: Uint8Array
  user: SavedUser
  event: NewEvent
}): Run<'created' | 'spent'> {
  const [link] = yield* sql<{ kind: string }>`
    update one_time_links set used_at = ${NOW}
    where tenant_id = ${args.tenant_id} and kind = 'setup' and secret_hash = ${args.secret_hash}
      and used_at is null and expires_at > ${NOW} returning kind`
  if (!link) return 'spent'
  // Replicas that started together may have made a link each: there is one first administrator.
  yield* sql`delete from one_time_links where tenant_id = ${args.tenant_id} and kind = 'setup' and used_at is null`
  const { user, event } = args
  yield* sql`
    insert into users (tenant_id, user_id, username_key, username, name, email, email_verified, claims, roles,
      password_hash, epoch, created_at, updated_at)
    values (${args.tenant_id}, ${user.user_id}, ${user.username_key}, ${user.username}, ${text(user.name)},
      ${text(user.email)}, 0, ${user.claims}, ${user.roles}, ${text(user.password_hash)}, 0, ${event.at}, ${event.at})`
  yield* insertEvent(event)
  return 'created'
})
