import type { NewEvent } from '../records.ts'
import { type Run, sql, write } from '../sql.ts'
import { insertEvent } from './events.ts'

/** A proof that may be accepted once: an assertion, a DPoP proof, a passkey's challenge, by the hash of its identifier. */
export interface Proof {
  readonly kind: 'client_assertion' | 'dpop' | 'assertion' | 'passkey' | 'broker'
  readonly id_hash: Uint8Array
  /** From when on its own times refuse it, so that it need not be remembered any longer. */
  readonly expires_at: number
}

/** A proof was accepted before; whatever was to be committed with it is not. */
export class ProofReplayed extends Error {
  readonly kind: Proof['kind']

  constructor(kind: Proof['kind']) {
    super(`the ${kind} was accepted before`)
    this.name = 'ProofReplayed'
    this.kind = kind
  }
}

/** Records proofs in the transaction of the verb that they are for; one seen before rolls all of it back. */
export function* recordProofs(tenant_id: string, proofs: readonly Proof[] | undefined): Run<void> {
  for (const { kind, id_hash, expires_at } of proofs ?? []) {
    const [fresh] = yield* sql<{ kind: string }>`
      insert into replay_ids (tenant_id, kind, id_hash, expires_at)
      values (${tenant_id}, ${kind}, ${id_hash}, ${expires_at}) on conflict do nothing returning kind`
    if (!fresh) throw new ProofReplayed(kind)
  }
}

/** Takes nothing, and goes no further when one of the proofs was accepted before: for what a refused request changes. */
export function* refuseSeenProofs(tenant_id: string, proofs: readonly Proof[] | undefined): Run<void> {
  for (const { kind, id_hash } of proofs ?? []) {
    const [seen] = yield* sql<{ kind: string }>`
      select kind from replay_ids where tenant_id = ${tenant_id} and kind = ${kind} and id_hash = ${id_hash}`
    if (seen) throw new ProofReplayed(kind)
  }
}

/** Accepts the proofs of a request that commits nothing else, but for an event that tells of it. */
export const acceptProofs = write(function* (args: {
  tenant_id: string
  proofs: readonly Proof[]
  event?: NewEvent
}): Run<void> {
  yield* recordProofs(args.tenant_id, args.proofs)
  if (args.event) yield* insertEvent(args.event)
})
