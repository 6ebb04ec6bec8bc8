import { bytes, type Run, read, sql } from '../sql.ts'

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
