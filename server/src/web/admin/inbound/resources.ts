import { type Algorithm, isAlgorithm } from '../../../crypto/signing_keys.ts'
import { isBuiltIn, saveResource } from '../../../inbound/administration/configure.ts'
import { listChangedNames } from '../../../inbound/changed_names.ts'
import {
  type Json,
  readBoolean,
  readInteger,
  readText,
  readTexts,
  refusal,
} from '../../../oauth/clients/metadata_member.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import type { Resource } from '../../../store/tenant.ts'
import { errorPage, ours, send, type Visit } from '../../page.ts'
import { describeScopes } from '../../pages/described_scopes.ts'
import { isTold, redirectTelling } from '../../told_once.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { refusedField } from '../forms/refused_field.ts'
import { scriptOf, sentOr } from '../forms/same_by_script.ts'
import { type FormValues, readTyped, refill, seenIn, statusOf, writeTyped } from '../forms/typed_form.ts'
import {
  type EditResourceData,
  RESOURCE_FIELDS,
  renderEditResource,
  renderResource,
  renderResources,
} from './templates/resources.ts'

const LONGEST_TEXT = 2048

/** GET /admin/resources. */
export const resourcesPage = consolePage(async (visit) => {
  const { issuer } = visit.web.tenant
  const resources = [...visit.configuration.resources.values()].map((one) => ({
    ...{ resource: one.resource, name: one.name, scopes: [...one.scopes.keys()], format: one.access_token_format },
    built_in: isBuiltIn(issuer, one.resource),
  }))
  return send(visit, renderResources(visit.view, { resources }))
})

/** GET /admin/resource?uri=. */
export const resourcePage = consolePage(async (visit) => {
  const found = find(visit, visit.query['uri'])
  if (!found) return errorPage(visit, 'not_found', 404)
  const { resource, name } = found
  const built_in = isBuiltIn(visit.web.tenant.issuer, resource)
  const saved = isTold(visit, 'saved')
  const preview = describeScopes(visit.view, visit.web.tenant.issuer, visit.configuration, {
    ...{ scope: [...found.scopes.keys()], resource: [resource], new_scope: [], optional_scope: [] },
  })
  return send(visit, renderResource(visit.view, { resource, name, built_in, saved, preview, values: write(found) }))
})

/** GET /admin/resources/new. */
export const newResourcePage = consolePage(async (visit, _administrator, kept) =>
  show(visit, undefined, ...refill(kept, write(DEFAULTS))),
)

/** GET /admin/resource/edit?uri=. */
export const editResourcePage = consolePage(async (visit, _administrator, kept) => {
  const found = find(visit, visit.query['uri'])
  // Nobody describes what is the server's own.
  const mine = found && !isBuiltIn(visit.web.tenant.issuer, found.resource)
  return mine ? show(visit, found, ...refill(kept, write(found))) : errorPage(visit, 'not_found', 404)
})

/** POST /admin/resources/new and /admin/resource/edit: all of it is as it was typed, or nothing is changed. */
export const saveResourceSubmit = (made: 'new' | 'known') =>
  consoleSubmit(async (visit, actor, values) => {
    const { tenant } = visit.web
    const found = find(visit, values['uri'])
    if (made === 'known' && !found) return errorPage(visit, 'not_found', 404)
    const known = made === 'known' ? found : undefined
    const seen = Number(values['seen'])
    if (seen !== visit.configuration.config_version) return overtaken(visit, known, values)
    try {
      if (made === 'new' && found) throw refusal('uri', 'is that of a resource that is there already')
      const wanted = read(values)
      const changed = known ? listChangedNames(known, wanted) : Object.keys(wanted)
      const saved = changed.length === 0 || (await saveResource(tenant, wanted, { actor, changed, seen }))
      return saved ? toResource(visit, wanted) : overtaken(visit, known, values)
    } catch (error) {
      if (!(error instanceof OAuthError) || error.status >= 500) throw error
      return show(visit, known, values, refusedField(error, { resource: 'uri' }))
    }
  })

/** Whoever comes second is told what has changed; a form that was sent twice leads to what it made. */
async function overtaken(visit: Visit, known: Resource | undefined, values: FormValues): Promise<Response> {
  const { resources } = await visit.web.tenant.currentConfiguration()
  const wanted = sentOr(() => read(values), null)
  const standing = wanted && resources.get(wanted.resource)
  const done = standing && listChangedNames(standing, wanted).length === 0
  return done ? toResource(visit, wanted) : show(visit, known, values, 'stale')
}

function toResource(visit: Visit, { resource }: Resource): Response {
  return redirectTelling(visit, ours(visit.web, paths.admin_resource, { uri: resource }), 'saved')
}

function find(visit: Visit, uri: string | undefined): Resource | undefined {
  return uri === undefined ? undefined : visit.configuration.resources.get(uri)
}

function show(
  visit: Visit,
  resource: Resource | undefined,
  values: FormValues,
  wrong?: EditResourceData['wrong'],
): Response {
  const seen = seenIn(values, wrong, String(visit.configuration.config_version))
  const html = renderEditResource(visit.view, {
    resource,
    values,
    seen,
    wrong,
    script: scriptOfForm(visit, resource, values),
  })
  return send(visit, html, { status: statusOf(wrong) })
}

function scriptOfForm(visit: Visit, known: Resource | undefined, values: FormValues) {
  const like = { name: 'Orders', scopes: { 'orders:read': 'See your orders' } }
  if (known) {
    const body = sentOr(() => describe(read({ ...values, uri: known.resource })), like)
    return scriptOf(visit, 'updateResource', { resource: known.resource }, { body })
  }
  const named = () => ({ resource: read(values).resource, ...describe(read(values)) })
  return scriptOf(
    visit,
    'createResource',
    {},
    { body: sentOr(named, { resource: 'https://orders.example/api', ...like }) },
  )
}

function describe(resource: Resource): Readonly<Record<string, unknown>> {
  const { name, scopes, default_scopes, every_user, introspection_clients, access_token_signing_alg: alg } = resource
  const { access_token_format: format, access_token_lifetime_seconds: lifetime_seconds } = resource
  const access_token = { format, lifetime_seconds, ...(alg && { signing_alg: alg }) }
  const allowed = { default_scopes, every_user, introspection_clients }
  return { name, scopes: Object.fromEntries(scopes), access_token, ...allowed }
}

const DEFAULTS: Pick<Resource, 'access_token_format' | 'access_token_lifetime_seconds'> & Partial<Resource> = {
  ...{ access_token_format: 'jwt', access_token_lifetime_seconds: 600 },
}

function write(resource: typeof DEFAULTS): FormValues {
  const { name, scopes, default_scopes = [], every_user, introspection_clients = [] } = resource
  return writeTyped(RESOURCE_FIELDS, {
    ...{ name, every_user, default_scopes, introspection_clients, scopes: Object.fromEntries(scopes ?? []) },
    'access_token.format': resource.access_token_format,
    'access_token.lifetime_seconds': resource.access_token_lifetime_seconds,
    'access_token.signing_alg': resource.access_token_signing_alg,
  })
}

// What the values may be is checked where every resource is, when it is saved.
function read(values: FormValues): Resource {
  const json = readTyped(RESOURCE_FIELDS, values)
  const resource = readText(values, 'uri', LONGEST_TEXT)
  if (resource === undefined) throw refusal('uri', 'is missing')
  const access_token_signing_alg = readAlgorithm(json)
  return {
    resource,
    name: readText(json, 'name', LONGEST_TEXT) ?? resource,
    scopes: new Map(Object.entries((json['scopes'] ?? {}) as Record<string, string>)),
    default_scopes: readTexts(json, 'default_scopes', LONGEST_TEXT) ?? [],
    access_token_format: readFormat(json),
    access_token_lifetime_seconds: readInteger(json, 'access_token.lifetime_seconds', 1, 86_400) ?? 600,
    ...(access_token_signing_alg && { access_token_signing_alg }),
    every_user: readBoolean(json, 'every_user') ?? false,
    introspection_clients: readTexts(json, 'introspection_clients', LONGEST_TEXT) ?? [],
  }
}

function readFormat(json: Json): 'jwt' | 'opaque' {
  const format = readText(json, 'access_token.format', LONGEST_TEXT) ?? 'jwt'
  if (format !== 'jwt' && format !== 'opaque') throw refusal('access_token.format', 'must be jwt or opaque')
  return format
}

function readAlgorithm(json: Json): Algorithm | undefined {
  const alg = readText(json, 'access_token.signing_alg', LONGEST_TEXT)
  if (alg === undefined || isAlgorithm(alg)) return alg
  throw refusal('access_token.signing_alg', 'is not known')
}
