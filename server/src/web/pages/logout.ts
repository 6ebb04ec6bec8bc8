import type { Context } from 'hono'
import { type EndSession, openEndSession, readEndSession, sealEndSession } from '../../inbound/sessions/end_session.ts'
import { endSession } from '../../inbound/sessions/sessions.ts'
import { afterLogoutUrl } from '../../oauth/end_session.ts'
import { readParams } from '../../oauth/params.ts'
import { decodeUtf8 } from '../machine.ts'
import {
  isOwnForm,
  ours,
  type PageEnv,
  page,
  readBody,
  redirect,
  requireFormType,
  send,
  submit,
  type Visit,
  writeCookie,
} from '../page.ts'
import { paths } from '../ui/paths.ts'
import { expired, findInteraction } from './authorize.ts'
import { renderSignOut } from './templates/sign_out.ts'
import { renderSignedOut } from './templates/signed_out.ts'

/**
 * GET and POST /logout: the end_session_endpoint (OpenID Connect RP-Initiated Logout 1.0 section 2). A form of our own
 * pages ends the session at once; whatever comes from elsewhere is a client's request.
 */
export const logoutPage = (c: Context<PageEnv>): Promise<Response> =>
  c.req.method === 'POST' && isOwnForm(c) ? ownSubmit(c) : endSessionPage(c)

const ownSubmit = submit(async (visit) => {
  await signOut(visit)
  return send(visit, renderSignedOut(visit.view))
})

const endSessionPage = page(async (visit) => {
  const { c, web, configuration } = visit
  if (visit.query['request'] !== undefined) {
    const asked = await openEndSession(web.inbound, visit.query['request'])
    return asked ? answer(visit, asked) : expired(visit)
  }
  if (c.req.method !== 'POST') {
    const params = readParams(new URL(c.req.url).search.slice(1))
    return answer(visit, await readEndSession(web.inbound, params, configuration))
  }
  requireFormType(c)
  const asked = await readEndSession(web.inbound, readParams(decodeUtf8(await readBody(c))), configuration)
  // A form that another site posts comes without our cookies; the redirect to our own page brings them, and until
  // then the browser keeps the ones it has.
  c.header('Set-Cookie', undefined)
  return redirect(visit, ours(web, paths.logout, { request: sealEndSession(web.inbound, asked.request) }))
})

/** POST /logout/confirm: the person's answer. */
export const confirmLogoutSubmit = submit(async (visit, form) => {
  const asked = await openEndSession(visit.web.inbound, visit.query['request'])
  if (!asked) return expired(visit)
  if (form.values['decision'] !== 'sign_out') return redirect(visit, ours(visit.web, paths.account))
  return finish(visit, asked)
})

/** POST /login/switch: "not you?" on the consent page; signs out and starts the same request again. */
export const switchSubmit = submit(async (visit) => {
  const request = visit.query['request']
  if (request === undefined || !findInteraction(visit)) return expired(visit)
  await signOut(visit)
  return redirect(visit, ours(visit.web, '/login', { request }))
})

async function answer(visit: Visit, asked: EndSession): Promise<Response> {
  const { request, client } = asked
  const { signed_in, view, web } = visit
  // A hint of ours proves that the client knows the person; one that a stranger registered proves nothing by that.
  const known = request.sid !== null && client?.unverified !== true
  if (signed_in ? request.sid === signed_in.session.sid : known) return finish(visit, asked)
  const action = ours(web, paths.logout_confirm, { request: sealEndSession(web.inbound, request) })
  // Otherwise the person decides whether to follow: this must not become a redirector.
  if (!signed_in) {
    return send(
      visit,
      renderSignedOut(view, client && afterLogoutUrl(request) !== null ? { action, client } : undefined),
    )
  }
  return send(visit, renderSignOut(view, { action, client: client ?? undefined, username: signed_in.user.username }))
}

async function finish(visit: Visit, { request }: EndSession): Promise<Response> {
  await signOut(visit)
  const back = afterLogoutUrl(request)
  return back === null ? send(visit, renderSignedOut(visit.view)) : redirect(visit, back)
}

/** Ends the session of this browser, and the browser forgets it. */
export async function signOut(visit: Visit): Promise<void> {
  if (visit.signed_in) await endSession(visit.web.tenant, visit.signed_in)
  forgetSession(visit)
}

/** The browser forgets its session. */
export function forgetSession(visit: Visit): void {
  writeCookie(visit.c, visit.web, visit.web.cookies.session, '', 0)
}
