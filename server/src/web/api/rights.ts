import { explainRights } from '../../inbound/administration/explain_rights.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { api } from './api.ts'

/** GET /api/rights?client_id=&user_id=&role=&scope=: which rule gives or refuses each scope, by the rule that issues. */
export const rightsApi = api('admin:read', async ({ c, web, query }) => {
  const { client_id, user_id, role, scope } = query
  if (client_id === undefined) throw new OAuthError('invalid_request', 'Parameter client_id is missing')
  const explained = await explainRights(web.tenant, { client_id, user_id, role, scope })
  if (explained) return c.json({ client_id, ...(user_id !== undefined && { user_id }), ...explained })
  return c.json({ error: 'invalid_request', error_description: 'There is no such client or user' }, 404)
})
