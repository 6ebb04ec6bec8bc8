import * as z from 'zod'
import { beginningOf, deletePermanentToken } from '../../inbound/tokens/permanent_tokens.ts'
import { stateOfToken } from '../../inbound/tokens/personal_access_tokens.ts'
import type { PermanentToken } from '../../store/verbs/permanent_tokens.ts'
import { PAGING, pageOf, replyWhole } from './page_of.ts'
import { notThere } from './problem.ts'
import { route } from './route.ts'
import { user } from './users.ts'

const PersonalAccessTokenSchema = z
  .strictObject({
    token_id: z.string(),
    begins_with: z.string(),
    name: z.string(),
    scope: z.string(),
    resource: z.array(z.string()),
    created_at: z.int(),
    expires_at: z.int().nullable(),
    last_used_at: z.int().nullable(),
    state: z.enum(['works', 'off', 'ended']),
  })
  .meta({
    id: 'PersonalAccessToken',
    description:
      'A token that a user has made for a script, without its secret. Settings may end it before expires_at, and null is until it is deleted. It works, is off while settings or lost roles leave nothing of it, or has ended for good',
  })

/** The routes of the tokens that users have made for scripts; only their owners make them, on a page. */
export const PERSONAL_ACCESS_TOKEN_ROUTES = [
  route({
    ...{ method: 'GET', path: '/users/{user_id}/personal_access_tokens', scope: 'admin:read' },
    name: 'listPersonalAccessTokens',
    summary: 'The tokens that a user has made for scripts, by token_id',
    query: PAGING,
    answer: pageOf(PersonalAccessTokenSchema),
    subject: user,
    async run({ web: { tenant }, query, found: user, token: { authority, configuration } }) {
      const { tenant_id, store } = tenant
      const tokens = await store.listPermanentTokens({ tenant_id, user_id: user.user_id })
      const at = { user, tenant_epoch: authority.tenant.epoch, now: authority.now }
      const show = (one: PermanentToken) => describeToken(one, stateOfToken(tenant, configuration, one, at))
      return replyWhole(query, tokens, show, ({ token_id }) => token_id)
    },
  }),
  route({
    ...{ method: 'DELETE', path: '/users/{user_id}/personal_access_tokens/{token_id}', scope: 'admin:write' },
    name: 'deletePersonalAccessToken',
    summary: 'Deletes a token that a user has made for scripts: it is dead at once',
    subject: user,
    async run({ web, params, found: { user_id }, actor }) {
      const { token_id } = params
      if (!(await deletePermanentToken(web.tenant, { user_id, token_id, actor }))) throw notThere('token')
    },
  }),
]

function describeToken(
  token: PermanentToken,
  state: ReturnType<typeof stateOfToken>,
): z.input<typeof PersonalAccessTokenSchema> {
  const { token_id, name, scope, created_at, expires_at, last_used_at } = token
  const resource = JSON.parse(token.resource) as string[]
  const begins_with = beginningOf(token_id)
  return { token_id, begins_with, name, scope, resource, created_at, expires_at, last_used_at, state }
}
