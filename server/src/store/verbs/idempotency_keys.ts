import { NOW, type Run, sql, write } from '../sql.ts'

/** A request that was made under a key before; without an answer its outcome is not known, or not yet. */
export interface FormerRequest {
  readonly request_hash: Uint8Array
  readonly answer: Uint8Array | null
  readonly started_at: number
  readonly now: number
}

/**
 * Claims a key for a request, or says what it was used for; what has ended is free again. `released` when whoever had it
 * has just given it back.
 */
export const claimIdempotencyKey = write(function* (args: {
  tenant_id: string
  key_hash: Uint8Array
  request_hash: Uint8Array
  lives_ms: number
}): Run<FormerRequest | 'claimed' | 'released'> {
  const { tenant_id, key_hash } = args
  const [claimed] = yield* sql<{ tenant_id: string }>`
    insert into idempotency_keys (tenant_id, key_hash, request_hash, answer, started_at, expires_at)
    values (${tenant_id}, ${key_hash}, ${args.request_hash}, null, ${NOW}, ${NOW} + ${args.lives_ms})
    on conflict (tenant_id, key_hash) do update set request_hash = excluded.request_hash, answer = null,
      started_at = excluded.started_at, expires_at = excluded.expires_at
      where idempotency_keys.expires_at <= ${NOW}
    returning tenant_id`
  if (claimed) return 'claimed'
  const [former] = yield* sql<FormerRequest>`
    select request_hash, answer, started_at, ${NOW} as now from idempotency_keys
    where tenant_id = ${tenant_id} and key_hash = ${key_hash}`
  return former ?? 'released'
})

/** Keeps the answer of a claimed key. */
export const keepAnswer = write(function* (args: {
  tenant_id: string
  key_hash: Uint8Array
  answer: Uint8Array
}): Run<void> {
  yield* sql`
    update idempotency_keys set answer = ${args.answer}
    where tenant_id = ${args.tenant_id} and key_hash = ${args.key_hash} and answer is null`
})

/** Frees a claimed key whose request has changed nothing. */
export const releaseIdempotencyKey = write(function* (args: { tenant_id: string; key_hash: Uint8Array }): Run<void> {
  yield* sql`
    delete from idempotency_keys
    where tenant_id = ${args.tenant_id} and key_hash = ${args.key_hash} and answer is null`
})
