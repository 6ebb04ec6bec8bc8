import { backoffMs } from '../../egress/circuit.ts'
import type { Tokens } from '../../relying/outcome.ts'
import type { FailedRefresh, Stored } from '../../store/verbs/refreshes.ts'
import { type OutboundContext, outboundEvent } from '../context.ts'
import { type ProviderAnswer, renewedBy } from '../vault/vault.ts'
import { arrangeAnswer, arrangeSuccessor } from './answer.ts'
import type { Attempt } from './attempt.ts'
import { takeBackConnection } from './disconnect.ts'
import { planAnswer } from './upkeep_plan.ts'

// About an hour and a half with the longest waits: after that a process that still runs gives the answer up.
const MOST_TRIES = 24

/** Stores the tokens that a provider answered a refresh with. */
export async function keepTokens(context: OutboundContext, attempt: Attempt, answer: Tokens): Promise<void> {
  const { authority, connector, tokens, leased_at } = attempt
  const { scope, refresh_expires_at } = authority.connection
  const before = { tokens, scope, refresh_expires_at, sent_refresh_token: renewedBy(tokens) ?? '' }
  // The ID token of the consent stays: nothing holds a later one against the browser that was there.
  const arranged = arrangeAnswer(connector.provider, { ...answer, id_token: null }, leased_at, before)
  await keep(context, attempt, planAnswer(connector.provider, arranged, authority.connection, context.random))
}

/** Stores the refresh token of an answer that failed beside it; what is held stays as it is, and so does what is planned. */
export async function keepSuccessor(
  context: OutboundContext,
  attempt: Attempt,
  refresh_token: string,
  failed: FailedRefresh,
): Promise<void> {
  const { authority, connector, tokens, leased_at } = attempt
  const { keep_at, warn_at, warned_at } = authority.connection
  const upkeep_at = failed.upkeep_ms === null ? null : leased_at + failed.upkeep_ms
  const arranged = arrangeSuccessor(connector.provider, refresh_token, leased_at, { ...authority.connection, tokens })
  await keep(context, attempt, { ...arranged, plan: { upkeep_at, keep_at, warn_at, warned_at } }, failed)
}

/** Stores an answer, however long the database takes to come back. */
async function keep(
  context: OutboundContext,
  { authority, vault, tokens, intent_id }: Attempt,
  answer: ProviderAnswer,
  failed?: FailedRefresh,
): Promise<void> {
  const { connection_id, user_id, connector, generation: sent_generation } = authority.connection
  const eventOf = (type: string) =>
    outboundEvent(context, type, 'system', { connection_id, user_id, detail: { connector } })
  let generation = sent_generation
  let sent_fingerprint: Uint8Array = vault.fingerprint(renewedBy(tokens) ?? '')
  for (let tries = 0; ; tries++) {
    let stored: Stored
    try {
      stored = await context.tenant.store.storeRefreshed({
        ...{ tenant_id: context.tenant.tenant_id, connection_id, intent_id, sent_generation, generation },
        ...{ sent_fingerprint, answer: vault.seal(answer, generation + 1), failed },
        sealed_candidate: vault.sealCandidate(answer),
        recovered_event: eventOf('connection.recovered'),
        candidate_event: eventOf('connection.candidate_kept'),
      })
    } catch (cause) {
      context.report(`a provider's answer for connection ${connection_id} is not stored yet`, cause)
      if (tries >= MOST_TRIES) throw cause
      await context.wait(backoffMs(tries, context.random))
      continue
    }
    if (stored.kind === 'moved') {
      generation = stored.generation
      sent_fingerprint = stored.refresh_fingerprint
      continue
    }
    // Nobody will ever use these; after a newer consent they may hang on the same grant, and are left alone.
    if (stored.kind === 'gone') await takeBackConnection(context, authority, answer.tokens)
    return
  }
}
