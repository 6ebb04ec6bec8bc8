import { endSession } from '../../inbound/sessions.ts'
import { ours, redirect, send, submit, type Visit, writeCookie } from '../page.ts'
import { expired, findInteraction } from './authorize.ts'
import { renderSignedOut } from './templates/signed_out.ts'

/** POST /logout: ends the session of this browser, and the grants that hang on it. */
export const logoutSubmit = submit(async (visit) => {
  await signOut(visit)
  return send(visit, renderSignedOut(visit.view))
})

/** POST /login/switch: "not you?" on the consent page; signs out and starts the same request again. */
export const switchSubmit = submit(async (visit) => {
  const request = visit.query['request']
  if (request === undefined || !findInteraction(visit)) return expired(visit)
  await signOut(visit)
  return redirect(visit, ours(visit.web, '/login', { request }))
})

/** Ends the session of this browser. */
export async function signOut(visit: Visit): Promise<void> {
  if (visit.signed_in) await endSession(visit.web.tenant, visit.signed_in)
  writeCookie(visit.c, visit.web, visit.web.cookies.session, '', 0)
}
