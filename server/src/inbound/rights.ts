import type { Client } from '../oauth/clients/client.ts'
import { IDENTITY_SCOPES, mayBeDefault, type ScopeQuestion, type ScopeSet } from '../oauth/scope.ts'
import type { Configuration } from '../store/tenant.ts'

/** The resource by which a client asks for the use of a user's connection: the proxy of one connector. */
export function proxyResource(issuer: string, connector: string): string {
  return `${issuer}/proxy/${connector}`
}

/** The connector that a proxy resource names, or null. */
export function connectorOfResource(issuer: string, resource: string): string | null {
  const prefix = `${issuer}/proxy/`
  const connector = resource.startsWith(prefix) ? resource.slice(prefix.length) : ''
  return /^[a-z0-9][a-z0-9_-]{0,63}$/.test(connector) && connector !== 'connections' ? connector : null
}

/** The resources a request may name: the tenant's own, the issuer and the proxy of each connector. */
export function knownResources(issuer: string, configuration: Configuration): { has(resource: string): boolean } {
  return {
    has: (resource) =>
      resource === issuer || configuration.resources.has(resource) || connectorOfResource(issuer, resource) !== null,
  }
}

function resourcesNamed(issuer: string, configuration: Configuration, resources: readonly string[]) {
  return resources.includes(issuer)
    ? [...configuration.resources.values()]
    : resources.flatMap((resource) => configuration.resources.get(resource) ?? [])
}

/** Every scope that exists at the named resources; at the issuer, which speaks for all of them, every scope there is. */
export function scopesOfResources(
  issuer: string,
  configuration: Configuration,
  resources: readonly string[],
): string[] {
  const named = resourcesNamed(issuer, configuration, resources)
  return named.flatMap(({ scopes }) => [...scopes.keys()])
}

/** What of some scopes means anything at the named resources: a token for one carries no scope of another (RFC 8707 section 2.2). */
export function scopesAtResources(
  scope: readonly string[],
  issuer: string,
  configuration: Configuration,
  resources: readonly string[],
): string[] {
  const named = resourcesNamed(issuer, configuration, resources)
  return scope.filter((name) => IDENTITY_SCOPES.has(name) || named.some(({ scopes }) => scopes.has(name)))
}

/** The scopes that requests for these resources get when they name none. */
export function defaultScopes(configuration: Configuration, resources: readonly string[]): string[] {
  return resources.flatMap((resource) => configuration.resources.get(resource)?.default_scopes ?? [])
}

/** Who asks, in whose name: all that decides what may be issued, whatever the grant type. */
export interface Rights {
  readonly configuration: Pick<Configuration, 'roles' | 'resources'> & Partial<Pick<Configuration, 'settings'>>
  readonly client: Pick<Client, 'scope' | 'every_service' | 'role_scopes' | 'scope_by_policy'>
  /** The roles at work: all that the user has, or the one that was picked; null where no user is concerned. */
  readonly roles: readonly string[] | null
  /** What the user allowed, where anything was asked before. */
  readonly consented?: ScopeSet | undefined
}

/** Whether a scope may be issued, and by which rule: the first that refuses, or what gives it. */
export type Ruling =
  | { readonly granted: true; readonly rule: 'client' | 'identity' | 'every_user' }
  | { readonly granted: true; readonly rule: 'role'; readonly role: string }
  | { readonly granted: false; readonly rule: 'client' | 'role' | 'role_scopes' | 'consent' }

/**
 * The one rule of what is issued: what the client may have, what the roles at work give, as the client's own map of
 * roles cuts them, and what the user allowed. Roles never filter identity; resources open to every user ask for no
 * role; and a tenant without roles of its own guards nothing but its administration and its vault.
 */
export function judgeScope(scope: string, rights: Rights): Ruling {
  const { configuration, client, roles, consented } = rights
  const { of_every_user, open } = readOpenScopes(configuration)
  const of_client =
    client.scope_by_policy === true
      ? mayUnknownClientsHave(scope, configuration)
      : ` ${client.scope} `.includes(` ${scope} `) || (client.every_service === true && of_every_user.has(scope))
  if (!of_client) return { granted: false, rule: 'client' }
  if (consented && !consented.includes(scope)) return { granted: false, rule: 'consent' }
  if (roles === null) return { granted: true, rule: 'client' }
  if (IDENTITY_SCOPES.has(scope)) return { granted: true, rule: 'identity' }
  const map = client.role_scopes
  if (open.has(scope) && map === undefined) return { granted: true, rule: 'every_user' }
  const givers = roles.filter((role) => open.has(scope) || configuration.roles.get(role)?.includes(scope))
  const role = givers.find((giver) => map === undefined || (Object.hasOwn(map, giver) && map[giver]!.includes(scope)))
  if (role !== undefined) return { granted: true, rule: 'role', role }
  return { granted: false, rule: givers.length > 0 || open.has(scope) ? 'role_scopes' : 'role' }
}

/**
 * The tenant's policy for clients that nobody of it registered (RFC 7591 section 2, `scope`): the default scopes of its
 * resources, and what its setting names; never its administration or its vault. Read when it is used, so that a change
 * counts at once.
 */
export function mayUnknownClientsHave(scope: string, configuration: Rights['configuration']): boolean {
  if (/^(admin|vault):/.test(scope)) return false
  if (configuration.settings?.dynamic_client_scopes.includes(scope)) return true
  return mayBeDefault(scope) && readOpenScopes(configuration).defaults.has(scope)
}

/** What is left of some scopes: of a grant's, those that the client may still have and the user's roles still give. */
export function presentScopes(scope: readonly string[], rights: Rights): string[] {
  return scope.filter((name) => judgeScope(name, rights).granted)
}

/** The rights of a client, in the name of a user where there is one, in one of their roles where one was picked. */
export function rightsOf(
  configuration: Rights['configuration'],
  client: Rights['client'],
  user: { readonly roles: string } | null,
  role: string | null = null,
): Rights {
  return { configuration, client, roles: user && rolesAtWork(user, role) }
}

/** The roles of a user that a token carries: all of them, or the one picked, for as long as they have it. */
export function rolesAtWork(user: { readonly roles: string }, role: string | null): readonly string[] {
  const held = JSON.parse(user.roles) as string[]
  return role === null ? held : held.filter((name) => name === role)
}

/** The role in which a client acts as a user of its own, for as long as it is bound to that user and they have the role. */
export function findServiceRole(
  client: Pick<Client, 'service_account'>,
  user: { readonly roles: string } | null,
  user_id: string,
): string | undefined {
  const account = client.service_account
  if (!account || account.user_id !== user_id || !user) return undefined
  return rolesAtWork(user, account.role)[0]
}

/** The two lists that `decideScope` refuses by, and whether what a client may not have is left out instead. */
export function scopeRules(rights: Rights): Pick<ScopeQuestion, 'client_scope' | 'role_scopes' | 'lenient'> {
  const of_client = { ...rights, roles: null }
  return {
    // Such a client was never told what it may have.
    lenient: rights.client.scope_by_policy === true,
    client_scope: { includes: (scope) => judgeScope(scope, of_client).granted },
    role_scopes: rights.roles && { includes: (scope) => judgeScope(scope, rights).granted },
  }
}

interface OpenScopes {
  /** Of resources that say so. */
  readonly of_every_user: ReadonlySet<string>
  /** And, where the tenant has no roles of its own, of all others. */
  readonly open: ReadonlySet<string>
  /** What goes without saying at some resource. */
  readonly defaults: ReadonlySet<string>
}

const known = new WeakMap<object, OpenScopes>()

// A configuration never changes, so this is read once for each.
function readOpenScopes(configuration: Rights['configuration']): OpenScopes {
  const found = known.get(configuration)
  if (found) return found
  const unguarded = configuration.roles.size <= 1
  const of_every_user = new Set<string>()
  const open = new Set<string>()
  for (const { every_user, scopes } of configuration.resources.values()) {
    for (const scope of scopes.keys()) {
      if (/^(admin|vault):/.test(scope)) continue
      if (every_user) of_every_user.add(scope)
      if (every_user || unguarded) open.add(scope)
    }
  }
  const defaults = new Set([...configuration.resources.values()].flatMap(({ default_scopes }) => default_scopes))
  const scopes = { of_every_user, open, defaults }
  known.set(configuration, scopes)
  return scopes
}
