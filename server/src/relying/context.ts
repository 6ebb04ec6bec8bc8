import { LRUCache } from 'lru-cache'
import type { AuthorizationServer } from 'oauth4webapi'
import type { ProofKey } from '../crypto/proof_key.ts'
import type { OwnSigningKey } from '../crypto/signing_keys.ts'
import type { ClientIdentity } from '../egress/call.ts'
import type { Egress } from '../egress/egress.ts'
import type { ResolvedProvider } from '../providers/resolve.ts'

/** What calls to providers share in one process. Metadata is remembered for a while, and its keys: neither is authority. */
export interface RelyingContext {
  readonly egress: Egress
  readonly clock: () => number
  readonly metadata: LRUCache<string, RememberedMetadata>
  /** The nonce that each server wants in proofs (RFC 9449 section 8), by its origin. */
  readonly nonces: LRUCache<string, string>
}

/** Metadata of a provider, and until when it is taken as fresh. */
export interface RememberedMetadata {
  readonly loading: Promise<AuthorizationServer>
  readonly loaded: AuthorizationServer | null
  readonly loaded_at: number
}

/** Makes the context of one process. */
export function createRelyingContext(parts: { egress: Egress; clock: () => number }): RelyingContext {
  return { ...parts, metadata: new LRUCache({ max: 1_000 }), nonces: new LRUCache({ max: 1_000 }) }
}

/** Us as a client of somebody's server: a provider and our registration there, as plain data. */
export interface RelyingParty {
  readonly provider: ResolvedProvider
  readonly client_id: string
  /** Null for a public client. */
  readonly client_secret: string | null
  /** For private_key_jwt, and for a client secret that a key signs. */
  readonly private_key?: OwnSigningKey
  /** The certificate by which the provider knows us (RFC 8705). */
  readonly identity?: ClientIdentity
  /** What the tokens are bound to (RFC 9449). */
  readonly proof_key?: ProofKey
  /** In whose name a client secret is signed. */
  readonly team_id?: string
  readonly redirect_uri: string
  /** Joined by spaces; empty takes the provider's default. */
  readonly scope: string
}
