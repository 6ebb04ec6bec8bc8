import type { LapsedChoice } from '../store/verbs/choices.ts'
import type { ConnectorRecord } from '../store/verbs/connectors.ts'
import { openChoice } from './choose.ts'
import { type OutboundContext, outboundEvent } from './context.ts'
import { revokeUpstream } from './disconnect.ts'
import type { ProviderTokens } from './vault.ts'

/**
 * Takes back what consents brought of which nobody has chosen in time what it is for. Each is taken back before it is
 * forgotten, so that a process that dies over one loses none. Says how many there were.
 */
export async function revokeUnchosen(context: OutboundContext): Promise<number> {
  const { tenant_id, store } = context.tenant
  let taken = 0
  for (const choice of await store.listLapsedChoices({ tenant_id, connector: '' })) {
    if (!(await isBesideOthers(context, choice)) && (await forget(context, choice))) taken++
  }
  return taken
}

/** Ends the time to choose at a connector that is to go, or to move to another server, and takes back what nobody chose. */
export async function revokeChoices(context: OutboundContext, connector: string): Promise<void> {
  const { tenant_id, store } = context.tenant
  await store.lapseChoices({ tenant_id, connector })
  for (let left = true; left; ) {
    left = false
    for (const choice of await store.listLapsedChoices({ tenant_id, connector })) {
      left = (await forget(context, choice)) || left
    }
  }
}

async function forget(context: OutboundContext, choice: LapsedChoice): Promise<boolean> {
  const { tenant_id, store } = context.tenant
  const { connector, user_id, state_hash } = choice
  const revocation = await takeBack(context, choice).catch((cause: unknown) => {
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
  return takeBackTokens(context, record, answer.tokens, account.account)
}

/**
 * Tells the provider that tokens are not wanted of which nothing came, unless a connection may rest on the same consent:
 * with a token more may die than itself, and some providers give one out twice. Says in a word what came of it.
 */
export async function takeBackTokens(
  context: OutboundContext,
  record: ConnectorRecord,
  tokens: ProviderTokens,
  /** Whose they are over there, where that is known. */
  account: string | null,
): Promise<string> {
  const { tenant_id, store } = context.tenant
  const { connector } = record
  return (await store.hasConnectionOfAccount({ tenant_id, connector, account }))
    ? 'spared'
    : revokeUpstream(context, record, tokens)
}

/** Whether what could die with it may still become a connection: by then it is known whether it did. */
async function isBesideOthers(context: OutboundContext, choice: LapsedChoice): Promise<boolean> {
  const { tenant_id, store } = context.tenant
  const { sealed: _, ...about } = choice
  const others = await store.listFlowsBeside({ tenant_id, ...about })
  return others.some((other) => other.holds_tokens === null || mayBeOfSameAccount(context, choice, other))
}

type Kept = Pick<LapsedChoice, 'state_hash' | 'sealed'>

function mayBeOfSameAccount(context: OutboundContext, one: Kept, other: Kept): boolean {
  try {
    const [mine, theirs] = [one, other].map((kept) => openChoice(context, kept).account.account)
    return mine == null || theirs == null || mine === theirs
  } catch (cause) {
    context.report('what a choice keeps cannot be read', cause)
    return false
  }
}
