import { backoffMs, type Random } from '../egress/circuit.ts'
import type { Tokens } from '../relying/outcome.ts'
import type { ConnectionAuthority } from '../store/verbs/connections.ts'
import type { Stored } from '../store/verbs/refreshes.ts'
import { arrangeAnswer } from './answer.ts'
import type { Connector } from './connector.ts'
import { type OutboundContext, outboundEvent } from './context.ts'
import { revokeUpstream } from './disconnect.ts'
import { planAnswer } from './upkeep_plan.ts'
import type { ProviderAnswer, Vault } from './vault.ts'

/** An answer on its way from the provider into the store. */
export interface Arrival {
  readonly authority: ConnectionAuthority
  readonly connector: Connector
  readonly vault: Vault
  readonly intent_id: string
  /** The database's time before the provider was asked: its tokens are at least as young. */
  readonly leased_at: number
  readonly sent_refresh_token: string
  readonly answer: Tokens
}

// About an hour and a half with the longest waits: after that a process that still runs gives the answer up.
const MOST_TRIES = 24

/** Stores what a provider answered to a refresh, however long the database takes to come back. */
export async function keepAnswer(context: OutboundContext, arrival: Arrival): Promise<void> {
  const { authority, vault, intent_id } = arrival
  const { connection_id, user_id, connector, generation: sent_generation } = authority.connection
  const arranged = arrange(arrival, context.random)
  const eventOf = (type: string) =>
    outboundEvent(context, type, 'system', { connection_id, user_id, detail: { connector } })
  let generation = sent_generation
  let sent_fingerprint: Uint8Array = vault.fingerprint(arrival.sent_refresh_token)
  for (let tries = 0; ; tries++) {
    let stored: Stored
    try {
      stored = await context.tenant.store.storeRefreshed({
        ...{ tenant_id: context.tenant.tenant_id, connection_id, intent_id, sent_generation, generation },
        ...{ sent_fingerprint, answer: vault.seal(arranged, generation + 1) },
        sealed_candidate: vault.sealCandidate(arranged),
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
    if (stored.kind === 'gone') await revokeUpstream(context, authority.connector, arranged.tokens)
    return
  }
}

function arrange(
  { authority, connector, vault, leased_at, sent_refresh_token, answer }: Arrival,
  random: Random,
): ProviderAnswer {
  const { sealed_tokens, generation, scope, refresh_expires_at } = authority.connection
  const tokens = vault.open(sealed_tokens!, generation)
  const before = { tokens, scope, refresh_expires_at, sent_refresh_token }
  // The ID token of the consent stays: nothing holds a later one against the browser that was there.
  const arranged = arrangeAnswer(connector.provider, { ...answer, id_token: null }, leased_at, before)
  return planAnswer(connector.provider, arranged, authority.connection, random)
}
