import { getCookie } from 'hono/cookie'
import { readKnownDevice } from '../../inbound/users/known_device.ts'
import { changePassword } from '../../inbound/users/recovery.ts'
import { ours, send, type Visit } from '../page.ts'
import { paths } from '../ui/paths.ts'
import { tellText } from '../ui/view.ts'
import { tooManyTries } from './login.ts'
import { faultInWords, shortestFor } from './reset.ts'
import { done, type Sure, surePage, sureSubmit } from './security.ts'
import { type ChangePasswordData, renderChangePassword } from './templates/change_password.ts'

/** GET /account/security/password: asks for the present and the new one, and what ends with the old. */
export const changePasswordPage = surePage(paths.account_password, (visit, sure) => show(visit, sure, {}))

/** POST /account/security/password: changes it (ASVS 6.2.2, 6.2.3). */
export const changePasswordSubmit = sureSubmit(paths.account_password, async (visit, sure, values) => {
  const { view, web } = visit
  const { change_password: text } = view.text.security
  const { present_password, password, end_sessions, apps } = values
  if (present_password === undefined || password === undefined) {
    return show(visit, sure, {
      ...(present_password === undefined && { present_password: text.present_missing }),
      ...(password === undefined && { password: text.missing }),
    })
  }
  const only_session_id = end_sessions === 'yes' ? sure.session.session_id : null
  const known_device = readKnownDevice(
    web.tenant,
    getCookie(visit.c, web.cookies.device),
    sure.user,
    web.tenant.clock(),
  )
  const passwords = { present_password, password, only_session_id, end_apps: apps === 'end' }
  const change = { ...passwords, address: visit.address, known_device }
  const changed = await changePassword(web.inbound, visit.configuration, sure.user, change)
  switch (changed.kind) {
    case 'refused':
      return show(visit, sure, { password: faultInWords(visit, changed.fault, sure.user) })
    case 'too_many': {
      const { minutes } = tooManyTries(visit, changed.until - web.tenant.clock())
      return show(visit, sure, { form: tellText(view, view.text.login.too_many_tries, { n: minutes }) }, 429)
    }
    case 'wrong':
      return show(visit, sure, { present_password: text.present_wrong }, 401)
    case 'right':
      // Another change came first: what was present is no longer.
      return changed.value === 'changed'
        ? done(visit, 'password')
        : show(visit, sure, { present_password: text.present_wrong }, 401)
  }
})

async function show(visit: Visit, { user }: Sure, errors: NonNullable<ChangePasswordData['errors']>, status?: number) {
  const { web, view } = visit
  const { tenant_id, store } = web.tenant
  const mine = { tenant_id, user_id: user.user_id }
  const [sessions, grants, tokens] = await Promise.all([
    store.listSessionsOfUser(mine),
    store.listGrantsOfUser(mine),
    store.listPermanentTokens(mine),
  ])
  const html = renderChangePassword(view, {
    action: ours(web, paths.account_password),
    back_href: ours(web, paths.account_security),
    username: user.username,
    password_min_length: shortestFor(visit, user),
    other_sessions: sessions.length > 1,
    apps: grants.length + tokens.length > 0,
    errors,
  })
  return send(visit, html, { status: status ?? (Object.keys(errors).length > 0 ? 400 : 200), script: true })
}
