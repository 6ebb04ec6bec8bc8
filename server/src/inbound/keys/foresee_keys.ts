import type { ListedSigningKey } from '../../store/verbs/signing_keys.ts'
import { KEPT_MS, PUBLISHED_MS } from './signing_keys.ts'

/** When a key changes: what has been, and what will be unless somebody rotates by hand. */
export interface KeyTimes {
  readonly published_at: number
  readonly signs_at: number
  /** When it stops to sign. */
  readonly retires_at: number
  readonly gone_at: number
}

/** What becomes of a key among those of its algorithm, by the rules of the rotation. */
export function foreseeKey(key: ListedSigningKey, keys: readonly ListedSigningKey[], period_ms: number): KeyTimes {
  const { state, state_at, created_at: published_at } = key
  if (state === 'retired' || state === 'revoked') {
    // Since when it signed is not written down: it was published a day before, where it was published at all.
    const signs_at = Math.min(published_at + PUBLISHED_MS, state_at)
    return { published_at, signs_at, retires_at: state_at, gone_at: state_at + KEPT_MS }
  }
  const current = keys.find((other) => other.alg === key.alg && other.state === 'current')
  const after = current === undefined ? published_at : current.state_at + period_ms
  const signs_at = state === 'current' ? state_at : Math.max(after, published_at + PUBLISHED_MS)
  return { published_at, signs_at, retires_at: signs_at + period_ms, gone_at: signs_at + period_ms + KEPT_MS }
}
