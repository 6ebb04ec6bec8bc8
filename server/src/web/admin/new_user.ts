import { createUser } from '../../inbound/users/administer_users.ts'
import { inviteUser } from '../../inbound/users/recovery.ts'
import { readText, refusal } from '../../oauth/clients/metadata_member.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { errorPage, ours, redirect, send, type Visit } from '../page.ts'
import { paths } from '../ui/paths.ts'
import { consolePage, consoleSubmit } from './administrator.ts'
import { refusedField } from './refused_field.ts'
import { scriptOf } from './same_by_script.ts'
import { NEW_USER_FIELDS, type NewUserData, renderNewUser } from './templates/new_user.ts'
import { type FormValues, readTyped, refill, statusOf } from './typed_form.ts'

const LONGEST = 200

/** GET /admin/users/new. */
export const newUserPage = consolePage(async (visit, _administrator, kept) => show(visit, ...refill(kept, {})))

/** POST /admin/users/new: makes a user without a password, who is sent an invitation where there is an address. */
export const newUserSubmit = consoleSubmit(async (visit, actor, values) => {
  const { tenant, inbound } = visit.web
  try {
    const kinds = { ...NEW_USER_FIELDS, roles: { some_of: rolesOf(visit) } }
    const { roles = [], ...typed } = readTyped(kinds, values) as { roles?: string[] }
    const username = readText(typed, 'username', LONGEST)
    if (username === undefined) throw refusal('username', 'is missing')
    const unknown = roles.find((role) => !visit.configuration.roles.has(role))
    if (unknown !== undefined) throw refusal('roles', `has ${unknown.slice(0, 64)}, which is no role`)
    const described = {
      username,
      roles,
      name: readText(typed, 'name', LONGEST),
      email: readText(typed, 'email', LONGEST),
    }
    const user_id = await createUser(tenant, described, { actor })
    if (user_id === null) throw refusal('username', 'is that of somebody else')
    const user = await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id })
    const outcome = user ? await inviteUser(inbound, user, actor) : 'no_email'
    return toUser(visit, user_id, outcome === 'invited')
  } catch (error) {
    if (!(error instanceof OAuthError) || error.status >= 500) throw error
    return show(visit, values, refusedField(error))
  }
})

/** POST /admin/user/invite: sends a link to choose a first password. */
export const inviteUserSubmit = consoleSubmit(async (visit, actor, { user_id = '' }) => {
  const { tenant, inbound } = visit.web
  const user = await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id })
  if (!user) return errorPage(visit, 'not_found', 404)
  return toUser(visit, user_id, (await inviteUser(inbound, user, actor)) === 'invited')
})

function toUser(visit: Visit, user_id: string, invited: boolean): Response {
  return redirect(visit, ours(visit.web, paths.admin_user, { user_id, ...(invited && { done: 'invited' }) }))
}

const rolesOf = ({ configuration }: Visit) => [...configuration.roles.keys()].sort()

function show(visit: Visit, values: FormValues, wrong?: NewUserData['wrong']): Response {
  const kinds = { ...NEW_USER_FIELDS, roles: { some_of: rolesOf(visit) } }
  const like = { username: 'alice@example.com', email: 'alice@example.com', roles: ['clerk'] }
  const body = values['username'] === undefined ? like : readTyped(kinds, values)
  const script = scriptOf(visit, 'createUser', {}, { body })
  const html = renderNewUser(visit.view, { values, wrong, roles: rolesOf(visit), script })
  return send(visit, html, { status: statusOf(wrong) })
}
