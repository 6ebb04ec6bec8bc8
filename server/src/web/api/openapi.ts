import * as z from 'zod'
import { API_SCOPES } from '../../inbound/tenants.ts'
import type { Tenant } from '../../store/tenant.ts'
import { type ApiRoute, route } from './route.ts'

/** A JSON Schema, or any other part of the document. */
type Part = Readonly<Record<string, unknown>>

/** The route that says what there is. */
export function documentRoute(routes: () => readonly ApiRoute[]): ApiRoute {
  // Whoever asks for it shows nothing, so it is made once.
  const texts = new WeakMap<Tenant, string>()
  return route({
    ...{ method: 'GET', path: '/openapi.json', scope: null, name: 'getDocument' },
    summary: 'This document',
    media_type: 'application/json',
    run: ({ web }) => {
      const text = texts.get(web.tenant) ?? JSON.stringify(describeApi(routes(), web.tenant.issuer))
      texts.set(web.tenant, text)
      return new Response(text, { headers: { 'Content-Type': 'application/json' } })
    },
  })
}

/** The administration API as OpenAPI 3.1: each route of the table, with the schemas that check it. */
export function describeApi(routes: readonly ApiRoute[], issuer: string): Part {
  const schemas = collectSchemas(routes)
  const versioned = new Set(routes.flatMap(({ versioned, subject }) => (versioned && subject ? subject.name : [])))
  // Where no answer has an ETag, nobody has one to send.
  const showsVersion = ({ subject }: ApiRoute) => subject !== undefined && versioned.has(subject.name)
  const paths: Record<string, Record<string, Part>> = {}
  for (const one of routes) {
    paths[one.path] ??= {}
    paths[one.path]![one.method.toLowerCase()] = describeRoute(one, schemas, showsVersion)
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Sallyport administration API',
      version: '1',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: `${issuer}/api` }],
    paths,
    components: {
      schemas: { ...schemas.named, Problem: PROBLEM },
      responses: {
        Problem: {
          description: 'What is wrong',
          content: { 'application/problem+json': { schema: refTo('Problem') } },
        },
      },
      securitySchemes: { oauth2: describeSecurity(routes, issuer) },
    },
  }
}

const DESCRIPTION =
  'Tokens are for the resource `<issuer>/api` and are sent as RFC 6750 or RFC 9449 say. Lists go on with `next_cursor` as ' +
  '`cursor`. A GET takes `fields`: the members that are wanted, by commas. PUT and PATCH need the ETag of what they change ' +
  'in If-Match. A POST with an Idempotency-Key is done once: for a day its repetition gets the same answer. Times are ' +
  'milliseconds since the epoch, unless a member of a protocol says otherwise.'

const PROBLEM: Part = {
  type: 'object',
  description: 'RFC 9457, with the members of RFC 6750',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    request_id: { type: 'string' },
    error: { type: 'string' },
    error_description: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { pointer: { type: 'string' }, parameter: { type: 'string' }, detail: { type: 'string' } },
      },
    },
  },
  required: ['type', 'title', 'status', 'detail', 'error', 'error_description'],
}

interface Schemas {
  readonly named: Readonly<Record<string, Part>>
  of(one: ApiRoute, part: 'body' | 'answer' | 'query'): Part
}

/** Every schema of the table in one go, so that those with a name stand once. */
function collectSchemas(routes: readonly ApiRoute[]): Schemas {
  const inputs: Record<string, z.ZodType> = {}
  const outputs: Record<string, z.ZodType> = {}
  for (const { name, body, query, answer } of routes) {
    if (body) inputs[`${name}.body`] = body
    if (query) inputs[`${name}.query`] = z.strictObject(query)
    if (answer) outputs[`${name}.answer`] = answer
  }
  const read = toDefinitions(inputs, 'input')
  const written = toDefinitions(outputs, 'output')
  const all = { ...read.properties, ...written.properties }
  return {
    named: Object.fromEntries(Object.entries({ ...read.named, ...written.named }).sort(([a], [b]) => (a < b ? -1 : 1))),
    of: ({ name }, part) => all[`${name}.${part}`]!,
  }
}

function toDefinitions(schemas: Record<string, z.ZodType>, io: 'input' | 'output') {
  const json = z.toJSONSchema(z.object(schemas), { io, override: ({ jsonSchema }) => forNumbers(jsonSchema) })
  const text = JSON.stringify(json).replaceAll('#/$defs/', '#/components/schemas/')
  const { properties = {}, $defs = {} } = JSON.parse(text) as Record<'properties' | '$defs', Record<string, Part>>
  for (const definition of Object.values($defs)) delete (definition as { id?: unknown }).id
  return { properties, named: $defs }
}

// A number of a query is checked as text; a whole number of JavaScript has bounds that go without saying.
function forNumbers(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.type !== 'integer') return
  delete schema.pattern
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
}

function describeRoute(one: ApiRoute, schemas: Schemas, showsVersion: (one: ApiRoute) => boolean): Part {
  const { name, summary, path, scope, body } = one
  return {
    operationId: name,
    tags: [path.split('/')[1]],
    summary,
    // Any one of these will do.
    security: scope === null ? [] : [scope].flat().map((name) => ({ oauth2: [name] })),
    parameters: describeParameters(one, schemas, showsVersion(one)),
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: schemas.of(one, 'body') } } },
    }),
    responses: { ...describeAnswer(one, schemas), default: { $ref: '#/components/responses/Problem' } },
  }
}

function describeAnswer(one: ApiRoute, schemas: Schemas): Part {
  const { answer, status, versioned, media_type } = one
  if (media_type !== undefined) return { 200: { description: one.summary, content: { [media_type]: {} } } }
  if (!answer) return { 204: { description: 'Done' } }
  const headers = versioned && { ETag: { description: 'The version, for If-Match', schema: { type: 'string' } } }
  const content = { 'application/json': { schema: schemas.of(one, 'answer') } }
  return { [status ?? 200]: { description: one.summary, ...(headers && { headers }), content } }
}

function describeParameters(one: ApiRoute, schemas: Schemas, has_version: boolean): Part[] {
  const { method, path, query, answer, repeatable } = one
  const { properties = {}, required = [] } = (query ? schemas.of(one, 'query') : {}) as {
    properties?: Record<string, Part>
    required?: string[]
  }
  return [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => parameter('path', name!, true)),
    ...Object.entries(properties).map(([name, { description, ...schema }]) =>
      parameter('query', name, required.includes(name), { schema, ...(description !== undefined && { description }) }),
    ),
    ...(method === 'GET' && answer ? [parameter('query', 'fields', false)] : []),
    ...(has_version && method !== 'GET'
      ? [parameter('header', 'If-Match', method === 'PUT' || method === 'PATCH')]
      : []),
    ...(method === 'POST' && !repeatable ? [parameter('header', 'Idempotency-Key', false)] : []),
  ]
}

function parameter(place: string, name: string, required: boolean, more: Part = {}): Part {
  return { name, in: place, ...(required && { required }), schema: { type: 'string' }, ...more }
}

function refTo(name: string): Part {
  return { $ref: `#/components/schemas/${name}` }
}

function describeSecurity(routes: readonly ApiRoute[], issuer: string): Part {
  const asked = new Set(routes.flatMap(({ scope }) => scope ?? []))
  const scopes = Object.fromEntries(Object.entries(API_SCOPES).filter(([name]) => asked.has(name)))
  return {
    type: 'oauth2',
    flows: {
      clientCredentials: { tokenUrl: `${issuer}/token`, scopes },
      authorizationCode: { authorizationUrl: `${issuer}/authorize`, tokenUrl: `${issuer}/token`, scopes },
    },
  }
}
