import { send } from '../../page.ts'
import { consolePage } from '../forms/administrator.ts'
import { renderFirstRun } from './templates/first_run.ts'

/** GET /admin/first_run: the second of three steps, between the first administrator and the first client. */
export const firstRunPage = consolePage(async (visit) => {
  const { tenant, production } = visit.web
  // What the browser asked for, as far as a proxy passes it on.
  const seen = new URL(visit.c.req.url).host
  const html = renderFirstRun(visit.view, {
    issuer: tenant.issuer,
    discovery: `${tenant.issuer}/.well-known/openid-configuration`,
    production,
    seen_host: seen === new URL(tenant.issuer).host ? undefined : seen,
  })
  return send(visit, html)
})
