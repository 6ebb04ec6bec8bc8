import { takeTurn } from '../../inbound/limits.ts'
import { startSession } from '../../inbound/sessions/sessions.ts'
import { stepAfterFirstFactor } from '../../inbound/users/check_login.ts'
import { meetsPolicy } from '../../inbound/users/factors.ts'
import { type Arrival, findArrival } from '../../inbound/users/federation.ts'
import { findLoginHandoff, finishHandoff, startHandoff } from '../../inbound/users/login_handoff.ts'
import { acrOf } from '../../oauth/acr.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { LoginHandoff } from '../../oauth/login_handoff.ts'
import { ours, page, redirect, requireVisitor, send, type Visit } from '../page.ts'
import { paths } from '../ui/paths.ts'
import { expired } from './authorize.ts'
import { endSignIn, goOnToFactor, inBrowser, isAnew, type Place, readPlace } from './sign_in.ts'
import { renderArrival } from './templates/arrival.ts'

/** Where platforms' users are known by, beside those of connectors; no connector can have these names. */
const [HANDOFF, EMBEDDER] = [':login_handoff', ':embedder']

/**
 * A sign-in that is somebody else's to do: the embedder's, asked in this process, or the platform's, to which the browser
 * is sent. Null where neither is set up, or the embedder knows nobody and there is no platform: then our own page is shown.
 */
export async function signInByOthers(visit: Visit, place: Place): Promise<Response | null> {
  const { web, c, configuration } = visit
  const anew = isAnew(visit, place)
  const person = await web.authenticate?.(c.req.raw, { anew, login_hint: place.login_hint })
  if (person) {
    const { sub, amr = [], auth_time, ...claims } = person
    if (sub === '' || sub.length > 255) throw new Error('authenticate answered a sub that has not 1 to 255 characters')
    const identity = { authority: EMBEDDER, account: sub, connector: EMBEDDER, account_name: claims.username ?? null }
    const arrival = { identity, mode: 'create', claims: { email_verified: false, ...claims } } as const
    return enter(visit, place, arrival, { amr, auth_time })
  }
  const handoff = findLoginHandoff(configuration)
  if (!handoff) return null
  requireVisitor(visit)
  await takeTurn(web.inbound, 'sign_in_elsewhere', { address: visit.address })
  return redirect(visit, await startHandoff(web.inbound, configuration, handoff, describeStart(visit, place, anew)))
}

function describeStart(visit: Visit, place: Place, anew: boolean): Parameters<typeof startHandoff>[3] {
  const { web, browser, view } = visit
  const { login_hint, client, interaction } = place
  return {
    ...{ browser, now: view.now, answer_uri: `${web.tenant.issuer}${paths.login_answer}` },
    ...{ request: place.query['request'] ?? null, return_to: place.next },
    wanted: {
      ...(client && { client_id: client.client_id }),
      ...(login_hint !== undefined && { login_hint }),
      ...(anew && { prompt: 'login' }),
      ...(interaction?.acr !== undefined && interaction.acr !== 'pwd' && { acr_values: interaction.acr }),
    },
  }
}

/** GET /login/answer: the browser brings back what the platform says of its user. */
export const loginAnswerPage = page(async (visit) => {
  const { web, browser, view, query, configuration } = visit
  const handoff = findLoginHandoff(configuration)
  if (!handoff) throw new OAuthError('invalid_request', 'This server signs its users in itself', { status: 404 })
  const given = { login_answer: query['login_answer'] ?? '', browser, now: view.now }
  const { answer, place: waiting } = await finishHandoff(web.inbound, handoff, given)
  const place = await readPlace(
    visit,
    waiting.request === null ? { return_to: waiting.return_to } : { request: waiting.request },
  )
  if (!place) return expired(visit)
  if (answer.kind === 'refused') return refused(visit, place, handoff)
  const { sub, claims, amr, auth_time } = answer
  const account_name = claims.username ?? claims.name ?? null
  const identity = { authority: handoff.issuer, account: sub, connector: HANDOFF, account_name }
  return enter(visit, place, { identity, mode: 'create', claims }, { amr, auth_time })
})

function refused(visit: Visit, place: Place, handoff: LoginHandoff): Response {
  const provider_name = new URL(handoff.login_uri).host
  const login_href = ours(visit.web, paths.login, place.query)
  return send(visit, renderArrival(visit.view, { outcome: 'refused', provider_name, login_href }))
}

/** A platform that has asked for a second factor itself is believed; else ours is asked for where one is needed (ASVS 6.3.4). */
async function enter(
  visit: Visit,
  place: Place,
  arrival: Arrival,
  how: { readonly amr: readonly string[]; readonly auth_time: number | undefined },
): Promise<Response> {
  const { web, configuration } = visit
  const user = await findArrival(web.tenant, arrival)
  if (!user) throw new OAuthError('access_denied', 'This account is disabled', { status: 403 })
  if (!meetsPolicy(configuration.settings, user, acrOf(how.amr))) {
    const step = await stepAfterFirstFactor(web.tenant, user)
    if (step.kind === 'not_enough') return goOnToFactor(visit, place, step, how.amr)
  }
  const { user_id, epoch } = user
  const session = await startSession(web.tenant, { user_id, user_epoch: epoch, ...how, ...inBrowser(visit) })
  return redirect(visit, endSignIn(visit, place, session, { user_id, epoch }))
}
