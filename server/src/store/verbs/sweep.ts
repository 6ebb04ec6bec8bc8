import { NOW, type Run, read, sql, write } from '../sql.ts'

// A session that ended while no server ran is seen to first.
const TOLD_LATE_MS = 3_600_000
// A code that came too late is still told so for a while.
const UNREDEEMED_MS = 3_600_000
// What a flow holds is taken back first, as long as somebody is there who does.
const UNCHOSEN_MS = 3_600_000
// Whoever arrived in time with a pushed request may take as long as with any other.
const ANSWERED_MS = 3_600_000
// A platform may ask for a day what became of a connect session.
const ASKED_LATE_MS = 86_400_000

// What was counted by the hour is shown for a week.
const COUNTED_MS = 8 * 86_400_000

/** Sweeps what has ended from the short-lived tables, oldest first, a bounded number of rows each; says how many. */
export const sweepEnded = write(function* (args: { before: number; most: number }): Run<number> {
  const swept = [
    yield* sql<{ tenant_id: string }>`
      delete from revoked_tokens where (tenant_id, jti) in
        (select tenant_id, jti from revoked_tokens where expires_at < ${args.before} order by expires_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from replay_ids where (tenant_id, kind, id_hash) in
        (select tenant_id, kind, id_hash from replay_ids where expires_at < ${args.before} order by expires_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from guesses where (tenant_id, subject) in
        (select tenant_id, subject from guesses where window_ends_at < ${args.before} order by window_ends_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from connect_flows where (tenant_id, state_hash) in
        (select tenant_id, state_hash from connect_flows where expires_at < ${args.before}
          and (holds_tokens is null or used_at is not null or expires_at < ${args.before - UNCHOSEN_MS})
          order by expires_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from connect_sessions where (tenant_id, session_id) in
        (select tenant_id, session_id from connect_sessions where expires_at < ${args.before - ASKED_LATE_MS}
          order by expires_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from grants where (tenant_id, grant_id) in
        (select tenant_id, grant_id from grants where expires_at < ${args.before} order by expires_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from grants where (tenant_id, grant_id) in
        (select tenant_id, grant_id from grants where code_redeemed_at is null and code_expires_at < ${args.before - UNREDEEMED_MS}
          order by code_expires_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from sessions where (tenant_id, session_id) in
        (select tenant_id, session_id from sessions where expires_at < ${args.before - TOLD_LATE_MS} order by expires_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from session_clients where (tenant_id, sid, client_id) in
        (select tenant_id, sid, client_id from session_clients where expires_at < ${args.before - TOLD_LATE_MS}
          order by expires_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from logout_notices where (tenant_id, sid, client_id) in
        (select tenant_id, sid, client_id from logout_notices where expires_at < ${args.before - TOLD_LATE_MS}
          order by expires_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from revocations where (tenant_id, revocation_id) in
        (select tenant_id, revocation_id from revocations where expires_at < ${args.before} order by expires_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from device_codes where (tenant_id, device_code_hash) in
        (select tenant_id, device_code_hash from device_codes where expires_at < ${args.before} order by expires_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from pushed_requests where (tenant_id, request_hash) in
        (select tenant_id, request_hash from pushed_requests where expires_at < ${args.before - ANSWERED_MS}
          order by expires_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from registration_tokens where (tenant_id, token_id) in
        (select tenant_id, token_id from registration_tokens where expires_at < ${args.before} order by expires_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from idempotency_keys where (tenant_id, key_hash) in
        (select tenant_id, key_hash from idempotency_keys where expires_at < ${args.before} order by expires_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from webhook_deliveries where (tenant_id, webhook, event_id) in
        (select tenant_id, webhook, event_id from webhook_deliveries where expires_at < ${args.before}
          order by expires_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from hourly_counts where (tenant_id, hour_at, kind, label) in
        (select tenant_id, hour_at, kind, label from hourly_counts where hour_at < ${args.before - COUNTED_MS}
          order by hour_at limit ${args.most})
      returning tenant_id`,
    yield* sql<{ tenant_id: string }>`
      delete from one_time_links where (tenant_id, kind, secret_hash) in
        (select tenant_id, kind, secret_hash from one_time_links where expires_at < ${args.before} order by expires_at limit ${args.most})
      returning tenant_id`,
  ]
  return swept.reduce((sum, rows) => sum + rows.length, 0)
})

/** Whether the database answers. */
export const ping = read(function* (_: Record<string, never>): Run<number> {
  const [row] = yield* sql<{ now: number }>`select ${NOW} as now`
  return row!.now
})
