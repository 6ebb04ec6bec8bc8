import { Hono } from 'hono'
import { wellKnownPaths } from '../oauth/metadata.ts'
import { administrationApi } from './api/administration_api.ts'
import { isForPrograms, refuse } from './api/api.ts'
import { proxy, proxyConnection } from './api/proxy.ts'
import { findLogo } from './brand.ts'
import { findClientPicture } from './client_logos.ts'
import { addConsoleRoutes } from './console_routes.ts'
import type { CompatDoor } from './door.ts'
import { addMachineAliases, addPageAliases } from './endpoint_aliases.ts'
import type { EndpointAliases } from './endpoint_paths.ts'
import { broker } from './endpoints/broker.ts'
import { connectSessionStatus } from './endpoints/connect_session_status.ts'
import { device_authorization } from './endpoints/device_authorization.ts'
import { healthz, readyz } from './endpoints/health.ts'
import { introspect } from './endpoints/introspect.ts'
import { connectorJwks, jwks, metadata, protectedResource } from './endpoints/metadata.ts'
import { par } from './endpoints/par.ts'
import { register, registration } from './endpoints/register.ts'
import { revocations } from './endpoints/revocations.ts'
import { revoke } from './endpoints/revoke.ts'
import { token } from './endpoints/token.ts'
import { userinfo } from './endpoints/userinfo.ts'
import { type MachineEndpoint, methodNotAllowed } from './machine.ts'
import { type PageEnv, page, refusalPage } from './page.ts'
import {
  accountPage,
  endAppSubmit,
  endAppsSubmit,
  endOtherSessionsSubmit,
  endSessionSubmit,
  homePage,
  narrowAppSubmit,
  takeBackConnectionSubmit,
} from './pages/account.ts'
import { deleteTokenSubmit, newTokenPage, newTokenSubmit } from './pages/account_tokens.ts'
import { allowConnectionPage, allowConnectionSubmit } from './pages/allow_connection.ts'
import { authorizePage, consentPage, consentSubmit } from './pages/authorize.ts'
import { changePasswordPage, changePasswordSubmit } from './pages/change_password.ts'
import {
  carriedPage,
  changeEndSubmit,
  chooseSubmit,
  connectCallbackPage,
  connectPage,
  disconnectSubmit,
  finishBrokeredPage,
  typePage,
  typeSubmit,
} from './pages/connect.ts'
import { askPage, askSubmit, waitPage } from './pages/connect_asked.ts'
import {
  invitationPage,
  invitationSubmit,
  openSessionPage,
  sessionPage,
  startSessionPage,
} from './pages/connect_session.ts'
import { devicePage, deviceSubmit, deviceSwitchSubmit } from './pages/device.ts'
import { loginAnswerPage } from './pages/handoff.ts'
import { languageSubmit } from './pages/language.ts'
import { loginPage, loginPasskeySubmit, loginSubmit } from './pages/login.ts'
import { confirmLogoutSubmit, logoutPage, switchSubmit } from './pages/logout.ts'
import { activityPage, deleteAccountSubmit, exportPage, ownDataPage } from './pages/own_data.ts'
import { newPasswordPage, newPasswordSubmit, resetPage, resetSubmit } from './pages/reset.ts'
import { enrolPage, enrolSubmit, secondFactorPage, secondFactorSubmit } from './pages/second_factor.ts'
import {
  addPasskeySubmit,
  confirmEmailPage,
  confirmEmailSubmit,
  emailSubmit,
  recoveryCodesSubmit,
  removePasskeySubmit,
  removeTotpSubmit,
  securityPage,
  totpPage,
  totpSubmit,
} from './pages/security.ts'
import { setupPage, setupSubmit } from './pages/setup.ts'
import { askLinkSubmit, linkCodeSubmit, openLinkPage, openLinkSubmit } from './pages/sign_in_link.ts'
import { linkIdentitySubmit, signInWithPage, unlinkIdentitySubmit } from './pages/sign_in_with.ts'
import { signUpAccountPage, signUpAccountSubmit, signUpPage, signUpSubmit } from './pages/sign_up.ts'
import { themeSubmit } from './pages/theme.ts'
import {
  playgroundCallbackPage,
  playgroundClientSubmit,
  playgroundFlowPage,
  playgroundPage,
} from './playground/playground.ts'
import { findAsset } from './ui/assets.ts'
import { paths } from './ui/paths.ts'
import type { Web } from './web.ts'

/** Every URL for machines, by its path on the host. */
export function machineRoutes(
  issuer: string,
  doors: readonly CompatDoor[],
  aliases: EndpointAliases = {},
): ReadonlyMap<string, MachineEndpoint<Web>> {
  const base = new URL(issuer).pathname.replace(/\/$/, '')
  const routes = new Map<string, MachineEndpoint<Web>>([
    [`${base}/token`, token],
    [`${base}/introspect`, introspect],
    [`${base}/device_authorization`, device_authorization],
    [`${base}/revoke`, revoke],
    [`${base}/par`, par],
    [`${base}/revocations`, revocations],
    [`${base}/broker`, broker],
    [base + paths.connect_session_status, connectSessionStatus],
    [`${base}/userinfo`, userinfo],
    [`${base}/register`, register],
    [`${base}/register/`, registration],
    [`${base}/jwks`, jwks],
    [`${base}/jwks/`, connectorJwks],
    ...wellKnownPaths(issuer).map(({ path }) => [path, metadata] as const),
    [`/.well-known/oauth-protected-resource${base}/api`, protectedResource],
    ['/healthz', healthz],
    ['/readyz', readyz],
    ...doors.flatMap((door) => door.machines(base)),
  ])
  return addMachineAliases(routes, base, aliases)
}

/** Every URL that is not an exact path, or is for people, under the path of the issuer. */
export function pageRoutes(doors: readonly CompatDoor[], aliases: EndpointAliases = {}): Hono<PageEnv> {
  const pages = new Hono<PageEnv>()
  pages.get('/', homePage)
  pages.on(['GET', 'POST'], '/authorize', authorizePage())
  pages.get('/consent', consentPage)
  pages.post('/consent', consentSubmit)
  pages.get('/login', loginPage)
  pages.post('/login', loginSubmit)
  pages.post(paths.sign_in_link, askLinkSubmit)
  pages.post(paths.sign_in_link_code, linkCodeSubmit)
  pages.get(paths.sign_in_link_open, openLinkPage)
  pages.post(paths.sign_in_link_open, openLinkSubmit)
  pages.get(paths.login_with, signInWithPage)
  pages.get(paths.login_answer, loginAnswerPage)
  pages.post(paths.login_passkey, loginPasskeySubmit)
  pages.get(paths.second_factor, secondFactorPage)
  pages.post(paths.second_factor, secondFactorSubmit)
  pages.get(paths.enrol, enrolPage)
  pages.post(paths.enrol, enrolSubmit)
  pages.get(paths.sign_up, signUpPage)
  pages.post(paths.sign_up, signUpSubmit)
  pages.get(paths.sign_up_account, signUpAccountPage)
  pages.post(paths.sign_up_account, signUpAccountSubmit)
  pages.get(paths.reset, resetPage)
  pages.post(paths.reset, resetSubmit)
  pages.get(paths.reset_password, newPasswordPage)
  pages.post(paths.reset_password, newPasswordSubmit)
  pages.post('/login/switch', switchSubmit)
  pages.on(['GET', 'POST'], paths.logout, logoutPage)
  pages.post(paths.logout_confirm, confirmLogoutSubmit)
  pages.get(paths.device, devicePage)
  pages.post(paths.device, deviceSubmit)
  pages.post(paths.device_switch, deviceSwitchSubmit)
  pages.get('/setup', setupPage)
  pages.post('/setup', setupSubmit)
  pages.post(paths.theme, themeSubmit)
  pages.post(paths.language, languageSubmit)

  pages.get(paths.account, accountPage)
  pages.post(paths.account_end_app, endAppSubmit)
  pages.post(paths.account_end_apps, endAppsSubmit)
  pages.post(paths.account_narrow_app, narrowAppSubmit)
  pages.post(paths.account_take_back, takeBackConnectionSubmit)
  pages.get(paths.account_new_token, newTokenPage)
  pages.post(paths.account_new_token, newTokenSubmit)
  pages.post(paths.account_delete_token, deleteTokenSubmit)
  pages.post(paths.account_end_session, endSessionSubmit)
  pages.post(paths.account_end_other_sessions, endOtherSessionsSubmit)

  pages.get(paths.account_activity, activityPage)
  pages.get(paths.account_data, ownDataPage)
  pages.get(paths.account_export, exportPage)
  pages.post(paths.account_delete, deleteAccountSubmit)
  pages.get(paths.account_security, securityPage)
  pages.post(paths.account_identities, unlinkIdentitySubmit)
  pages.post(paths.account_link_identity, linkIdentitySubmit)
  pages.get(paths.account_password, changePasswordPage)
  pages.post(paths.account_password, changePasswordSubmit)
  pages.get(paths.account_totp, totpPage)
  pages.post(paths.account_totp, totpSubmit)
  pages.post(paths.account_remove_totp, removeTotpSubmit)
  pages.post(paths.account_passkeys, addPasskeySubmit)
  pages.post(paths.account_remove_passkey, removePasskeySubmit)
  pages.post(paths.account_recovery_codes, recoveryCodesSubmit)
  pages.post(paths.account_email, emailSubmit)
  pages.get(paths.account_confirm_email, confirmEmailPage)
  pages.post(paths.account_confirm_email, confirmEmailSubmit)

  pages.post(paths.connect_session, openSessionPage)
  pages.get(paths.connect_session, sessionPage)
  pages.get(paths.connect_session_start, startSessionPage)
  pages.get(paths.connect_invitation, invitationPage)
  pages.post(paths.connect_invitation, invitationSubmit)
  pages.post(paths.account_disconnect, disconnectSubmit)
  pages.get('/connect/:connector', connectPage)
  pages.get('/connect/:connector/allow', allowConnectionPage)
  pages.post('/connect/:connector/allow', allowConnectionSubmit)
  pages.on(['GET', 'POST'], '/connect/:connector/callback', connectCallbackPage)
  pages.get('/connect/:connector/key', typePage)
  pages.post('/connect/:connector/key', typeSubmit)
  pages.get('/connect/:connector/ask', askPage)
  pages.post('/connect/:connector/ask', askSubmit)
  pages.get('/connect/:connector/device', waitPage)
  pages.get('/connect/:connector/finish', finishBrokeredPage)
  pages.post('/connect/:connector/finish', carriedPage)
  pages.post(paths.account_choose, chooseSubmit)
  pages.post(paths.account_connection_end, changeEndSubmit)

  addConsoleRoutes(pages)

  pages.get(paths.playground, playgroundPage)
  pages.get(paths.playground_flow, playgroundFlowPage)
  pages.get(paths.playground_callback, playgroundCallbackPage)
  pages.post(paths.playground_client, playgroundClientSubmit)

  pages.all('/proxy/connections/:connection_id/*', proxyConnection)
  pages.all('/proxy/:connector/*', proxy)

  pages.get('/assets/:file', async (c) => {
    const path = `/assets/${c.req.param('file')}`
    const { tenant } = c.get('web')
    const asset = findAsset(path) ?? (await findLogo(tenant, path)) ?? (await findClientPicture(tenant, path))
    return asset ? c.body(asset.body, 200, asset.headers) : c.text('Not found\n', 404)
  })
  for (const door of doors) door.pages(pages)
  // Its URLs are those of api/table.ts; what a door has under the same path is found first.
  pages.all('/api/*', administrationApi)
  addPageAliases(pages, aliases)
  refuseOtherMethods(pages)
  return pages
}

// Hono answers 404 where only the method is wrong.
function refuseOtherMethods(pages: Hono<PageEnv>): void {
  const methods = new Map<string, string[]>()
  for (const { path, method } of pages.routes) methods.set(path, [...(methods.get(path) ?? []), method])
  for (const [path, allowed] of methods) {
    if (allowed.includes('ALL')) continue
    const error = methodNotAllowed([...new Set(allowed)])
    const refusal = page((visit) => refusalPage(visit, error))
    pages.all(path, (c) => (isForPrograms(c) ? refuse(c, error) : refusal(c)))
  }
}
