import { sha256 } from '../crypto/hash.ts'
import { sealTo } from '../crypto/jwe.ts'
import { randomSecret } from '../crypto/random.ts'
import { BROKER_DELIVERY_TYP, LONGEST_MESSAGE_SECONDS } from '../oauth/broker.ts'
import { type BrokerDelivery, writeOutcome } from '../relying/brokered.ts'
import { readAuthorizationResponse } from '../relying/exchange_code.ts'
import type { TokenOutcome } from '../relying/outcome.ts'
import { redeemCode } from '../relying/token_call.ts'
import type { BrokerContext } from './context.ts'
import type { BrokerFlow } from './flows.ts'
import { askPrimary, PrimaryDown, writeMessage } from './primary.ts'

/** How what came back went on: to the primary itself, or into the hands of the browser, sealed all the same. */
export type Redeemed =
  | { readonly kind: 'delivered'; readonly receipt: string }
  | { readonly kind: 'to_carry'; readonly receipt: string; readonly message: string }

/**
 * Takes what a provider sent back on to the primary. Before a code is redeemed the primary must be there; what it was
 * redeemed for is sealed at once, and delivered, or handed to the browser to carry. Asked again, it delivers again.
 */
export async function redeem(context: BrokerContext, found: BrokerFlow): Promise<Redeemed> {
  const { flow } = found
  found.sealed ??= await sealAnswer(context, found)
  const { sealed, receipt } = found.sealed
  const question = { act: 'deliver', flow, sealed, receipt_hash: sha256(receipt).toString('base64url') } as const
  try {
    await askPrimary(context, question)
    return { kind: 'delivered', receipt }
  } catch (cause) {
    if (!(cause instanceof PrimaryDown)) throw cause
    context.log.warn({ cause: cause.message }, 'a delivery goes by the browser')
    const left = Math.ceil((found.credential.expires_at - context.clock()) / 1000)
    const seconds = Math.max(1, Math.min(left, LONGEST_MESSAGE_SECONDS))
    return { kind: 'to_carry', receipt, message: (await writeMessage(context, question, seconds)).message }
  }
}

/** Redeems the code, if that is for us, and keeps of it all what only the primary can open. */
async function sealAnswer(context: BrokerContext, found: BrokerFlow) {
  const { flow, credential, params } = found
  await askPrimary(context, { act: 'check', flow })
  const delivery: BrokerDelivery = { params: String(params!), exchanged: await exchange(context, found) }
  found.params = null
  found.credential = { ...credential, exchange: null }
  return { sealed: sealTo(credential.seal_to, BROKER_DELIVERY_TYP, JSON.stringify(delivery)), receipt: randomSecret() }
}

/** What the code was redeemed for; null where the primary redeems it, or there is none. */
async function exchange(context: BrokerContext, { credential, params }: BrokerFlow): Promise<object | null> {
  if (!credential.exchange || params!.has('error')) return null
  const { party, code_verifier } = credential.exchange
  const response = await readAuthorizationResponse(context.relying, party, params!)
  // What is wrong with the response the primary finds as well, and says it better.
  if (!(response instanceof URLSearchParams)) {
    return response.kind === 'unknown' ? writeOutcome(response) : null
  }
  const outcome: TokenOutcome = await redeemCode(context.relying, party, { response, code_verifier })
  if (outcome.kind === 'unknown') context.log.warn({ cause: outcome.cause.message }, 'a code exchange has no answer')
  return writeOutcome(outcome)
}
