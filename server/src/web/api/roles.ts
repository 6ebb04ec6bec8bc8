import * as z from 'zod'
import { saveRole } from '../../inbound/administration/configure.ts'
import { requireHeld } from '../../inbound/administration/given_rights.ts'
import { PAGING, pageOf, replyWhole } from './page_of.ts'
import { conflict } from './problem.ts'
import { type ApiRequest, route, type Subject, shown } from './route.ts'
import { saveSeen } from './save_configuration.ts'

interface Role {
  readonly role: string
  readonly scopes: readonly string[]
}

const RoleSchema = z
  .strictObject({ role: z.string(), scopes: z.array(z.string()).readonly() })
  .meta({ id: 'Role', description: 'The scopes that whoever holds it can give away' })
const scopes = z.array(z.string().min(1, 'must not be empty'))

const role: Subject<Role> = {
  name: 'role',
  async find({ web, params }) {
    const found = (await web.tenant.currentConfiguration()).roles.get(params['role']!)
    return found ? { role: params['role']!, scopes: found } : null
  },
  version: (found) => JSON.stringify([found.role, found.scopes]),
}

/** The routes of roles. */
export const ROLE_ROUTES = [
  route({
    ...{ method: 'GET', path: '/roles', scope: 'admin:read', name: 'listRoles' },
    summary: 'Roles by name',
    query: PAGING,
    answer: pageOf(RoleSchema),
    async run({ web, query }) {
      const { roles } = await web.tenant.currentConfiguration()
      return replyWhole(
        query,
        [...roles],
        ([role, scopes]) => ({ role, scopes }),
        ([role]) => role,
      )
    },
  }),
  route({
    ...{ method: 'POST', path: '/roles', scope: 'admin:write', name: 'createRole', status: 201 },
    summary: 'Makes a role',
    body: z.strictObject({ role: z.string(), scopes }),
    answer: RoleSchema,
    versioned: true,
    async run({ web, token, body, actor }) {
      const { roles } = await web.tenant.currentConfiguration()
      if (roles.has(body.role)) throw conflict('Member role is taken')
      return save({ web, token, actor }, body, undefined)
    },
  }),
  route({
    ...{ method: 'GET', path: '/roles/{role}', scope: 'admin:read', name: 'getRole' },
    summary: 'One role',
    answer: RoleSchema,
    versioned: true,
    subject: role,
    run: ({ found }) => shown(role, found, found),
  }),
  route({
    ...{ method: 'PUT', path: '/roles/{role}', scope: 'admin:write', name: 'updateRole' },
    summary: 'Gives a role these scopes and no others',
    body: z.strictObject({ scopes }),
    answer: RoleSchema,
    versioned: true,
    subject: role,
    run: (call) => save(call, { role: call.found.role, scopes: call.body.scopes }, call.found),
  }),
]

// What is taken from a role counts like what is given: who holds it would be guarded no more, until somebody gives it back.
function listChanged(wanted: readonly string[], seen: readonly string[]): string[] {
  return [...wanted.filter((scope) => !seen.includes(scope)), ...seen.filter((scope) => !wanted.includes(scope))]
}

async function save(
  { web, token, actor }: Pick<ApiRequest, 'web' | 'token' | 'actor'>,
  wanted: Role,
  seen: Role | undefined,
) {
  const { tenant } = web
  requireHeld(token.scope, listChanged(wanted.scopes, seen?.scopes ?? []), 'Member scopes')
  await saveSeen(
    tenant,
    ({ roles }) => {
      const scopes = roles.get(wanted.role)
      if (scopes === undefined || seen === undefined) return scopes === seen
      return role.version({ role: wanted.role, scopes }) === role.version(seen)
    },
    (config_version) =>
      saveRole(tenant, wanted.role, wanted.scopes, { actor, changed: ['scopes'], seen: config_version }),
  )
  return shown(role, wanted, wanted)
}
