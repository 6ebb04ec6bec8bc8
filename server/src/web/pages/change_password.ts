import { getCookie } from 'hono/cookie'
import { readKnownDevice } from '../../inbound/known_device.ts'
import { shortestPassword } from '../../inbound/password_policy.ts'
import { changePassword } from '../../inbound/recovery.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { ours, send, type Visit } from '../page.ts'
import { paths } from '../ui/paths.ts'
import { tell } from '../ui/view.ts'
import { tooManyTries } from './login.ts'
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
  try {
    const changed = await changePassword(web.inbound, visit.configuration, sure.user, change)
    if (changed.kind === 'too_many') {
      const { minutes } = tooManyTries(visit, changed.until - web.tenant.clock())
      return show(visit, sure, { form: String(tell(view, view.text.login.too_many_tries, { n: minutes })) }, 429)
    }
    if (changed.kind === 'right' && changed.value === 'changed') return done(visit, 'password')
    return show(visit, sure, { present_password: text.present_wrong }, 401)
  } catch (error) {
    if (!(error instanceof OAuthError) || error.status >= 500) throw error
    return show(visit, sure, { password: error.error_description })
  }
})

async function show(visit: Visit, { user }: Sure, errors: NonNullable<ChangePasswordData['errors']>, status?: number) {
  const { web, view, configuration } = visit
  const { tenant_id, store } = web.tenant
  const mine = { tenant_id, user_id: user.user_id }
  const [sessions, grants] = await Promise.all([store.listSessionsOfUser(mine), store.listGrantsOfUser(mine)])
  const html = renderChangePassword(view, {
    action: ours(web, paths.account_password),
    back_href: ours(web, paths.account_security),
    username: user.username,
    password_min_length: shortestPassword(configuration.settings, JSON.parse(user.roles) as string[]),
    other_sessions: sessions.length > 1,
    apps: grants.length > 0,
    errors,
  })
  return send(visit, html, { status: status ?? (Object.keys(errors).length > 0 ? 400 : 200), script: true })
}
