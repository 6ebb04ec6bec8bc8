import { getCookie } from 'hono/cookie'
import { checkGuess } from '../../inbound/limits.ts'
import { type StartedSession, startSession, startSessionBy } from '../../inbound/sessions/sessions.ts'
import { beginTotp, finishTotp, readCode, stepAfterPassword } from '../../inbound/users/factors.ts'
import { readKnownDevice } from '../../inbound/users/known_device.ts'
import { tellChange } from '../../inbound/users/letters.ts'
import type { Params } from '../../oauth/params.ts'
import type { Factors } from '../../store/verbs/factors.ts'
import type { UserWithPassword } from '../../store/verbs/users.ts'
import { ours, page, redirect, send, submit, type Visit } from '../page.ts'
import { paths } from '../ui/paths.ts'
import { expired } from './authorize.ts'
import { tooManyTries } from './login.ts'
import { endSignIn, findPending, forgetPending, inBrowser, type Place, passkeyQuestion, readPlace } from './sign_in.ts'
import { renderSecondFactor, type SecondFactorRefusal } from './templates/second_factor.ts'
import { renderRecoveryCodes, renderTotp } from './templates/totp.ts'

/** A sign-in between the password and the session: whose, what they have, and where it goes on. */
interface Step {
  readonly place: Place
  readonly user: UserWithPassword
  /** By which methods the first factor was given. */
  readonly amr: readonly string[]
  readonly factors: Factors
}

/** What both pages need: the right password a moment ago, in this browser; without it the sign-in starts again. */
async function atStep(
  visit: Visit,
  wanted: 'second_factor' | 'enrol',
  answer: (step: Step) => Promise<Response> | Response,
): Promise<Response> {
  const place = await readPlace(visit)
  if (!place) return expired(visit)
  const pending = await findPending(visit)
  if (!pending) {
    forgetPending(visit)
    return redirect(visit, ours(visit.web, paths.login, { ...place.query, over: 'yes' }))
  }
  const { tenant_id, store } = visit.web.tenant
  const { user, amr } = pending
  const factors = await store.loadFactors({ tenant_id, user_id: user.user_id })
  // Which of the two it is follows from the user alone: whoever has a factor cannot set up another one to get by.
  const step = stepAfterPassword(factors, true)
  if (step !== wanted) {
    return redirect(visit, ours(visit.web, step === 'enrol' ? paths.enrol : paths.second_factor, place.query))
  }
  return answer({ place, user, amr, factors })
}

/** A posted form of either page. */
function stepSubmit(
  wanted: 'second_factor' | 'enrol',
  answer: (visit: Visit, step: Step, values: Params['values']) => Promise<Response>,
) {
  return submit((visit, form) => atStep(visit, wanted, (step) => answer(visit, step, form.values)))
}

/** GET /login/factor: asks for the second factor. */
export const secondFactorPage = page((visit) => atStep(visit, 'second_factor', (step) => show(visit, step)))

/**
 * POST /login/factor: a code of the app, or a recovery code. It is counted before it is looked at, and spent in the
 * transaction that starts the session, so that one code is one sign-in however many come at once (ASVS 6.5.1, 6.6.3).
 */
export const secondFactorSubmit = stepSubmit('second_factor', async (visit, step, { code }) => {
  const { user, factors, place } = step
  if (onlyPasskey(step)) return show(visit, step, { reason: 'refused' }, 401)
  if (code === undefined) return show(visit, step, { reason: 'missing' }, 400)
  const { web } = visit
  const { tenant } = web
  const device = getCookie(visit.c, web.cookies.device)
  const known_device = readKnownDevice(tenant, device, user, tenant.clock())
  const guess = { kind: 'second_factor', of: user.user_id, address: visit.address, known_device } as const
  const start = async (): Promise<StartedSession | null> => {
    const given = readCode(tenant, user.user_id, factors, code)
    if (!given) return null
    const proved = {
      user_id: user.user_id,
      user_epoch: user.epoch,
      amr: [...step.amr, ...given.amr],
      ...inBrowser(visit),
    }
    const session = await startSessionBy(tenant, proved, given.factor)
    if (session && given.factor.kind === 'recovery_code')
      tellChange(web.inbound, user, 'recovery_code_used', visit.view.lang)
    return session
  }
  const guessed = await checkGuess(web.inbound, guess, start)
  if (guessed.kind === 'too_many') {
    return show(visit, step, tooManyTries(visit, guessed.until - tenant.clock()), 429)
  }
  if (guessed.kind === 'wrong') {
    web.inbound.refused_logins.count(user.user_id, visit.address, guessed.last)
    return show(visit, step, { reason: 'wrong' }, 401)
  }
  return redirect(visit, endSignIn(visit, place, guessed.value, user))
})

/** GET /login/enrol: whoever must have a second factor and has none sets one up before the session begins. */
export const enrolPage = page((visit) => atStep(visit, 'enrol', (step) => showEnrolment(visit, step)))

/** POST /login/enrol: keeps the authenticator app that said a right code, and signs in by it. */
export const enrolSubmit = stepSubmit('enrol', async (visit, step, { enrolment = '', code = '' }) => {
  const { tenant } = visit.web
  const { user_id, epoch } = step.user
  const enrolled = await finishTotp(tenant, user_id, enrolment, code)
  if (enrolled.kind === 'known') return redirect(visit, ours(visit.web, paths.second_factor, step.place.query))
  if (enrolled.kind === 'wrong') return showEnrolment(visit, step, enrolment)
  tellChange(visit.web.inbound, step.user, 'totp_added', visit.view.lang)
  const proved = { user_id, user_epoch: epoch, amr: [...step.amr, 'otp', 'mfa'], ...inBrowser(visit) }
  const next = endSignIn(visit, step.place, await startSession(tenant, proved), step.user)
  if (!enrolled.recovery_codes) return redirect(visit, next)
  const shown = { codes: enrolled.recovery_codes, username: step.user.username, continue_href: next }
  return send(visit, renderRecoveryCodes(visit.view, shown))
})

// A client that needs a passkey gets one, of whoever has one.
function onlyPasskey({ place, factors }: Step): boolean {
  const { acr, essential } = place.interaction ?? {}
  return acr === 'phr' && essential === true && factors.passkeys.length > 0
}

function show(visit: Visit, step: Step, refusal?: SecondFactorRefusal, status = 200): Response {
  const { web, view } = visit
  const { place, user, factors } = step
  const html = renderSecondFactor(view, {
    action: ours(web, paths.second_factor, place.query),
    username: user.username,
    passkey: factors.passkeys.length > 0 ? passkeyQuestion(visit, place, factors) : undefined,
    code: onlyPasskey(step) ? false : factors.totp ? 'totp' : 'recovery',
    refusal,
    back_href: ours(web, paths.login, place.query),
  })
  return send(visit, html, { status, script: true })
}

function showEnrolment(visit: Visit, { place, user }: Step, begun?: string): Response {
  const { web, view, configuration } = visit
  const names = { tenant: configuration.name, username: user.username }
  const { sealed, secret, uri } = beginTotp(web.tenant, names, user.user_id, begun)
  const html = renderTotp(view, {
    ...{ action: ours(web, paths.enrol, place.query), sealed, secret, uri, required: true },
    wrong: begun !== undefined,
  })
  return send(visit, html, { status: begun === undefined ? 200 : 401 })
}
