import type { ConnectionChoice } from '../../../inbound/authorization/connections.ts'
import { endGrant } from '../../../inbound/authorization/end_grant.ts'
import { whyGrantIsDead } from '../../../inbound/liveness.ts'
import { usernameKey } from '../../../inbound/users/prepare_user.ts'
import { findConnection } from '../../../outbound/connections/connections.ts'
import type { FoundGrant } from '../../../store/verbs/listed_grants.ts'
import { errorPage, ours, redirect, send, type Visit } from '../../page.ts'
import { scopeSentences } from '../../pages/account.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import { type GrantData, renderGrant, type UsedConnection } from './templates/grant.ts'
import { type GrantRow, renderGrants } from './templates/grants.ts'

const PAGE = 50
// Above every identifier: the cursor of the first page of a list that runs backwards.
const LAST_ID = '~'

/** GET /admin/grants?user=&client=: the newest first. */
export const grantsPage = consolePage(async (visit) => {
  const { tenant_id, store } = visit.web.tenant
  const { cursor } = visit.query
  const filter = { user: asked(visit, 'user'), client: asked(visit, 'client') }
  const [user, client] = await Promise.all([
    filter.user === undefined
      ? undefined
      : store.findUserByUsername({ tenant_id, username_key: usernameKey(filter.user) }),
    filter.client === undefined ? undefined : store.findClient({ tenant_id, client_id: filter.client }),
  ])
  const wrong = user === null ? 'user' : client === null ? 'client' : undefined
  const found = wrong
    ? []
    : await store.pageLatestGrants({
        ...{ tenant_id, client_id: client?.client_id ?? '', user_id: user?.user_id ?? '' },
        ...{ before_grant_id: cursor ?? LAST_ID, most: PAGE + 1 },
      })
  const shown = found.slice(0, PAGE)
  const grants = await Promise.all(shown.map((grant) => grantRow(visit, grant)))
  const next_cursor = found.length > PAGE ? shown.at(-1)!.grant_id : undefined
  return send(visit, renderGrants(visit.view, { grants, filter, wrong, cursor, next_cursor }))
})

/** GET /admin/grant?grant_id=. */
export const grantPage = consolePage(async (visit) => {
  const found = await find(visit, visit.query['grant_id'])
  return found ? show(visit, found) : errorPage(visit, 'not_found', 404)
})

/** POST /admin/grant/end: the grant ends with every token that descends from it. */
export const endGrantSubmit = consoleSubmit(async (visit, actor, values) => {
  const found = await find(visit, values['grant_id'])
  if (!found) return errorPage(visit, 'not_found', 404)
  const { grant_id } = found
  await endGrant(visit.web.tenant, found, actor)
  return redirect(visit, ours(visit.web, paths.admin_grant, { grant_id }))
})

function find(visit: Visit, grant_id = ''): Promise<FoundGrant | null> {
  const { tenant_id, store } = visit.web.tenant
  return store.findGrant({ tenant_id, grant_id })
}

function asked(visit: Visit, filter: 'user' | 'client'): string | undefined {
  return visit.query[filter]?.trim() || undefined
}

async function grantRow(visit: Visit, grant: FoundGrant): Promise<GrantRow> {
  const { grant_id, client_id, client_name, user_id, username, created_at, last_used_at } = grant
  return {
    ...{ grant_id, client_id, client_name, user_id, username, created_at },
    scopes: scopesOf(grant),
    connections: choicesOf(grant).length,
    ...(await standingOf(visit, grant)),
    last_used_at: last_used_at ?? undefined,
  }
}

async function show(visit: Visit, grant: FoundGrant): Promise<Response> {
  const { grant_id, resource, role, revoked_at, revoked_reason, expires_at } = grant
  const { connections: _, scopes, ...row } = await grantRow(visit, grant)
  const sentences = scopeSentences(visit.view.text, visit.configuration)
  const html = renderGrant(visit.view, {
    ...row,
    scopes: scopes.map((scope) => ({ scope, description: sentences.get(scope) ?? scope })),
    resources: JSON.parse(resource) as string[],
    role: role ?? undefined,
    connections: await Promise.all(choicesOf(grant).map((choice) => usedConnection(visit, choice))),
    expires_at,
    revoked_at: revoked_at ?? undefined,
    reason: revoked_reason ?? undefined,
    script: scriptOf(visit, 'endGrant', { grant_id }),
  })
  return send(visit, html)
}

const DEATHS = ['tenant', 'client', 'user', 'role', 'session'] as const

/** How a grant stands, by the rule that decides whether its tokens live. */
async function standingOf(visit: Visit, grant: FoundGrant): Promise<Pick<GrantData, 'state' | 'died_of'>> {
  if (grant.revoked_at !== null) return { state: 'revoked' }
  const { tenant_id, store } = visit.web.tenant
  const { grant_id, client_id } = grant
  const authority = await store.loadGrantAuthority({ tenant_id, client_id, grant_id })
  const why = authority && whyGrantIsDead(authority)
  if (why === null) return { state: 'living' }
  if (why === 'expired') return { state: 'expired' }
  return { state: 'dead', died_of: DEATHS.find((cause) => why.startsWith(cause)) ?? 'session' }
}

async function usedConnection(visit: Visit, choice: ConnectionChoice): Promise<UsedConnection> {
  const { connection_id, resource, actions, last_used_at, expires_at } = choice
  const found = await findConnection(visit.web.outbound, connection_id)
  return {
    connection_id,
    ...(found && { provider_name: found.provider_name, account_label: found.account_label, state: found.state }),
    through: resource && (visit.configuration.resources.get(resource)?.name ?? resource),
    only_reads: actions?.includes('write') === false,
    ...{ last_used_at, ends_at: expires_at },
  }
}

function scopesOf({ scope }: FoundGrant): string[] {
  return scope.split(' ').filter((one) => one !== '')
}

function choicesOf({ connections }: FoundGrant): ConnectionChoice[] {
  return JSON.parse(connections ?? '[]') as ConnectionChoice[]
}
