import { IDENTITY_SCOPES } from '../../oauth/scope.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { BrowserAuthority } from '../../store/verbs/sessions.ts'
import { scopesOfResources } from '../rights.ts'
import type { ConnectionChoice } from './connections.ts'

/** What a user has allowed a client before: its row. */
export type Consent = NonNullable<BrowserAuthority['consent']>

/** What is asked for, or allowed now. */
interface Asked {
  readonly scope: readonly string[]
  readonly resource: readonly string[]
  readonly connections: readonly ConnectionChoice[]
}

/** The scopes that were allowed at each resource: one name may mean two things at two resources. */
type ByResource = Readonly<Record<string, readonly string[]>>

/** The scopes that the user has not allowed this client at these resources before; all of them without a consent. */
export function findNewScopes(
  consent: Consent | null,
  asked: Omit<Asked, 'connections'>,
  issuer: string,
  configuration: Configuration,
): string[] {
  const known = consent?.scope.split(' ') ?? []
  const allowed = readByResource(consent)
  const existing = asked.resource.map((name) => [name, scopesOfResources(issuer, configuration, [name])] as const)
  return asked.scope.filter((scope) => {
    if (IDENTITY_SCOPES.has(scope)) return !known.includes(scope)
    const where = existing.filter(([, scopes]) => scopes.includes(scope))
    return where.length === 0 || where.some(([name]) => !allowed.get(name)?.includes(scope))
  })
}

/** Whether the user has allowed this client everything that is asked, at every resource that is asked for. */
export function coversRequest(
  consent: Consent,
  asked: Omit<Asked, 'connections'>,
  issuer: string,
  configuration: Configuration,
): boolean {
  const allowed = readByResource(consent)
  const resources = asked.resource.every((name) => allowed.has(name))
  return resources && findNewScopes(consent, asked, issuer, configuration).length === 0
}

/** Where an answer arrives, as the user was told: a host, or the scheme that a program on their device has claimed. */
export function redirectHost(redirect_uri: string): string {
  const { hostname, protocol } = new URL(redirect_uri)
  return hostname === '' ? protocol : hostname
}

/** Whether a consent still stands: not past the end that the user chose, and for answers at this host. */
export function isStanding(consent: Consent, redirect_uri: string, now: number): boolean {
  if (consent.expires_at != null && consent.expires_at <= now) return false
  return readHosts(consent).includes(redirectHost(redirect_uri))
}

function readHosts(consent: Consent | null): string[] {
  return JSON.parse(consent?.redirect_hosts ?? '[]') as string[]
}

/** What is remembered after a consent: what was allowed before, and what is allowed now, to the end chosen now. */
export function rememberConsent(
  former: Consent | null,
  now: Asked & { readonly redirect_uri: string; readonly ends_at: number | null },
  issuer: string,
  configuration: Configuration,
): Consent {
  // What was allowed to an end is not prolonged by an answer to another question.
  const before = former?.expires_at == null ? former : null
  const allowed = readByResource(before)
  for (const name of now.resource) {
    const existing = scopesOfResources(issuer, configuration, [name])
    const here = now.scope.filter((scope) => existing.includes(scope))
    allowed.set(name, [...new Set([...(allowed.get(name) ?? []), ...here])])
  }
  const kept = readConnections(before).filter(
    ({ connector }) => !now.connections.some((choice) => choice.connector === connector),
  )
  const connections = [...kept, ...now.connections]
  return {
    scope: [...new Set([...(before?.scope.split(' ') ?? []), ...now.scope])].join(' '),
    resource: JSON.stringify(Object.fromEntries(allowed)),
    connections: connections.length > 0 ? JSON.stringify(connections) : null,
    expires_at: now.ends_at,
    redirect_hosts: JSON.stringify([...new Set([...readHosts(before), redirectHost(now.redirect_uri)])]),
  }
}

/** The connections that the user has allowed this client. */
export function readConnections(consent: Consent | null): readonly ConnectionChoice[] {
  return JSON.parse(consent?.connections ?? '[]') as ConnectionChoice[]
}

function readByResource(consent: Consent | null): Map<string, readonly string[]> {
  return new Map(Object.entries(JSON.parse(consent?.resource ?? '{}') as ByResource))
}
