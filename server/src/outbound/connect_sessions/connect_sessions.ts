import { equalBytes } from '../../crypto/hash.ts'
import { newId, randomSecret } from '../../crypto/random.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { readAskedScope } from '../../relying/authorization_url.ts'
import type { ConnectSessionAuthority, ConnectSessionRecord } from '../../store/verbs/connect_sessions.ts'
import type { OverConnection } from '../../store/verbs/connection_ends.ts'
import { checkConnectorOf, confirmationPlace, ownerOfSession } from '../connect/session_flow.ts'
import { checkRepair, readScope } from '../connect/start_connect.ts'
import { disconnect, takeTurnOfEnds } from '../connections/disconnect.ts'
import { openConnector, relyingParty } from '../connectors/connector.ts'
import { type OutboundContext, outboundEvent } from '../context.ts'

/** What a platform asks for. Exactly one of the owners is named. */
export interface ConnectSessionAsk {
  readonly user_id?: string | undefined
  readonly end_user_id?: string | undefined
  readonly connectors: readonly string[]
  /** The origins of the pages that may open it. */
  readonly origins: readonly string[]
  /** Where the person goes afterwards, at one of these origins. */
  readonly return_uri?: string | undefined
  /** A link for another person, who is to connect this account. */
  readonly invitation?: boolean | undefined
  readonly expected_account?: string | undefined
  readonly scope?: string | undefined
  /** The connection to repair. */
  readonly connection_id?: string | undefined
  readonly expires_in?: number | undefined
}

/** A session that was made; its token is told this once. */
export interface MadeConnectSession {
  readonly session_id: string
  readonly session_token: string
  /** Where an invited person goes. */
  readonly invitation_url: string | undefined
  readonly expires_at: number
}

/** How long a session waits to be opened: while a page stands open, or until an invited person reads their mail. */
const SESSION_SECONDS = { usual: 600, most: 3600 }
const INVITATION_SECONDS = { usual: 3 * 86_400, most: 14 * 86_400 }

/** Makes a connect session for a platform (spec: a short-lived token, used once, bound to origins and connectors). */
export async function createConnectSession(
  context: OutboundContext,
  client_id: string,
  ask: ConnectSessionAsk,
): Promise<MadeConnectSession> {
  const { tenant_id, store, keys, issuer } = context.tenant
  const invitation = ask.invitation === true
  await checkOwner(context, ask)
  checkOrigins(ask, issuer)
  await checkConnectors(context, ask)
  const session = {
    session_id: newId(context.clock()),
    client_id,
    user_id: ask.user_id ?? null,
    end_user_id: ask.end_user_id ?? null,
    invitation: invitation ? 1 : 0,
    expected_account: ask.expected_account ?? null,
    connectors: JSON.stringify(ask.connectors),
    origins: JSON.stringify(ask.origins),
    scope: ask.scope ?? null,
    connection_id: ask.connection_id ?? null,
    return_uri: ask.return_uri ?? null,
  }
  if (session.connection_id !== null) {
    if (ask.connectors.length !== 1) throw refuse('connection_id goes with the one connector of that connection')
    await checkRepair(
      context,
      ownerOfSession(session as ConnectSessionRecord),
      ask.connectors[0]!,
      session.connection_id,
    )
  }
  const limits = invitation ? INVITATION_SECONDS : SESSION_SECONDS
  const seconds = ask.expires_in ?? limits.usual
  if (seconds > limits.most) throw refuse(`expires_in must be at most ${limits.most}`)
  const session_token = randomSecret('sp_cs_')
  const { expires_at } = await store.createConnectSession({
    ...{ tenant_id, session, token_hash: keys.hashSecret(session_token), lifetime_ms: seconds * 1000 },
    event: sessionEvent(context, 'connect_session.created', `client:${client_id}`, session),
  })
  const invitation_url = invitation ? `${issuer}/connect/invitation?token=${session_token}` : undefined
  return { session_id: session.session_id, session_token, invitation_url, expires_at }
}

function refuse(what: string): OAuthError {
  return new OAuthError('invalid_request', `Member ${what}`)
}

async function checkOwner(context: OutboundContext, ask: ConnectSessionAsk): Promise<void> {
  const { tenant_id, store } = context.tenant
  if ((ask.user_id === undefined) === (ask.end_user_id === undefined)) {
    throw refuse('user_id or end_user_id, one of them, must say whose the connection will be')
  }
  if (ask.expected_account !== undefined && ask.user_id !== undefined) {
    throw refuse('expected_account goes with end_user_id')
  }
  if (ask.user_id === undefined) return
  // A user of ours connects in person: nobody else puts an account under their name.
  if (ask.invitation) throw refuse('invitation goes with end_user_id')
  const [known] = await store.findUsernames({ tenant_id, user_ids: [ask.user_id] })
  if (!known) throw refuse('user_id is of nobody')
}

function checkOrigins({ origins, return_uri, invitation }: ConnectSessionAsk, issuer: string): void {
  if (!invitation && origins.length === 0)
    throw refuse('origins must name the origin of the page that opens the session')
  const secure = new URL(issuer).protocol === 'https:'
  for (const origin of origins) {
    const url = URL.parse(origin)
    if (url?.origin !== origin || !(url.protocol === 'https:' || (!secure && url.protocol === 'http:'))) {
      throw refuse('origins must be origins such as https://app.example.com')
    }
  }
  if (return_uri === undefined) return
  const url = URL.parse(return_uri)
  if (!url || !origins.includes(url.origin) || url.href !== return_uri || url.hash !== '' || url.username !== '') {
    throw refuse('return_uri must be a URL at one of the origins, without fragment')
  }
}

async function checkConnectors(context: OutboundContext, ask: ConnectSessionAsk): Promise<void> {
  const { connectors, scope, user_id = null, expected_account = null } = ask
  const { tenant } = context
  if (connectors.length === 0) throw refuse('connectors must name at least one')
  if (new Set(connectors).size < connectors.length) throw refuse('connectors must name each once')
  for (const connector of connectors) {
    const record = await tenant.store.findConnector({ tenant_id: tenant.tenant_id, connector })
    if (record?.disabled_at !== null) throw refuse('connectors names one that does not exist or is disabled')
    const opened = openConnector(context, record)
    checkConnectorOf({ user_id, expected_account }, opened)
    if (scope !== undefined) readScope(readAskedScope(relyingParty(context, opened)), scope)
  }
}

/** An audit event about a session. */
export function sessionEvent(
  context: OutboundContext,
  type: string,
  actor: string,
  session: Pick<ConnectSessionRecord, 'session_id' | 'client_id' | 'user_id' | 'end_user_id' | 'connection_id'>,
  more: Readonly<Record<string, unknown>> = {},
) {
  const { session_id, client_id, user_id, end_user_id, connection_id } = session
  const detail = { session_id, ...(end_user_id !== null && { end_user_id }), ...more }
  return outboundEvent(context, type, actor, { client_id, user_id, connection_id, detail })
}

/** How far a session is. */
export type ConnectSessionStatus = 'created' | 'opened' | 'failed' | 'unconfirmed' | 'connected' | 'expired' | 'ended'

/** How far a session is, from what was read alone. */
export function judgeSession(authority: ConnectSessionAuthority): ConnectSessionStatus {
  const { now, session, connection_state, connection_generation } = authority
  if (session.ended_at !== null || connection_state === 'disconnected') return 'ended'
  if (session.confirmed_at !== null) return 'connected'
  // Another session has brought something else since: what this one brought is no more.
  if (session.finished_at !== null && connection_generation !== session.consented_generation) return 'ended'
  if (session.expires_at <= now) return 'expired'
  if (session.finished_at !== null) return 'unconfirmed'
  if (session.opened_at === null) return 'created'
  return session.reason === null ? 'opened' : 'failed'
}

/** A session of this platform; those of others are not there. */
export async function findSessionOf(
  { tenant }: OutboundContext,
  client_id: string,
  session_id: string,
): Promise<ConnectSessionAuthority | null> {
  const found = await tenant.store.loadConnectSession({ tenant_id: tenant.tenant_id, session_id })
  return found?.session.client_id === client_id ? found : null
}

/** The code of a session that waits for its platform. */
export function openConfirmation({ tenant }: OutboundContext, session: ConnectSessionRecord): string | null {
  return session.sealed_code && tenant.keys.open(session.sealed_code, confirmationPlace(session.session_id)).toString()
}

/** What a platform confirms by: the code that its own signed-in user brought, or the account that its operator has seen. */
export interface Confirmation {
  readonly confirmation_code?: string | undefined
  readonly account?: string | undefined
}

/**
 * Confirms what a session brought, and the connection is live. Whoever finished proves by the code to be in the browser
 * of the platform's own user; an invited person is another one, and there the platform names the account that it saw.
 */
export async function confirmConnectSession(
  context: OutboundContext,
  authority: ConnectSessionAuthority,
  { confirmation_code, account }: Confirmation,
): Promise<'confirmed' | 'over'> {
  const { session } = authority
  if (judgeSession(authority) === 'connected') return 'confirmed'
  if (judgeSession(authority) !== 'unconfirmed') return 'over'
  if (session.invitation === 1) {
    const seen = [authority.account, authority.account_name, session.connection_id].filter((one) => one !== null)
    if (account === undefined) throw refuse('account must name the connected account, as the session shows it')
    if (!seen.includes(account)) throw refuse('account is not the account that was connected')
  } else {
    const code = openConfirmation(context, session)
    if (confirmation_code === undefined) throw refuse('confirmation_code is missing')
    if (code === null || !equalBytes(Buffer.from(code), Buffer.from(confirmation_code))) {
      throw refuse('confirmation_code is not the one that the browser was given')
    }
  }
  const { tenant_id, store } = context.tenant
  const { session_id, client_id } = session
  const more = { account: authority.account }
  return store.confirmConnectSession({
    ...{ tenant_id, session_id },
    event: sessionEvent(context, 'connection.confirmed', `client:${client_id}`, session, more),
  })
}

/** Ends a session, and what it brought unless that is live: a platform that finds the wrong person there says no by this. */
export async function endConnectSession(
  context: OutboundContext,
  session: ConnectSessionRecord,
  actor = `client:${session.client_id}`,
): Promise<void> {
  const { tenant_id, store } = context.tenant
  const { session_id, client_id } = session
  const event = sessionEvent(context, 'connect_session.ended', actor, session)
  const disconnected = outboundEvent(context, 'connection.disconnected', actor, { client_id })
  const ended = await store.endConnectSession({ tenant_id, session_id, event, disconnected })
  if (ended === 'over' || ended.connection_id === null) return
  await disconnect(context, { connection_id: ended.connection_id, actor, reason: 'not_confirmed' })
}

/** Ends what nobody has confirmed in time, at the provider too; says how many. */
export async function endUnconfirmed(context: OutboundContext): Promise<number> {
  const { tenant_id, store } = context.tenant
  let ended = 0
  await takeTurnOfEnds<OverConnection>(context, {
    list: (place) => store.listUnconfirmed({ tenant_id, ...place }),
    end: async (connection_id) => {
      const event = outboundEvent(context, 'connection.disconnected', 'system', { connection_id })
      if (!(await store.endUnconfirmedConnection({ tenant_id, connection_id, event }))) return
      ended++
      await disconnect(context, { connection_id, actor: 'system', reason: 'not_confirmed' })
    },
  })
  return ended
}
