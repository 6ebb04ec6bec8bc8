import type { HourlyCount } from '../../../store/verbs/hourly_counts.ts'
import { send, type Visit } from '../../page.ts'
import { WEEK_MS } from '../clients/clients.ts'
import { consolePage } from '../forms/administrator.ts'
import type { ActivityData, Series } from './templates/activity.ts'
import { renderOverview } from './templates/overview.ts'

const MOST_COUNTED = 10_000
const HOUR_MS = 3_600_000
const HOURS = 24
/** So many sorts of one thing are told apart; the others are summed up. */
const MOST_SERIES = 5

/** GET /admin: how the server stands. */
export const overviewPage = consolePage(async (visit) => {
  const { tenant, production } = visit.web
  const { tenant_id, store, issuer } = tenant
  const secrets_before = visit.view.now + WEEK_MS
  const [overview, activity] = await Promise.all([
    store.loadOverview({ tenant_id, most: MOST_COUNTED, secrets_before }),
    readActivity(visit),
  ])
  const { clients, users, grants, connections, connections_need, connectors_fail, webhooks_fail, secrets_expire } =
    overview
  const html = renderOverview(visit.view, {
    counts: { clients, users, grants, connections },
    activity,
    attention: { connections_need, connectors_fail, webhooks_fail, secrets_expire },
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

async function readActivity(visit: Visit): Promise<ActivityData> {
  const { tenant_id, store } = visit.web.tenant
  const [{ this_hour_at, counts }, connections] = await Promise.all([
    store.listHourlyCounts({ tenant_id, hours: HOURS }),
    store.countConnections({ tenant_id, most: MOST_COUNTED }),
  ])
  const hours = Array.from({ length: HOURS }, (_, i) => this_hour_at - (HOURS - 1 - i) * HOUR_MS)
  const of = (kind: string) => toSeries(counts, kind, hours)
  return {
    ...{ hours, tokens: of('tokens'), refusals: of('refusals'), refreshes: of('refreshes') },
    ...{ connections, most: MOST_COUNTED },
  }
}

/** The sorts of one thing hour by hour, the most frequent first. */
function toSeries(all: readonly HourlyCount[], kind: string, hours: readonly number[]): Series[] {
  const by_label = Map.groupBy(
    all.filter((one) => one.kind === kind),
    ({ label }) => label,
  )
  const series = [...by_label]
    .map(([label, rows]) => ({
      label,
      counts: hours.map((at) => rows.find(({ hour_at }) => hour_at === at)?.count ?? 0),
      sum: rows.reduce((sum, { count }) => sum + count, 0),
    }))
    .sort((a, b) => b.sum - a.sum)
  const [first, rest] = [series.slice(0, MOST_SERIES), series.slice(MOST_SERIES)]
  const others = hours.map((_, i) => rest.reduce((sum, { counts }) => sum + counts[i]!, 0))
  return [
    ...first.map(({ label, counts }) => ({ label, counts })),
    ...(rest.length > 0 ? [{ label: null, counts: others }] : []),
  ]
}
