import { callbackUrl } from '../../outbound/connector.ts'
import { findConnector, listConnectors, type ShownConnector } from '../../outbound/connectors.ts'
import { errorPage, send } from '../page.ts'
import { consolePage } from './administrator.ts'
import { renderConnector, renderConnectors } from './templates/connectors.ts'

/** GET /admin/connectors. */
export const connectorsPage = consolePage(async (visit) => {
  const connectors = (await listConnectors(visit.web.outbound)).map(connectorRow)
  return send(visit, renderConnectors(visit.view, { connectors }))
})

/** GET /admin/connector?connector=. */
export const connectorPage = consolePage(async (visit) => {
  const found = await findConnector(visit.web.outbound, visit.query['connector'] ?? '')
  if (!found) return errorPage(visit, 'not_found', 404)
  const { error, error_description, error_at } = found
  const html = renderConnector(visit.view, {
    ...connectorRow(found),
    redirect_uri: (found.settings.redirect_uris ?? [callbackUrl(visit.web.outbound, found.connector)]).join('\n'),
    client_id: found.client_id,
    has_secret: found.has_client_secret || found.public_jwk !== null,
    jwks_uri: found.jwks_uri ?? undefined,
    public_jwk: found.jwks_uri === null ? undefined : (found.public_jwk ?? undefined),
    notes: visit.web.outbound.catalogue.get(found.provider)?.fields.notes?.value ?? undefined,
    last_error:
      error === null
        ? undefined
        : { error, at: error_at ?? 0, ...(error_description !== null && { error_description }) },
  })
  return send(visit, html)
})

function connectorRow(shown: ShownConnector) {
  return {
    connector: shown.connector,
    provider_name: shown.provider_name,
    verified: shown.unverified_fields.length === 0,
    scope: shown.scope,
    connections: shown.connections,
    refused: shown.error !== null,
  }
}
