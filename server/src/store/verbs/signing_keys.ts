import type { NewEvent, SigningKeyRecord } from '../records.ts'
import { NOW, type Run, read, sql, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import { revocationStatement } from './revocations.ts'

/** Where a key is on its way. */
export type KeyState = SigningKeyRecord['state']

/** A signing key as its rotation sees it, without its secret. */
export interface ListedSigningKey extends Omit<SigningKeyRecord, 'sealed_private' | 'public_jwk'> {
  readonly created_at: number
  /** Since when it is in its state. */
  readonly state_at: number
}

/** The signing keys of a tenant, oldest first, and the time. */
export const listSigningKeys = read(function* (args: {
  tenant_id: string
}): Run<{ now: number; keys: ListedSigningKey[] }> {
  const keys = yield* sql<ListedSigningKey & { now: number }>`
    select kid, alg, state, created_at, state_at, ${NOW} as now from signing_keys
    where tenant_id = ${args.tenant_id} order by created_at, kid`
  return { now: keys[0]?.now ?? 0, keys: keys.map(({ now: _, ...key }) => key) }
})

/** Writes a signing key inside another verb. */
export function* insertSigningKey(tenant_id: string, key: SigningKeyRecord): Run<void> {
  yield* sql`
    insert into signing_keys (tenant_id, kid, alg, public_jwk, sealed_private, state, created_at, state_at)
    values (${tenant_id}, ${key.kid}, ${key.alg}, ${key.public_jwk}, ${key.sealed_private}, ${key.state}, ${NOW}, ${NOW})`
}

/** A key that goes on, if it still is where it was seen; `gone` deletes it. */
export interface KeyMove {
  readonly kid: string
  readonly from: KeyState
  readonly to: KeyState | 'gone'
}

/**
 * Moves signing keys on and adds others, or changes nothing: `stale` when a key is no longer where it was seen, or when
 * there is a key already that signs, or waits to, with the algorithm of an added one. A revoked key loses its private
 * half, and resource servers hear of it.
 */
export const changeSigningKeys = write(function* (args: {
  tenant_id: string
  moves: readonly KeyMove[]
  added: readonly SigningKeyRecord[]
  /** One for each step that is taken, at least one. */
  events: readonly NewEvent[]
}): Run<'changed' | 'stale'> {
  const { tenant_id, moves, added, events } = args
  // Updating the tenant locks it: whoever changes keys at the same time waits, and then sees these.
  yield* sql`update tenants set config_version = config_version + 1 where tenant_id = ${tenant_id}`
  const present = yield* sql<{ kid: string; alg: string; state: KeyState }>`
    select kid, alg, state from signing_keys where tenant_id = ${tenant_id}`
  if (!moves.every(({ kid, from }) => present.some((key) => key.kid === kid && key.state === from))) return 'stale'
  const left = present.filter(({ kid }) => !moves.some((move) => move.kid === kid))
  const isTaken = ({ alg, state }: SigningKeyRecord) => left.some((key) => key.alg === alg && key.state === state)
  if (added.some(isTaken)) return 'stale'
  for (const { kid, to } of moves) {
    if (to === 'gone') yield* sql`delete from signing_keys where tenant_id = ${tenant_id} and kid = ${kid}`
    else {
      yield* sql`
        update signing_keys set state = ${to}, state_at = ${NOW},
          sealed_private = case when ${to} = 'revoked' then ${NOTHING} else sealed_private end
        where tenant_id = ${tenant_id} and kid = ${kid}`
    }
    if (to === 'revoked') yield* revocationStatement(events[0]!, { kind: 'kid', value: kid })
  }
  for (const key of added) yield* insertSigningKey(tenant_id, key)
  for (const event of events) yield* insertEvent(event)
  return 'changed'
})

const NOTHING = new Uint8Array(0)
