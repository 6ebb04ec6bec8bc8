import * as z from 'zod'
import { ALGORITHMS } from '../../crypto/signing_keys.ts'
import { isBuiltIn, saveResource } from '../../inbound/administration/configure.ts'
import { requireHeld } from '../../inbound/administration/given_rights.ts'
import { listChangedNames } from '../../inbound/changed_names.ts'
import type { Resource } from '../../store/tenant.ts'
import { PAGING, pageOf, replyWhole } from './page_of.ts'
import { conflict } from './problem.ts'
import { type ApiRequest, route, type Subject, shown } from './route.ts'
import { saveSeen } from './save_configuration.ts'

const text = z.string().min(1, 'must not be empty')

const MEMBERS = {
  name: text.optional(),
  scopes: z
    .record(z.string(), text)
    .default({})
    .meta({ description: 'What each scope allows, as consent pages say it' }),
  default_scopes: z.array(text).default([]),
  access_token: z
    .strictObject({
      format: z.enum(['jwt', 'opaque']).default('jwt'),
      lifetime_seconds: z.int().default(600),
      signing_alg: z.enum(ALGORITHMS).optional(),
    })
    .prefault({}),
  every_user: z.boolean().default(false),
  introspection_clients: z.array(text).default([]),
}

const Described = z.strictObject(MEMBERS)
const ResourceSchema = z
  .strictObject({ resource: z.string(), built_in: z.boolean(), ...MEMBERS, name: z.string() })
  .meta({ id: 'Resource', description: 'An API that tokens are for (RFC 8707), with its scopes' })

const resource: Subject<Resource> = {
  name: 'resource',
  find: async ({ web, params }) => (await web.tenant.currentConfiguration()).resources.get(params['resource']!) ?? null,
  version: (found) =>
    JSON.stringify([
      ...[found.resource, found.name, [...found.scopes], found.default_scopes, found.every_user],
      ...[found.access_token_format, found.access_token_lifetime_seconds, found.access_token_signing_alg ?? null],
      found.introspection_clients,
    ]),
}

/** The routes of resources. */
export const RESOURCE_ROUTES = [
  route({
    ...{ method: 'GET', path: '/resources', scope: 'admin:read', name: 'listResources' },
    summary: 'Resources by URI',
    query: PAGING,
    answer: pageOf(ResourceSchema),
    async run({ web, query }) {
      const { resources } = await web.tenant.currentConfiguration()
      return replyWhole(
        query,
        [...resources.values()],
        (one) => describe(web.tenant.issuer, one),
        (one) => one.resource,
      )
    },
  }),
  route({
    ...{ method: 'POST', path: '/resources', scope: 'admin:write', name: 'createResource', status: 201 },
    summary: 'Describes a resource',
    body: z.strictObject({ resource: text, ...MEMBERS }),
    answer: ResourceSchema,
    versioned: true,
    run: ({ body: { resource: uri, ...body }, ...call }) =>
      save(call, toResource(uri, body), { seen: undefined, changed: Object.keys(body) }),
  }),
  route({
    ...{ method: 'GET', path: '/resources/{resource}', scope: 'admin:read', name: 'getResource' },
    summary: 'One resource',
    answer: ResourceSchema,
    versioned: true,
    subject: resource,
    run: ({ web, found }) => shown(resource, found, describe(web.tenant.issuer, found)),
  }),
  route({
    ...{ method: 'PUT', path: '/resources/{resource}', scope: 'admin:write', name: 'updateResource' },
    summary: 'Makes a resource what is described, all of it',
    body: Described,
    answer: ResourceSchema,
    versioned: true,
    subject: resource,
    run({ body, found, ...call }) {
      const wanted = toResource(found.resource, body)
      return save(call, wanted, { seen: found, changed: listChangedNames(found, wanted) })
    },
  }),
]

async function save(
  { web, token, actor }: Pick<ApiRequest, 'web' | 'token' | 'actor'>,
  wanted: Resource,
  { seen, changed }: { seen: Resource | undefined; changed: readonly string[] },
) {
  const { tenant } = web
  // A resource open to every user gives its scopes, under whatever names.
  const added = [...wanted.scopes.keys()].filter((scope) => !seen?.scopes.has(scope))
  requireHeld(token.scope, added, 'Member scopes')
  const isSeen = (present: Resource | undefined) => {
    if (present === undefined || seen === undefined) return present === seen
    return resource.version(present) === resource.version(seen)
  }
  if (!seen && (await tenant.currentConfiguration()).resources.has(wanted.resource))
    throw conflict('Member resource is taken')
  if (changed.length > 0) {
    await saveSeen(
      tenant,
      ({ resources }) => isSeen(resources.get(wanted.resource)),
      (config_version) => saveResource(tenant, wanted, { actor, changed, seen: config_version }),
    )
  }
  return shown(resource, wanted, describe(tenant.issuer, wanted))
}

function toResource(uri: string, body: z.output<typeof Described>): Resource {
  const { name, scopes, access_token, ...rest } = body
  return {
    ...{ resource: uri, name: name ?? uri, scopes: new Map(Object.entries(scopes)), ...rest },
    access_token_format: access_token.format,
    access_token_lifetime_seconds: access_token.lifetime_seconds,
    ...(access_token.signing_alg && { access_token_signing_alg: access_token.signing_alg }),
  }
}

function describe(issuer: string, found: Resource): z.input<typeof ResourceSchema> {
  const { resource, name, scopes, default_scopes, every_user, introspection_clients } = found
  return {
    ...{ resource, built_in: isBuiltIn(issuer, resource), name, scopes: Object.fromEntries(scopes) },
    ...{ default_scopes: [...default_scopes], every_user, introspection_clients: [...introspection_clients] },
    access_token: {
      format: found.access_token_format,
      lifetime_seconds: found.access_token_lifetime_seconds,
      ...(found.access_token_signing_alg && { signing_alg: found.access_token_signing_alg }),
    },
  }
}
