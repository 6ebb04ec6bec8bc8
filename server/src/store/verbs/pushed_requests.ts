import { type Run, read, sql, write } from '../sql.ts'
import { type Proof, recordProofs } from './proofs.ts'

/** An authorization request that a client pushed, found by the hash of its request URI. */
export interface PushedRequestRecord {
  readonly client_id: string
  readonly sealed: Uint8Array
  readonly expires_at: number
}

/** Keeps an authorization request that a client pushed (RFC 9126 section 2). */
export const pushRequest = write(
  function* (args: {
    tenant_id: string
    request_hash: Uint8Array
    client_id: string
    sealed: Uint8Array
    created_at: number
    expires_at: number
    proofs?: readonly Proof[]
  }): Run<void> {
    yield* sql`
      insert into pushed_requests (tenant_id, request_hash, client_id, sealed, created_at, expires_at)
      values (${args.tenant_id}, ${args.request_hash}, ${args.client_id}, ${args.sealed}, ${args.created_at},
        ${args.expires_at})`
    yield* recordProofs(args.tenant_id, args.proofs)
  },
  { key: ({ tenant_id, request_hash }) => `${tenant_id}/${Buffer.from(request_hash).toString('base64url')}` },
)

/** A pushed request that nobody has answered yet, in time or too late. */
export const findPushedRequest = read(function* (args: {
  tenant_id: string
  request_hash: Uint8Array
}): Run<PushedRequestRecord | null> {
  const [row] = yield* sql<PushedRequestRecord>`
    select client_id, sealed, expires_at from pushed_requests
    where tenant_id = ${args.tenant_id} and request_hash = ${args.request_hash}`
  return row ?? null
})

/** Takes a pushed request out of use within the verb that answers it; false when it was answered before. */
export function* takeRequest(tenant_id: string, request_hash: Uint8Array): Run<boolean> {
  const [taken] = yield* sql<{ client_id: string }>`
    delete from pushed_requests where tenant_id = ${tenant_id} and request_hash = ${request_hash} returning client_id`
  return taken !== undefined
}

/** Takes a pushed request that the user refused out of use. */
export const dropPushedRequest = write(function* (args: { tenant_id: string; request_hash: Uint8Array }): Run<boolean> {
  return yield* takeRequest(args.tenant_id, args.request_hash)
})
