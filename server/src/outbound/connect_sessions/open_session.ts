import { randomSecret } from '../../crypto/random.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { ConnectSessionAuthority, ConnectSessionRecord } from '../../store/verbs/connect_sessions.ts'
import { isLivingSession } from '../connect/session_flow.ts'
import { type ConnectStarted, startConnect } from '../connect/start_connect.ts'
import type { OutboundContext } from '../context.ts'
import { sessionEvent } from './connect_sessions.ts'

const TOKEN = /^sp_cs_[\w-]{43}$/
/** How long a person may take from opening a session to its end, tries that came to nothing included. */
const OPEN_MS = 1_800_000

/** How often its person may go to a provider. */
const MOST_STARTS = 20

/** A session that was opened, and the secret of the cookie that its browser is known by. */
export interface OpenedSession {
  /** As it was before. */
  readonly opened: ConnectSessionAuthority
  readonly browser_secret: string
}

/** A session by its token, which nobody has opened yet; null for anything else. */
export async function findUnopened(context: OutboundContext, token: string): Promise<ConnectSessionAuthority | null> {
  const { tenant_id, store, keys } = context.tenant
  const found = TOKEN.test(token)
    ? await store.findConnectSession({ tenant_id, token_hash: keys.hashSecret(token) })
    : null
  return found && isLivingSession(found) && found.session.opened_at === null ? found : null
}

/**
 * Opens a session, once, for the browser that is here. `origin` is that of the page that sent it, which only the browser
 * itself can tell: so nobody is led into another person's session by a page of somebody else (COSF).
 */
export async function openSession(
  context: OutboundContext,
  open: {
    readonly token: string
    /** Of the page that sent the browser; null where an invited person pressed the button of our own page. */
    readonly origin: string | null
    readonly code_challenge: string | null
  },
): Promise<OpenedSession | null> {
  const { tenant_id, store, keys } = context.tenant
  const found = await findUnopened(context, open.token)
  if (!found) return null
  const { session } = found
  const allowed = session.invitation === 1 ? open.origin === null : isOriginOf(session, open.origin)
  if (!allowed) {
    const more = { reason: 'origin', origin: open.origin?.slice(0, 200) }
    const event = sessionEvent(context, 'connect_session.refused', 'system', session, more)
    await store.refuseConnectSession({ tenant_id, session_id: session.session_id, event })
    throw new OAuthError('invalid_request', 'This page may not open the connect session', { status: 403 })
  }
  const browser_secret = randomSecret()
  const opened = await store.openConnectSession({
    ...{ tenant_id, session_id: session.session_id, browser_hash: keys.hashSecret(browser_secret) },
    ...{ origin: open.origin, code_challenge: open.code_challenge, lifetime_ms: OPEN_MS },
    event: sessionEvent(context, 'connect_session.opened', 'system', session),
  })
  return opened ? { opened: found, browser_secret } : null
}

/** Whether an origin is one of those that may open a session, character by character. */
export function isOriginOf({ origins }: ConnectSessionRecord, origin: string | null | undefined): boolean {
  return (JSON.parse(origins) as string[]).includes(origin ?? '')
}

/** Sends the browser of an open session to the provider of one of its connectors. */
export async function startInSession(
  context: OutboundContext,
  { session }: ConnectSessionAuthority,
  start: { readonly connector: string; readonly browser_secret: string; readonly user_id: string | null },
): Promise<ConnectStarted> {
  const { connector } = start
  if (!(JSON.parse(session.connectors) as string[]).includes(connector)) {
    throw new OAuthError('invalid_request', 'The connect session is not for this connector', { status: 404 })
  }
  const { tenant_id, store } = context.tenant
  // Each leaves a row, a line in the log, and often a call of the provider.
  if (!(await store.startFromConnectSession({ tenant_id, session_id: session.session_id, most: MOST_STARTS }))) {
    throw new OAuthError('temporarily_unavailable', 'The connect session was started too often', { status: 429 })
  }
  return startConnect(context, {
    ...{ connector, session, user_id: start.user_id, browser_secret: start.browser_secret },
    ...{ connection_id: session.connection_id ?? undefined, scope: session.scope ?? undefined },
  })
}

/** Notes why a try brought nothing, for the platform to read. */
export async function noteFailedTry(
  context: OutboundContext,
  session: ConnectSessionRecord,
  reason: string,
): Promise<void> {
  const { tenant_id, store } = context.tenant
  const { session_id } = session
  const event = sessionEvent(context, 'connect_session.failed', 'system', session, { reason })
  await store.failConnectSession({ tenant_id, session_id, reason, event })
}
