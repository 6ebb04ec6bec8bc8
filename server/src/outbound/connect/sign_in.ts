import { randomSecret } from '../../crypto/random.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { RelyingParty } from '../../relying/context.ts'
import { exchangeCode } from '../../relying/exchange_code.ts'
import type { IdTokenClaims } from '../../relying/outcome.ts'
import type { JsonObject } from '../../relying/read_json.ts'
import { fetchUserinfo } from '../../relying/userinfo.ts'
import type { FlowRefusal } from '../../store/verbs/connect_flows.ts'
import type { ConnectorRecord } from '../../store/verbs/connectors.ts'
import type { Identity } from '../../store/verbs/identities.ts'
import {
  type Connector,
  nameProvider,
  openConnector,
  relyingParty,
  type SignInMode,
  withProofKey,
} from '../connectors/connector.ts'
import { noteConnectorWorks } from '../connectors/connector_error.ts'
import { readCallback } from '../connectors/learned.ts'
import type { OutboundContext } from '../context.ts'
import { findAccount } from './account.ts'
import { isSigned } from './callback_signature.ts'
import type { FlowFailure } from './connect_outcome.ts'
import { explain } from './finish_connect.ts'
import { buildFlowUrl, FLOW_SECONDS, flowPlace } from './start_connect.ts'

/** A way to sign in that the login page offers. */
export interface SignInWay {
  readonly connector: string
  readonly provider_name: string
}

/** What a sign-in through a connector keeps sealed until its answer comes back. */
interface SignInMemory {
  readonly code_verifier: string | null
  readonly nonce: string | null
  readonly proof_key?: string
  readonly scope: string
  /** The authorization request that waits for it, sealed, or else a path of ours. */
  readonly request: string | null
  readonly return_to: string
}

/** Who came back, as their authority vouches for them, and what they came for. */
export interface SignedInElsewhere {
  readonly kind: 'identified'
  readonly provider_name: string
  readonly identity: Identity
  readonly mode: SignInMode
  /** What their authority says of them, for a new user here. */
  readonly claims: {
    readonly name?: string
    readonly username?: string
    readonly email?: string
    readonly email_verified: boolean
  }
  /** When they signed in over there, where it is said and was before they were sent there; seconds. */
  readonly auth_time: number | undefined
  readonly request: string | null
  readonly return_to: string
}

/** How a sign-in through a connector ended without anybody. */
export interface NotSignedIn extends FlowFailure {
  readonly kind: 'failed'
  readonly provider_name: string
  readonly request: string | null
  readonly return_to: string | null
}

const CLOCK_TOLERANCE_MS = 60_000
// Of other forms than the state of a connect flow, which they can never be taken for.
const PREFIXES = { sign_in: 'sp_si_', link: 'sp_sl_' } as const
const STATE = /^(sp_si_|sp_sl_)[\w-]{43}$/

/** What a callback is the end of: a sign-in, the linking of an identity, or null for a connect flow. */
export function readSignInState(state: string | null): 'sign_in' | 'link' | null {
  const prefix = state === null ? undefined : STATE.exec(state)?.[1]
  return prefix === undefined ? null : prefix === PREFIXES.link ? 'link' : 'sign_in'
}

/** The connectors by which people may sign in now. */
export async function listSignInWays(context: OutboundContext): Promise<SignInWay[]> {
  const { tenant_id, store } = context.tenant
  const records = await store.listConnectors({ tenant_id })
  return records
    .filter((record) => record.disabled_at === null && openConnector(context, record).settings.sign_in !== undefined)
    .map((record) => ({ connector: record.connector, provider_name: nameProvider(context, record) }))
}

/**
 * Sends somebody to sign in at a connector's provider (OpenID Connect Core section 3.1.2.1). `user_id` is who links an
 * account of theirs; null is whoever comes. The state is bound to the browser and good once (RFC 9700 section 4.7.1).
 */
export async function startSignIn(
  context: OutboundContext,
  start: {
    readonly connector: string
    readonly browser_secret: string
    readonly user_id: string | null
    /** The account over there must be proved anew, and not by a sign-in that lasts. */
    readonly anew: boolean
    readonly request: string | null
    readonly return_to: string
  },
): Promise<string> {
  const { tenant_id, store, keys } = context.tenant
  const { anew, request, return_to } = start
  const record = await store.findConnector({ tenant_id, connector: start.connector })
  const connector = record && record.disabled_at === null ? openConnector(context, record) : null
  if (!record || connector?.settings.sign_in === undefined) {
    throw new OAuthError('invalid_request', 'Nobody signs in by this connector', { status: 404 })
  }
  const party = signInParty(context, connector)
  const state = randomSecret(PREFIXES[start.user_id === null ? 'sign_in' : 'link'])
  const { url, remember } = await buildFlowUrl(
    context,
    record,
    party,
    state,
    anew && party.provider.issuer !== null ? { max_age: '0' } : {},
  )
  const state_hash = keys.hashSecret(state)
  const memory: SignInMemory = { ...remember, scope: party.scope, request, return_to }
  await store.startConnectFlow({
    ...{ tenant_id, state_hash, lifetime_ms: FLOW_SECONDS * 1000 },
    flow: {
      ...{ connector: record.connector, connector_version: record.version },
      ...{ user_id: start.user_id ?? '', connection_id: null },
      browser_hash: keys.hashSecret(start.browser_secret),
      sealed: keys.seal(JSON.stringify(memory), flowPlace(state_hash)),
    },
  })
  return url
}

/** Ends a sign-in through a connector: who it was, or why nobody was signed in. Tokens that it brought are not kept. */
export async function finishSignIn(
  context: OutboundContext,
  finish: {
    readonly connector: string
    readonly params: URLSearchParams
    readonly browser_secret: string
    readonly user_id: string | null
  },
): Promise<SignedInElsewhere | NotSignedIn> {
  const { tenant_id, store, keys } = context.tenant
  const record = await store.findConnector({ tenant_id, connector: finish.connector })
  const nowhere = { kind: 'failed', outcome: 'failed', request: null, return_to: null } as const
  if (!record) return { ...nowhere, provider_name: finish.connector, reason: 'unknown_connector' }
  const provider_name = nameProvider(context, record)
  const state_hash = keys.hashSecret(finish.params.get('state') ?? '')
  const flow = await store.takeConnectFlow({
    ...{ tenant_id, state_hash, connector: record.connector, user_id: finish.user_id ?? '' },
    browser_hash: keys.hashSecret(finish.browser_secret),
  })
  if (typeof flow === 'string') return { ...nowhere, provider_name, ...refused(flow) }
  const memory = JSON.parse(keys.open(flow.sealed, flowPlace(state_hash)).toString()) as SignInMemory
  const { request, return_to } = memory
  const failure = (failed: FlowFailure): NotSignedIn => ({
    kind: 'failed',
    provider_name,
    request,
    return_to,
    ...failed,
  })
  const connector = openConnector(context, record)
  const mode = connector.settings.sign_in
  if (record.version !== flow.connector_version || record.disabled_at !== null || mode === undefined) {
    return failure({ outcome: 'failed', reason: 'connector_changed' })
  }
  const told = readCallback(connector.provider, finish.params)
  const party = { ...withProofKey(signInParty(context, connector, told), memory.proof_key), scope: memory.scope }
  if (!isSigned(party, finish.params)) return failure({ outcome: 'failed', reason: 'signature' })
  const outcome = await exchangeCode(context.relying, party, { params: finish.params, ...memory })
  if (outcome.kind !== 'tokens') return failure(await explain(context, connector, finish.params, outcome))
  const account = await findAccount(context.relying, party, outcome)
  if (!account || account.account === null) return failure({ outcome: 'failed', reason: 'account_unknown' })
  await noteConnectorWorks(context, record)
  const identity = { ...describeAuthority(record, party), account: account.account, account_name: account.account_name }
  const claims = readClaims(await askWho(context, party, outcome), account)
  const auth_time = readAuthTime(outcome.id_token_claims, flow.created_at)
  return { kind: 'identified', provider_name, identity, mode, claims, auth_time, request, return_to }
}

/** When somebody signed in over there, where that was before they were sent; a clock may be a minute behind ours. */
function readAuthTime(claims: IdTokenClaims | null, sent_at: number): number | undefined {
  const auth_time: unknown = claims?.['auth_time']
  if (typeof auth_time !== 'number' || !(auth_time >= 0)) return undefined
  return auth_time * 1000 >= sent_at - CLOCK_TOLERANCE_MS ? undefined : Math.floor(auth_time)
}

function refused(reason: FlowRefusal): FlowFailure {
  const elsewhere = reason === 'other_browser' || reason === 'other_user'
  return { outcome: elsewhere ? 'other_browser' : 'failed', reason }
}

/** No more than who it is: a sign-in asks for none of the rights that the connector is for (ASVS 10.2.3). */
function signInParty(context: OutboundContext, connector: Connector, told: JsonObject = {}): RelyingParty {
  const party = relyingParty(context, connector, told)
  return connector.provider.issuer === null ? party : { ...party, scope: 'openid email profile' }
}

/** Who vouches for the account: never the connector's name, which may stand for another provider tomorrow. */
function describeAuthority({ connector }: ConnectorRecord, { provider }: RelyingParty) {
  const authority = provider.issuer ?? new URL(provider.token_endpoint ?? provider.authorization_endpoint!).origin
  return { authority, connector }
}

/** What an ID token leaves out is at the userinfo endpoint, which must speak of the same one (OpenID Connect Core section 5.3.2). */
async function askWho(
  context: OutboundContext,
  party: RelyingParty,
  { access_token, id_token_claims }: { readonly access_token: string; readonly id_token_claims: IdTokenClaims | null },
): Promise<{ readonly [name: string]: unknown } | null> {
  if (!id_token_claims || typeof id_token_claims['email'] === 'string') return id_token_claims
  const said = await fetchUserinfo(context.relying, party, { access_token, sub: id_token_claims.sub })
  return said.kind === 'claims' ? { ...said.claims, ...id_token_claims } : id_token_claims
}

function readClaims(
  claims: { readonly [name: string]: unknown } | null,
  { account_name }: { readonly account_name: string | null },
): SignedInElsewhere['claims'] {
  const read = (name: string) => {
    const value = claims?.[name]
    return typeof value === 'string' && value !== '' && value.length <= 200 ? value : undefined
  }
  const [name, username, email] = [read('name'), read('preferred_username') ?? account_name ?? undefined, read('email')]
  return {
    ...(name !== undefined && { name }),
    ...(username !== undefined && { username }),
    ...(email !== undefined && { email }),
    // Only where it is said in so many words, and not by an answer of another form (GHSA-6g38-8j4p-j3pr).
    email_verified: email !== undefined && claims?.['email_verified'] === true,
  }
}
