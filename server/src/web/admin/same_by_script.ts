import type { Visit } from '../page.ts'
import type { SameScript } from '../ui/components.ts'

/** What forms of the console do, by the operationId of the route that does it too; a test holds each to the table. */
export const SCRIPTS = {
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
  createUser: 'POST /users',
  createRole: 'POST /roles',
  updateRole: 'PUT /roles/{role}',
  explainRights: 'GET /rights',
  updateSettings: 'PATCH /settings',
} as const

type Values = Readonly<Record<string, string>>
/** What a call sends: members of a query, or of a body. */
type Sent = Readonly<Record<string, string | number | boolean | readonly string[]>>

/**
 * Writes what a form does as lines that can be pasted: the call of the API, whose token stands in a variable, as secrets
 * stand in no argument, and the command, whose words are made of the route as those of the command line are.
 */
export function scriptOf(
  { web }: Pick<Visit, 'web'>,
  operation: keyof typeof SCRIPTS,
  values: Values = {},
  sent: { readonly query?: Values; readonly body?: Sent } = {},
): SameScript & { readonly cli: string } {
  const [method, path] = SCRIPTS[operation].split(' ') as [string, string]
  const { query = {}, body } = sent
  const search = new URLSearchParams(query).toString()
  const place = path.replace(/\{(\w+)\}/g, (_, hole: string) => encodeURIComponent(values[hole] ?? ''))
  const lines = [
    `curl -X ${method} ${quote(`${web.tenant.issuer}/api${place}${search && `?${search}`}`)}`,
    `-H "Authorization: Bearer $TOKEN"`,
    // Whoever writes a script decides what it overwrites: an ETag in the place of the star makes it ask.
    ...(method === 'PUT' || method === 'PATCH' ? [`-H 'If-Match: *'`] : []),
    ...(body ? [`--json ${quote(JSON.stringify(body))}`] : []),
  ]
  const words = [
    ...commandOf(operation),
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, hole]) => quote(values[hole!] ?? '')),
    ...Object.entries(query).map(([name, value]) => `--${toWords(name)} ${quote(value)}`),
    ...Object.entries(body ?? {}).map(([name, value]) => `--set ${quote(`${name}=${value}`)}`),
  ]
  return { api: lines.join(' \\\n  '), cli: `sallyport ${words.join(' ')}` }
}

/** The two words of the command line that call a route. */
export function commandOf(operation: keyof typeof SCRIPTS): [group: string, name: string] {
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
