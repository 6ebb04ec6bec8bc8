import { OAuthError } from '../../../oauth/errors.ts'
import { type ConnectorInput, isConnectorName } from '../../../outbound/administration/connector_input.ts'
import { findConnector, type ShownConnector, saveConnector } from '../../../outbound/administration/connectors.ts'
import { type DescribedProvider, describeProvider } from '../../../outbound/administration/describe_provider.ts'
import { callbackUrl, connectorJwksUri } from '../../../outbound/connectors/connector.ts'
import type { ConnectorGrantType } from '../../../providers/grant_types.ts'
import { CLIENT_AUTH_METHODS } from '../../../providers/overrides.ts'
import type { Provider } from '../../../providers/provider.ts'
import { isAnyServer, searchCatalogue } from '../../../providers/search.ts'
import { errorPage, ours, send, type Visit } from '../../page.ts'
import { redirectTelling } from '../../told_once.ts'
import type { SameScript } from '../../ui/components.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import { type FormValues, refill, seenIn, statusOf } from '../forms/typed_form.ts'
import {
  readConnectorForm,
  readGrantType,
  refusedConnectorField,
  startForm,
  writeConnectorForm,
} from './connector_form.ts'
import { type ConnectorFormData, renderConnectorForm } from './templates/connector_form.ts'
import { renderCatalogue } from './templates/provider_catalogue.ts'

/** What a form is about: a connector, there or not, and its provider with the grant that was chosen. */
interface Subject {
  readonly connector: string
  readonly found: ShownConnector | null
  readonly provider: DescribedProvider
  readonly grant_type: ConnectorGrantType
}

/** GET /admin/connectors/new?q= and ?provider=&connector=&grant_type=: the catalogue, then the form of one provider. */
export const newConnectorPage = consolePage(async (visit, _administrator, kept) => {
  const { provider, q } = visit.query
  const { catalogue } = visit.web.outbound
  if (provider === undefined) {
    const providers = searchCatalogue(catalogue, q).map((record) => describeProvider(record))
    return send(visit, renderCatalogue(visit.view, { providers, q }))
  }
  const record = catalogue.get(provider)
  if (!record) return errorPage(visit, 'not_found', 404)
  const connector = visit.query['connector'] ?? (await proposeName(visit, record))
  const grant_type = readGrantType(visit.query['grant_type'])
  const subject = { connector, found: null, provider: describeProvider(record, { grant_type }), grant_type }
  const wrong_name = await judgeName(visit, connector)
  const [values, wrong] = refill(kept, startForm(subject.provider))
  return show(visit, subject, values, wrong, wrong_name)
})

/** POST /admin/connectors/new: makes the connector, or shows what was typed again, but for its secrets. */
export const newConnectorSubmit = consoleSubmit(async (visit, actor, values) => {
  const { provider = '', connector = '' } = values
  const record = visit.web.outbound.catalogue.get(provider)
  if (!record) return errorPage(visit, 'not_found', 404)
  const grant_type = readGrantType(values['grant_type'])
  const subject = { connector, found: null, provider: describeAs(record, grant_type, values), grant_type }
  const wrong_name = await judgeName(visit, connector)
  if (wrong_name === 'name_taken') return showTaken(visit, actor, subject, values)
  if (wrong_name !== undefined) return show(visit, subject, values, undefined, wrong_name)
  return save(visit, actor, subject, values)
})

/** GET /admin/connector/edit?connector=. */
export const editConnectorPage = consolePage(async (visit, _administrator, kept) => {
  const subject = await find(visit, visit.query['connector'])
  if (!subject) return errorPage(visit, 'not_found', 404)
  // Whoever runs the server changes what is for every tenant.
  if (subject.found.settings.for_everyone) return toConnector(visit, subject.connector)
  const [values, wrong] = refill(kept, writeConnectorForm(subject.found, subject.provider))
  return show(visit, subject, values, wrong)
})

/** POST /admin/connector/edit: the connector is as it was typed, or nothing is changed. */
export const editConnectorSubmit = consoleSubmit(async (visit, actor, values) => {
  const subject = await find(visit, values['connector'])
  if (!subject) return errorPage(visit, 'not_found', 404)
  if (values['seen'] !== String(subject.found.version)) return show(visit, subject, values, 'stale')
  return save(visit, actor, subject, values)
})

async function save(visit: Visit, actor: string, subject: Subject, values: FormValues): Promise<Response> {
  const { connector, found, provider, grant_type } = subject
  try {
    const input = readConnectorForm(provider, grant_type, connector, values)
    await saveConnector(visit.web.outbound, actor, input, { seen: found?.version ?? null })
    return toConnector(visit, connector, found ? 'saved' : 'made')
  } catch (error) {
    if (!(error instanceof OAuthError) || error.status >= 500) throw error
    if (error.status === 412 && found) return show(visit, (await find(visit, connector)) ?? subject, values, 'stale')
    if (error.status === 412) return showTaken(visit, actor, subject, values)
    // Its sentences are of "the connector's url": the name of a member follows.
    const plain = error.error_description.replace(/^The connector's /, '')
    const told = new OAuthError('invalid_request', plain, { cause: error.cause })
    return show(visit, subject, values, refusedConnectorField(told, provider, grant_type))
  }
}

/** That the name is taken, unless by what this very form has made: it was sent twice. */
async function showTaken(visit: Visit, actor: string, subject: Subject, values: FormValues): Promise<Response> {
  const { connector, provider, grant_type } = subject
  try {
    const input = readConnectorForm(provider, grant_type, connector, values)
    const outcome = await saveConnector(visit.web.outbound, actor, input, { dry_run: true })
    if (outcome === 'unchanged') return toConnector(visit, connector, 'made')
  } catch (error) {
    if (!(error instanceof OAuthError) || error.status >= 500) throw error
  }
  return show(visit, subject, values, undefined, 'name_taken')
}

async function find(visit: Visit, connector = ''): Promise<(Subject & { readonly found: ShownConnector }) | null> {
  const found = await findConnector(visit.web.outbound, connector)
  const record = found && visit.web.outbound.catalogue.get(found.provider)
  if (!record) return null
  const { fields } = found.settings
  const grant_type = readGrantType(found.settings.grant_type)
  return { connector, found, provider: describeProvider(record, { grant_type, fields }), grant_type }
}

/** A provider with the way of authentication that was typed, which decides what else is asked for. */
function describeAs(record: Provider, grant_type: ConnectorGrantType, values: FormValues): DescribedProvider {
  const method = isAnyServer(record) ? values['fields.token_endpoint_auth_method'] : undefined
  const known = CLIENT_AUTH_METHODS.find((one) => one === method)
  return describeProvider(record, { grant_type, ...(known && { fields: { token_endpoint_auth_method: known } }) })
}

async function judgeName(visit: Visit, connector: string): Promise<ConnectorFormData['wrong_name']> {
  if (!isConnectorName(connector)) return 'name_wrong'
  return (await findConnector(visit.web.outbound, connector)) ? 'name_taken' : undefined
}

/** The provider's own name, or with the first number that is free behind it. */
async function proposeName(visit: Visit, { provider }: Provider): Promise<string> {
  for (let n = 1; n < 10; n++) {
    const name = n === 1 ? provider : `${provider}-${n}`
    if ((await judgeName(visit, name)) === undefined) return name
  }
  return ''
}

function toConnector(visit: Visit, connector: string, done?: 'saved' | 'made'): Response {
  return redirectTelling(visit, ours(visit.web, paths.admin_connector, { connector }), done)
}

function show(
  visit: Visit,
  subject: Subject,
  values: FormValues,
  wrong?: ConnectorFormData['wrong'],
  wrong_name?: ConnectorFormData['wrong_name'],
): Response {
  const { connector, found, provider, grant_type } = subject
  const seen = seenIn(values, wrong, String(found?.version ?? ''))
  const html = renderConnectorForm(visit.view, {
    ...{ connector, known: found !== null, wrong_name, provider, grant_type, values, wrong, seen },
    posted: visit.c.req.method === 'POST',
    callback_url: callbackUrl(visit.web.outbound, connector),
    jwks_uri: connectorJwksUri(visit.web.outbound, connector),
    script: script(visit, subject, values),
  })
  const status = wrong_name && visit.c.req.method === 'POST' ? 409 : statusOf(wrong)
  return send(visit, html, { status, script: true })
}

/** The same by a script, with what stands in the form; secrets are asked for, and stand in no argument. */
function script(visit: Visit, subject: Subject, values: FormValues): SameScript {
  const { connector, found, provider, grant_type } = subject
  const { client_secret: _, private_key: __, ...input } = readWhatStands(subject, values)
  const { needs } = provider
  const body: Record<string, unknown> = dropEmpty({
    ...input,
    connector: found ? '' : connector,
    client_id: needs.includes('client_id') ? (input.client_id ?? 'CLIENT_ID') : '',
    grant_type: grant_type === 'authorization_code' ? '' : grant_type,
  })
  if (found) return scriptOf(visit, 'updateConnector', { connector }, { body })
  const ask = needs.filter((member) => member === 'client_secret' || member === 'private_key')
  return scriptOf(visit, 'createConnector', {}, { body, ask })
}

function readWhatStands({ connector, provider, grant_type }: Subject, values: FormValues): ConnectorInput {
  try {
    return readConnectorForm(provider, grant_type, connector, values)
  } catch (error) {
    // What cannot be read is refused above the form; the script shows how the rest would go.
    if (error instanceof OAuthError) return { connector, provider: provider.provider }
    throw error
  }
}

function dropEmpty(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).filter(([, value]) => {
      if (value === undefined || value === '' || value === 'off') return false
      return typeof value !== 'object' || Object.keys(value as object).length > 0
    }),
  )
}
