import { newId } from '../../crypto/random.ts'
import { readAdministratedClient, registerClient } from '../../inbound/clients/register_client.ts'
import { event } from '../../inbound/event.ts'
import { wellKnownPaths } from '../../oauth/metadata.ts'
import { listConnectors } from '../../outbound/administration/connectors.ts'
import { consolePage, consoleSubmit } from '../admin/forms/administrator.ts'
import { publishedPath, STANDARD_PATHS } from '../endpoint_paths.ts'
import { errorPage, send, type Visit } from '../page.ts'
import { paths } from '../ui/paths.ts'
import type { Flow } from './flow.ts'
import { FLOWS, findFlow } from './flows/index.ts'
import { renderCallback, renderFlow, renderFlows } from './templates/playground.ts'

/** GET /playground: the flows that can be tried. */
export const playgroundPage = whereAllowed(async (visit) => {
  const flows = FLOWS.filter((flow) => isOffered(visit, flow))
  return send(visit, renderFlows(visit.view, flows, { some: flows.length < FLOWS.length }))
})

/** GET /playground/flow?flow=: one flow, step by step. */
export const playgroundFlowPage = whereAllowed(async (visit) => {
  const flow = findFlow(visit.query['flow'])
  if (!flow || !isOffered(visit, flow)) return errorPage(visit, 'not_found', 404)
  const connectors = flow.inputs ? await listConnectors(visit.web.outbound) : []
  const closed = flow.needs === 'open_registration' && visit.configuration.settings.registration !== 'open'
  const data = { known: knownValues(visit), connectors, closed }
  // A platform opens a connect session from a page whose origin the browser tells.
  const headers = { 'Referrer-Policy': 'same-origin' }
  return send(visit, renderFlow(visit.view, flow, data), { script: true, headers })
})

/** GET /playground/callback: where the browser comes back to; the island takes what it brings to the flow that waits. */
export const playgroundCallbackPage = whereAllowed(async (visit) =>
  send(visit, renderCallback(visit.view), { script: true }),
)

/** POST /playground/client: registers the throw-away client of a flow, and throws away the one before. */
export const playgroundClientSubmit = consoleSubmit(async (visit, actor, { flow: named, former }) => {
  const flow = findFlow(named)
  if (!visit.web.playground || !flow || !isOffered(visit, flow)) return errorPage(visit, 'not_found', 404)
  const { tenant, grant_types } = visit.web
  if (former !== undefined) await throwAway(visit, actor, former)
  const json = { client_name: 'Playground', ...describeClient(visit, flow) }
  const metadata = readAdministratedClient(
    json,
    grant_types.map(({ grant_type }) => grant_type),
  )
  const client_id = `playground-${newId(tenant.clock())}`
  const made = await registerClient(tenant, { metadata, source: 'playground', actor, client_id })
  return visit.c.json({ ...made, scope: metadata.scope }, 201, { 'Cache-Control': 'no-store' })
})

/** A page for administrators, in development and where the operator allows it: it shows codes and tokens (ADR 54). */
function whereAllowed(answer: (visit: Visit) => Promise<Response>) {
  return consolePage(async (visit) => (visit.web.playground ? answer(visit) : errorPage(visit, 'not_found', 404)))
}

// What a person gives a client of their own account, and nothing of the tenant's.
const PERSONAL = new Set(['openid', 'profile', 'email', 'offline_access'])

/** In production no client of the playground has a right of the administration API. */
function isOffered({ web }: Visit, { client }: Flow): boolean {
  return !web.production || (client.scope ?? '').split(' ').every((scope) => scope === '' || PERSONAL.has(scope))
}

/** Its grants end within the hour; after a day upkeep throws it away, where no other start has. */
const LIFE = { grant_lifetime_seconds: 3600 }

function describeClient(visit: Visit, flow: Flow): Record<string, unknown> {
  const callback = visit.web.tenant.issuer + paths.playground_callback
  const comes_back = flow.steps.some(({ kind }) => kind === 'browser')
  const filled = Object.entries(flow.client).map(([name, value]) =>
    Array.isArray(value) ? [name, value.map((one) => (one === '{redirect_uri}' ? callback : one))] : [name, value],
  )
  return { ...Object.fromEntries(filled), redirect_uris: comes_back ? [callback] : [], ...LIFE }
}

function knownValues({ web }: Visit): Record<string, string> {
  const { issuer } = web.tenant
  const names = Object.keys(STANDARD_PATHS) as (keyof typeof STANDARD_PATHS)[]
  const endpoints = names.map((name) => [name, issuer + publishedPath(web.aliases, name)])
  const { origin } = new URL(issuer)
  // Where RFC 8414 section 3.1 has it.
  const found = wellKnownPaths(issuer).find(({ path }) => path.startsWith('/.well-known/oauth-authorization-server'))
  return {
    ...{ issuer, origin, redirect_uri: issuer + paths.playground_callback },
    ...{ registration_endpoint: `${issuer}/register`, metadata_url: origin + found!.path },
    ...Object.fromEntries(endpoints),
  }
}

async function throwAway({ web }: Visit, actor: string, client_id: string): Promise<void> {
  const { tenant } = web
  const { tenant_id, store } = tenant
  const found = await store.findClient({ tenant_id, client_id })
  if (found?.source !== 'playground') return
  await store.deleteClient({ tenant_id, client_id, event: event(tenant, 'client.deleted', actor, { client_id }) })
}
