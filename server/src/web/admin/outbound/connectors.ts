import { type ConnectorCheck, checkConnector } from '../../../outbound/administration/check_connector.ts'
import {
  deleteConnector,
  findConnector,
  listConnectorKeys,
  listConnectors,
  type ShownConnector,
  setConnectorDisabled,
} from '../../../outbound/administration/connectors.ts'
import { rotateConnectorKey } from '../../../outbound/administration/rotate_connector_key.ts'
import { callbackUrl } from '../../../outbound/connectors/connector.ts'
import { errorPage, ours, redirect, send, type Visit } from '../../page.ts'
import { readTold, redirectTelling } from '../../told_once.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import { renderConnector, renderConnectors } from './templates/connectors.ts'

/** GET /admin/connectors. */
export const connectorsPage = consolePage(async (visit) => {
  const connectors = (await listConnectors(visit.web.outbound)).map(connectorRow)
  return send(visit, renderConnectors(visit.view, { connectors, done: readTold(visit, visit.view.text.console.done) }))
})

/** GET /admin/connector?connector=. */
export const connectorPage = consolePage(async (visit) => {
  const found = await findConnector(visit.web.outbound, visit.query['connector'] ?? '')
  return found ? show(visit, found) : errorPage(visit, 'not_found', 404)
})

/** POST /admin/connector/test: what the provider says of the registration now, on the connector's page. */
export const testConnectorSubmit = consoleSubmit(async (visit, actor, { connector = '' }) => {
  const checks = await checkConnector(visit.web.outbound, actor, connector)
  const found = await findConnector(visit.web.outbound, connector)
  return found && checks ? show(visit, found, checks) : errorPage(visit, 'not_found', 404)
})

async function show(visit: Visit, found: ShownConnector, checks?: readonly ConnectorCheck[]): Promise<Response> {
  const { error, error_description, error_at } = found
  const record = visit.web.outbound.catalogue.get(found.provider)
  const html = renderConnector(visit.view, {
    ...connectorRow(found),
    disabled: found.disabled_at !== null,
    told: readTold(visit, visit.view.text.console.done),
    redirect_uri: sendsBack(visit, found)
      ? (found.settings.redirect_uris ?? [callbackUrl(visit.web.outbound, found.connector)]).join('\n')
      : undefined,
    client_id: found.client_id,
    has_secret: found.has_client_secret || found.public_jwk !== null,
    jwks_uri: found.jwks_uri ?? undefined,
    public_jwks: (await listConnectorKeys(visit.web.outbound, found.connector))?.keys,
    next_key_at: found.settings.next_key?.signs_at,
    for_everyone: found.settings.for_everyone,
    may_rotate: found.settings.key?.made === true && found.jwks_uri !== null && !found.settings.for_everyone,
    grant_type: found.settings.grant_type,
    per_customer: record?.fields.client_per_connection?.value === true,
    notes: record?.fields.notes?.value ?? undefined,
    last_error:
      error === null
        ? undefined
        : { error, at: error_at ?? 0, ...(error_description !== null && { error_description }) },
    checks,
    done: readTold(visit, { made: true, saved: true }),
    script: scriptOf(visit, 'testConnector', { connector: found.connector }),
  })
  return send(visit, html, { script: true })
}

/** Whether its provider sends people back here. */
function sendsBack({ web }: Visit, { provider, settings }: ShownConnector): boolean {
  const typed = (web.outbound.catalogue.get(provider)?.fields.credential?.value ?? 'oauth') !== 'oauth'
  return !typed && settings.grant_type === undefined
}

/** POST /admin/connector/disable and /admin/connector/enable. */
export const setConnectorDisabledSubmit = (disabled: boolean) =>
  consoleSubmit(async (visit, actor, values) => {
    const connector = values['connector'] ?? ''
    await setConnectorDisabled(visit.web.outbound, actor, connector, disabled)
    return redirect(visit, ours(visit.web, paths.admin_connector, { connector }))
  })

/** POST /admin/connector/delete: the connector goes with its connections, each of which is ended at the provider too. */
export const deleteConnectorSubmit = consoleSubmit(async (visit, actor, values) => {
  const connector = values['connector'] ?? ''
  const outcome = await deleteConnector(visit.web.outbound, actor, connector, { disconnect: true })
  // What the vault cannot open now it cannot revoke: the connector stays, disabled, until it can.
  if (outcome === 'has_connections') {
    return redirectTelling(visit, ours(visit.web, paths.admin_connector, { connector }), 'connector_kept')
  }
  return redirectTelling(visit, ours(visit.web, paths.admin_connectors), 'connector')
})

/** POST /admin/connector/rotate_key: another key, which signs once providers have had time to read it. */
export const rotateConnectorKeySubmit = consoleSubmit(async (visit, actor, values) => {
  const connector = values['connector'] ?? ''
  await rotateConnectorKey(visit.web.outbound, actor, connector)
  return redirect(visit, ours(visit.web, paths.admin_connector, { connector }))
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
