import { isDeepStrictEqual } from 'node:util'
import { saveRole } from '../../../inbound/administration/configure.ts'
import { ADMINISTRATOR } from '../../../inbound/tenants.ts'
import { readText, refusal } from '../../../oauth/clients/metadata_member.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import { errorPage, ours, redirect, send, type Visit } from '../../page.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { refusedField } from '../forms/refused_field.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import { type FormValues, readTyped, refill, seenIn, statusOf, writeTyped } from '../forms/typed_form.ts'
import { type EditRoleData, ROLE_FIELDS, renderAskRights, renderEditRole, renderRoles } from './templates/roles.ts'

const LONGEST_NAME = 64

/** GET /admin/roles. */
export const rolesPage = consolePage(async (visit) => {
  const roles = [...visit.configuration.roles]
    .map(([role, scopes]) => ({ role, scopes, built_in: role === ADMINISTRATOR }))
    .sort((a, b) => (a.role < b.role ? -1 : 1))
  return send(visit, renderRoles(visit.view, { roles }))
})

/** GET /admin/roles/new. */
export const newRolePage = consolePage(async (visit, _administrator, kept) =>
  show(visit, undefined, ...refill(kept, {})),
)

/** GET /admin/role/edit?role=. */
export const editRolePage = consolePage(async (visit, _administrator, kept) => {
  const { role = '' } = visit.query
  const scopes = visit.configuration.roles.get(role)
  if (!scopes) return errorPage(visit, 'not_found', 404)
  return show(visit, role, ...refill(kept, writeTyped(ROLE_FIELDS, { scopes })))
})

/** POST /admin/roles/new and /admin/role/edit: the role has these scopes and no others, or nothing is changed. */
export const saveRoleSubmit = (made: 'new' | 'known') =>
  consoleSubmit(async (visit, actor, values) => {
    const { roles, config_version } = visit.configuration
    const known = made === 'known' ? values['role'] : undefined
    if (made === 'known' && !roles.has(known ?? '')) return errorPage(visit, 'not_found', 404)
    const seen = Number(values['seen'])
    if (seen !== config_version) return overtaken(visit, known, values)
    try {
      const role = known ?? readText(values, 'role', LONGEST_NAME)
      if (role === undefined) throw refusal('role', 'is missing')
      if (made === 'new' && roles.has(role)) throw refusal('role', 'is that of a role that is there already')
      const { scopes = [] } = readTyped(ROLE_FIELDS, values) as { scopes?: string[] }
      const saved = await saveRole(visit.web.tenant, role, scopes, { actor, changed: ['scopes'], seen })
      return saved ? redirect(visit, ours(visit.web, paths.admin_roles)) : overtaken(visit, known, values)
    } catch (error) {
      if (!(error instanceof OAuthError) || error.status >= 500) throw error
      return show(visit, known, values, refusedField(error))
    }
  })

/** Whoever comes second is told what has changed; a form that was sent twice leads to what it made. */
async function overtaken(visit: Visit, known: string | undefined, values: FormValues): Promise<Response> {
  const { roles } = await visit.web.tenant.currentConfiguration()
  const { scopes = [] } = readTyped(ROLE_FIELDS, values) as { scopes?: string[] }
  const standing = roles.get(known ?? values['role'] ?? '')
  const done = standing !== undefined && isDeepStrictEqual([...standing].sort(), [...scopes].sort())
  return done ? redirect(visit, ours(visit.web, paths.admin_roles)) : show(visit, known, values, 'stale')
}

/** GET /admin/rights?username=&client_id=&scope=: why she may do this; the answer stands on the client's page of rights. */
export const askRightsPage = consolePage(async (visit) => {
  const { tenant_id, store } = visit.web.tenant
  const { client_id, username, scope } = visit.query
  const known = client_id === undefined ? undefined : await store.findClient({ tenant_id, client_id })
  if (known) {
    const query = Object.entries({ client_id, username, scope }).filter((pair): pair is [string, string] => !!pair[1])
    return redirect(visit, ours(visit.web, paths.admin_client_rights, Object.fromEntries(query)))
  }
  const wrong = known === null ? ('client' as const) : undefined
  const script = scriptOf(visit, 'explainRights', {}, { query: { client_id: 'CLIENT_ID', user_id: 'USER_ID' } })
  return send(visit, renderAskRights(visit.view, { client_id, username, scope, wrong, script }))
})

function show(visit: Visit, role: string | undefined, values: FormValues, wrong?: EditRoleData['wrong']): Response {
  const seen = seenIn(values, wrong, String(visit.configuration.config_version))
  const typed = readTyped(ROLE_FIELDS, values) as { scopes?: string[] }
  const body = {
    ...(role === undefined && { role: values['role'] ?? 'clerk' }),
    scopes: typed.scopes ?? ['orders:read'],
  }
  const script =
    role === undefined ? scriptOf(visit, 'createRole', {}, { body }) : scriptOf(visit, 'updateRole', { role }, { body })
  const html = renderEditRole(visit.view, { role, values, seen, wrong, script })
  return send(visit, html, { status: statusOf(wrong) })
}
