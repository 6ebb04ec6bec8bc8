import { equalBytes } from '../../crypto/hash.ts'
import type { LapsedChoice } from '../../store/verbs/choices.ts'
import type { ConnectorRecord } from '../../store/verbs/connectors.ts'
import { takeBackTokens } from '../connections/disconnect.ts'
import { takeTurn } from '../connections/turn.ts'
import { type OutboundContext, outboundEvent } from '../context.ts'
import type { ProviderTokens } from '../vault/vault.ts'
import { openChoice } from './choose.ts'

const TURN_MS = 30_000

/**
 * Takes back what consents brought of which nobody has chosen in time what it is for. Each is taken back before it is
 * forgotten, so that a process that dies over one loses none; what still has to wait keeps no other waiting. Says how many
 * there were.
 */
export async function revokeUnchosen(context: OutboundContext): Promise<number> {
  const { tenant_id, store } = context.tenant
  let taken = 0
  await takeTurn<LapsedChoice>(context, {
    list: (place) => store.listLapsedChoices({ tenant_id, connector: '', ...place }),
    async work(choice) {
      const is_beside = await isBesideOthers(context, choice, accountOf(context, choice))
      if (!is_beside && (await forget(context, choice))) taken++
    },
    turn_ms: TURN_MS,
  })
  return taken
}

/** Ends the time to choose at a connector that is to go, or to move to another server, and takes back what nobody chose. */
export async function revokeChoices(context: OutboundContext, connector: string): Promise<void> {
  const { tenant_id, store } = context.tenant
  await store.lapseChoices({ tenant_id, connector })
  for (let left = true; left; ) {
    left = false
    for (const choice of await store.listLapsedChoices({ tenant_id, connector, after: null, most: 50 })) {
      const is_beside = await isBesideOthers(context, choice, accountOf(context, choice), connector)
      left = (await forget(context, choice, is_beside)) || left
    }
  }
}

async function forget(context: OutboundContext, choice: LapsedChoice, is_spared = false): Promise<boolean> {
  const { tenant_id, store } = context.tenant
  const { connector, user_id, state_hash } = choice
  const taking = is_spared ? Promise.resolve('spared') : takeBack(context, choice)
  const revocation = await taking.catch((cause: unknown) => {
    context.report(`what a choice at ${connector} was to be made of was not revoked upstream`, cause)
    return 'failed'
  })
  const event = outboundEvent(context, 'connect.choice_lapsed', 'system', {
    user_id: user_id === '' ? null : user_id,
    detail: { connector, revocation },
  })
  return store.dropChoice({ tenant_id, state_hash, event })
}

async function takeBack(context: OutboundContext, choice: LapsedChoice): Promise<string> {
  const { tenant_id, store } = context.tenant
  const { connector } = choice
  const record = await store.findConnector({ tenant_id, connector })
  if (!record) return 'no_connector'
  const { answer, account } = openChoice(context, choice)
  return takeBackTokens(context, record, answer.tokens, account)
}

/** Takes back what a consent brought that is not kept, where nothing else may rest on it; never throws. */
export async function takeBackRefused(
  context: OutboundContext,
  record: ConnectorRecord,
  tokens: ProviderTokens,
  /** Whose they are over there, where that is known. */
  account: string | null,
  /** Whose it was; it is left out itself, unless somebody else may be storing what it brought. */
  flow: Of,
): Promise<void> {
  const { connector } = record
  try {
    const about = { ...flow, connector }
    if (!(await isBesideOthers(context, about, account))) await takeBackTokens(context, record, tokens, { account })
  } catch (cause) {
    context.report(`what came by ${connector} and was not kept was not revoked upstream`, cause)
  }
}

type Of = Pick<LapsedChoice, 'user_id' | 'browser_hash'> & Partial<Pick<LapsedChoice, 'state_hash'>>

/** Whether what could die with tokens of an account may still become a connection: later it is known whether it did. */
async function isBesideOthers(
  context: OutboundContext,
  { connector, user_id, browser_hash, state_hash }: Of & Pick<LapsedChoice, 'connector'>,
  account: string | null,
  /** A connector that goes: what is on its way through it comes to nothing. */
  going: string | null = null,
): Promise<boolean> {
  const { tenant_id, store } = context.tenant
  const beside = await store.listFlowsBeside({ tenant_id, connector, user_id, browser_hash })
  return beside.some((other) => {
    if (state_hash !== undefined && equalBytes(other.state_hash, state_hash)) return false
    if (other.holds_tokens === null) return other.connector !== going
    return mayBeOf(account, accountOf(context, other))
  })
}

function mayBeOf(account: string | null, other: string | null): boolean {
  return account === null || other === null || account === other
}

/** The account of a choice; null where that cannot be told. */
function accountOf(context: OutboundContext, choice: Pick<LapsedChoice, 'state_hash' | 'sealed'>): string | null {
  try {
    return openChoice(context, choice).account.account
  } catch (cause) {
    context.report('what a choice keeps cannot be read', cause)
    return null
  }
}
