import { newId } from '../../../crypto/random.ts'
import { listChangedNames } from '../../../inbound/changed_names.ts'
import { createUser } from '../../../inbound/users/administer_users.ts'
import { type UserDescription, usernameKey } from '../../../inbound/users/prepare_user.ts'
import { inviteUser } from '../../../inbound/users/recovery.ts'
import { readText, refusal } from '../../../oauth/clients/metadata_member.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import type { UserWithPassword } from '../../../store/verbs/users.ts'
import { errorPage, ours, send, type Visit } from '../../page.ts'
import { redirectTelling } from '../../told_once.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { readFormId } from '../forms/form_id.ts'
import { refusedField } from '../forms/refused_field.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import { type FormValues, readTyped, refill, statusOf } from '../forms/typed_form.ts'
import { NEW_USER_FIELDS, type NewUserData, renderNewUser } from './templates/new_user.ts'

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
    const { user_id, twice } = await makeUser(visit, described, { actor, user_id: readFormId(values['user_id']) })
    if (twice) return toUser(visit, user_id, false)
    const user = await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id })
    const outcome = user ? await inviteUser(inbound, user, actor) : 'no_email'
    return toUser(visit, user_id, outcome === 'invited')
  } catch (error) {
    if (!(error instanceof OAuthError) || error.status >= 500) throw error
    return show(visit, values, refusedField(error))
  }
})

/** A form that is sent twice leads to the user that it made; one that names another by now makes another. */
async function makeUser(
  visit: Visit,
  described: UserDescription,
  args: { readonly actor: string; readonly user_id: string | undefined },
): Promise<{ readonly user_id: string; readonly twice: boolean }> {
  const { tenant } = visit.web
  const { actor, user_id } = args
  const made = await createUser(tenant, described, args)
  if (made !== null) return { user_id: made, twice: false }
  const username_key = usernameKey(described.username)
  const standing = await tenant.store.findUserByUsername({ tenant_id: tenant.tenant_id, username_key })
  if (standing && standing.user_id === user_id && isAsTyped(standing, described)) return { user_id, twice: true }
  const other = standing ? null : await createUser(tenant, described, { actor })
  if (other === null) throw refusal('username', 'is that of somebody else')
  return { user_id: other, twice: false }
}

function isAsTyped({ name, email, roles }: UserWithPassword, typed: UserDescription): boolean {
  const wanted = { name: typed.name ?? null, email: typed.email ?? null, roles: typed.roles ?? [] }
  return listChangedNames({ name, email, roles: JSON.parse(roles) as string[] }, wanted).length === 0
}

/** POST /admin/user/invite: sends a link to choose a first password. */
export const inviteUserSubmit = consoleSubmit(async (visit, actor, { user_id = '' }) => {
  const { tenant, inbound } = visit.web
  const user = await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id })
  if (!user) return errorPage(visit, 'not_found', 404)
  return toUser(visit, user_id, (await inviteUser(inbound, user, actor)) === 'invited')
})

function toUser(visit: Visit, user_id: string, invited: boolean): Response {
  return redirectTelling(visit, ours(visit.web, paths.admin_user, { user_id }), invited ? 'invited' : undefined)
}

const rolesOf = ({ configuration }: Visit) => [...configuration.roles.keys()].sort()

function show(visit: Visit, values: FormValues, wrong?: NewUserData['wrong']): Response {
  const kinds = { ...NEW_USER_FIELDS, roles: { some_of: rolesOf(visit) } }
  const like = { username: 'alice@example.com', email: 'alice@example.com', roles: ['clerk'] }
  const body = values['username'] === undefined ? like : readTyped(kinds, values)
  const script = scriptOf(visit, 'createUser', {}, { body })
  const user_id = readFormId(values['user_id']) ?? newId(visit.view.now)
  const html = renderNewUser(visit.view, { user_id, values, wrong, roles: rolesOf(visit), script })
  return send(visit, html, { status: statusOf(wrong) })
}
