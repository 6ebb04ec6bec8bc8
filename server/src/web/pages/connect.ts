import { disconnect } from '../../outbound/disconnect.ts'
import { finishConnect } from '../../outbound/finish_connect.ts'
import { startConnect } from '../../outbound/start_connect.ts'
import { ours, redirect, send } from '../page.ts'
import { signedInPage, signedInSubmit } from './account.ts'
import { renderConnectResult } from './templates/connect.ts'

/** GET /connect/{connector}: sends the signed-in user to the provider, to connect an account or repair a connection. */
export const connectPage = signedInPage(async (visit, { user }) => {
  const { c, web, browser } = visit
  const { connection_id, return_to, scope } = c.req.query()
  const { authorization_url } = await startConnect(web.outbound, {
    user_id: user.user_id,
    connector: c.req.param('connector') ?? '',
    connection_id,
    browser_secret: browser,
    return_to,
    scope,
  })
  return redirect(visit, authorization_url)
})

/** GET /connect/{connector}/callback: the provider's answer (RFC 6749 section 4.1.2), good for the browser and user that started. */
export const connectCallbackPage = signedInPage(async (visit, { user }) => {
  const { c, web, browser } = visit
  const finished = await finishConnect(web.outbound, {
    connector: c.req.param('connector') ?? '',
    params: new URL(c.req.url).searchParams,
    browser_secret: browser,
    user_id: user.user_id,
  })
  const { outcome, provider_name, account_name, retry_url, return_to } = finished
  if (outcome === 'connected' || outcome === 'reconnected') return redirect(visit, return_to)
  const { reason, error, error_description } = finished
  web.log.info({ request_id: visit.request_id, outcome, reason, error, error_description }, 'not connected')
  const retry = retry_url === undefined ? undefined : new URL(retry_url)
  const html = renderConnectResult(visit.view, {
    outcome,
    provider_name,
    account_label: account_name ?? undefined,
    request_id: visit.request_id,
    retry_href: retry && retry.pathname + retry.search,
    continue_href: return_to,
  })
  return send(visit, html, { status: outcome === 'refused' ? 200 : 400 })
})

/** POST /account/connections/disconnect: revokes upstream where the provider can, and destroys the tokens. */
export const disconnectSubmit = signedInSubmit(async (visit, { user }, values) => {
  const { user_id } = user
  const connection_id = values['connection_id'] ?? ''
  await disconnect(visit.web.outbound, { connection_id, user_id, actor: `user:${user_id}` })
  return redirect(visit, ours(visit.web, '/account'))
})
