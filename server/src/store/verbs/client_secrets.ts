import type { NewEvent } from '../records.ts'
import { bytes, NOW, type Run, read, sql, write } from '../sql.ts'
import { insertEvent } from './events.ts'

/** The sealed secrets of a client that signs with them, and when they end. */
export interface SealedSecrets {
  readonly sealed_client_secret: Uint8Array | null
  readonly client_secret_expires_at: number | null
  readonly former_sealed_client_secret: Uint8Array | null
  readonly former_client_secret_expires_at: number | null
}

/** Finds the sealed secrets of a client; only clients of client_secret_jwt have any. */
export const findSealedSecrets = read(function* (args: {
  tenant_id: string
  client_id: string
}): Run<SealedSecrets | null> {
  const [found] = yield* sql<SealedSecrets>`
    select sealed_client_secret, client_secret_expires_at, former_sealed_client_secret, former_client_secret_expires_at
    from clients where tenant_id = ${args.tenant_id} and client_id = ${args.client_id}`
  return found ?? null
})

/** Puts a sealed secret, or none, in the place of all that a client has, in the transaction of the verb that does the same to hashes. */
export function* replaceSealedSecret(tenant_id: string, client_id: string, sealed: Uint8Array | null): Run<void> {
  yield* sql`
    update clients set sealed_client_secret = ${bytes(sealed)}, former_sealed_client_secret = null
    where tenant_id = ${tenant_id} and client_id = ${client_id}`
}

/** Makes the sealed secret the former one, and puts another in its place. */
export function* rotateSealedSecret(tenant_id: string, client_id: string, sealed: Uint8Array): Run<void> {
  yield* sql`
    update clients set former_sealed_client_secret = sealed_client_secret, sealed_client_secret = ${bytes(sealed)}
    where tenant_id = ${tenant_id} and client_id = ${client_id}`
}

/** A living secret of a client: when it was made, where that is known, and its end, where it has one. */
export interface ClientSecretTimes {
  readonly made_at: number | null
  readonly expires_at: number | null
}

/** The living secrets of a client, newest first: none, one or two. */
export const listClientSecrets = read(function* (args: {
  tenant_id: string
  client_id: string
}): Run<ClientSecretTimes[]> {
  const rows = yield* sql<ClientSecretTimes & { place: number }>`
    select client_secret_made_at as made_at, client_secret_expires_at as expires_at, 0 as place
    from clients where tenant_id = ${args.tenant_id} and client_id = ${args.client_id}
      and client_secret_hash is not null and (client_secret_expires_at is null or client_secret_expires_at > ${NOW})
    union all
    select former_client_secret_made_at, former_client_secret_expires_at, 1
    from clients where tenant_id = ${args.tenant_id} and client_id = ${args.client_id}
      and former_client_secret_hash is not null and former_client_secret_expires_at > ${NOW}
    order by place`
  return rows.map(({ made_at, expires_at }) => ({ made_at, expires_at }))
})

/** Ends the older of a client's two secrets; false when only one lives. */
export const endFormerClientSecret = write(function* (args: {
  tenant_id: string
  client_id: string
  event: NewEvent
}): Run<boolean> {
  const [ended] = yield* sql<{ client_id: string }>`
    update clients set former_client_secret_hash = null, former_sealed_client_secret = null,
      former_client_secret_made_at = null, former_client_secret_expires_at = null, updated_at = ${args.event.at}
    where tenant_id = ${args.tenant_id} and client_id = ${args.client_id} and former_client_secret_hash is not null
      and former_client_secret_expires_at > ${NOW} returning client_id`
  if (ended) yield* insertEvent(args.event)
  return ended !== undefined
})
