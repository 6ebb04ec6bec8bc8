import type { ClaimPlace } from '../oauth/custom_claims.ts'

/** What an embedder's hook is asked. */
export interface ClaimsAsk {
  readonly tenant_id: string
  readonly place: ClaimPlace
  readonly client_id: string
  readonly user: {
    readonly user_id: string
    readonly username: string
    readonly claims: Readonly<Record<string, unknown>>
  }
  readonly scope: readonly string[]
  readonly resource: readonly string[]
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal
}

/**
 * An embedder's own claims, in process: whatever it answers goes out beside ours, but for reserved names. One that fails
 * or is late fails the request, which has changed nothing yet.
 */
export type ClaimsHook = (
  ask: ClaimsAsk,
) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>
