import { explainRights } from '../../../inbound/administration/explain_rights.ts'
import { usernameKey } from '../../../inbound/users/prepare_user.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import { errorPage, send, type Visit } from '../../page.ts'
import { consolePage } from '../forms/administrator.ts'
import { type RightsData, renderClientRights } from './templates/client_rights.ts'

/** GET /admin/client/rights?client_id=&username=&scope=: why a client gets a scope in a user's name, or does not. */
export const clientRightsPage = consolePage(async (visit) => {
  const { tenant_id, store } = visit.web.tenant
  const { client_id = '', username, scope } = visit.query
  const client = await store.findClient({ tenant_id, client_id })
  if (!client) return errorPage(visit, 'not_found', 404)
  const { client_name } = client
  const answer = await explain(visit, { client_id, username, scope })
  return send(visit, renderClientRights(visit.view, { client_id, client_name, username, scope, ...answer }))
})

async function explain(
  visit: Visit,
  asked: { client_id: string; username: string | undefined; scope: string | undefined },
): Promise<Pick<RightsData, 'roles' | 'scopes' | 'wrong'>> {
  const { tenant } = visit.web
  const { client_id, username, scope } = asked
  const key = username === undefined ? null : usernameKey(username)
  const user =
    key === null ? null : await tenant.store.findUserByUsername({ tenant_id: tenant.tenant_id, username_key: key })
  if (key !== null && !user) return { roles: null, scopes: [], wrong: 'username' }
  try {
    const explained = await explainRights(tenant, { client_id, user_id: user?.user_id, scope })
    return explained ?? { roles: null, scopes: [], wrong: 'username' }
  } catch (error) {
    if (!(error instanceof OAuthError) || error.error !== 'invalid_scope') throw error
    return { roles: null, scopes: [], wrong: 'scope' }
  }
}
