import { send } from '../page.ts'
import { consolePage } from './administrator.ts'
import { renderOverview } from './templates/overview.ts'

const MOST_COUNTED = 10_000
const SOON_MS = 7 * 86_400_000

/** GET /admin: how the server stands. */
export const overviewPage = consolePage(async (visit) => {
  const { tenant, production } = visit.web
  const { tenant_id, store, issuer } = tenant
  const secrets_before = visit.view.now + SOON_MS
  const overview = await store.loadOverview({ tenant_id, most: MOST_COUNTED, secrets_before })
  const { clients, users, grants, connections, connections_need, connectors_fail, secrets_expire } = overview
  const html = renderOverview(visit.view, {
    counts: { clients, users, grants, connections },
    tokens_per_hour: [],
    attention: { connections_need, connectors_fail, secrets_expire },
    server: {
      issuer,
      discovery: `${issuer}/.well-known/openid-configuration`,
      version: visit.web.version,
      database: store.driver.dialect,
      production,
    },
  })
  return send(visit, html)
})
