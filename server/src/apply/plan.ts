import { isDeepStrictEqual } from 'node:util'
import type { ConnectorInput } from '../outbound/administration/connector_input.ts'
import type { ShownConnector } from '../outbound/administration/connectors.ts'
import type { Resource } from '../store/tenant.ts'
import type { WebhookInput } from '../webhooks/webhooks.ts'
import type { Platform, PlatformClient, PlatformUser } from './platform.ts'
import type { Present, PresentClient, PresentUser, PresentWebhook } from './present.ts'

/** What applying a platform does to one thing. */
export interface Change {
  readonly action: 'create' | 'change' | 'none'
  readonly kind: 'settings' | 'resource' | 'role' | 'client' | 'user' | 'connector' | 'trusted_issuer' | 'webhook'
  readonly id: string
  readonly fields: readonly FieldChange[]
}

/** A field that differs; of a secret, only that it does. */
export interface FieldChange {
  readonly field: string
  readonly from?: unknown
  readonly to?: unknown
  readonly secret?: true
}

/** What applying a platform would do, in the order in which it is done. Whatever the platform does not name stays. */
export function planChanges(platform: Platform, present: Present): Change[] {
  return [
    ...planSettings(platform, present),
    ...platform.resources.map((wanted) => {
      const found = present.resources.get(wanted.resource)
      return toChange('resource', wanted.resource, found, compare(found && plainResource(found), plainResource(wanted)))
    }),
    ...platform.roles.map(({ role, scopes }) => {
      const found = present.roles.get(role)
      return toChange('role', role, found, compare(found && { scopes: found }, { scopes }))
    }),
    ...platform.clients.map((wanted) => planClient(wanted, present.clients.get(wanted.client_id))),
    ...platform.users.map((wanted) => planUser(wanted, present.users.get(wanted.username))),
    ...platform.connectors.map((wanted) => {
      const { shown, outcome } = present.connectors.get(wanted.connector)!
      return planConnector(wanted, shown, outcome === 'unchanged')
    }),
    ...platform.trusted_issuers.map(({ issuer, disabled, rules }) => {
      const found = present.trusted_issuers.get(issuer)
      return toChange('trusted_issuer', issuer, found, compare(found && { ...found }, { ...rules, disabled }))
    }),
    ...platform.webhooks.map((wanted) => planWebhook(wanted, present.webhooks.get(wanted.webhook)!)),
  ]
}

function toChange(kind: Change['kind'], id: string, found: unknown, fields: readonly FieldChange[]): Change {
  return { action: found === undefined ? 'create' : fields.length > 0 ? 'change' : 'none', kind, id, fields }
}

type Fields = Readonly<Record<string, unknown>>

/** The fields in which a whole description differs from what stands. */
function compare(found: Fields | undefined, wanted: Fields): FieldChange[] {
  const names = new Set([...Object.keys(found ?? {}), ...Object.keys(wanted)])
  return [...names].flatMap((field) => {
    const [from, to] = [found?.[field], wanted[field]]
    if (isDeepStrictEqual(from, to)) return []
    return [{ field, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }]
  })
}

/** The fields that a description names and in which it differs from what stands. */
function compareNamed(found: Fields | undefined, wanted: Fields): FieldChange[] {
  const named = Object.entries(wanted).filter(([, value]) => value !== undefined)
  const same = named.map(([field]) => [field, found?.[field]])
  return compare(found && Object.fromEntries(same), Object.fromEntries(named))
}

function planSettings({ settings }: Platform, present: Present): Change[] {
  if (Object.keys(settings).length === 0) return []
  const found = present.settings as unknown as Fields
  return [toChange('settings', 'settings', found, compareNamed(found, settings))]
}

function plainResource(resource: Resource): Fields {
  const { access_token_format, access_token_lifetime_seconds, access_token_signing_alg, ...rest } = resource
  const { resource: _, scopes, ...fields } = rest
  return {
    ...fields,
    scopes: Object.fromEntries(scopes),
    'access_token.format': access_token_format,
    'access_token.lifetime_seconds': access_token_lifetime_seconds,
    ...(access_token_signing_alg && { 'access_token.signing_alg': access_token_signing_alg }),
  }
}

function planClient(wanted: PlatformClient, found: PresentClient | undefined): Change {
  const fields = compare(found?.metadata as Fields | undefined, wanted.metadata as unknown as Fields)
  const differs = wanted.client_secret !== undefined && !found?.same_secret
  return toChange('client', wanted.client_id, found, [...fields, ...secretField('client_secret', differs)])
}

function planUser({ password, ...wanted }: PlatformUser, found: PresentUser | undefined): Change {
  const { username: _, ...named } = wanted
  const fields = compareNamed(found && plainUser(found), named)
  const differs = password !== undefined && !found?.same_password
  return toChange('user', wanted.username, found, [...fields, ...secretField('password', differs)])
}

function plainUser({ record }: PresentUser): Fields {
  return {
    ...record,
    email_verified: record.email_verified === 1,
    roles: JSON.parse(record.roles) as unknown,
    claims: JSON.parse(record.claims) as unknown,
  }
}

// What a connector comes to is for the outbound half to say; here only the fields that people know are put beside it.
function planConnector(wanted: ConnectorInput, found: ShownConnector | null, same: boolean): Change {
  const { connector, client_secret, private_key, ...rest } = wanted
  if (same) return { action: 'none', kind: 'connector', id: connector, fields: [] }
  const { settings } = found ?? {}
  const key_id = settings?.key?.kid
  const shown = found ? { ...found, ...settings, issuer: settings?.fields.issuer, key_id } : undefined
  const fields = compareNamed(shown, rest)
  const given = (client_secret ?? private_key) !== undefined
  const only_secret = found !== null && fields.length === 0 && given
  const name = private_key === undefined ? 'client_secret' : 'private_key'
  const secret = secretField(name, given && (found === null || only_secret))
  return toChange('connector', connector, found ?? undefined, [...fields, ...secret])
}

function planWebhook(wanted: WebhookInput, { shown, outcome }: PresentWebhook): Change {
  const { webhook, secret, ...named } = wanted
  const fields = compareNamed(shown ? { ...shown } : undefined, named)
  // What changes although nothing that is shown does is the secret.
  const differs = secret !== undefined && (shown === null || (outcome === 'changed' && fields.length === 0))
  return toChange('webhook', webhook, shown ?? undefined, [...fields, ...secretField('secret', differs)])
}

function secretField(field: string, differs: boolean): FieldChange[] {
  return differs ? [{ field, secret: true }] : []
}
