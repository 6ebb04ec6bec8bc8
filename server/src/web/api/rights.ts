import * as z from 'zod'
import { explainRights } from '../../inbound/administration/explain_rights.ts'
import { notThere } from './problem.ts'
import { route } from './route.ts'

const Rights = z
  .strictObject({
    client_id: z.string(),
    user_id: z.string().optional(),
    roles: z.array(z.string()).readonly().nullable(),
    scopes: z.array(
      z.strictObject({
        scope: z.string(),
        granted: z.boolean(),
        rule: z.string(),
        role: z.string().optional(),
        reason: z.string(),
      }),
    ),
  })
  .meta({ id: 'Rights', description: 'Which rule gives or refuses each scope, by the rule that issues' })

/** The route that says why. */
export const RIGHTS_ROUTES = [
  route({
    ...{ method: 'GET', path: '/rights', scope: 'admin:read', name: 'explainRights' },
    summary: 'Why a client gets a scope, with a user or on its own behalf, or does not',
    query: {
      client_id: z.string(),
      user_id: z.string().optional(),
      role: z.string().optional(),
      scope: z.string().optional(),
    },
    answer: Rights,
    async run({ web, query }) {
      const explained = await explainRights(web.tenant, query)
      if (!explained) throw notThere('client or user')
      const { client_id, user_id } = query
      return { value: { client_id, ...(user_id !== undefined && { user_id }), ...explained } }
    },
  }),
]
