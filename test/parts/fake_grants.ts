import { randomUUID } from 'node:crypto'
import type { ProviderFields } from '../../server/src/providers/provider.ts'
import type { Step } from '../../server/src/providers/quirks.ts'
import { refuse } from './fake_checks.ts'

/** One consent at the provider, and what has come of it. */
export interface Grant {
  readonly code: string
  readonly code_challenge: string | null
  readonly nonce: string | null
  readonly wants_id_token: boolean
  readonly scopes: readonly string[]
  readonly offline: boolean
  readonly steps_done: Set<Step>
  access_token: string
  refresh_token: string | null
  refreshes: number
  ended: boolean
  /** Refresh tokens that were replaced: when, by what, and whether that was used since. */
  readonly replaced: Map<string, { at: number; by: string; used: boolean }>
}

/** Rotates as the record says; false where the token that was sent is no longer good. */
export function renewGrant(
  fields: ProviderFields,
  grant: Grant,
  { sent, renews_itself, lost, now }: { sent: string; renews_itself: boolean; lost: boolean; now: number },
): boolean {
  const { refresh_token_rotation: rotation, refresh_token_replay: replay, replay_grace_seconds } = fields
  if (grant.ended) return false
  if (renews_itself) {
    if (sent !== grant.access_token) return false
    grant.access_token = randomUUID()
    return true
  }
  if (sent !== grant.refresh_token) {
    const old = grant.replaced.get(sent)
    if (!old) refuse('a refresh token comes that never was one')
    const inGrace = now <= old.at + (replay_grace_seconds ?? 0) * 1000
    const good =
      replay === 'accepted' ||
      (replay === 'until_successor_used' && !old.used) ||
      (replay === 'within_grace' && inGrace)
    if (replay === 'ends_grant') grant.ended = true
    if (!good) return false
    grant.access_token = randomUUID()
    grant.refresh_token = old.by
    return true
  }
  for (const old of grant.replaced.values()) if (old.by === sent) old.used = true
  grant.refreshes++
  grant.access_token = randomUUID()
  const rotates = rotation !== 'never' && (rotation !== 'sometimes' || grant.refreshes % 2 === 0 || lost)
  if (rotates) {
    grant.refresh_token = randomUUID()
    grant.replaced.set(sent, { at: now, by: grant.refresh_token, used: false })
  }
  return true
}
