import { event } from '../../inbound/event.ts'
import { takeTurn } from '../../inbound/limits.ts'
import { startSession } from '../../inbound/sessions/sessions.ts'
import { stepAfterFirstFactor } from '../../inbound/users/check_login.ts'
import { findArrival, linkArrival } from '../../inbound/users/federation.ts'
import { OAuthError } from '../../oauth/errors.ts'
import {
  finishSignIn,
  type NotSignedIn,
  readSignInState,
  type SignedInElsewhere,
  startSignIn,
} from '../../outbound/connect/sign_in.ts'
import { ours, page, redirect, requireVisitor, send, type Visit } from '../page.ts'
import { paths } from '../ui/paths.ts'
import { expired } from './authorize.ts'
import { done, sureSubmit } from './security.ts'
import { endSignIn, goOnToFactor, inBrowser, isAnew, readPlace } from './sign_in.ts'
import { type ArrivalOutcome, renderArrival } from './templates/arrival.ts'

/** GET /login/with?connector=: sends whoever wants to sign in to another server. */
export const signInWithPage = page(async (visit) => {
  requireVisitor(visit)
  const place = await readPlace(visit)
  if (!place) return expired(visit)
  const { connector = '' } = visit.query
  await takeTurn(visit.web.inbound, 'sign_in_elsewhere', { address: visit.address })
  const { request = null } = place.query as { request?: string }
  const start = {
    connector,
    browser_secret: visit.browser,
    user_id: null,
    ...{ anew: isAnew(visit, place), request, return_to: place.next },
  }
  return redirect(visit, await startSignIn(visit.web.outbound, start))
})

/** POST /account/security/identities/link: sends who is signed in, and has just proved it, to link another account. */
export const linkIdentitySubmit = sureSubmit(paths.account_security, async (visit, { user }, { connector = '' }) => {
  const return_to = ours(visit.web, paths.account_security)
  const start = {
    connector,
    browser_secret: visit.browser,
    user_id: user.user_id,
    anew: true,
    request: null,
    return_to,
  }
  return redirect(visit, await startSignIn(visit.web.outbound, start))
})

/** POST /account/security/identities: a linked account signs nobody in any more. */
export const unlinkIdentitySubmit = sureSubmit(paths.account_security, async (visit, { user, factors }, values) => {
  const { tenant } = visit.web
  const { authority = '', account = '' } = values
  const { tenant_id, store } = tenant
  const { user_id } = user
  const identities = await store.listIdentitiesOfUser({ tenant_id, user_id })
  const has_password = (await store.findUser({ tenant_id, user_id }))?.password_hash != null
  if (!has_password && factors.passkeys.length === 0 && identities.length < 2) {
    throw new OAuthError('invalid_request', 'This is the only way in: set a password or a passkey first')
  }
  const unlinked = event(tenant, 'identity.unlinked', `user:${user_id}`, { user_id, detail: { authority, account } })
  await store.unlinkIdentity({ tenant_id, user_id, authority, account, event: unlinked })
  return done(visit, 'unlinked')
})

/** The end of a sign-in at another server, at the connector's callback (OpenID Connect Core section 3.1.2.5). */
export async function arrive(visit: Visit): Promise<Response> {
  const { c, web, browser, signed_in } = visit
  const params = new URL(c.req.url).searchParams
  const connector = c.req.param('connector') ?? ''
  const links = readSignInState(params.get('state')) === 'link'
  // Whoever began to link has signed out since: nobody is left to link it to.
  if (links && !signed_in)
    return redirect(visit, ours(web, paths.login, { return_to: ours(web, paths.account_security) }))
  const user_id = links ? signed_in!.user.user_id : null
  const came = await finishSignIn(web.outbound, { connector, params, browser_secret: browser, user_id })
  if (came.kind === 'failed') {
    const { outcome, reason, error, error_description } = came
    web.log.info({ request_id: visit.request_id, outcome, reason, error, error_description }, 'not signed in')
    return show(
      visit,
      came,
      outcome === 'refused' ? 'refused' : outcome === 'other_browser' ? 'other_browser' : 'failed',
    )
  }
  if (!links) return enter(visit, came)
  const outcome = await linkArrival(web.tenant, signed_in!.user.user_id, came.identity)
  return outcome === 'taken' ? show(visit, came, 'taken') : redirect(visit, came.return_to)
}

async function enter(visit: Visit, came: SignedInElsewhere): Promise<Response> {
  const { web } = visit
  const place = await readPlace(
    visit,
    came.request === null ? { return_to: came.return_to } : { request: came.request },
  )
  if (!place) return expired(visit)
  const user = await findArrival(web.tenant, came)
  if (!user) return show(visit, came, 'nobody')
  const step = await stepAfterFirstFactor(web.tenant, user)
  if (step.kind === 'not_enough') return goOnToFactor(visit, place, step, [])
  const proved = {
    user_id: step.user_id,
    user_epoch: step.epoch,
    amr: [],
    auth_time: came.auth_time,
    ...inBrowser(visit),
  }
  return redirect(visit, endSignIn(visit, place, await startSession(web.tenant, proved), step))
}

function show(visit: Visit, came: SignedInElsewhere | NotSignedIn, outcome: ArrivalOutcome): Response {
  const query =
    came.request === null ? { return_to: came.return_to ?? ours(visit.web, paths.account) } : { request: came.request }
  const { provider_name } = came
  const html = renderArrival(visit.view, {
    outcome,
    provider_name,
    account_name: came.kind === 'identified' ? (came.identity.account_name ?? undefined) : undefined,
    login_href: visit.signed_in ? ours(visit.web, paths.account_security) : ours(visit.web, paths.login, query),
  })
  return send(visit, html, { status: outcome === 'refused' ? 200 : 403 })
}
