import { rulesOf } from '../../oauth/profile.ts'
import { formatScope, mayBeDefault, parseScope } from '../../oauth/scope.ts'
import type { UserRecord } from '../../store/records.ts'
import type { Configuration, Resource, Tenant } from '../../store/tenant.ts'
import type { PermanentToken } from '../../store/verbs/permanent_tokens.ts'
import { knownResources, presentScopes, rightsOf, scopesAtResources } from '../rights.ts'
import { createPermanentToken, deletePermanentToken, isTokenName, type NewPermanentToken } from './permanent_tokens.ts'

const DAY_MS = 86_400_000
/** The last second that a date can name. */
const NEVER_MS = 253_402_300_799_000
const USUAL_DAYS = [7, 30, 60, 90, 180, 365]

/** What a person may make a token for: a resource, and what their roles give there. */
export interface TokenOffer {
  readonly resource: Resource
  readonly scope: readonly string[]
}

/**
 * Whether people of a tenant have personal access tokens: where its setting says so, and its profile does not ask for
 * tokens that are bound to a key, which a script has none of.
 */
export function hasPersonalTokens({ settings }: Pick<Configuration, 'settings'>): boolean {
  return settings.personal_access_tokens && !rulesOf({}, settings).sender_constrained
}

// One that came by the door of another system hangs on no setting of ours, but it is bound to no key either.
function isOff({ expires_at }: Pick<PermanentToken, 'expires_at'>, configuration: Configuration): boolean {
  if (expires_at !== null) return !hasPersonalTokens(configuration)
  return rulesOf({}, configuration.settings).sender_constrained
}

/**
 * What a person may make a token for. A token says nothing by itself, so it is for resources that ask here about tokens;
 * it never administers this server, nor opens its vault, nor stands for the person's sign-in.
 */
export function listTokenOffers(
  { issuer }: Pick<Tenant, 'issuer'>,
  configuration: Configuration,
  user: Pick<UserRecord, 'roles'>,
): TokenOffer[] {
  return [...configuration.resources.values()].flatMap((resource) => {
    const { resource: uri, introspection_clients } = resource
    // The issuer's own name would speak for every resource that knows one of the scopes.
    if (uri === issuer || `${uri}/`.startsWith(`${issuer}/api/`) || introspection_clients.length === 0) return []
    const names = [...resource.scopes.keys()].filter(mayBeDefault)
    const scope = presentScopes(names, rightsOf(configuration, { scope: names.join(' ') }, user))
    return scope.length === 0 ? [] : { resource, scope }
  })
}

/** How long a new token may live, in days: what people choose from, the longest last. */
export function listLifetimes({ settings }: Pick<Configuration, 'settings'>): number[] {
  const longest = settings.personal_access_token_days
  return [...USUAL_DAYS.filter((days) => days < longest), longest]
}

/** When a permanent token ends, by the settings of now: those that people made for themselves end with the setting. */
export function endOfToken(token: PermanentToken, configuration: Configuration): number {
  const { created_at, expires_at } = token
  if (isOff(token, configuration)) return created_at
  if (expires_at === null) return NEVER_MS
  return Math.min(expires_at, created_at + configuration.settings.personal_access_token_days * DAY_MS)
}

/** What a permanent token gives now: of its scopes those that its user has, at those of its resources that are there. */
export function scopeOfToken(
  { issuer }: Pick<Tenant, 'issuer'>,
  configuration: Configuration,
  token: Pick<PermanentToken, 'scope' | 'resource'>,
  user: Pick<UserRecord, 'roles'>,
): string[] {
  const known = knownResources(issuer, configuration)
  const resources = (JSON.parse(token.resource) as string[]).filter((name) => known.has(name))
  const scope = presentScopes(parseScope(token.scope), rightsOf(configuration, { scope: token.scope }, user))
  return scopesAtResources(scope, issuer, configuration, resources)
}

/**
 * Whether a permanent token works: not while the settings or lost rights leave nothing of it, and never again once it has
 * run out, or its user or tenant was disabled or reset.
 */
export function stateOfToken(
  tenant: Pick<Tenant, 'issuer'>,
  configuration: Configuration,
  token: PermanentToken,
  at: {
    readonly user: Pick<UserRecord, 'epoch' | 'roles'>
    readonly tenant_epoch: number | undefined
    readonly now: number
  },
): 'works' | 'off' | 'ended' {
  const { user, now } = at
  const off = isOff(token, configuration)
  const lost = token.user_epoch !== user.epoch || token.tenant_epoch !== at.tenant_epoch
  const ends_at = off ? (token.expires_at ?? NEVER_MS) : endOfToken(token, configuration)
  if (lost || ends_at <= now) return 'ended'
  return off || scopeOfToken(tenant, configuration, token, user).length === 0 ? 'off' : 'works'
}

/** What came of asking for a personal access token: the token, that the same form made one before, or what is wrong. */
export type PersonalToken =
  | { readonly kind: 'made'; readonly token: string; readonly expires_at: number }
  | { readonly kind: 'twice' }
  | { readonly kind: 'wrong'; readonly about: 'off' | 'resource' | 'name' | 'scope' | 'lifetime' | 'full' }

/** Makes a personal access token for one resource, with no more than the person may give away now. */
export async function createPersonalToken(
  tenant: Tenant,
  configuration: Configuration,
  wanted: Pick<NewPermanentToken, 'state' | 'token_id' | 'scope'> & {
    readonly user: UserRecord
    readonly name: string
    readonly resource: string
    readonly days: number
  },
): Promise<PersonalToken> {
  const { user, state, token_id, scope, days } = wanted
  const wrong = (about: Extract<PersonalToken, { kind: 'wrong' }>['about']) => ({ kind: 'wrong', about }) as const
  if (!hasPersonalTokens(configuration)) return wrong('off')
  const offers = listTokenOffers(tenant, configuration, user)
  const offer = offers.find(({ resource }) => resource.resource === wanted.resource)
  if (!offer) return wrong('resource')
  const name = wanted.name.trim()
  if (!isTokenName(name)) return wrong('name')
  if (!isReadableScope(scope) || !scope.every((one) => offer.scope.includes(one))) return wrong('scope')
  if (!listLifetimes(configuration).includes(days)) return wrong('lifetime')
  const expires_at = tenant.clock() + days * DAY_MS
  const made = await createPermanentToken(tenant, {
    ...{ user, state, token_id, name, scope, resource: [wanted.resource], expires_at },
    most: configuration.settings.personal_access_tokens_per_user,
    actor: `user:${user.user_id}`,
  })
  if (made === 'full') return wrong('full')
  return made === 'taken' ? { kind: 'twice' } : { kind: 'made', token: made.token, expires_at }
}

// Longer than any request may name, it could not be read when the token is used.
function isReadableScope(scope: readonly string[]): boolean {
  try {
    return parseScope(formatScope(scope)).length > 0
  } catch {
    return false
  }
}

const EXPIRED_AT_ONCE = 100

/** Deletes tokens that have run out, each with its event. */
export async function deleteExpiredTokens(tenant: Tenant): Promise<void> {
  const { tenant_id, store } = tenant
  const list = () => store.listExpiredPermanentTokens({ tenant_id, most: EXPIRED_AT_ONCE })
  for (let expired = await list(); expired.length > 0; expired = await list()) {
    for (const { user_id, token_id } of expired) {
      await deletePermanentToken(tenant, { user_id, token_id, actor: 'system', reason: 'expired' })
    }
  }
}
