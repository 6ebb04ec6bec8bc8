import type { Client } from '../oauth/client.ts'
import { IDENTITY_SCOPES, intersect } from '../oauth/scope.ts'
import type { Configuration } from '../store/tenant.ts'

/** The resource by which a client asks for the use of a user's connection: the proxy of one connector. */
export function proxyResource(issuer: string, connector: string): string {
  return `${issuer}/proxy/${connector}`
}

/** The connector that a proxy resource names, or null. */
export function connectorOfResource(issuer: string, resource: string): string | null {
  const prefix = `${issuer}/proxy/`
  const connector = resource.startsWith(prefix) ? resource.slice(prefix.length) : ''
  return /^[a-z0-9][a-z0-9_-]{0,63}$/.test(connector) ? connector : null
}

/** The resources a request may name: the tenant's own, the issuer and the proxy of each connector. */
export function knownResources(issuer: string, configuration: Configuration): { has(resource: string): boolean } {
  return {
    has: (resource) =>
      resource === issuer || configuration.resources.has(resource) || connectorOfResource(issuer, resource) !== null,
  }
}

/** Every scope that exists at the named resources; at the issuer, which speaks for all of them, every scope there is. */
export function scopesOfResources(
  issuer: string,
  configuration: Configuration,
  resources: readonly string[],
): string[] {
  const named = resources.includes(issuer)
    ? [...configuration.resources.values()]
    : resources.flatMap((resource) => configuration.resources.get(resource) ?? [])
  return named.flatMap(({ scopes }) => [...scopes.keys()])
}

/** What of some scopes means anything at the named resources: a token for one carries no scope of another (RFC 8707 section 2.2). */
export function scopesAtResources(
  scope: readonly string[],
  issuer: string,
  configuration: Configuration,
  resources: readonly string[],
): string[] {
  const known = scopesOfResources(issuer, configuration, resources)
  return scope.filter((name) => IDENTITY_SCOPES.has(name) || known.includes(name))
}

/** The scopes that requests for these resources get when they name none. */
export function defaultScopes(configuration: Configuration, resources: readonly string[]): string[] {
  return resources.flatMap((resource) => configuration.resources.get(resource)?.default_scopes ?? [])
}

/**
 * The scopes that a user's roles may give away now; `roles` is the JSON of the user's row. Resources open to every user
 * ask for no role, and a tenant that has no roles of its own guards nothing but its administration and its vault.
 */
export function roleScopes(configuration: Configuration, roles: string): string[] {
  const held = JSON.parse(roles) as string[]
  const scopes = held.flatMap((role) => configuration.roles.get(role) ?? [])
  const unguarded = configuration.roles.size <= 1
  for (const resource of configuration.resources.values()) {
    if (!resource.every_user && !unguarded) continue
    for (const scope of resource.scopes.keys()) if (!/^(admin|vault):/.test(scope)) scopes.push(scope)
  }
  return scopes
}

/** What is left of once granted scopes: those the client may still have and the user's roles still give. */
export function presentScopes(
  granted: readonly string[],
  client: Pick<Client, 'scope'>,
  held: readonly string[] | null,
): string[] {
  const of_client = intersect(granted, client.scope.split(' '))
  return held === null ? of_client : of_client.filter((scope) => IDENTITY_SCOPES.has(scope) || held.includes(scope))
}
