import { ADMINISTRATOR } from '../../inbound/tenants.ts'
import { type AskedQuestion, findAskedQuestion, finishAsked } from '../../outbound/connect/connect_asked.ts'
import { pollDevice } from '../../outbound/connect/connect_device.ts'
import { errorPage, redirect, send, type Visit } from '../page.ts'
import { signedInPage, signedInSubmit } from './account.ts'
import { flowPage, showFinished, stateOf } from './connect.ts'
import { findAsker, sendInSession } from './connect_session.ts'
import { type ConnectAskData, renderConnectAsk, renderConnectDevice } from './templates/connect_asked.ts'

/** GET /connect/{connector}/ask: what tokens are asked for with, where nobody is sent to the provider. */
export const askPage = signedInPage(async (visit, { user }) => {
  const asks = await findAskedQuestion(visit.web.outbound, visit.c.req.param('connector') ?? '')
  return refusePage(visit, user, asks) ?? send(visit, renderConnectAsk(visit.view, describe(visit, asks!)))
})

/** POST of the same: asks, and the connection holds what came. */
export const askSubmit = signedInSubmit(async (visit, { user }, values) => {
  const { c, web, browser, query } = visit
  const connector = c.req.param('connector') ?? ''
  const asks = await findAskedQuestion(web.outbound, connector)
  const refused = refusePage(visit, user, asks)
  if (refused) return refused
  const { subject, username, password } = values
  const flow = { connector, state: query['state'] ?? '', browser_secret: browser, user_id: user.user_id }
  const finished = await finishAsked(web.outbound, { ...flow, given: { subject, username, password } })
  if (finished) return showFinished(visit, connector, finished)
  const wrong = { wrong: true, subject, username }
  return send(visit, renderConnectAsk(visit.view, { ...describe(visit, asks!), ...wrong }), { status: 400 })
})

/** GET /connect/{connector}/device: the code that the person types at the provider; it comes again by itself until they have. */
export const waitPage = flowPage(stateOf, async (visit, user_id) => {
  const { c, web, browser, query, view } = visit
  const connector = c.req.param('connector') ?? ''
  const flow = { connector, state: query['state'] ?? '', browser_secret: browser, user_id }
  const polled = await pollDevice(web.outbound, flow)
  if (polled.outcome !== 'waiting') return showFinished(visit, connector, polled)
  const { provider_name, user_code, verification_uri, verification_uri_complete, interval, expires_at } = polled
  if (query['go'] !== undefined) return redirect(visit, verification_uri_complete ?? verification_uri)
  const asker = await findAsker(visit, query['session_id'])
  const shown = { provider_name, user_code, verification_uri, verification_uri_complete, expires_at, asker }
  const html = renderConnectDevice(view, { ...shown, go_href: `${visit.here}&go=1`, check_href: visit.here })
  return sendInSession(visit, html, { headers: { Refresh: String(interval + 1) } })
})

// What is nobody's own account opens to administrators alone: everybody else would act as the connector itself.
function refusePage(visit: Visit, user: { readonly roles: string }, asks: AskedQuestion | null): Response | null {
  if (!asks || asks.grant_type.endsWith('device_code')) return errorPage(visit, 'not_found', 404)
  const is_administrator = (JSON.parse(user.roles) as string[]).includes(ADMINISTRATOR)
  return asks.for_administrators && !is_administrator ? errorPage(visit, 'forbidden', 403) : null
}

function describe(visit: Visit, { provider_name, grant_type, client_id }: AskedQuestion): ConnectAskData {
  const kind = grant_type === 'client_credentials' ? 'client' : grant_type === 'password' ? 'password' : 'assertion'
  return { action: visit.here, provider_name, client_id, kind, wrong: false }
}
