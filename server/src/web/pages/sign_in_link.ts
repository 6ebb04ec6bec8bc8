import { getCookie } from 'hono/cookie'
import { startSessionBy } from '../../inbound/sessions/sessions.ts'
import { stepAfterFirstFactor } from '../../inbound/users/check_login.ts'
import {
  type AskedAt,
  asFactor,
  askForSignInLink,
  codeOf,
  findByCode,
  findSignInLink,
  isAskedAt,
  redeemSignInLink,
  returnLetter,
  signsInByLink,
} from '../../inbound/users/sign_in_link.ts'
import { showUserCode } from '../../oauth/device.ts'
import type { SignInLink } from '../../store/verbs/sign_in_links.ts'
import { errorPage, ours, page, redirect, requireVisitor, send, submit, type Visit } from '../page.ts'
import { paths } from '../ui/paths.ts'
import { expired } from './authorize.ts'
import { showLogin, tooManyTries } from './login.ts'
import { endSignIn, goOnToFactor, inBrowser, type Place, readPlace } from './sign_in.ts'
import {
  type CodeRefusal,
  renderLinkCode,
  renderLinkOver,
  renderLinkSent,
  renderOpenLink,
} from './templates/sign_in_link.ts'

/** POST /login/link: sends a link, if there is anybody to send it to; the answer is the same for everybody (ASVS 6.3.8). */
export const askLinkSubmit = submit(async (visit, form) => {
  const place = await readPlace(visit)
  if (!place) return expired(visit)
  if (!isOn(visit)) return errorPage(visit, 'not_found', 404)
  const { username } = form.values
  if (username === undefined) return showLogin(visit, place, { refusal: { reason: 'username_missing' } }, 400)
  const { address, view, web } = visit
  const asked = {
    browser: visit.browser,
    query: place.query,
    username,
    address,
    device: deviceOf(visit),
    lang: view.lang,
  }
  await askForSignInLink(web.inbound, asked)
  return showSent(visit, place, username)
}, showLoginAgain)

/** POST /login/link/code: the code that the link showed in another browser. */
export const linkCodeSubmit = submit(async (visit, form) => {
  const place = await readPlace(visit)
  if (!place) return expired(visit)
  if (!isOn(visit)) return errorPage(visit, 'not_found', 404)
  const { username = '', code } = form.values
  if (code === undefined) return showSent(visit, place, username, { reason: 'missing' }, 400)
  const { tenant, inbound } = visit.web
  const guessed = await findByCode(inbound, askedAt(visit), code, visit.address)
  if (guessed.kind === 'too_many') {
    return showSent(visit, place, username, tooManyTries(visit, guessed.until - tenant.clock()), 429)
  }
  const entered = guessed.kind === 'right' ? await enter(visit, place, guessed.value) : null
  return entered ?? showSent(visit, place, username, { reason: 'wrong' }, 401)
}, showLoginAgain)

/** GET /login/link/open: the page behind the link. To open it changes nothing: mail servers open links, too. */
export const openLinkPage = page(async (visit) => {
  requireVisitor(visit)
  const { token = '' } = visit.query
  return atLink(visit, token, (place, link) => {
    const { web, view, signed_in } = visit
    const former = signed_in?.user.user_id === link.user.user_id ? undefined : signed_in?.user.username
    const html = renderOpenLink(view, {
      ...{ action: ours(web, paths.sign_in_link_open, place.query), token, username: link.user.username, former },
      ...{ client: place.client, login_href: ours(web, paths.login, place.query) },
    })
    return send(visit, html)
  })
})

/** POST /login/link/open: signs in by the link. */
export const openLinkSubmit = submit((visit, form) =>
  atLink(visit, form.values['token'] ?? '', async (place, link) => (await enter(visit, place, link)) ?? over(visit)),
)

const isOn = ({ web, configuration }: Visit) => signsInByLink(web.inbound, configuration)
// Links and forms carry the query of the sign-in page that asked.
const askedAt = ({ browser, query }: Visit): AskedAt => ({ browser, query })
const deviceOf = ({ c, web }: Visit) => getCookie(c, web.cookies.device)

/** Only where it was asked for does a link sign in; anywhere else it shows the code for there. */
async function atLink(
  visit: Visit,
  token: string,
  answer: (place: Place, link: SignInLink) => Promise<Response> | Response,
): Promise<Response> {
  if (!isOn(visit)) return errorPage(visit, 'not_found', 404)
  const { web, view, address } = visit
  const link = await findSignInLink(web.inbound, token, address)
  if (!link) return over(visit)
  if (!isAskedAt(web.inbound, link, askedAt(visit))) {
    const { host } = new URL(web.tenant.issuer)
    const code = showUserCode(codeOf(web.tenant, link))
    const { username } = link.user
    return send(visit, renderLinkCode(view, { code, username, host, login_href: ours(web, paths.login) }))
  }
  const place = await readPlace(visit)
  return place ? answer(place, link) : expired(visit)
}

/** Signs in by a link as by a password: whoever has, or must have, a second factor is asked for it. Null when it is spent. */
async function enter(visit: Visit, place: Place, link: SignInLink): Promise<Response | null> {
  const { inbound, tenant } = visit.web
  const device = deviceOf(visit)
  const step = await stepAfterFirstFactor(tenant, link.user)
  if (step.kind === 'not_enough') {
    if ((await redeemSignInLink(inbound, link)) === 'spent') return null
    returnLetter(inbound, link, device)
    return goOnToFactor(visit, place, step, [])
  }
  const { user_id, epoch } = step
  const proved = { user_id, user_epoch: epoch, amr: [], ...inBrowser(visit) }
  const session = await startSessionBy(tenant, proved, asFactor(link))
  if (!session) return null
  returnLetter(inbound, link, device)
  return redirect(visit, endSignIn(visit, place, session, { user_id, epoch }))
}

function showSent(visit: Visit, place: Place, username: string, refusal?: CodeRefusal, status = 200): Response {
  const { web, view } = visit
  const html = renderLinkSent(view, {
    ...{ action: ours(web, paths.sign_in_link_code, place.query), username, refusal },
    login_href: ours(web, paths.login, place.query),
  })
  return send(visit, html, { status })
}

function over(visit: Visit): Response {
  return send(visit, renderLinkOver(visit.view, { login_href: ours(visit.web, paths.login) }), { status: 400 })
}

async function showLoginAgain(visit: Visit): Promise<Response> {
  const place = await readPlace(visit)
  return place ? showLogin(visit, place, { refusal: { reason: 'stale' } }, 403) : expired(visit)
}
