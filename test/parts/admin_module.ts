import { describeApi } from '../../server/src/web/api/openapi.ts'
import { API_ROUTES } from '../../server/src/web/api/table.ts'

/** A JSON Schema as the document has it. */
interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly description?: string
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>

/** A route as the document has it. */
interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly security: readonly { readonly oauth2: readonly string[] }[]
  readonly parameters: readonly { name: string; in: string; required?: boolean; schema: Schema; description?: string }[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** sdk/src/admin/operations.ts: the types of the administration API and what its functions send, out of its document. */
export function writeAdminModule(): string {
  const { paths, components } = describeApi(API_ROUTES, 'https://sallyport.example') as unknown as Document
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      // What says what there is needs no function of its own.
      return operation.security.length === 0 ? [] : [{ method: method.toUpperCase(), path, ...operation }]
    }),
  )
  const schemas = Object.entries(components.schemas).filter(([name]) => name !== 'Problem')
  return `// Made of the table of the administration API (server/src/web/api/table.ts) by \`npm run openapi\`: not edited by hand.
import type { Change, Options, Pages } from './call.ts'

${schemas.map(([name, schema]) => writeNamed(name, schema)).join('\n')}
/** The administration API: one function a route. Each rejects with an AdminError. */
export interface AdminOperations {
${operations.map(writeSignature).join('')}}

/** What each function sends: the method, the path, and \`body\`, \`keyed\` (Idempotency-Key), \`pages\` or \`raw\` (no JSON). */
export const OPERATIONS: Readonly<Record<keyof AdminOperations, string>> = {
${operations.map((one) => `  ${one.operationId}: '${[one.method, one.path, ...marksOf(one)].join(' ')}',\n`).join('')}}
`
}

type Route = Operation & { readonly method: string; readonly path: string }

function writeNamed(name: string, schema: Schema): string {
  return `${comment(schema.description ?? `${name}, as the API says it.`, '')}export type ${name} = ${writeType(schema, '')}\n`
}

function writeSignature(route: Route): string {
  const { operationId, summary, security, method, path } = route
  const scope = security.map(({ oauth2 }) => oauth2[0]).join(' or ')
  const holes = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => `${name}: string`)
  const body = contentOf(route.requestBody?.content)
  const { type, required } = writeOptions(route)
  const given = [
    ...holes,
    ...(body ? [`body: ${writeType(body, '  ')}`] : []),
    `options${required ? '' : '?'}: ${type}`,
  ]
  return `${comment(`${summary} (${method} ${path}; ${scope}).`, '  ')}  ${operationId}(${given.join(', ')}): ${writeAnswer(route)}\n`
}

function writeOptions({ method, parameters }: Route): { type: string; required: boolean } {
  const query = parameters.filter((one) => one.in === 'query' && one.name !== 'fields')
  const changed = parameters.find(({ name }) => name === 'If-Match')
  const kind = changed?.required ? 'Change' : changed && method !== 'GET' ? 'Options & Partial<Change>' : 'Options'
  const members = query.map(
    ({ name, required, schema }) => `readonly ${name}${required ? '' : '?'}: ${writeType(schema, '')}`,
  )
  const type = members.length === 0 ? kind : `${kind} & { ${members.join('; ')} }`
  return { type, required: changed?.required === true || query.some(({ required }) => required) }
}

function writeAnswer(route: Route): string {
  const marks = marksOf(route)
  if (marks.includes('raw')) return 'Promise<Response>'
  const schema = answerOf(route)
  if (!schema) return 'Promise<void>'
  if (marks.includes('pages')) return `Pages<${writeType(schema.properties!['items']!.items!, '  ')}>`
  return `Promise<${writeType(schema, '  ')}>`
}

function marksOf(route: Route): string[] {
  const { parameters, requestBody } = route
  const answer = answerOf(route)
  const [content = {}] = Object.values(route.responses).map(({ content }) => content)
  const raw = !answer && Object.keys(content ?? {}).length > 0
  return [
    ...(requestBody ? ['body'] : []),
    ...(parameters.some(({ name }) => name === 'Idempotency-Key') ? ['keyed'] : []),
    ...(answer?.properties?.['next_cursor'] && answer.properties['items'] ? ['pages'] : []),
    ...(raw ? ['raw'] : []),
  ]
}

function answerOf({ responses }: Route): Schema | undefined {
  const [status] = Object.keys(responses)
  return contentOf(responses[status!]!.content)
}

function contentOf(content: Content | undefined): Schema | undefined {
  return content?.['application/json']?.schema
}

/** A schema as a type of TypeScript, its members indented below \`indent\`. */
function writeType(schema: Schema, indent: string): string {
  const { $ref, type, properties, additionalProperties, items } = schema
  if ($ref !== undefined) return $ref.split('/').at(-1)!
  if ('const' in schema) return literal(schema.const)
  if (schema.enum) return schema.enum.map(literal).join(' | ')
  const choice = schema.anyOf ?? schema.oneOf
  if (choice) return [...new Set(choice.map((one) => writeType(one, indent)))].join(' | ')
  if (schema.allOf) return schema.allOf.map((one) => writeType(one, indent)).join(' & ')
  if (Array.isArray(type)) return type.map((one: string) => writeType({ ...schema, type: one }, indent)).join(' | ')
  if (type === 'array') {
    const item = items ? writeType(items, indent) : 'unknown'
    return /[|&]/.test(item) && !item.startsWith('{') ? `readonly (${item})[]` : `readonly ${item}[]`
  }
  if (type === 'object' || properties) {
    if (properties) return writeMembers(properties, schema.required ?? [], indent)
    const value = typeof additionalProperties === 'object' ? writeType(additionalProperties, indent) : 'unknown'
    return `Readonly<Record<string, ${value}>>`
  }
  return TYPES[type as string] ?? 'unknown'
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'string',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  null: 'null',
}

function writeMembers(
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[],
  indent: string,
): string {
  const inner = `${indent}  `
  const members = Object.entries(properties).map(([name, schema]) => {
    const said = schema.description === undefined ? '' : comment(schema.description, inner)
    const key = /^[a-z_]\w*$/i.test(name) ? name : literal(name)
    return `${said}${inner}readonly ${key}${required.includes(name) ? '' : '?'}: ${writeType(schema, inner)}\n`
  })
  return members.length === 0 ? 'Readonly<Record<string, never>>' : `{\n${members.join('')}${indent}}`
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value.replace(/['\\]/g, '\\$&')}'` : JSON.stringify(value)
}

function comment(text: string, indent: string): string {
  return `${indent}/** ${text.replaceAll('*/', '* /')} */\n`
}
