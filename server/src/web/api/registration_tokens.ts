import * as z from 'zod'
import { listScopes, requireHeld } from '../../inbound/administration/given_rights.ts'
import { createRegistrationToken, endRegistrationToken } from '../../inbound/clients/registration_tokens.ts'
import type { RegistrationTokenRecord } from '../../store/verbs/registrations.ts'
import { PAGING, pageOf, replyPage } from './page_of.ts'
import { notThere } from './problem.ts'
import { route } from './route.ts'

const TokenSchema = z
  .strictObject({
    token_id: z.string(),
    name: z.string(),
    scope: z.string().nullable(),
    grant_types: z.string().nullable(),
    uses_left: z.int().nullable(),
    created_at: z.int(),
    expires_at: z.int(),
  })
  .meta({ id: 'RegistrationToken', description: 'An initial access token (RFC 7591 section 3); never what it is' })

// Above every identifier: the cursor of the first page of a list that runs backwards.
const LAST_ID = '~'

/** The routes of initial access tokens. */
export const REGISTRATION_TOKEN_ROUTES = [
  route({
    ...{ method: 'GET', path: '/registration_tokens', scope: 'admin:read', name: 'listRegistrationTokens' },
    summary: 'The initial access tokens there are, the newest first',
    query: PAGING,
    answer: pageOf(TokenSchema),
    run: ({ web, query }) => {
      const { tenant_id, store } = web.tenant
      const find = (before: string, most: number) =>
        store.pageRegistrationTokens({ tenant_id, before_token_id: before || LAST_ID, most })
      return replyPage(query, find, describe, ({ token_id }) => token_id)
    },
  }),
  route({
    ...{ method: 'POST', path: '/registration_tokens', scope: 'admin:write', name: 'createRegistrationToken' },
    status: 201,
    summary: 'Issues an initial access token; it is in this answer and nowhere else',
    body: z.strictObject({
      name: z.string(),
      uses: z.int().optional(),
      days: z.int().optional(),
      scope: z.string().optional(),
      grant_types: z.string().optional(),
    }),
    answer: z.strictObject({ ...TokenSchema.shape, token: z.string() }),
    async run({ web, token: { scope }, body, actor }) {
      requireHeld(scope, listScopes(body.scope), 'Member scope')
      const known = web.grant_types.map(({ grant_type }) => grant_type)
      const { token, record } = await createRegistrationToken(web.tenant, known, body, actor)
      return { value: { ...describe(record), token } }
    },
  }),
  route({
    ...{
      method: 'DELETE',
      path: '/registration_tokens/{token_id}',
      scope: 'admin:write',
      name: 'endRegistrationToken',
    },
    summary: 'Ends an initial access token; the clients that it registered stay',
    async run({ web, params, actor }) {
      if (!(await endRegistrationToken(web.tenant, params.token_id, actor))) throw notThere('registration token')
    },
  }),
]

function describe(record: RegistrationTokenRecord): z.input<typeof TokenSchema> {
  const { token_id, name, scope, grant_types, uses_left, created_at, expires_at } = record
  return { token_id, name, scope, grant_types, uses_left, created_at, expires_at }
}
