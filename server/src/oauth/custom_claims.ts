import { SCOPE_CLAIMS } from './userinfo.ts'

/** Where claims go out. */
export const CLAIM_PLACES = ['access_token', 'id_token', 'userinfo'] as const

/** A place of the list above. */
export type ClaimPlace = (typeof CLAIM_PLACES)[number]

/** One claim of a tenant's own: where it comes from, and to whom it is told. */
export interface ClaimMapping {
  readonly claim: string
  /** A member of what is kept of the user. */
  readonly from: string
  /** Told only where this scope was granted. */
  readonly scope?: string
  readonly in: readonly ClaimPlace[]
}

const OF_TOKENS = [
  // RFC 7519 section 4.1, RFC 9068 section 2.2, RFC 8693 section 4, RFC 7800, RFC 9396 section 9.1
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'scope', 'act', 'may_act', 'cnf'],
  ...['authorization_details', 'roles', 'groups', 'entitlements'],
  // OpenID Connect Core section 2, Back-Channel Logout section 2.4
  ...['auth_time', 'nonce', 'acr', 'amr', 'azp', 'at_hash', 'c_hash', 's_hash', 'sid', 'events', 'sub_jwk'],
  // RFC 7662 section 2.2, and our own
  ...['active', 'token_type', 'username', 'grant_id', 'ep', 'permissions', 'exchanged_from', 'one_role'],
]

/** Claims that mean something to whoever checks a token: nobody's own claim may have their names (CVE-2024-29892). */
export const RESERVED_CLAIMS: ReadonlySet<string> = new Set([...OF_TOKENS, ...Object.values(SCOPE_CLAIMS).flat()])

const LONGEST_CLAIMS = 2048

/** What is wrong with mappings as an administrator gave them, as one sentence; null when nothing is. */
export function whyNoMappings(given: unknown): string | null {
  if (!Array.isArray(given) || given.length > 50) return 'must be a list of at most 50 mappings'
  for (const mapping of given as Partial<ClaimMapping>[]) {
    const { claim, from, scope, in: places } = Object(mapping) as Partial<ClaimMapping>
    if (typeof claim !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(claim)) return 'has a mapping without a claim'
    if (RESERVED_CLAIMS.has(claim)) return `may not set ${claim}: that claim has a meaning of its own`
    if (typeof from !== 'string' || from === '') return `does not say from what member of the user ${claim} comes`
    if (scope !== undefined && typeof scope !== 'string') return `has a scope of ${claim} that is no text`
    if (!Array.isArray(places) || places.length === 0 || !places.every((place) => CLAIM_PLACES.includes(place))) {
      return `must say in which of ${CLAIM_PLACES.join(', ')} ${claim} is told`
    }
  }
  return null
}

/** The claims that a tenant's mappings make of what is kept of a user, for one place. */
export function mapClaims(
  mappings: readonly ClaimMapping[],
  kept: Readonly<Record<string, unknown>>,
  asked: { readonly place: ClaimPlace; readonly scope: readonly string[] },
): Record<string, unknown> {
  const claims: Record<string, unknown> = {}
  for (const { claim, from, scope, in: places } of mappings) {
    if (!places.includes(asked.place) || (scope !== undefined && !asked.scope.includes(scope))) continue
    const value = Object.hasOwn(kept, from) ? kept[from] : undefined
    if (value !== undefined && value !== null) claims[claim] = value
  }
  return withoutReserved(claims)
}

/** What of a tenant's own claims may go out: none that is reserved, and not more than a token has room for. */
function withoutReserved(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const own = Object.fromEntries(Object.entries(claims).filter(([name]) => !RESERVED_CLAIMS.has(name)))
  return JSON.stringify(own).length <= LONGEST_CLAIMS ? own : {}
}

/** What a hook answered, without what is reserved; one that answers no claims, or too many, has failed. */
export function readHookClaims(answer: unknown): Record<string, unknown> {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    throw new Error('the claims hook answered with something else than an object of claims')
  }
  const length = JSON.stringify(answer).length
  if (length > LONGEST_CLAIMS) throw new Error(`the claims hook answered with ${length} characters of claims`)
  return withoutReserved({ ...answer })
}
