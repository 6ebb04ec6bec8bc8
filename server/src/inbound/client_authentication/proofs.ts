import { clientAuthenticationError } from '../../oauth/client_credentials.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { type Proof, ProofReplayed } from '../../store/verbs/proofs.ts'
import type { InboundContext } from '../context.ts'

/**
 * The proofs that a request rests on. Whoever commits takes them and records them in that same transaction; what
 * nobody took is recorded before the answer leaves.
 */
export class Proofs {
  #left: readonly Proof[]

  constructor(proofs: readonly Proof[] = []) {
    this.#left = proofs
  }

  /** Adds what was checked later than the client, a DPoP proof. */
  add(proof: Proof): void {
    this.#left = [...this.#left, proof]
  }

  /** What is to be recorded with the commit. */
  list(): readonly Proof[] {
    return this.#left
  }

  /** Says that a commit has recorded them. */
  settle(): void {
    this.#left = []
  }

  /** Records what no commit took. */
  async accept({ tenant: { tenant_id, store } }: InboundContext): Promise<void> {
    if (this.#left.length > 0) await store.acceptProofs({ tenant_id, proofs: this.#left })
    this.settle()
  }
}

/** Runs work that records proofs; a repeated one is refused by the error of its kind (RFC 7523 section 3, RFC 9449 section 11.1). */
export async function refuseReplays<T>(issuer: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ProofReplayed)) throw error
    if (error.kind === 'client_assertion') {
      throw clientAuthenticationError(issuer, 'The client assertion was used before: its jti must be new', error)
    }
    if (error.kind === 'assertion') {
      throw new OAuthError('invalid_grant', 'The assertion was used before: its jti must be new', { cause: error })
    }
    throw new OAuthError('invalid_dpop_proof', 'The DPoP proof was used before: its jti must be new', { cause: error })
  }
}
