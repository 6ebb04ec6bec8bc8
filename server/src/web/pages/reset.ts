import { type PasswordFault, shortestPassword } from '../../inbound/users/password_policy.ts'
import { askForReset, findLink, resetPassword } from '../../inbound/users/recovery.ts'
import type { UserRecord } from '../../store/records.ts'
import type { UserLink } from '../../store/verbs/recovery.ts'
import { ours, page, requireVisitor, send, submit, type Visit } from '../page.ts'
import { paths } from '../ui/paths.ts'
import { tellText } from '../ui/view.ts'
import { type ResetData, renderNewPassword, renderReset, renderResetOutcome } from './templates/reset.ts'

/** GET /reset: asks whose password is forgotten. */
export const resetPage = page((visit) => show(visit, {}))

/** POST /reset: sends a link, if there is anybody to send it to; the answer is the same for everybody (ASVS 6.3.8). */
export const resetSubmit = submit(async (visit, form) => {
  const { inbound } = visit.web
  const { username } = form.values
  if (!inbound.outbox.on) return show(visit, {}, 404)
  if (username === undefined) return show(visit, { missing: true }, 400)
  await askForReset(inbound, { username, address: visit.address, lang: visit.view.lang })
  return show(visit, { sent_to: username })
})

/** GET /reset/password: the page behind the link. To open it changes nothing: mail servers open links, too. */
export const newPasswordPage = page(async (visit) => {
  requireVisitor(visit)
  const token = visit.query['token'] ?? ''
  const link = await findLink(visit.web.inbound, 'reset', token, visit.address)
  return link ? showNew(visit, token, link, await isFirst(visit, link)) : sendOutcome(visit, false)
})

/** POST /reset/password: the new password; whoever set it signs in with it, second factor and all. */
export const newPasswordSubmit = submit(async (visit, form) => {
  const { token = '', password } = form.values
  const { inbound } = visit.web
  const link = await findLink(inbound, 'reset', token, visit.address)
  if (!link) return sendOutcome(visit, false)
  const first = await isFirst(visit, link)
  if (password === undefined)
    return showNew(visit, token, link, first, visit.view.text.security.change_password.missing)
  const outcome = await resetPassword(inbound, visit.configuration, { ...link, token }, password, visit.view.lang)
  if (outcome === 'reset' || outcome === 'spent') return sendOutcome(visit, outcome === 'reset', first)
  return showNew(visit, token, link, first, faultInWords(visit, outcome, link.user))
})

/** What is wrong with a new password, for the person who chose it. */
export function faultInWords(visit: Visit, fault: PasswordFault, user: Pick<UserRecord, 'roles'>): string {
  const { password_fault } = visit.view.text.security
  if (fault !== 'too_short') return password_fault[fault]
  return tellText(visit.view, password_fault.too_short, { n: shortestFor(visit, user) })
}

/** The fewest characters that this user's password may have. */
export function shortestFor({ configuration }: Visit, user: Pick<UserRecord, 'roles'>): number {
  return shortestPassword(configuration.settings, JSON.parse(user.roles) as string[])
}

function show(visit: Visit, data: Partial<ResetData>, status = 200): Response {
  const { web, view } = visit
  const whole = {
    action: ours(web, paths.reset),
    login_href: ours(web, paths.login),
    on: web.inbound.outbox.on,
    ...data,
  }
  return send(visit, renderReset(view, whole), { status })
}

// Whoever was invited has none yet.
async function isFirst({ web }: Visit, { user }: UserLink): Promise<boolean> {
  const { tenant_id, store } = web.tenant
  return (await store.findUser({ tenant_id, user_id: user.user_id }))?.password_hash == null
}

function showNew(visit: Visit, token: string, { user }: UserLink, first: boolean, error?: string): Response {
  const { web, view } = visit
  const html = renderNewPassword(view, {
    ...{ action: ours(web, paths.reset_password), token, username: user.username, error, first },
    password_min_length: shortestFor(visit, user),
  })
  return send(visit, html, { status: error === undefined ? 200 : 400, script: true })
}

function sendOutcome(visit: Visit, done: boolean, first = false): Response {
  const href = ours(visit.web, done ? paths.login : paths.reset)
  return send(visit, renderResetOutcome(visit.view, { done, first, href }), { status: done ? 200 : 400 })
}
