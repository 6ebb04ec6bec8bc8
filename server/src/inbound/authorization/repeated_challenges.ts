import type { NewEvent } from '../../store/records.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'

// Who goes back and allows the same request once more is no constant; ten codes in a day are.
const SAME = { most: 10, window_ms: 86_400_000 }

/**
 * Counts a code for a challenge. Answers the warning about a client whose challenges are a constant, once a day: a
 * challenge is of one transaction, and who knows the verifier of all of them can redeem a stolen code (RFC 9700 section
 * 2.1.1). Replicas count each for itself.
 */
export function noteChallenge(
  { tenant, challenges }: Pick<InboundContext, 'tenant' | 'challenges'>,
  client_id: string,
  code_challenge: string | undefined,
): NewEvent | null {
  if (code_challenge === undefined) return null
  const now = tenant.clock()
  const key = `${client_id} ${code_challenge}`
  const told = challenges.count(key, SAME, now) > 0
  if (told || challenges.fullUntil(key, SAME.most, now) === 0) return null
  return event(tenant, 'code_challenge.repeated', `client:${client_id}`, { client_id, detail: { codes: SAME.most } })
}
