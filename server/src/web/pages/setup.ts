import { newId } from '../../crypto/random.ts'
import { event } from '../../inbound/event.ts'
import { findByLink } from '../../inbound/limits.ts'
import { startSession } from '../../inbound/sessions/sessions.ts'
import { ADMINISTRATOR } from '../../inbound/tenants.ts'
import { needsSecondFactor } from '../../inbound/users/factors.ts'
import { shortestPassword } from '../../inbound/users/password_policy.ts'
import { prepareUser, usernameKey } from '../../inbound/users/prepare_user.ts'
import { needsSetup } from '../../inbound/users/setup_link.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Params } from '../../oauth/params.ts'
import { errorPage, ours, page, redirect, requireVisitor, send, submit, type Visit, writeCookie } from '../page.ts'
import { paths } from '../ui/paths.ts'
import type { View } from '../ui/view.ts'
import { goOnToFactor } from './sign_in.ts'
import { renderSetup, type SetupData } from './templates/setup.ts'

const NO_REQUEST = { interaction: null, client: undefined, login_hint: undefined }

/** GET /setup: the one-time link to the first administrator. */
export const setupPage = page(async (visit) => {
  requireVisitor(visit)
  const token = visit.query['token'] ?? ''
  if (!(await isLink(visit, token))) return errorPage(visit, 'setup_link', 403)
  return show(visit, token, {})
})

/** POST /setup: makes the first administrator and signs them in; the link is spent with it. */
export const setupSubmit = submit(async (visit, form) => {
  const { tenant } = visit.web
  const { values } = form
  const token = values['setup_token'] ?? ''
  if (!(await isLink(visit, token))) return errorPage(visit, 'setup_link', 403)
  const { username, password } = values
  const shown = readTyped(form)
  if (username === undefined || password === undefined) {
    const { missing } = visit.view.text.setup
    const errors = {
      ...(username === undefined && { username: missing }),
      ...(password === undefined && { password: missing }),
    }
    return show(visit, token, { values: shown, errors }, 400)
  }
  const user_id = newId(tenant.clock())
  const { tenant_id, store } = tenant
  try {
    const { name, email } = values
    if (await store.findUserByUsername({ tenant_id, username_key: usernameKey(username) })) {
      return show(visit, token, { values: shown, errors: { username: visit.view.text.sign_up.taken } }, 400)
    }
    const described = { username, name, email, password, roles: [ADMINISTRATOR] }
    const user = await prepareUser(user_id, described, visit.configuration)
    const outcome = await store.redeemSetupLink({
      tenant_id,
      secret_hash: tenant.keys.hashSecret(token),
      user,
      event: event(tenant, 'user.created', 'setup', { user_id, detail: { username, roles: [ADMINISTRATOR] } }),
    })
    if (outcome === 'spent') return errorPage(visit, 'setup_link', 403)
  } catch (error) {
    return show(visit, token, { values: shown, errors: tellRefusal(visit.view, error) }, 400)
  }
  const { settings } = visit.configuration
  const user = needsSecondFactor(settings, [ADMINISTRATOR]) && (await store.findUser({ tenant_id, user_id }))
  const next = ours(visit.web, paths.admin_first_run)
  if (user) return goOnToFactor(visit, { ...NO_REQUEST, query: { return_to: next }, next }, { step: 'enrol', user })
  const user_agent = visit.c.req.header('user-agent') ?? null
  const session = await startSession(tenant, {
    user_id,
    user_epoch: 0,
    amr: ['pwd'],
    former: visit.signed_in,
    user_agent,
  })
  writeCookie(visit.c, visit.web, visit.web.cookies.session, session.cookie, session.expires_at)
  return redirect(visit, next)
})

/** What is wrong with a new user, at the field that the refusal names; whatever else was thrown goes on. */
export function tellRefusal({ text }: View, error: unknown): NonNullable<SetupData['errors']> {
  if (!(error instanceof OAuthError) || error.status >= 429) throw error
  const fields = ['username', 'name', 'email', 'password'] as const
  const field = fields.find((part) => error.error_description.startsWith(part))
  const { setup, sign_up } = text
  const said = { username: setup.username_wrong, name: setup.name_wrong, email: sign_up.email_wrong }
  const words = field === undefined || field === 'password' ? error.error_description : said[field]
  return { [field ?? 'form']: words }
}

/** What was typed about a new user, to be shown again. */
export function readTyped({ values }: Params): { username?: string; name?: string; email?: string } {
  const { username, name, email } = values
  return { ...(username && { username }), ...(name && { name }), ...(email && { email }) }
}

// It makes the first administrator: one that a file has made since is reason enough to refuse it.
async function isLink(visit: Visit, token: string): Promise<boolean> {
  const { tenant } = visit.web
  const { tenant_id, keys, store } = tenant
  const link = { tenant_id, kind: 'setup', secret_hash: keys.hashSecret(token) }
  const find = async () => (await store.findOneTimeLink(link)) || null
  const there = await findByLink(visit.web.inbound, visit.address, find)
  return there !== null && (await needsSetup(tenant))
}

function show(visit: Visit, setup_token: string, data: Pick<SetupData, 'values' | 'errors'>, status = 200): Response {
  const action = ours(visit.web, '/setup')
  const html = renderSetup(visit.view, {
    action,
    setup_token,
    password_min_length: shortestPassword(visit.configuration.settings, [ADMINISTRATOR]),
    ...data,
  })
  return send(visit, html, { status, script: true })
}
