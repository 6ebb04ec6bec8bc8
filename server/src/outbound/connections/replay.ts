import type { ProviderFields } from '../../providers/provider.ts'

/** What the catalogue says about a refresh token that is sent again. */
export type ReplayPolicy = Pick<
  ProviderFields,
  'refresh_token_rotation' | 'refresh_token_replay' | 'replay_grace_seconds'
>

/**
 * Whether a refresh token may be sent again while the outcome of its last use is uncertain. Where that could end what
 * still lives, or nobody knows, it is tried only once the access token serves no more: then nothing is left to lose.
 */
export function mayReplay(policy: ReplayPolicy, uncertain_at: number, now: number): boolean {
  if (policy.refresh_token_rotation === 'never') return true
  if (policy.refresh_token_replay === 'within_grace')
    return now < uncertain_at + (policy.replay_grace_seconds ?? 0) * 1000
  return policy.refresh_token_replay === 'accepted' || policy.refresh_token_replay === 'until_successor_used'
}
