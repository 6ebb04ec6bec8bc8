import { newId } from '../../crypto/random.ts'
import { makeThrowAwayIssuer, throwAway } from '../../inbound/administration/throw_away.ts'
import { readAdministratedClient, registerClient } from '../../inbound/clients/register_client.ts'
import { mayNameDocument } from '../../inbound/metadata_documents.ts'
import { readJwks } from '../../oauth/clients/client_jwks.ts'
import { wellKnownPaths } from '../../oauth/metadata.ts'
import { listConnectors } from '../../outbound/administration/connectors.ts'
import { consolePage, consoleSubmit } from '../admin/forms/administrator.ts'
import { publishedPath, STANDARD_PATHS } from '../endpoint_paths.ts'
import { errorPage, send, type Visit } from '../page.ts'
import { paths } from '../ui/paths.ts'
import type { Flow } from './flow.ts'
import { FLOWS, findFlow } from './flows/index.ts'
import { SUBJECT } from './flows/jwt_bearer.ts'
import { renderCallback, renderFlow, renderFlows } from './templates/playground.ts'

/** GET /playground: the flows that can be tried. */
export const playgroundPage = whereAllowed(async (visit) => {
  const flows = FLOWS.filter((flow) => isOffered(visit, flow))
  return send(visit, renderFlows(visit.view, flows, { some: flows.length < FLOWS.length }))
})

/** GET /playground/flow?flow=: one flow, step by step. */
export const playgroundFlowPage = whereAllowed(async (visit, administrator) => {
  const flow = findFlow(visit.query['flow'])
  if (!flow || !isOffered(visit, flow)) return errorPage(visit, 'not_found', 404)
  const connectors = flow.inputs ? await listConnectors(visit.web.outbound) : []
  const closed = isClosed(visit, flow)
  const data = { known: knownValues(visit), connectors, closed, whose: administrator }
  // A platform opens a connect session from a page whose origin the browser tells.
  const headers = { 'Referrer-Policy': 'same-origin' }
  return send(visit, renderFlow(visit.view, flow, data), { script: true, headers })
})

/** GET /playground/callback: where the browser comes back to; the island takes what it brings to the flow that waits. */
export const playgroundCallbackPage = whereAllowed(async (visit) =>
  send(visit, renderCallback(visit.view), { script: true }),
)

/** POST /playground/client: registers the throw-away client of a flow, and throws away the one before. */
export const playgroundClientSubmit = consoleSubmit(async (visit, actor, values) => {
  const { former, document } = values
  const flow = findFlow(values['flow'])
  if (!visit.web.playground || !flow || !isOffered(visit, flow)) return errorPage(visit, 'not_found', 404)
  const { tenant, grant_types } = visit.web
  // Last, so that a start that fails leaves the run of before as it is.
  const answer = async (made: object) => {
    if (former !== undefined) await throwAway(tenant, former, { actor })
    return visit.c.json(made, 201, { 'Cache-Control': 'no-store' })
  }
  const described = { client_name: NAME, ...describeClient(visit, flow) }
  const { scope } = flow.client
  if (flow.inputs?.includes('document')) {
    if (!document || !mayNameDocument(document, visit.configuration.settings)) {
      return visit.c.json({ error: 'invalid_request' }, 422, { 'Cache-Control': 'no-store' })
    }
    const text = JSON.stringify({ client_id: document, ...described }, null, 2)
    return answer({ client_id: document, scope, document: text })
  }
  const jwks = flow.key && readJwks({ keys: [readTypedJson(values['jwk'])] })
  const metadata = readAdministratedClient(
    { ...described, ...LIFE, ...(flow.key?.of === 'client' && { jwks }) },
    grant_types.map(({ grant_type }) => grant_type),
  )
  const client_id = `playground-${newId(tenant.clock())}`
  const made = await registerClient(tenant, { metadata, source: 'playground', actor, client_id })
  const trusted =
    jwks && flow.key?.of === 'issuer'
      ? { trusted_issuer: await makeThrowAwayIssuer(tenant, client_id, { jwks, name: NAME, subject: SUBJECT, actor }) }
      : {}
  return answer({ ...made, ...trusted, scope })
})

/** A page for administrators, in development and where the operator allows it: it shows codes and tokens (ADR 54). */
function whereAllowed(answer: (visit: Visit, administrator: string) => Promise<Response>) {
  return consolePage(async (visit, administrator) =>
    visit.web.playground ? answer(visit, administrator) : errorPage(visit, 'not_found', 404),
  )
}

// What a person gives a client of their own account, and nothing of the tenant's.
const PERSONAL = new Set(['openid', 'profile', 'email', 'offline_access'])

/** In production no client of the playground has a right of the administration API, and nobody is trusted for it. */
function isOffered({ web }: Visit, { client, key }: Flow): boolean {
  if (!web.production) return true
  return key?.of !== 'issuer' && (client.scope ?? '').split(' ').every((scope) => scope === '' || PERSONAL.has(scope))
}

/** Whether what the flow needs is not there: the tenant allows it, or the proxy in front of this server does it. */
function isClosed({ web, configuration: { settings } }: Visit, { needs }: Flow): boolean {
  if (needs === 'open_registration') return settings.registration !== 'open'
  if (needs === 'client_certificates') return web.inbound.certificate_forwarding === null
  if (needs === undefined) return false
  const least = ['openid', 'offline_access']
  return settings.metadata_documents === 'off' || !least.every((one) => settings.dynamic_client_scopes.includes(one))
}

/** What the client is called, and the user whom its issuer may speak for. */
const NAME = 'Playground'

/** Its grants end within the hour; after a day upkeep throws it away, where no other start has. */
const LIFE = { grant_lifetime_seconds: 3600 }

function describeClient(visit: Visit, flow: Flow): Record<string, unknown> {
  const callback = visit.web.tenant.issuer + paths.playground_callback
  const comes_back = flow.steps.some(({ kind }) => kind === 'browser')
  const filled = Object.entries(flow.client).map(([name, value]) =>
    Array.isArray(value) ? [name, value.map((one) => (one === '{redirect_uri}' ? callback : one))] : [name, value],
  )
  return { ...Object.fromEntries(filled), redirect_uris: comes_back ? [callback] : [] }
}

const MAKE_CERTIFICATE =
  'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=playground -keyout app.key -out app.pem'

function knownValues({ web }: Visit): Record<string, string> {
  const { issuer } = web.tenant
  const names = Object.keys(STANDARD_PATHS) as (keyof typeof STANDARD_PATHS)[]
  const endpoints = names.map((name) => [name, issuer + publishedPath(web.aliases, name)])
  const { origin } = new URL(issuer)
  const atMtls = (name: 'token_endpoint' | 'userinfo_endpoint') =>
    (web.inbound.certificate_forwarding?.origin ?? origin) +
    (issuer + publishedPath(web.aliases, name)).slice(origin.length)
  // Where RFC 8414 section 3.1 has it.
  const found = wellKnownPaths(issuer).find(({ path }) => path.startsWith('/.well-known/oauth-authorization-server'))
  return {
    ...{ issuer, origin, redirect_uri: issuer + paths.playground_callback },
    ...{ registration_endpoint: `${issuer}/register`, metadata_url: origin + found!.path },
    ...Object.fromEntries(endpoints),
    ...{ mtls_token_endpoint: atMtls('token_endpoint'), mtls_userinfo_endpoint: atMtls('userinfo_endpoint') },
    make_certificate: MAKE_CERTIFICATE,
  }
}

function readTypedJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}
