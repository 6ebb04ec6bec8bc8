import * as z from 'zod'
import { endGrant } from '../../inbound/authorization/end_grant.ts'
import type { FoundGrant } from '../../store/verbs/listed_grants.ts'
import { PAGING, pageOf, replyPage } from './page_of.ts'
import { route, type Subject, shown } from './route.ts'

const GrantSchema = z
  .strictObject({
    grant_id: z.string(),
    client_id: z.string(),
    client_name: z.string(),
    user_id: z.string(),
    username: z.string(),
    scope: z.string(),
    resource: z.array(z.string()),
    role: z.string().nullable(),
    connections: z.array(z.record(z.string(), z.unknown())).nullable(),
    created_at: z.int(),
    last_used_at: z.int().nullable(),
    expires_at: z.int(),
    revoked_at: z.int().nullable(),
    revoked_reason: z.string().nullable(),
  })
  .meta({ id: 'Grant', description: 'What a user has allowed a client, from which its tokens descend' })

const grant: Subject<FoundGrant> = {
  name: 'grant',
  find: ({ web, params }) =>
    web.tenant.store.findGrant({ tenant_id: web.tenant.tenant_id, grant_id: params['grant_id']! }),
  version: ({ grant_id, scope, connections, revoked_at }) => JSON.stringify([grant_id, scope, connections, revoked_at]),
}

/** The routes of grants. */
export const GRANT_ROUTES = [
  route({
    ...{ method: 'GET', path: '/grants', scope: 'admin:read', name: 'listGrants' },
    summary: 'Grants by grant_id, of a client, of a user, or of all; those that ended stay for a while',
    query: { ...PAGING, client_id: z.string().optional(), user_id: z.string().optional() },
    answer: pageOf(GrantSchema),
    run: ({ web, query }) => {
      const { tenant_id, store } = web.tenant
      const filter = { tenant_id, client_id: query.client_id ?? '', user_id: query.user_id ?? '' }
      const find = (after_grant_id: string, most: number) => store.pageGrants({ ...filter, after_grant_id, most })
      return replyPage(query, find, describe, ({ grant_id }) => grant_id)
    },
  }),
  route({
    ...{ method: 'GET', path: '/grants/{grant_id}', scope: 'admin:read', name: 'getGrant' },
    summary: 'One grant',
    answer: GrantSchema,
    versioned: true,
    subject: grant,
    run: ({ found }) => shown(grant, found, describe(found)),
  }),
  route({
    ...{ method: 'DELETE', path: '/grants/{grant_id}', scope: 'admin:write', name: 'endGrant' },
    summary: 'Ends a grant, and every token that descends from it',
    subject: grant,
    async run({ web, found, actor }) {
      await endGrant(web.tenant, found, actor)
    },
  }),
]

function describe({ resource, connections, ...rest }: FoundGrant): z.input<typeof GrantSchema> {
  return {
    ...rest,
    resource: JSON.parse(resource) as string[],
    connections: connections === null ? null : (JSON.parse(connections) as Record<string, unknown>[]),
  }
}
