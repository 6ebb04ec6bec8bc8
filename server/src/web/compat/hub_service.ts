import { OAuthError } from '../../oauth/errors.ts'

/** A service as it describes itself: what of Hub's members is kept beside the client's metadata. */
export interface HubService {
  readonly name: string
  readonly homeUrl?: string | undefined
  readonly baseUrls?: readonly string[] | undefined
  /** As registered: absolute, or relative to homeUrl and each of baseUrls. */
  readonly redirectUris: readonly string[]
  readonly applicationName?: string | undefined
  readonly vendor?: string | undefined
  readonly version?: string | undefined
  readonly implicitFlowEnabled?: boolean | undefined
  readonly resourceOwnerFlowEnabled?: boolean | undefined
}

const TEXTS = ['name', 'homeUrl', 'applicationName', 'vendor', 'version'] as const
const LISTS = ['baseUrls', 'redirectUris'] as const
const FLAGS = ['implicitFlowEnabled', 'resourceOwnerFlowEnabled'] as const
const MOST_URIS = 50

/** Reads the members that a body names; `before` is what stands where a service is changed. */
export function readHubService(members: Readonly<Record<string, unknown>>, before?: HubService): HubService {
  const service: Record<string, unknown> = { redirectUris: [], ...before }
  for (const name of TEXTS) if (name in members) service[name] = readText(members, name)
  for (const name of LISTS) if (name in members) service[name] = readTexts(members, name)
  for (const name of FLAGS) if (name in members) service[name] = readFlag(members, name)
  if (service['name'] === undefined) throw new OAuthError('invalid_request', 'Member name is missing')
  return service as unknown as HubService
}

/** A member that is true or false, or not there. */
export function readFlag(members: Readonly<Record<string, unknown>>, name: string): boolean | undefined {
  const value = members[name]
  if (value === undefined || value === null || typeof value === 'boolean') return value ?? undefined
  throw new OAuthError('invalid_request', `Member ${name} must be true or false`)
}

function readText(members: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = members[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw new OAuthError('invalid_request', `Member ${name} must be a string`)
  return value
}

function readTexts(members: Readonly<Record<string, unknown>>, name: string): string[] {
  const value = members[name] ?? []
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
    throw new OAuthError('invalid_request', `Member ${name} must be an array of strings`)
  }
  return value as string[]
}

/**
 * Every redirect URI that the description stands for: those that are absolute, and each relative one after homeUrl and
 * after every baseUrl. A relative one begins with one slash and stays at the origin.
 */
export function listRedirectUris(service: HubService): string[] {
  const bases = [...(service.homeUrl === undefined ? [] : [service.homeUrl]), ...(service.baseUrls ?? [])]
  const uris = service.redirectUris.flatMap((uri) => {
    if (!uri.startsWith('/')) return [uri]
    if (bases.length === 0) throw invalid('needs homeUrl or baseUrls')
    return bases.map((base) => joinUri(base, uri))
  })
  const all = [...new Set(uris)]
  if (all.length > MOST_URIS)
    throw new OAuthError('invalid_redirect_uri', `A service may have ${MOST_URIS} redirect URIs`)
  return all
}

function joinUri(base: string, uri: string): string {
  if (uri.startsWith('//') || !URL.canParse(base)) throw invalid('starts with one slash, and its base must be a URL')
  const whole = base.replace(/\/$/, '') + uri
  if (!URL.canParse(whole) || new URL(whole).origin !== new URL(base).origin)
    throw invalid('must stay at the origin of its base')
  return whole
}

function invalid(what: string): OAuthError {
  return new OAuthError('invalid_redirect_uri', `A relative redirect URI ${what}`)
}
