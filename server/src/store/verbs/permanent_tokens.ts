import type { NewEvent } from '../records.ts'
import { int, NOW, type Run, read, sql, write } from '../sql.ts'
import { insertEvent } from './events.ts'

/** A token that a user has made for a script, without its secret. */
export interface PermanentToken {
  readonly token_id: string
  readonly user_id: string
  readonly name: string
  readonly scope: string
  /** JSON of the resources it is for. */
  readonly resource: string
  readonly tenant_epoch: number
  readonly user_epoch: number
  readonly created_at: number
  /** Null for one that came by the door of another system: it lives until it is deleted. */
  readonly expires_at: number | null
  readonly last_used_at: number | null
}

/** Makes a permanent token; `taken` when its token_id is, `full` when the user has so many that live. */
export const createPermanentToken = write(
  function* (args: {
    tenant_id: string
    token: Omit<PermanentToken, 'last_used_at'> & { readonly secret_hash: Uint8Array }
    most: number
    event: NewEvent
  }): Run<'made' | 'taken' | 'full'> {
    const { tenant_id, token, event } = args
    // Locked until the commit: of two replicas one counts what the other has made.
    yield* sql`update users set epoch = epoch where tenant_id = ${tenant_id} and user_id = ${token.user_id}`
    const [known] = yield* sql<{ token_id: string }>`
      select token_id from permanent_tokens where tenant_id = ${tenant_id} and token_id = ${token.token_id}`
    if (known) return 'taken'
    const [before] = yield* sql<{ count: number }>`
      select count(*) as count from permanent_tokens
      where tenant_id = ${tenant_id} and user_id = ${token.user_id} and user_epoch = ${token.user_epoch}
        and tenant_epoch = ${token.tenant_epoch} and (expires_at is null or expires_at > ${NOW})`
    if (before!.count >= args.most) return 'full'
    const [made] = yield* sql<{ token_id: string }>`
      insert into permanent_tokens (tenant_id, token_id, user_id, name, scope, resource, secret_hash, tenant_epoch,
        user_epoch, created_at, expires_at)
      values (${tenant_id}, ${token.token_id}, ${token.user_id}, ${token.name}, ${token.scope}, ${token.resource},
        ${token.secret_hash}, ${token.tenant_epoch}, ${token.user_epoch}, ${token.created_at},
        ${int(token.expires_at)})
      on conflict (tenant_id, token_id) do nothing returning token_id`
    if (!made) return 'taken'
    yield* insertEvent(event)
    return 'made'
  },
  { key: ({ tenant_id, token }) => `${tenant_id}/${token.user_id}` },
)

/** Deletes a user's permanent token, which is dead from then on; false when it is not theirs. */
export const deletePermanentToken = write(function* (args: {
  tenant_id: string
  user_id: string
  token_id: string
  event: NewEvent
}): Run<boolean> {
  const [gone] = yield* sql<{ token_id: string }>`
    delete from permanent_tokens
    where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} and token_id = ${args.token_id} returning token_id`
  if (gone) yield* insertEvent(args.event)
  return gone !== undefined
})

/** The permanent tokens of a user. */
export const listPermanentTokens = read(function* (args: {
  tenant_id: string
  user_id: string
}): Run<PermanentToken[]> {
  return yield* sql<PermanentToken>`
    select token_id, user_id, name, scope, resource, tenant_epoch, user_epoch, created_at, expires_at, last_used_at
    from permanent_tokens where tenant_id = ${args.tenant_id} and user_id = ${args.user_id} order by token_id`
})

/** Permanent tokens that have run out, the first to do so first. */
export const listExpiredPermanentTokens = read(function* (args: {
  tenant_id: string
  most: number
}): Run<Pick<PermanentToken, 'token_id' | 'user_id'>[]> {
  return yield* sql<Pick<PermanentToken, 'token_id' | 'user_id'>>`
    select token_id, user_id from permanent_tokens
    where tenant_id = ${args.tenant_id} and expires_at <= ${NOW} order by expires_at limit ${args.most}`
})

/** A permanent token with its secret's hash, or null. */
export const findPermanentToken = read(function* (args: {
  tenant_id: string
  token_id: string
}): Run<{ token: PermanentToken; secret_hash: Uint8Array } | null> {
  const [row] = yield* sql<PermanentToken & { secret_hash: Uint8Array }>`
    select token_id, user_id, name, scope, resource, secret_hash, tenant_epoch, user_epoch, created_at, expires_at,
      last_used_at
    from permanent_tokens where tenant_id = ${args.tenant_id} and token_id = ${args.token_id}`
  if (!row) return null
  const { secret_hash, ...token } = row
  return { token, secret_hash }
})

/** Notes that a permanent token was used, at most once an hour. */
export const touchPermanentToken = write(
  function* (args: { tenant_id: string; token_id: string }): Run<void> {
    yield* sql`
      update permanent_tokens set last_used_at = ${NOW}
      where tenant_id = ${args.tenant_id} and token_id = ${args.token_id}
        and (last_used_at is null or last_used_at < ${NOW} - 3600000)`
  },
  { key: (args) => `${args.tenant_id}/${args.token_id}`, repeatable: true },
)
