import type { Context } from 'hono'
import * as z from 'zod'
import { parseUniqueJson } from '../../crypto/unique_json.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { decodeUtf8, LARGEST_DESCRIPTION } from '../machine.ts'
import { type PageEnv, readBody, readQuery } from '../page.ts'
import type { ApiRoute } from './route.ts'

const MOST_ERRORS = 20
const DEEPEST = 32
const LONGEST_NAME = 64

/** Reads the query of a route; what it does not know is refused by name. `fields` is for whoever writes the answer. */
export function readRouteQuery(c: Context<PageEnv>, { query = {} }: ApiRoute): Record<string, unknown> {
  const { fields: _, ...given } = readQuery(c)
  return check(z.strictObject(query), given, 'Parameter') as Record<string, unknown>
}

/** The bytes of a body, and what they say by the schema of a route; undefined where it takes none. */
export async function readRouteBody(
  c: Context<PageEnv>,
  route: ApiRoute,
): Promise<{ readonly bytes: Uint8Array; readonly body: unknown }> {
  const bytes = await readBody(c, LARGEST_DESCRIPTION)
  if (!route.body) {
    if (bytes.length === 0) return { bytes, body: undefined }
    throw new OAuthError('invalid_request', 'This takes no body')
  }
  const type = (c.req.header('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()
  if (type !== 'application/json') {
    throw new OAuthError('invalid_request', 'The Content-Type must be application/json', { status: 415 })
  }
  return { bytes, body: check(route.body, readJson(bytes), 'Member') }
}

function readJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes)
  let json: unknown
  try {
    json = parseUniqueJson(text)
  } catch (cause) {
    throw new OAuthError('invalid_request', 'The body is not JSON that names each member once', { cause })
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return requireSound(json, 1)
  throw new OAuthError('invalid_request', 'The body must be a JSON object')
}

// What no database keeps as it is, and what would take whoever writes it down too deep.
function requireSound<Value>(value: Value, depth: number): Value {
  if (depth > DEEPEST) throw new OAuthError('invalid_request', `The body is nested more than ${DEEPEST} deep`)
  if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) {
    throw new OAuthError('invalid_request', 'The body has a character that is not allowed')
  }
  if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      requireSound(name, depth)
      requireSound(member, depth + 1)
    }
  }
  return value
}

function check(schema: z.ZodType, given: unknown, what: 'Member' | 'Parameter'): unknown {
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const errors = parsed.error.issues.flatMap((issue) => describe(issue, given)).slice(0, MOST_ERRORS)
  const { path, detail } = errors[0]!
  const name = path.map(String).join('.').slice(0, LONGEST_NAME)
  throw new OAuthError('invalid_request', name === '' ? `The body ${detail}` : `${what} ${name} ${detail}`, {
    members: {
      errors: errors.map(({ path, detail }) => ({
        ...(what === 'Member' ? { pointer: toPointer(path) } : { parameter: String(path[0]) }),
        detail,
      })),
    },
  })
}

type Path = readonly PropertyKey[]

// zod's own sentences never hold the value that was given, which might be a secret.
function describe(issue: z.core.$ZodIssue, given: unknown): { path: Path; detail: string }[] {
  const { path } = issue
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key.slice(0, LONGEST_NAME)], detail: 'is not known here' }))
  }
  if (issue.code !== 'invalid_type') return [{ path, detail: lowerFirst(issue.message) }]
  return [{ path, detail: isThere(given, path) ? `must be ${TYPES[issue.expected] ?? issue.expected}` : 'is missing' }]
}

function isThere(given: unknown, path: Path): boolean {
  let value = given
  for (const step of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[step]
  return value !== undefined
}

/** A JSON Pointer (RFC 6901 section 3). */
function toPointer(path: Path): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}
