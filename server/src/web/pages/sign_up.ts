import { startSession } from '../../inbound/sessions/sessions.ts'
import { needsSecondFactor } from '../../inbound/users/factors.ts'
import { askToSignUp, type NewPerson, readSignUpLink, signUp, signUpWay } from '../../inbound/users/sign_up.ts'
import type { Params } from '../../oauth/params.ts'
import type { UserWithPassword } from '../../store/verbs/users.ts'
import { errorPage, ours, page, redirect, send, submit, type Visit } from '../page.ts'
import { paths } from '../ui/paths.ts'
import { expired } from './authorize.ts'
import { faultInWords, shortestFor } from './reset.ts'
import { readTyped, tellRefusal } from './setup.ts'
import { endSignIn, goOnToFactor, inBrowser, type Place, readPlace } from './sign_in.ts'
import { renderSignUp, renderSignUpOver, renderSignUpSent, type SignUpData } from './templates/sign_up.ts'

const NEW_USER = { roles: '[]' }

/** GET /sign_up: a new account, for a client's request (OpenID Connect Prompt Create section 4.1) or for a page of ours. */
export const signUpPage = page(async (visit) => {
  const place = await readPlace(visit)
  if (!place) return expired(visit)
  if (wayOf(visit) === 'off') return errorPage(visit, 'not_found', 404)
  if (place.interaction === null && visit.signed_in) return redirect(visit, place.next)
  const email = place.login_hint?.includes('@') ? { email: place.login_hint } : {}
  return show(visit, place, { values: email })
})

/** POST /sign_up: makes the account, or sends a link to its address; the answer to an address is one for all (ASVS 6.3.8). */
export const signUpSubmit = submit(async (visit, form) => {
  const place = await readPlace(visit)
  if (!place) return expired(visit)
  const way = wayOf(visit)
  if (way === 'off') return errorPage(visit, 'not_found', 404)
  if (way === 'open') return make(visit, place, form, 'all')
  const email = form.values['email']?.trim()
  const { sign_up } = visit.view.text
  if (!email) return show(visit, place, { errors: { email: sign_up.email_missing } }, 400)
  try {
    const { address, view } = visit
    await askToSignUp(visit.web.inbound, { email, address, query: { ...place.query }, lang: view.lang })
  } catch (error) {
    return show(visit, place, { values: { email }, errors: findErrors(visit, error) }, 400)
  }
  return send(visit, renderSignUpSent(visit.view, { email, login_href: loginHref(visit, place) }))
}, showAgain)

/** GET /sign_up/account: the page behind the link. To open it changes nothing: mail servers open links, too. */
export const signUpAccountPage = page(async (visit) => {
  const { token = '' } = visit.query
  const place = await findPlace(visit)
  const email = openLink(visit, token)
  return email === null ? over(visit, place) : show(visit, place, { asks: { email, token } })
})

/** POST /sign_up/account: makes the account of a confirmed address. */
export const signUpAccountSubmit = submit(async (visit, form) => {
  const { token = '' } = form.values
  const place = await findPlace(visit)
  const email = openLink(visit, token)
  return email === null ? over(visit, place) : make(visit, place, form, { email, token })
})

const wayOf = ({ web, configuration }: Visit) => signUpWay(web.inbound, configuration)
const loginHref = ({ web }: Visit, place: Place) => ours(web, paths.login, place.query)

function openLink(visit: Visit, token: string): string | null {
  return wayOf(visit) === 'verified' ? readSignUpLink(visit.web.inbound, token) : null
}

// A mailbox may be open in another browser than the one that began: the account is made there all the same.
async function findPlace(visit: Visit): Promise<Place> {
  return (await readPlace(visit)) ?? (await readPlace(visit, {}))!
}

async function make(visit: Visit, place: Place, form: Params, asks: SignUpData['asks']): Promise<Response> {
  const { web, view, configuration } = visit
  const { name, password } = form.values
  const values = readTyped(form)
  const linked = typeof asks === 'object' ? asks : undefined
  const username = linked?.email ?? form.values['username']
  if (username === undefined || password === undefined) {
    const { missing } = view.text.setup
    const errors = { ...(!username && { username: missing }), ...(!password && { password: missing }) }
    return show(visit, place, { asks, values, errors }, 400)
  }
  const email = linked?.email ?? form.values['email']?.trim()
  const person: NewPerson = {
    ...{ username, name, email, email_verified: linked !== undefined, password, address: visit.address },
    lang: view.lang,
  }
  let made: Awaited<ReturnType<typeof signUp>>
  try {
    made = await signUp(web.inbound, configuration, person)
  } catch (error) {
    return show(visit, place, { asks, values, errors: findErrors(visit, error) }, 400)
  }
  if (made === 'taken') {
    return linked
      ? over(visit, place)
      : show(visit, place, { asks, values, errors: { username: view.text.sign_up.taken } }, 400)
  }
  if ('fault' in made) {
    const errors = { password: faultInWords(visit, made.fault, NEW_USER) }
    return show(visit, place, { asks, values, errors }, 400)
  }
  return enter(visit, place, made)
}

function findErrors({ view }: Visit, error: unknown): NonNullable<SignUpData['errors']> {
  const errors = tellRefusal(view, error)
  return errors.username === undefined ? errors : { username: view.text.sign_up.username_wrong }
}

/** Whoever has made an account has signed in by it. */
async function enter(visit: Visit, place: Place, user: UserWithPassword): Promise<Response> {
  if (needsSecondFactor(visit.configuration.settings, [])) return goOnToFactor(visit, place, { step: 'enrol', user })
  const { user_id, epoch } = user
  const proved = { user_id, user_epoch: epoch, amr: ['pwd'], ...inBrowser(visit) }
  return redirect(visit, endSignIn(visit, place, await startSession(visit.web.tenant, proved), user))
}

async function showAgain(visit: Visit): Promise<Response> {
  const place = await readPlace(visit)
  return place ? show(visit, place, { errors: { form: visit.view.text.sign_up.stale } }, 403) : expired(visit)
}

function show(visit: Visit, place: Place, data: Partial<SignUpData>, status = 200): Response {
  const { web, view } = visit
  const asks = data.asks ?? (wayOf(visit) === 'open' ? 'all' : 'email')
  const whole = {
    action: ours(web, typeof asks === 'object' ? paths.sign_up_account : paths.sign_up, place.query),
    ...{ client: place.client, login_href: loginHref(visit, place) },
    password_min_length: shortestFor(visit, NEW_USER),
    ...{ ...data, asks },
  }
  return send(visit, renderSignUp(view, whole), { status, script: true })
}

function over(visit: Visit, place: Place): Response {
  if (wayOf(visit) === 'off') return errorPage(visit, 'not_found', 404)
  const hrefs = { login_href: loginHref(visit, place), sign_up_href: ours(visit.web, paths.sign_up, place.query) }
  return send(visit, renderSignUpOver(visit.view, hrefs), { status: 400 })
}
