import { getCookie } from 'hono/cookie'
import { startSession, startSessionBy } from '../../inbound/sessions/sessions.ts'
import { checkLogin } from '../../inbound/users/check_login.ts'
import { checkPasskey } from '../../inbound/users/passkeys.ts'
import { signsInByLink } from '../../inbound/users/sign_in_link.ts'
import { signUpWay } from '../../inbound/users/sign_up.ts'
import { listSignInWays } from '../../outbound/connect/sign_in.ts'
import { ProofReplayed } from '../../store/verbs/proofs.ts'
import { ours, page, redirect, send, submit, type Visit } from '../page.ts'
import { paths } from '../ui/paths.ts'
import { expired } from './authorize.ts'
import { signInByOthers } from './handoff.ts'
import { endSignIn, goOnToFactor, inBrowser, type Place, passkeyQuestion, readPlace } from './sign_in.ts'
import { type LoginData, renderLogin } from './templates/login.ts'

/** GET /login: the sign-in page, for a client's request or for a page of ours. */
export const loginPage = page(async (visit) => {
  const place = await readPlace(visit)
  if (!place) return expired(visit)
  const again = 'again' in place.query
  if (place.interaction === null && visit.signed_in && !again) return redirect(visit, place.next)
  // The platform's own administrators have accounts here too: they say so.
  const by_others = visit.query['here'] === undefined ? await signInByOthers(visit, place) : null
  if (by_others) return by_others
  const refusal = visit.query['over'] === undefined ? {} : { refusal: { reason: 'factor_over' } as const }
  return showLogin(visit, place, { username: place.login_hint, ...refusal })
})

/** POST /login: checks username and password, and starts a session unless a second factor is needed. */
export const loginSubmit = submit(
  async (visit, form) => {
    const { values } = form
    const place = await readPlace(visit)
    if (!place) return expired(visit)
    const { username, password } = values
    if (username === undefined) return showLogin(visit, place, { refusal: { reason: 'username_missing' } }, 400)
    if (password === undefined)
      return showLogin(visit, place, { username, refusal: { reason: 'password_missing' } }, 400)
    const { web } = visit
    const device = getCookie(visit.c, web.cookies.device)
    const result = await checkLogin(web.inbound, { username, password, address: visit.address, device })
    switch (result.kind) {
      case 'refused':
        return showLogin(visit, place, { username, refusal: { reason: 'wrong_credentials' } }, 401)
      case 'busy':
      case 'too_many': {
        const wait_ms = result.kind === 'busy' ? 1000 : result.until - web.tenant.clock()
        return showLogin(visit, place, { username, refusal: tooManyTries(visit, wait_ms) }, 429)
      }
      case 'not_enough':
        return goOnToFactor(visit, place, result)
      case 'signed_in': {
        const proved = { user_id: result.user_id, user_epoch: result.epoch, amr: ['pwd'], ...inBrowser(visit) }
        return redirect(visit, endSignIn(visit, place, await startSession(web.tenant, proved), result))
      }
    }
  },
  async (visit) => {
    const place = await readPlace(visit)
    return place ? showLogin(visit, place, { refusal: { reason: 'stale' } }, 403) : expired(visit)
  },
)

/** POST /login/passkey: a passkey is a whole sign-in by itself, and counts as both factors. */
export const loginPasskeySubmit = submit(
  async (visit, form) => {
    const place = await readPlace(visit)
    if (!place) return expired(visit)
    const { challenge = '', credential = '' } = form.values
    const { tenant, inbound } = visit.web
    const given = await checkPasskey(tenant, visit.browser, { challenge, credential })
    if (!given) {
      inbound.refused_logins.count(null, visit.address, false)
      return showLogin(visit, place, { refusal: { reason: 'passkey_refused' } }, 401)
    }
    const { user_id, epoch } = given.user
    const proved = { user_id, user_epoch: epoch, amr: given.amr, ...inBrowser(visit) }
    const session = await startSessionBy(tenant, proved, given.factor).catch((error: unknown) => {
      if (error instanceof ProofReplayed) return null
      throw error
    })
    if (!session) return showLogin(visit, place, { refusal: { reason: 'passkey_refused' } }, 401)
    return redirect(visit, endSignIn(visit, place, session, { user_id, epoch }))
  },
  async (visit) => {
    const place = await readPlace(visit)
    return place ? showLogin(visit, place, { refusal: { reason: 'passkey_expired' } }, 403) : expired(visit)
  },
)

/** Says when to come again, in the header and in words. */
export function tooManyTries(visit: Visit, ms: number): { reason: 'too_many_tries'; minutes: number } {
  const wait_ms = Math.max(1000, ms)
  visit.c.header('Retry-After', String(Math.ceil(wait_ms / 1000)))
  return { reason: 'too_many_tries', minutes: Math.ceil(wait_ms / 60_000) }
}

/** Shows the sign-in page. */
export async function showLogin(visit: Visit, place: Place, data: Partial<LoginData>, status = 200): Promise<Response> {
  const { web, view, signed_in } = visit
  const again = 'again' in place.query && signed_in !== null
  const html = renderLogin(view, {
    action: ours(web, paths.login, place.query),
    client: place.client,
    passkey: passkeyQuestion(visit, place),
    providers: (await listSignInWays(web.outbound)).map(({ connector, provider_name }) => ({
      label: provider_name,
      href: ours(web, paths.login_with, { connector, ...place.query }),
    })),
    sign_up_href:
      signUpWay(web.inbound, visit.configuration) === 'off' ? undefined : ours(web, paths.sign_up, place.query),
    link_action: signsInByLink(web.inbound, visit.configuration)
      ? ours(web, paths.sign_in_link, place.query)
      : undefined,
    reset_href: web.inbound.outbox.on ? ours(web, paths.reset) : undefined,
    ...(again && { reauthenticate: true, username: signed_in.user.username }),
    ...data,
    ...(again && { username: signed_in.user.username }),
  })
  return send(visit, html, { status, script: true })
}
