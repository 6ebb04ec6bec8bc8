import type { Context } from 'hono'
import { OAuthError } from '../../oauth/errors.ts'
import { acceptDelivery } from '../../outbound/connect/broker_requests.ts'
import { finishChoice } from '../../outbound/connect/choose.ts'
import type { ConnectFinished } from '../../outbound/connect/connect_outcome.ts'
import { finishBrokered } from '../../outbound/connect/finish_brokered.ts'
import { finishConnect } from '../../outbound/connect/finish_connect.ts'
import { isSessionFlow } from '../../outbound/connect/session_flow.ts'
import { readSignInState } from '../../outbound/connect/sign_in.ts'
import { startConnect } from '../../outbound/connect/start_connect.ts'
import { findTypedQuestion, finishTyped } from '../../outbound/connect/type_credential.ts'
import { changeEnd, readLifetime } from '../../outbound/connections/connection_end.ts'
import { disconnect } from '../../outbound/connections/disconnect.ts'
import { nameProvider, openConnector } from '../../outbound/connectors/connector.ts'
import { decodeUtf8, LARGEST_DESCRIPTION, readFailure } from '../machine.ts'
import {
  errorPage,
  ours,
  type PageEnv,
  page,
  readBody,
  redirect,
  requireFormType,
  send,
  submit,
  type Visit,
} from '../page.ts'
import { connectPath, paths } from '../ui/paths.ts'
import { backToAccount, signedInPage, signedInSubmit, signInFirst } from './account.ts'
import { endTry, findAsker, sendInSession } from './connect_session.ts'
import { readReturnTo } from './sign_in.ts'
import { arrive } from './sign_in_with.ts'
import {
  type ConnectResultData,
  renderConnectChoice,
  renderConnectKey,
  renderConnectResult,
} from './templates/connect.ts'

/** GET /connect/{connector}: sends the signed-in user to the provider, to connect an account or repair a connection. */
export const connectPage = signedInPage(async (visit, { user }) => {
  const { c, web, browser } = visit
  const connector = c.req.param('connector') ?? ''
  const { connection_id, return_to, scope, redirect_uri, expires_in } = visit.query
  const { user_id } = user
  const asked = { user_id, connector, connection_id, browser_secret: browser, return_to, scope, redirect_uri }
  try {
    const lifetime_seconds = readLifetime(expires_in)
    const { authorization_url } = await startConnect(web.outbound, { ...asked, lifetime_seconds })
    return redirect(visit, authorization_url)
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    if (error.status === 404) return errorPage(visit, 'not_found', 404)
    if (error.status < 500) throw error
    const { status } = readFailure(error, visit.request_id, web.log)
    return sendResult(visit, connector, status, {
      outcome: status === 503 ? 'failed' : 'connector_fault',
      retry_href: status === 503 ? visit.here : undefined,
      continue_href: readReturnTo(visit, return_to),
    })
  }
})

/** The state in the URL of a page of a flow. */
export function stateOf({ c }: Visit): string | undefined {
  return new URL(c.req.url).searchParams.get('state') ?? undefined
}

const arrivalPage = page(arrive)

/** GET /connect/{connector}/callback: a provider's answer (RFC 6749 section 4.1.2), to a connect flow or to a sign-in. */
export const connectCallbackPage = (c: Context<PageEnv>): Promise<Response> => {
  if (c.req.method === 'POST') return postedCallbackPage(c)
  return readSignInState(new URL(c.req.url).searchParams.get('state')) === null ? finishConnectPage(c) : arrivalPage(c)
}

// What an answer may hold that is posted; a name or an ID token beside it belongs into no URL.
const POSTED = ['code', 'state', 'iss', 'error', 'error_description']

/** The same by POST (Form Post Response Mode): another site's form comes without our cookies, the redirect brings them. */
const postedCallbackPage = page(async (visit) => {
  const { c } = visit
  requireFormType(c)
  const sent = new URLSearchParams(decodeUtf8(await readBody(c)))
  const told = new URLSearchParams([...sent].filter(([name]) => POSTED.includes(name)))
  const { pathname } = new URL(c.req.url)
  // The browser keeps the cookies that it has.
  c.header('Set-Cookie', undefined)
  return redirect(visit, `${pathname}?${told}`)
})

/** A page of a flow: for the user that started it, who is signed in; or for the browser of a connect session. */
export function flowPage(
  nameOf: (visit: Visit) => string | null | undefined,
  answer: (visit: Visit, user_id: string | null) => Promise<Response>,
) {
  return page(async (visit) => {
    const user_id = visit.signed_in?.user.user_id ?? null
    if (user_id !== null || isSessionFlow(nameOf(visit))) return answer(visit, user_id)
    return redirect(visit, ours(visit.web, paths.login, { return_to: visit.here }))
  })
}

/** A form of the same. */
function flowSubmit(
  nameOf: (visit: Visit, values: Readonly<Record<string, string>>) => string | undefined,
  answer: (visit: Visit, user_id: string | null, values: Readonly<Record<string, string>>) => Promise<Response>,
) {
  return submit(
    async (visit, { values }) => {
      const user_id = visit.signed_in?.user.user_id ?? null
      return user_id !== null || isSessionFlow(nameOf(visit, values))
        ? answer(visit, user_id, values)
        : signInFirst(visit)
    },
    async (visit) => (visit.signed_in ? errorPage(visit, 'forged', 403) : signInFirst(visit)),
  )
}

/** Good for the browser and the user that started. */
const finishConnectPage = flowPage(stateOf, async (visit, user_id) => {
  const { c, web, browser } = visit
  const connector = c.req.param('connector') ?? ''
  const { searchParams: params } = new URL(c.req.url)
  // Nobody here asked for this answer: a flow of ours begins, so that it is theirs who are here (RFC 9700 section 4.7).
  if (params.has('code') && !params.has('state') && (await startsAtProvider(visit, connector))) {
    return redirect(visit, ours(web, connectPath(connector)))
  }
  const asked = { connector, params, browser_secret: browser, user_id }
  return showFinished(visit, connector, await finishConnect(web.outbound, asked))
})

/** GET /connect/{connector}/finish: a browser comes back by a redirect broker, which has delivered what it received. */
export const finishBrokeredPage = flowPage(
  ({ query }) => query['flow'],
  async (visit, user_id) => {
    const connector = visit.c.req.param('connector') ?? ''
    const { flow = '', receipt = '' } = visit.query
    const asked = { connector, flow, receipt, browser_secret: visit.browser, user_id }
    return showFinished(visit, connector, await finishBrokered(visit.web.outbound, asked))
  },
)

/** POST of the same: the browser carries the delivery itself. It comes without our cookies; the redirect brings them. */
export const carriedPage = page(async (visit) => {
  const { c, web } = visit
  requireFormType(c)
  const sent = new URLSearchParams(decodeUtf8(await readBody(c, LARGEST_DESCRIPTION)))
  const { flow } = await acceptDelivery(web.outbound, sent.get('message') ?? '')
  // The browser keeps the cookies that it has.
  c.header('Set-Cookie', undefined)
  const { pathname } = new URL(c.req.url)
  return redirect(visit, `${pathname}?${new URLSearchParams({ flow, receipt: sent.get('receipt') ?? '' })}`)
})

/** GET /connect/{connector}/key: asks for the key or the pair that the provider takes. */
export const typePage = flowPage(stateOf, async (visit) => {
  const connector = visit.c.req.param('connector') ?? ''
  const asks = await findTypedQuestion(visit.web.outbound, connector)
  if (!asks) return errorPage(visit, 'not_found', 404)
  const asker = await findAsker(visit, visit.query['session_id'])
  return sendInSession(visit, renderConnectKey(visit.view, { ...asks, action: visit.here, wrong: false, asker }))
})

/** POST of the same: the connection holds what was typed. */
export const typeSubmit = flowSubmit(stateOf, async (visit, user_id, values) => {
  const { c, web, browser, query, view } = visit
  const connector = c.req.param('connector') ?? ''
  const { username, secret = '' } = values
  const flow = { connector, state: query['state'] ?? '', browser_secret: browser, user_id }
  const finished = await finishTyped(web.outbound, { ...flow, typed: { username, secret } })
  if (finished) return showFinished(visit, connector, finished)
  const asks = await findTypedQuestion(web.outbound, connector)
  if (!asks) return errorPage(visit, 'not_found', 404)
  const asker = await findAsker(visit, query['session_id'])
  const html = renderConnectKey(view, { ...asks, action: visit.here, wrong: true, username, asker })
  return sendInSession(visit, html, { status: 400 })
})

async function startsAtProvider({ web }: Visit, connector: string): Promise<boolean> {
  const { tenant_id, store } = web.tenant
  const record = await store.findConnector({ tenant_id, connector })
  return record !== null && openConnector(web.outbound, record).provider.starts_at_provider
}

/** POST /account/connections/choose: what a consent is for that reaches several sites, companies or workspaces. */
export const chooseSubmit = flowSubmit(
  (_, { choice }) => choice,
  async (visit, user_id, values) => {
    const { connector = '', choice = '', option = '' } = values
    const asked = { connector, choice, option, browser_secret: visit.browser, user_id }
    return showFinished(visit, connector, await finishChoice(visit.web.outbound, asked))
  },
)

/** What came of a flow: the way on, a choice, or what went wrong. */
export async function showFinished(visit: Visit, connector: string, finished: ConnectFinished): Promise<Response> {
  const { web } = visit
  const { outcome, account_name, retry_url, return_to } = finished
  if (outcome === 'connected' || outcome === 'reconnected') return redirect(visit, return_to)
  if (outcome === 'choose') {
    const { choice, options } = finished.choice!
    const { provider_name } = finished
    const action = ours(web, paths.account_choose)
    const account_label = account_name ?? undefined
    const asker = await findAsker(visit, finished.session_id)
    const about = { connector, provider_name, account_label, asker }
    return sendInSession(visit, renderConnectChoice(visit.view, { action, choice, options, ...about }))
  }
  const { reason, error, error_description } = finished
  web.log.info({ request_id: visit.request_id, outcome, reason, error, error_description }, 'not connected')
  if (finished.session_id !== undefined) return endTry(visit, finished.session_id, outcome)
  const retry = retry_url === undefined ? undefined : new URL(retry_url)
  const over = reason === 'unknown' || reason === 'used' || reason === 'expired'
  return sendResult(visit, connector, outcome === 'refused' ? 200 : 400, {
    outcome: over ? 'over' : outcome,
    account_label: account_name ?? undefined,
    retry_href: retry && retry.pathname + retry.search,
    continue_href: return_to,
    said: [error, error_description].filter(Boolean).join(': '),
  })
}

async function sendResult(
  visit: Visit,
  connector: string,
  status: number,
  result: Omit<ConnectResultData, 'provider_name' | 'request_id'>,
): Promise<Response> {
  const { tenant, outbound } = visit.web
  const { tenant_id, store } = tenant
  const record = await store.findConnector({ tenant_id, connector })
  const provider_name = record ? nameProvider(outbound, record) : connector
  const html = renderConnectResult(visit.view, { provider_name, request_id: visit.request_id, ...result })
  return send(visit, html, { status })
}

/** POST /account/connections/end: when a connection ends, from now on. */
export const changeEndSubmit = signedInSubmit(async (visit, { user }, values) => {
  const { connection_id = '', expires_in } = values
  const lifetime_seconds = readLifetime(expires_in)
  await changeEnd(visit.web.outbound, { connection_id, user_id: user.user_id, lifetime_seconds })
  return backToAccount(visit, 'end_changed')
})

/** POST /account/connections/disconnect: revokes upstream where the provider can, and destroys the tokens. */
export const disconnectSubmit = signedInSubmit(async (visit, { user }, values) => {
  const { user_id } = user
  const connection_id = values['connection_id'] ?? ''
  await disconnect(visit.web.outbound, { connection_id, user_id, actor: `user:${user_id}` })
  return backToAccount(visit, 'disconnected')
})
