import { answerDevice, type DeviceAnswer, type DeviceQuestion } from '../../inbound/authorization/device.ts'
import { isSelfRegistered } from '../../inbound/clients/register_client.ts'
import { checkGuess } from '../../inbound/limits.ts'
import type { SignedIn } from '../../inbound/sessions/sessions.ts'
import { readUserCode, showUserCode } from '../../oauth/device.ts'
import type { Params } from '../../oauth/params.ts'
import { findClientLogo } from '../client_logos.ts'
import { nameDevice } from '../device_name.ts'
import { errorPage, ours, redirect, refusalPage, send, submit, type Visit } from '../page.ts'
import { paths } from '../ui/paths.ts'
import { signedInPage } from './account.ts'
import { describeRoles, describeScopes, nameResources, readChosen } from './described_scopes.ts'
import { signOut } from './logout.ts'
import { type DeviceEntryData, renderDeviceDone, renderDeviceEntry, renderDeviceQuestion } from './templates/device.ts'

/** GET /device: where a device sends its user (RFC 8628 section 3.3); a code in the URL still has to be confirmed. */
export const devicePage = signedInPage(async (visit) => {
  const user_code = readUserCode(visit.query['user_code'] ?? '')
  return askForCode(visit, { user_code: user_code === null ? undefined : showUserCode(user_code) })
})

/** POST /device: the code, and then the answer. */
export const deviceSubmit = submit(
  async (visit, form) => {
    const { user_code = '' } = form.values
    if (!visit.signed_in) return signInFirst(visit, user_code)
    return answerCode(visit, visit.signed_in, user_code, readAnswer(form))
  },
  async (visit) => (visit.signed_in ? errorPage(visit, 'forged', 403) : signInFirst(visit, '')),
)

/** POST /device/switch: "not you?" on the page with the question. */
export const deviceSwitchSubmit = submit(async (visit) => {
  await signOut(visit)
  return signInFirst(visit, visit.query['user_code'] ?? '')
})

function signInFirst(visit: Visit, typed: string): Response {
  const user_code = readUserCode(typed)
  const return_to = ours(visit.web, paths.device, user_code === null ? {} : { user_code: showUserCode(user_code) })
  return redirect(visit, ours(visit.web, '/login', { return_to }))
}

function readAnswer(form: Params): DeviceAnswer | null {
  const { decision, shown, role } = form.values
  if ((decision !== 'allow' && decision !== 'deny') || shown === undefined) return null
  return { decision, shown, role, ...readChosen(form) }
}

async function answerCode(
  visit: Visit,
  signed_in: SignedIn,
  typed: string,
  given: DeviceAnswer | null,
): Promise<Response> {
  const { web } = visit
  const guess = { kind: 'user_code', of: signed_in.session.session_id, address: visit.address } as const
  const guessed = await checkGuess(web.inbound, guess, async () => {
    const outcome = await answerDevice(web.inbound, signed_in, typed, given)
    return outcome.kind === 'unknown' ? null : outcome
  })
  if (guessed.kind === 'too_many') {
    const seconds = Math.max(1, Math.ceil((guessed.until - visit.view.now) / 1000))
    visit.c.header('Retry-After', String(seconds))
    return askForCode(visit, { refusal: { reason: 'too_many', minutes: Math.ceil(seconds / 60) } }, 429)
  }
  if (guessed.kind === 'wrong')
    return askForCode(visit, { user_code: typed.slice(0, 20), refusal: { reason: 'unknown' } }, 400)
  const outcome = guessed.value
  switch (outcome.kind) {
    case 'question':
      return ask(visit, signed_in, outcome.question)
    case 'done': {
      const client_name = outcome.client.client_name ?? outcome.client.client_id
      return send(visit, renderDeviceDone(visit.view, { decision: outcome.decision, client_name }))
    }
    case 'refused':
      return refusalPage(visit, outcome.error)
    default:
      return askForCode(visit, { refusal: { reason: 'answered' } }, 400)
  }
}

function askForCode(visit: Visit, data: Omit<DeviceEntryData, 'action'>, status = 200): Response {
  return send(visit, renderDeviceEntry(visit.view, { action: ours(visit.web, paths.device), ...data }), { status })
}

async function ask(visit: Visit, { user }: SignedIn, question: DeviceQuestion): Promise<Response> {
  const { web, view } = visit
  const { client, code, configuration, scope, optional_scope, resource, user_code, shown } = question
  const { issuer } = web.tenant
  const verified = !isSelfRegistered(question.source)
  const scopes = describeScopes(view, issuer, configuration, { scope, resource, new_scope: [], optional_scope })
  const html = renderDeviceQuestion(view, {
    action: ours(web, paths.device),
    hidden: { user_code, shown },
    user_code: showUserCode(user_code),
    client: {
      client_id: client.client_id,
      client_name: client.client_name,
      logo_uri: await findClientLogo(web, client, verified),
      verified,
    },
    user: { username: user.username, name: user.name ?? undefined },
    switch_action: ours(web, paths.device_switch, { user_code: showUserCode(user_code) }),
    scopes,
    roles: describeRoles(question.roles, scopes),
    resources: nameResources(issuer, configuration, resource),
    offline: question.offline,
    end_choices: question.ends,
    longest_seconds: client.grant_lifetime_seconds,
    address: code.address ?? undefined,
    device: code.user_agent === null ? undefined : nameDevice(view, code.user_agent),
    created_at: code.created_at,
  })
  return send(visit, html)
}
