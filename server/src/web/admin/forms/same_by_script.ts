import { OAuthError } from '../../../oauth/errors.ts'
import type { Visit } from '../../page.ts'
import type { SameScript } from '../../ui/components.ts'

/** What forms of the console do, by the operationId of the route that does it too; a test holds each to the table. */
export const SCRIPTS = {
  createClient: 'POST /clients',
  updateClient: 'PUT /clients/{client_id}',
  deleteClient: 'DELETE /clients/{client_id}',
  disableClient: 'POST /clients/{client_id}/disable',
  enableClient: 'POST /clients/{client_id}/enable',
  switchClient: 'POST /clients/{client_id}/switch',
  fetchClientLogo: 'POST /clients/{client_id}/logo',
  rotateClientSecret: 'POST /clients/{client_id}/secrets',
  endFormerClientSecret: 'DELETE /clients/{client_id}/secrets/former',
  createRegistrationToken: 'POST /registration_tokens',
  endRegistrationToken: 'DELETE /registration_tokens/{token_id}',
  createResource: 'POST /resources',
  updateResource: 'PUT /resources/{resource}',
  createTrustedIssuer: 'POST /trusted_issuers',
  updateTrustedIssuer: 'PUT /trusted_issuers/{issuer}',
  endGrant: 'DELETE /grants/{grant_id}',
  refreshConnection: 'POST /connections/{connection_id}/refresh',
  getConnectionToken: 'GET /connections/{connection_id}/token',
  disconnectConnection: 'POST /connections/{connection_id}/disconnect',
  listEvents: 'GET /events',
  rotateSigningKeys: 'POST /signing_keys/rotate',
  revokeSigningKey: 'POST /signing_keys/{kid}/revoke',
  createWebhook: 'POST /webhooks',
  updateWebhook: 'PATCH /webhooks/{webhook}',
  deleteWebhook: 'DELETE /webhooks/{webhook}',
  rotateWebhookSecret: 'POST /webhooks/{webhook}/rotate_secret',
  replayWebhook: 'POST /webhooks/{webhook}/replay',
  createConnector: 'POST /connectors',
  updateConnector: 'PUT /connectors/{connector}',
  testConnector: 'POST /connectors/{connector}/test',
  createUser: 'POST /users',
  inviteUser: 'POST /users/{user_id}/invite',
  disableUser: 'POST /users/{user_id}/disable',
  enableUser: 'POST /users/{user_id}/enable',
  deleteUser: 'DELETE /users/{user_id}',
  endSessions: 'DELETE /users/{user_id}/sessions',
  deletePersonalAccessToken: 'DELETE /users/{user_id}/personal_access_tokens/{token_id}',
  disableConnector: 'POST /connectors/{connector}/disable',
  enableConnector: 'POST /connectors/{connector}/enable',
  deleteConnector: 'DELETE /connectors/{connector}',
  endConnectSession: 'POST /connect_sessions/{session_id}/end',
  createRole: 'POST /roles',
  updateRole: 'PUT /roles/{role}',
  explainRights: 'GET /rights',
  updateSettings: 'PATCH /settings',
} as const

type Operation = keyof typeof SCRIPTS
type Values = Readonly<Record<string, string>>
/** What a call sends: members of a query, or of a body. */
type Sent = Readonly<Record<string, unknown>>

/**
 * Writes what a form does as lines that can be pasted: the call of the API, whose token stands in a variable, as secrets
 * stand in no argument, and the command, whose words are made of the route as those of the command line are. Secrets of a
 * body, named by `ask`, are typed into what curl reads, and asked for by the command.
 */
export function scriptOf(
  { web }: Pick<Visit, 'web'>,
  operation: Operation,
  values: Values = {},
  sent: { readonly query?: Values; readonly body?: Sent; readonly ask?: readonly string[] } = {},
): SameScript & { readonly cli: string } {
  const [method, path] = SCRIPTS[operation].split(' ') as [string, string]
  const { query = {}, body, ask = [] } = sent
  const secrets = Object.fromEntries(ask.map((member) => [member, '...']))
  const search = new URLSearchParams(query).toString()
  const place = path.replace(/\{(\w+)\}/g, (_, hole: string) => encodeURIComponent(values[hole] ?? ''))
  const lines = [
    `curl -X ${method} ${quote(`${web.tenant.issuer}/api${place}${search && `?${search}`}`)}`,
    `-H "Authorization: Bearer $TOKEN"`,
    // Whoever writes a script decides what it overwrites: an ETag in the place of the star makes it ask.
    ...(method === 'PUT' || method === 'PATCH' ? [`-H 'If-Match: *'`] : []),
    ...(body && ask.length === 0 ? [`--json ${quote(JSON.stringify(body))}`] : []),
    ...(ask.length > 0 ? [`--json @- <<'JSON'\n${JSON.stringify({ ...body, ...secrets })}\nJSON`] : []),
  ]
  const words = [
    ...commandOf(operation),
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, hole]) => quote(values[hole!] ?? '')),
    ...Object.entries(query).map(([name, value]) => `--${toWords(name)} ${quote(value)}`),
    ...listMembers(operation, body ?? {}).map((member) => `--set ${quote(member)}`),
    ...ask.map((member) => `--ask ${member}`),
  ]
  const command = `sallyport ${words.join(' ')}`
  // What does not fit a line has one for each word.
  const cli = command.length <= LONGEST_LINE ? command : `sallyport ${words.join(' \\\n  ')}`
  return { api: lines.join(' \\\n  '), cli }
}

const LONGEST_LINE = 100

/** What is sent, member by member, as the command line reads it: a dot goes inside, commas separate a list. */
function listMembers(operation: Operation, body: Sent, before = ''): string[] {
  // Settings are of every kind, so that the command line reads each as JSON where it is that.
  const typed = operation !== 'updateSettings'
  return Object.entries(body).flatMap(([name, value]) => {
    const path = before + name
    if (typeof value === 'string') return [`${path}=${typed || !isJson(value) ? value : JSON.stringify(value)}`]
    if (typed && isPlainList(value)) return [`${path}=${value.join(',')}`]
    // Names of the table are words; what people name may have dots, and is told as JSON.
    const inside = before === '' && (name === 'metadata' || name === 'access_token')
    return inside ? listMembers(operation, value as Sent, `${path}.`) : [`${path}=${JSON.stringify(value)}`]
  })
}

function isPlainList(value: unknown): value is readonly string[] {
  const is_plain = (item: unknown) => typeof item === 'string' && /^[^,[\s]([^,]*[^,\s])?$/.test(item)
  return Array.isArray(value) && value.length > 0 && value.every(is_plain)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** What a form would send as it stands, or what one like it sends where that cannot be read yet. */
export function sentOr<T, U>(read: () => T, like: U): T | U {
  try {
    return read()
  } catch (error) {
    if (error instanceof OAuthError) return like
    throw error
  }
}

/** The two words of the command line that call a route. */
export function commandOf(operation: Operation): [group: string, name: string] {
  const group = toWords(SCRIPTS[operation].split('/')[1]!)
  const noun = group.replace(/s$/, '')
  const name = operation.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return [group, name.replace(new RegExp(`-${noun}s?(?=-|$)`), '')]
}

function toWords(name: string): string {
  return name.replaceAll('_', '-')
}

/** A word of a POSIX shell. */
function quote(text: string): string {
  return /^[\w.:/=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
