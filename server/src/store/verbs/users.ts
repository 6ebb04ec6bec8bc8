import type { NewEvent, UserRecord } from '../records.ts'
import { NOW, type Run, read, sql, text, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import { endSessionsOfUser } from './logouts.ts'
import { revocationStatement } from './revocations.ts'

/** A user to make or change; a null password leaves the one there is. */
export interface SavedUser {
  readonly user_id: string
  readonly username_key: string
  readonly username: string
  readonly name: string | null
  readonly email: string | null
  readonly email_verified: boolean
  readonly claims: string
  readonly roles: string
  readonly password_hash: string | null
}

/** Makes a user; false when the username is taken. */
export const createUser = write(function* (args: {
  tenant_id: string
  user: SavedUser
  event: NewEvent
}): Run<boolean> {
  const { user, event } = args
  const [made] = yield* sql<{ user_id: string }>`
    insert into users (tenant_id, user_id, username_key, username, name, email, email_verified, claims, roles,
      password_hash, epoch, created_at, updated_at)
    values (${args.tenant_id}, ${user.user_id}, ${user.username_key}, ${user.username}, ${text(user.name)},
      ${text(user.email)}, ${user.email_verified ? 1 : 0}, ${user.claims}, ${user.roles}, ${text(user.password_hash)},
      0, ${event.at}, ${event.at})
    on conflict do nothing returning user_id`
  if (made) yield* insertEvent(event)
  return made !== undefined
})

/**
 * Changes a user's name, address, claims and roles, and the password where one is given: that is a reset, which raises
 * the epoch, so that whoever knew the former one keeps no session, grant or token. False when there is no such user, or
 * `seen` is no longer what stands; `last` when they would lose the indispensable role, and nobody else who can sign in
 * holds it.
 */
export const updateUser = write(function* (args: {
  tenant_id: string
  user: Omit<SavedUser, 'username_key' | 'username'>
  /** What whoever decided this has seen. */
  seen?: Pick<UserRecord, 'name' | 'email' | 'email_verified' | 'claims' | 'roles' | 'epoch'>
  /** Somebody must be left who holds it. */
  indispensable_role?: string | undefined
  event: NewEvent
}): Run<boolean | 'last'> {
  const { user, event, seen, indispensable_role: role } = args
  const { tenant_id } = args
  const keeps = role === undefined || (JSON.parse(user.roles) as string[]).includes(role)
  if (!keeps && (yield* isLastHolder({ tenant_id, user_id: user.user_id, role }))) return 'last'
  const [changed] = yield* sql<{ epoch: number }>`
    update users set name = ${text(user.name)}, email = ${text(user.email)}, email_verified = ${user.email_verified ? 1 : 0},
      claims = ${user.claims}, roles = ${user.roles}, password_hash = coalesce(${text(user.password_hash)}, password_hash),
      epoch = epoch + ${user.password_hash === null ? 0 : 1}, updated_at = ${event.at}
    where tenant_id = ${tenant_id} and user_id = ${user.user_id} and deleted_at is null
      and (${seen ? 1 : 0} = 0 or (coalesce(name, '') = ${seen?.name ?? ''} and coalesce(email, '') = ${seen?.email ?? ''}
        and epoch = ${seen?.epoch ?? 0} and email_verified = ${seen?.email_verified ?? 0} and claims = ${seen?.claims ?? ''} and roles = ${seen?.roles ?? ''}))
    returning epoch`
  if (changed && user.password_hash !== null) yield* endAllOfUser(event, user.user_id, changed.epoch)
  if (changed) yield* insertEvent(event)
  return changed !== undefined
})

/**
 * Disables or enables a user. Disabling raises the epoch, so that what was issued before never lives again. False when
 * they are so already; `last` when nobody else who can sign in holds the indispensable role.
 */
export const setUserDisabled = write(function* (args: {
  tenant_id: string
  user_id: string
  disabled: boolean
  /** Somebody must be left who holds it. */
  indispensable_role?: string
  event: NewEvent
}): Run<boolean | 'last'> {
  const role = args.indispensable_role
  if (args.disabled && role !== undefined && (yield* isLastHolder({ ...args, role }))) return 'last'
  const [changed] = args.disabled
    ? yield* sql<{ epoch: number }>`
        update users set disabled_at = ${NOW}, epoch = epoch + 1
        where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} and disabled_at is null returning epoch`
    : yield* sql<{ epoch: number }>`
        update users set disabled_at = null
        where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} and disabled_at is not null
          and deleted_at is null returning epoch`
  if (changed && args.disabled) yield* endAllOfUser(args.event, args.user_id, changed.epoch)
  if (changed) yield* insertEvent(args.event)
  return changed !== undefined
})

/** Whether a user who can sign in holds a role, and nobody else who can does; until its transaction ends nobody joins. */
export function* isLastHolder(args: { tenant_id: string; user_id: string; role: string }): Run<boolean> {
  const { tenant_id, user_id } = args
  const role = JSON.stringify(args.role)
  const [holder] = yield* sql<{ user_id: string }>`
    select user_id from users where tenant_id = ${tenant_id} and user_id = ${user_id}
      and deleted_at is null and disabled_at is null and replace(roles, ${role}, '') <> roles`
  if (!holder) return false
  // Updating the row locks it: of two who end each other's one comes second, and sees that.
  yield* sql`update tenants set disabled_at = disabled_at where tenant_id = ${tenant_id}`
  const [other] = yield* sql<{ user_id: string }>`
    select user_id from users where tenant_id = ${tenant_id} and user_id <> ${user_id}
      and disabled_at is null and replace(roles, ${role}, '') <> roles limit 1`
  return !other
}

/** After the epoch of a user has risen: tells resource servers, ends the sessions, and tells the clients of those. */
export function* endAllOfUser(event: NewEvent, user_id: string, epoch: number): Run<void> {
  yield* revocationStatement(event, { kind: 'sub', value: user_id, epoch })
  yield* endSessionsOfUser(event, user_id)
}

/** A user with what the login page compares. */
export interface UserWithPassword extends UserRecord {
  readonly password_hash: string | null
}

/** The user of a username, or null. */
export const findUserByUsername = read(function* (args: {
  tenant_id: string
  username_key: string
}): Run<UserWithPassword | null> {
  const [user] = yield* sql<UserWithPassword>`
    select user_id, username, name, email, email_verified, claims, roles, epoch, disabled_at, updated_at, password_hash
    from users where tenant_id = ${args.tenant_id} and username_key = ${args.username_key}`
  return user ?? null
})

/** One user, or null. */
export const findUser = read(function* (args: { tenant_id: string; user_id: string }): Run<UserWithPassword | null> {
  const [user] = yield* sql<UserWithPassword>`
    select user_id, username, name, email, email_verified, claims, roles, epoch, disabled_at, updated_at, password_hash
    from users where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} and deleted_at is null`
  return user ?? null
})

/** Whether any user holds a role. */
export const hasUserWithRole = read(function* (args: { tenant_id: string; role: string }): Run<boolean> {
  // Roles are a JSON list of names, so the quoted name stands in it or not. LIKE would ignore case on SQLite alone.
  const [user] = yield* sql<{ user_id: string }>`
    select user_id from users
    where tenant_id = ${args.tenant_id} and replace(roles, ${JSON.stringify(args.role)}, '') <> roles limit 1`
  return user !== undefined
})

/** Users of a tenant by id, from after a cursor. */
export const pageUsers = read(function* (args: {
  tenant_id: string
  after_user_id: string
  most: number
}): Run<UserRecord[]> {
  return yield* sql<UserRecord>`
    select user_id, username, name, email, email_verified, claims, roles, epoch, disabled_at, updated_at
    from users where tenant_id = ${args.tenant_id} and user_id > ${args.after_user_id} and deleted_at is null
    order by user_id limit ${args.most}`
})

/** Users whose name begins as given. */
export const searchUsers = read(function* (args: {
  tenant_id: string
  username_key: string
  most: number
}): Run<UserRecord[]> {
  return yield* sql<UserRecord>`
    select user_id, username, name, email, email_verified, claims, roles, epoch, disabled_at, updated_at
    from users where tenant_id = ${args.tenant_id} and username_key >= ${args.username_key}
      and username_key < ${`${args.username_key}\u{10ffff}`} and deleted_at is null
    order by username_key limit ${args.most}`
})
