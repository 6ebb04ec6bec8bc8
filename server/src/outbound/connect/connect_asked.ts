import { isAskedAgain } from '../../providers/grant_types.ts'
import { type AskedGrant, askToken } from '../../relying/asked_grant.ts'
import { chooseProofKey } from '../../relying/authorization_url.ts'
import type { RelyingParty } from '../../relying/context.ts'
import { discoverProvider } from '../../relying/discovery.ts'
import { canValidateIdToken, validateIdToken } from '../../relying/id_token.ts'
import type { IdTokenClaims, Rejected, Tokens } from '../../relying/outcome.ts'
import { stepAfterExchange } from '../../relying/steps.ts'
import { arrangeAnswer } from '../connections/answer.ts'
import {
  askedGrant,
  type Connector,
  grantTypeOf,
  nameProvider,
  openConnector,
  relyingParty,
  withProofKey,
} from '../connectors/connector.ts'
import type { OutboundContext } from '../context.ts'
import { type FoundAccount, findAccount } from './account.ts'
import { concludeConsent, dropTokens, type TakenFlow } from './conclude_consent.ts'
import type { ConnectFinished, FlowFailure } from './connect_outcome.ts'
import { type ConnectFinish, explain, takeUp } from './finish_connect.ts'

/** What a person says on the page of a connector whose tokens are asked for. */
export interface AskedWith {
  /** Whom an assertion names; without it the client. */
  readonly subject?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
}

/** What is asked of a person at a connector whose tokens are asked for. */
export interface AskedQuestion {
  readonly provider_name: string
  readonly grant_type: AskedGrant['grant_type']
  readonly client_id: string
  /** It is nobody's account but the connector's: an administrator alone connects it. */
  readonly for_administrators: boolean
}

/** What a connector without a redirect asks; null where there is none of that name. */
export async function findAskedQuestion(context: OutboundContext, name: string): Promise<AskedQuestion | null> {
  const { tenant_id, store } = context.tenant
  const record = await store.findConnector({ tenant_id, connector: name })
  if (!record || record.disabled_at !== null) return null
  const grant_type = grantTypeOf(openConnector(context, record))
  if (grant_type === 'authorization_code') return null
  const { client_id } = record
  return {
    provider_name: nameProvider(context, record),
    ...{ grant_type, client_id, for_administrators: isAskedAgain(grant_type) },
  }
}

/**
 * Ends a connect flow of a connector whose tokens are asked for: once, by the user and in the browser that started it.
 * What cannot be sent takes up nothing, and is told by null. The caller knows that the user may connect it.
 */
export async function finishAsked(
  context: OutboundContext,
  finish: Omit<ConnectFinish, 'params'> & { readonly state: string; readonly given: AskedWith },
): Promise<ConnectFinished | null> {
  const { tenant_id, store } = context.tenant
  const { state, given, ...rest } = finish
  const record = await store.findConnector({ tenant_id, connector: finish.connector })
  const grant = record && readGrant(openConnector(context, record), given)
  if (grant === null) return null
  const taken = await takeUp(context, { ...rest, params: new URLSearchParams({ state }) })
  if ('outcome' in taken) return taken
  const { connector } = taken
  const { party, proof_key } = await bindParty(context, partyOf(context, taken, grant))
  const { now } = (await store.loadTenantState({ tenant_id }))!
  const outcome = await askToken(context.relying, party, grant)
  if (outcome.kind === 'tokens') return storeAsked(context, taken, party, grant, { ...outcome, proof_key }, now)
  const failed = await explain(context, connector, new URLSearchParams(), outcome)
  // Whoever is refused has typed something wrong, or is not allowed over there.
  return taken.failure(outcome.kind === 'refused' ? { ...failed, outcome: 'refused' } : failed)
}

// What is asked again is the connector's scope now; what a person allows is what they were asked.
function partyOf(context: OutboundContext, { connector, memory }: TakenFlow, { grant_type }: AskedGrant): RelyingParty {
  const party = relyingParty(context, connector)
  return isAskedAgain(grant_type) ? party : { ...party, scope: memory.scope }
}

/** The same with a new key for its tokens, where they are to be bound to one. */
export async function bindParty(
  { relying }: OutboundContext,
  party: RelyingParty,
): Promise<{ readonly party: RelyingParty; readonly proof_key?: string | undefined }> {
  if (party.provider.dpop === 'refused') return { party }
  try {
    const proof_key = await chooseProofKey(party.provider, await discoverProvider(relying, party.provider))
    return proof_key === null ? { party } : { party: withProofKey(party, proof_key), proof_key }
  } catch {
    // Without its metadata there is no call of it either, which then says so.
    return { party }
  }
}

/** Stores what asking brought; `asked_at` is the time before the request left. */
export async function storeAsked(
  context: OutboundContext,
  taken: TakenFlow,
  party: RelyingParty,
  grant: AskedGrant,
  brought: Tokens & { readonly proof_key?: string | undefined },
  asked_at: number,
): Promise<ConnectFinished> {
  const { connector, session, failure } = taken
  // What is asked for again at any time rests on nobody's consent.
  const undo = (failed: FlowFailure, tokens: Tokens = brought) =>
    isAskedAgain(grant.grant_type) ? failure(failed) : dropTokens(context, taken, tokens, failed, brought.proof_key)
  const said = await readIdToken(context, party, brought)
  if (said.kind === 'rejected') return undo(await explain(context, connector, new URLSearchParams(), said))
  const stepped = await stepAfterExchange(context.relying, party, { ...brought, id_token_claims: said.claims })
  if (stepped.kind !== 'stepped') return undo(await explain(context, connector, new URLSearchParams(), stepped))
  const { tokens, options } = stepped
  const account = await nameAccount(context, party, grant, tokens, session?.expected_account != null)
  if (!account) return undo({ outcome: 'failed', reason: 'account_unknown' }, tokens)
  const subject = 'subject' in grant ? { subject: grant.subject } : {}
  const asked_again = isAskedAgain(grant.grant_type) ? { asked_again: subject } : {}
  const answer = arrangeAnswer(connector.provider, tokens, asked_at, {
    ...{ scope: party.scope, proof_key: brought.proof_key },
    ...asked_again,
  })
  return concludeConsent(context, taken, { answer, account, options })
}

/** An ID token that came unasked for in a browser has no nonce; one that does not hold is refused all the same. */
async function readIdToken(
  { relying }: OutboundContext,
  party: RelyingParty,
  { id_token }: Tokens,
): Promise<Rejected | { readonly kind: 'read'; readonly claims: IdTokenClaims | null }> {
  if (id_token === null || !(await canValidateIdToken(relying, party))) return { kind: 'read', claims: null }
  const checked = await validateIdToken(relying, party, { id_token, nonce: null })
  if (checked.kind === 'valid') return { kind: 'read', claims: checked.claims }
  return { kind: 'rejected', reason: 'id_token', cause: new Error('The ID token does not hold', checked) }
}

/** Whose tokens they are: whom the assertion names, the client itself, or whom the provider says. */
async function nameAccount(
  context: OutboundContext,
  party: RelyingParty,
  grant: AskedGrant,
  tokens: Parameters<typeof findAccount>[2],
  asks_email: boolean,
): Promise<FoundAccount | null> {
  if (isAskedAgain(grant.grant_type)) {
    const subject = 'subject' in grant ? grant.subject : undefined
    const account = subject ?? party.client_id
    return { account, account_name: account, of: subject ? 'person' : 'organization', verified_email: null }
  }
  const found = await findAccount(context.relying, party, tokens, asks_email)
  return found && 'username' in grant && found.account_name === null
    ? { ...found, account_name: grant.username }
    : found
}

/** What is sent; null where what was given cannot be. */
function readGrant(connector: Connector, { subject, username = '', password = '' }: AskedWith): AskedGrant | null {
  const isLine = (text: string) => /^[^\p{Cc}]{1,255}$/u.test(text)
  if (grantTypeOf(connector) === 'password') {
    return isLine(username) && isLine(password) ? { grant_type: 'password', username, password } : null
  }
  return subject === undefined || isLine(subject) ? askedGrant(connector, subject) : null
}
