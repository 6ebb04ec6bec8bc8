import { getCookie } from 'hono/cookie'
import { equalBytes } from '../../crypto/hash.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { readParams } from '../../oauth/params.ts'
import { judgeSession, openConfirmation } from '../../outbound/connect_sessions/connect_sessions.ts'
import {
  findUnopened,
  noteFailedTry,
  type OpenedSession,
  openSession,
  startInSession,
} from '../../outbound/connect_sessions/open_session.ts'
import { nameProvider } from '../../outbound/connectors/connector.ts'
import type { ConnectSessionAuthority, ConnectSessionRecord } from '../../store/verbs/connect_sessions.ts'
import { decodeUtf8, readFailure } from '../machine.ts'
import {
  errorPage,
  ours,
  page,
  readBody,
  redirect,
  requireFormType,
  requireVisitor,
  send,
  submit,
  type Visit,
  writeCookie,
} from '../page.ts'
import type { SafeHtml } from '../ui/html.ts'
import { paths } from '../ui/paths.ts'
import {
  type Asker,
  type ConnectSessionEnd,
  renderConnectInvitation,
  renderConnectSession,
  renderConnectSessionEnd,
} from './templates/connect_session.ts'

const KEPT_MS = 3_600_000
const CHALLENGE = /^[\w-]{43}$/

/**
 * POST /connect/session: a page of a platform sends its person here, in a popup or itself, with the token of a session. It
 * comes without our cookies; the redirect brings them.
 */
export const openSessionPage = page(async (visit) => {
  const { c, web } = visit
  // The browser keeps the cookies that it has, whatever comes of this.
  c.header('Set-Cookie', undefined)
  requireFormType(c)
  const sent = readParams(decodeUtf8(await readBody(c))).values
  const { session_token = '', code_challenge = null } = sent
  if (code_challenge !== null && !CHALLENGE.test(code_challenge)) {
    throw new OAuthError('invalid_request', 'Parameter code_challenge must be 43 characters of base64url')
  }
  const origin = c.req.header('origin') ?? ''
  const opened = await openSession(web.outbound, { token: session_token, origin, code_challenge })
  if (!opened) return sendOver(visit)
  // By a page of ours and no redirect: browsers hold redirects of a form against the form-action of the page that it is on.
  c.header('Refresh', `0; url=${goIn(visit, opened)}`)
  return showStart(visit, opened.opened)
})

/** GET /connect/invitation: the page behind the link that an operator sends. */
export const invitationPage = page(async (visit) => {
  requireVisitor(visit)
  const token = visit.query['token'] ?? ''
  const found = await findUnopened(visit.web.outbound, token)
  if (found?.session.invitation !== 1) return sendOver(visit)
  const { session } = found
  const connectors = await listConnectors(visit, session)
  const html = renderConnectInvitation(visit.view, {
    ...{ action: ours(visit.web, paths.connect_invitation), token, asker: describeAsker(visit, found) },
    provider_names: connectors.map(({ provider_name }) => provider_name),
    expires_at: session.expires_at,
  })
  return send(visit, html)
})

/** POST of the same: the link is used up by this browser. */
export const invitationSubmit = submit(async (visit, form) => {
  const token = form.values['token'] ?? ''
  const opened = await openSession(visit.web.outbound, { token, origin: null, code_challenge: null })
  return opened ? redirect(visit, goIn(visit, opened)) : sendOver(visit)
})

/** GET /connect/session?session_id=: where the person of an open session goes on, and what came of it. */
export const sessionPage = page(async (visit) => {
  const found = await findMine(visit)
  if (!found) return sendOver(visit)
  const status = judgeSession(found)
  if (status === 'connected' || status === 'unconfirmed') return showDone(visit, found)
  if (status === 'failed') return showFailed(visit, found)
  return status === 'opened' ? showStart(visit, found) : sendOver(visit)
})

/** Who asks for what a page of a flow is about; undefined where nobody does, or this is not the browser of the session. */
export async function findAsker(visit: Visit, session_id: string | undefined): Promise<Asker | undefined> {
  const found = session_id === undefined ? null : await findMine(visit, session_id)
  return found ? describeAsker(visit, found) : undefined
}

function describeAsker({ web }: Visit, { session, client_name }: ConnectSessionAuthority): Asker {
  const { host, pathname } = new URL(web.tenant.issuer)
  const { client_id, end_user_id, expected_account } = session
  return { client_name, client_id, end_user_id, expected_account, kept_at: host + pathname.replace(/\/$/, '') }
}

async function showStart(visit: Visit, found: ConnectSessionAuthority): Promise<Response> {
  const { session } = found
  const connectors = (await listConnectors(visit, session)).map(({ connector, provider_name }) => ({
    provider_name,
    href: startHref(visit, session, connector),
  }))
  return sendInSession(visit, renderConnectSession(visit.view, { asker: describeAsker(visit, found), connectors }))
}

/** GET /connect/session/start?session_id=&connector=: to the provider. */
export const startSessionPage = page(async (visit) => {
  const { web, query, signed_in } = visit
  const found = await findMine(visit)
  if (!found) return sendOver(visit)
  const { session } = found
  if (!['opened', 'failed'].includes(judgeSession(found))) return redirect(visit, sessionUrl(visit, session.session_id))
  const { user_id } = session
  if (user_id !== null && !signed_in) return redirect(visit, ours(web, paths.login, { return_to: visit.here }))
  if (user_id !== null && signed_in!.user.user_id !== user_id) {
    return showEnd(visit, found, { outcome: 'other_user', user: signed_in!.user.username }, 403)
  }
  try {
    const start = { connector: query['connector'] ?? '', browser_secret: visit.browser, user_id }
    const { authorization_url } = await startInSession(web.outbound, found, start)
    return redirect(visit, authorization_url)
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    if (error.status === 404) return errorPage(visit, 'not_found', 404)
    // Too many tries are none of them.
    if (error.status === 429) throw error
    readFailure(error, visit.request_id, web.log)
    await noteFailedTry(web.outbound, session, error.status === 503 ? 'failed' : 'connector_fault')
    return redirect(visit, sessionUrl(visit, session.session_id))
  }
})

/** Goes back to the session's own page, which says what came of a try. */
export async function endTry(visit: Visit, session_id: string, failure: string | null): Promise<Response> {
  const found = await findMine(visit, session_id)
  if (failure !== null && found) await noteFailedTry(visit.web.outbound, found.session, failure)
  return redirect(visit, sessionUrl(visit, session_id))
}

/** Sends a page that a popup shows: it is not cut off from the page that opened it, which waits for a word. */
export function sendInSession(
  visit: Visit,
  html: SafeHtml,
  { headers, ...options }: { status?: number; script?: boolean; headers?: Record<string, string> } = {},
): Response {
  return send(visit, html, { ...options, headers: { ...headers, 'cross-origin-opener-policy': 'unsafe-none' } })
}

// Whoever has just said yes, here or on the platform's page, is asked nothing more on the way to the one provider. Whoever
// is signed in here is: the account that they connect becomes theirs here.
function goIn(visit: Visit, { opened: { session }, browser_secret }: OpenedSession): string {
  const { session_id, user_id } = session
  writeCookie(visit.c, visit.web, cookieOf(visit, session_id), browser_secret, { after_ms: KEPT_MS })
  const [connector, ...others] = JSON.parse(session.connectors) as string[]
  const asks = user_id !== null || others.length > 0
  return asks ? sessionUrl(visit, session_id) : startHref(visit, session, connector!)
}

/** The session of the query, where this is the browser that opened it. */
async function findMine(
  visit: Visit,
  session_id = visit.query['session_id'] ?? '',
): Promise<ConnectSessionAuthority | null> {
  const { tenant } = visit.web
  const known = getCookie(visit.c, cookieOf(visit, session_id))
  if (known === undefined) return null
  const found = await tenant.store.loadConnectSession({ tenant_id: tenant.tenant_id, session_id })
  return equalBytes(found?.session.browser_hash, tenant.keys.hashSecret(known)) ? found : null
}

// Each session has its own, so that two popups of one browser leave each other alone.
function cookieOf({ web }: Visit, session_id: string): string {
  return `${web.cookies.connect}_${session_id.replace(/[^\da-f]/g, '').slice(-12)}`
}

function sessionUrl({ web }: Visit, session_id: string): string {
  return ours(web, paths.connect_session, { session_id })
}

function startHref({ web }: Visit, { session_id }: ConnectSessionRecord, connector: string): string {
  return ours(web, paths.connect_session_start, { session_id, connector })
}

async function listConnectors(
  { web }: Visit,
  session: ConnectSessionRecord,
): Promise<{ connector: string; provider_name: string }[]> {
  const { tenant_id, store } = web.tenant
  const names = JSON.parse(session.connectors) as string[]
  const records = await Promise.all(names.map((connector) => store.findConnector({ tenant_id, connector })))
  return records.flatMap((record) =>
    record && record.disabled_at === null
      ? [{ connector: record.connector, provider_name: nameProvider(web.outbound, record) }]
      : [],
  )
}

async function showDone(visit: Visit, found: ConnectSessionAuthority): Promise<Response> {
  const { session } = found
  if (session.code_challenge === null && session.return_uri !== null && session.invitation === 0) {
    const code = openConfirmation(visit.web.outbound, session)
    forgetSession(visit, session.session_id)
    return redirect(
      visit,
      withQuery(session.return_uri, { session_id: session.session_id, ...(code !== null && { code }) }),
    )
  }
  const outcome = session.invitation === 1 && session.confirmed_at === null ? 'seen' : 'done'
  if (tellsOpener(session, outcome)) forgetSession(visit, session.session_id)
  return showEnd(visit, found, { outcome, account_label: found.account_name ?? found.account ?? undefined })
}

async function showFailed(visit: Visit, found: ConnectSessionAuthority): Promise<Response> {
  const { session } = found
  const { connectors, reason, return_uri, code_challenge, session_id } = session
  const names = JSON.parse(connectors) as string[]
  const retry = names.length === 1 ? startHref(visit, session, names[0]!) : undefined
  const back =
    code_challenge === null && return_uri !== null && withQuery(return_uri, { session_id, error: reason ?? '' })
  const unexpected = reason === 'other_account' && session.expected_account !== null
  const outcome = unexpected ? 'unexpected' : readOutcome(reason)
  return showEnd(
    visit,
    found,
    {
      ...{ outcome, account_label: session.expected_account ?? undefined },
      retry_href: reason === 'connector_fault' ? undefined : retry,
      back_href: back || undefined,
    },
    reason === 'refused' ? 200 : 400,
  )
}

const TOLD = ['refused', 'other_account', 'already_connected', 'connector_fault'] as const

function readOutcome(reason: string | null): (typeof TOLD)[number] | 'failed' {
  return TOLD.find((known) => known === reason) ?? 'failed'
}

async function showEnd(
  visit: Visit,
  { session, client_name }: ConnectSessionAuthority,
  end: Omit<ConnectSessionEnd, 'client_name' | 'provider_name' | 'request_id' | 'opener'>,
  status = 200,
): Promise<Response> {
  const [first] = await listConnectors(visit, session)
  const opener = tellsOpener(session, end.outcome) ? { origin: session.origin! } : undefined
  const { request_id } = visit
  const data = { client_name, provider_name: first?.provider_name ?? '', request_id, opener, ...end }
  return sendInSession(visit, renderConnectSessionEnd(visit.view, data), { status, script: opener !== undefined })
}

// Only what the page can do nothing more about is told to it: after the rest the person may try again here.
function tellsOpener({ code_challenge, origin }: ConnectSessionRecord, outcome: ConnectSessionEnd['outcome']): boolean {
  return ['done', 'refused'].includes(outcome) && code_challenge !== null && origin !== null
}

// What the browser was known by is of no use any more once the platform has been told, or nothing is there.
function forgetSession(visit: Visit, session_id: string): void {
  const name = cookieOf(visit, session_id)
  if (getCookie(visit.c, name) !== undefined) writeCookie(visit.c, visit.web, name, '', 0)
}

function sendOver(visit: Visit): Response {
  const { request_id, view, query } = visit
  forgetSession(visit, query['session_id'] ?? '')
  const data = { outcome: 'over', client_name: '', provider_name: '', request_id } as const
  return sendInSession(visit, renderConnectSessionEnd(view, data), { status: 400 })
}

function withQuery(uri: string, query: Readonly<Record<string, string>>): string {
  const url = new URL(uri)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url.href
}
