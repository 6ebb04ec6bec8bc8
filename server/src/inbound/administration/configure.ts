import { sha256 } from '../../crypto/hash.ts'
import { whyNoBrokers } from '../../oauth/broker.ts'
import { readClientId } from '../../oauth/clients/client.ts'
import { whyNoMappings } from '../../oauth/custom_claims.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { whyNoHandoff } from '../../oauth/login_handoff.ts'
import { validateResource } from '../../oauth/resource.ts'
import { parseScope } from '../../oauth/scope.ts'
import { DEFAULT_SETTINGS, readSettings, type Settings } from '../../store/settings.ts'
import type { Resource, Tenant } from '../../store/tenant.ts'
import { listChanges } from '../changed_names.ts'
import { event } from '../event.ts'
import { makeMissingKeys } from '../keys/signing_keys.ts'
import { readPictureUrl, sayWhyNoPicture } from '../picture.ts'
import { ADMINISTRATOR } from '../tenants.ts'

// What makes an administrator: the scopes of the administration API.
const ADMINISTRATION_SCOPES = ['admin:read', 'admin:write']
const LONGEST_LIFETIME = 86_400
const LONGEST_TEXT = 500

/** Checks a resource that an administrator describes (RFC 8707 section 2); refusals name the member. */
export function checkResource(issuer: string, resource: Resource): void {
  const refuse = (text: string) => new OAuthError('invalid_request', text)
  validateResource(resource.resource)
  if (isBuiltIn(issuer, resource.resource)) throw refuse('resource is one of the server itself')
  if (resource.name.length > LONGEST_TEXT) throw refuse(`name must have at most ${LONGEST_TEXT} characters`)
  for (const [scope, sentence] of resource.scopes) {
    checkScope('scopes', scope)
    if (sentence.length > LONGEST_TEXT || /\p{Cc}/u.test(sentence)) {
      throw refuse(`scopes: the sentence of ${scope} must have at most ${LONGEST_TEXT} characters, on one line`)
    }
  }
  for (const scope of resource.default_scopes) {
    if (!resource.scopes.has(scope)) throw refuse(`default_scopes: ${scope} is not among the scopes`)
  }
  for (const client_id of resource.introspection_clients) checkCaller(client_id)
  const lifetime = resource.access_token_lifetime_seconds
  if (!Number.isInteger(lifetime) || lifetime < 1 || lifetime > LONGEST_LIFETIME) {
    throw refuse(`access_token.lifetime_seconds must be a whole number from 1 to ${LONGEST_LIFETIME}`)
  }
}

function checkCaller(client_id: string): void {
  try {
    readClientId(client_id)
  } catch (cause) {
    const text = 'introspection_clients: each must be a client_id, 1 to 255 printable ASCII characters without space'
    throw new OAuthError('invalid_request', text, { cause })
  }
}

/** Whether a resource is the administration API or the proxy, which nobody describes but the server. */
export function isBuiltIn(issuer: string, resource: string): boolean {
  return resource === `${issuer}/api` || resource.startsWith(`${issuer}/proxy/`)
}

/** Checks a role: its name, its scopes, and that administrators keep what makes them such. */
export function checkRole(role: string, scopes: readonly string[]): void {
  const refuse = (text: string) => new OAuthError('invalid_request', text)
  if (!/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/.test(role)) {
    throw refuse('role must have 1 to 64 letters, digits or _ . : - and begin with a letter or digit')
  }
  for (const scope of scopes) checkScope('scopes', scope)
  const lacks = role === ADMINISTRATOR ? ADMINISTRATION_SCOPES.filter((scope) => !scopes.includes(scope)) : []
  if (lacks.length > 0) throw refuse(`role ${ADMINISTRATOR} is built in and keeps ${lacks.join(' and ')}`)
}

function checkScope(member: string, scope: string): void {
  let parsed: string[]
  try {
    parsed = parseScope(scope)
  } catch (cause) {
    throw new OAuthError('invalid_request', `${member}: '${scope}' has a character that no scope may have`, { cause })
  }
  if (parsed.length !== 1 || parsed[0] !== scope) {
    throw new OAuthError('invalid_request', `${member}: '${scope}' is not one scope`)
  }
}

/** Makes or changes a resource; false when the configuration is no longer the one that was `seen`. */
export function saveResource(
  tenant: Tenant,
  resource: Resource,
  args: Change & { readonly seen?: number },
): Promise<boolean> {
  checkResource(tenant.issuer, resource)
  return tenant.store.saveResource({
    tenant_id: tenant.tenant_id,
    ...(args.seen !== undefined && { seen: args.seen }),
    resource: {
      ...resource,
      scopes: JSON.stringify(Object.fromEntries(resource.scopes)),
      default_scopes: JSON.stringify(resource.default_scopes),
      every_user: resource.every_user ? 1 : 0,
      introspection_clients: JSON.stringify(resource.introspection_clients),
      access_token_signing_alg: resource.access_token_signing_alg ?? null,
    },
    event: event(tenant, 'resource.saved', args.actor, {
      detail: { resource: resource.resource, changed: args.changed },
    }),
  })
}

/** Makes or changes a role; false when the configuration is no longer the one that was `seen`. */
export async function saveRole(
  tenant: Tenant,
  role: string,
  scopes: readonly string[],
  args: Change & { readonly seen?: number },
): Promise<boolean> {
  checkRole(role, scopes)
  const before = (await tenant.currentConfiguration()).roles.get(role)
  return tenant.store.saveRole({
    tenant_id: tenant.tenant_id,
    ...(args.seen !== undefined && { seen: args.seen }),
    role: { role, scopes: JSON.stringify(scopes) },
    event: event(tenant, 'role.saved', args.actor, {
      detail: { role, scopes, changes: listChanges({ scopes: before }, { scopes }) },
    }),
  })
}

/** Reads settings and what in them is read elsewhere; a wrong one is refused by name. */
export function checkSettings(given: Readonly<Record<string, unknown>>): Settings {
  const settings = readSettings(given)
  const handoff = settings.login_handoff === null ? null : whyNoHandoff(settings.login_handoff)
  if (handoff !== null) throw new Error(`settings.login_handoff: ${handoff}`)
  const brokers = whyNoBrokers(settings.brokers)
  if (brokers !== null) throw new Error(`settings.brokers: ${brokers}`)
  const wrong = whyNoMappings(settings.custom_claims)
  if (wrong !== null) throw new Error(`settings.custom_claims ${wrong}`)
  const logo = settings.brand_logo === '' ? null : readPictureUrl(settings.brand_logo)
  if (typeof logo === 'string') throw new Error(`settings.brand_logo ${sayWhyNoPicture(logo)}`)
  return settings
}

/** Settings as the audit log tells them: of a picture, which one it is. */
function describeSettings(settings: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { brand_logo } = settings
  if (typeof brand_logo !== 'string' || brand_logo === '') return settings
  const picture = readPictureUrl(brand_logo)
  if (typeof picture === 'string') return settings
  const { type, bytes } = picture
  return { ...settings, brand_logo: `${type}, ${bytes.length} bytes, sha256 ${sha256(bytes).toString('hex')}` }
}

/**
 * Changes the settings that are named; the others stay as they are, those never set at their defaults. False when the
 * configuration is no longer the one that was `seen`.
 */
export async function saveSettings(
  tenant: Tenant,
  settings: Readonly<Record<string, unknown>>,
  args: Change & { readonly seen?: number },
): Promise<boolean> {
  const { tenant_id, store } = tenant
  const config = await store.loadTenantConfig({ tenant_id })
  const former = JSON.parse(config?.settings ?? '{}') as Record<string, unknown>
  const wanted = { ...former, ...settings }
  const { signing_algs } = checkSettings(wanted)
  await makeMissingKeys(tenant, signing_algs, args.actor)
  return store.saveSettings({
    tenant_id,
    ...(args.seen !== undefined && { seen: args.seen }),
    settings: JSON.stringify(wanted),
    event: event(tenant, 'settings.saved', args.actor, {
      detail: {
        changed: args.changed,
        changes: listChanges(
          describeSettings({ ...DEFAULT_SETTINGS, ...former }),
          describeSettings({ ...DEFAULT_SETTINGS, ...wanted }),
        ),
      },
    }),
  })
}

/** Who changes what, for the audit log. */
export interface Change {
  readonly actor: string
  readonly changed: readonly string[]
}
