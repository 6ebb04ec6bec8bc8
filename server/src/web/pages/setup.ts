import { newId } from '../../crypto/random.ts'
import { startSession } from '../../inbound/sessions.ts'
import { ADMINISTRATOR } from '../../inbound/tenants.ts'
import { event, prepareUser } from '../../inbound/users.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Params } from '../../oauth/params.ts'
import { errorPage, ours, page, redirect, send, submit, type Visit, writeCookie } from '../page.ts'
import { renderSetup, type SetupData } from './templates/setup.ts'

const SHORTEST = 8

/** GET /setup: the one-time link to the first administrator. */
export const setupPage = page(async (visit) => {
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
  try {
    const { name, email } = values
    const user = await prepareUser(user_id, { username, name, email, password, roles: [ADMINISTRATOR] })
    const outcome = await tenant.store.redeemSetupLink({
      tenant_id: tenant.tenant_id,
      secret_hash: tenant.keys.hashSecret(token),
      user,
      event: event(tenant, 'user.created', 'setup', { user_id, detail: { username, roles: [ADMINISTRATOR] } }),
    })
    if (outcome === 'spent') return errorPage(visit, 'setup_link', 403)
  } catch (error) {
    if (!(error instanceof OAuthError) || error.status >= 500) throw error
    const field = (['username', 'name', 'email', 'password'] as const).find((part) =>
      error.error_description.startsWith(part),
    )
    return show(visit, token, { values: shown, errors: { [field ?? 'form']: error.error_description } }, 400)
  }
  const user_agent = visit.c.req.header('user-agent') ?? null
  const session = await startSession(tenant, {
    user_id,
    user_epoch: 0,
    amr: ['pwd'],
    former: visit.signed_in,
    user_agent,
  })
  writeCookie(visit.c, visit.web, visit.web.cookies.session, session.cookie, session.expires_at)
  return redirect(visit, ours(visit.web, '/admin'))
})

function readTyped({ values }: Params): { username?: string; name?: string; email?: string } {
  const { username, name, email } = values
  return { ...(username && { username }), ...(name && { name }), ...(email && { email }) }
}

function isLink(visit: Visit, token: string): Promise<boolean> {
  const { tenant_id, keys, store } = visit.web.tenant
  return store.findOneTimeLink({ tenant_id, kind: 'setup', secret_hash: keys.hashSecret(token) })
}

function show(visit: Visit, setup_token: string, data: Pick<SetupData, 'values' | 'errors'>, status = 200): Response {
  const action = ours(visit.web, '/setup')
  const html = renderSetup(visit.view, { action, setup_token, password_min_length: SHORTEST, ...data })
  return send(visit, html, { status, script: true })
}
