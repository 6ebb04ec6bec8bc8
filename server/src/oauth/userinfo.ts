/** A postal address (OpenID Connect Core section 5.1.1). */
export interface AddressClaim {
  formatted?: string
  street_address?: string
  locality?: string
  region?: string
  postal_code?: string
  country?: string
}

/** What is known of a user, under the names of OpenID Connect Core section 5.1; `updated_at` is in seconds there. */
export interface UserClaims {
  sub: string
  name?: string | null
  given_name?: string | null
  family_name?: string | null
  middle_name?: string | null
  nickname?: string | null
  preferred_username?: string | null
  profile?: string | null
  picture?: string | null
  website?: string | null
  gender?: string | null
  birthdate?: string | null
  zoneinfo?: string | null
  locale?: string | null
  updated_at?: number | null
  email?: string | null
  email_verified?: boolean | null
  address?: AddressClaim | null
  phone_number?: string | null
  phone_number_verified?: boolean | null
}

type ClaimName = Exclude<keyof UserClaims, 'sub'>

/** The claims each scope stands for (OpenID Connect Core section 5.4). */
export const SCOPE_CLAIMS: Readonly<Record<'profile' | 'email' | 'address' | 'phone', readonly ClaimName[]>> = {
  profile: [
    'name',
    'given_name',
    'family_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
}

/** The scope that opens a claim of a user, or undefined for any other claim. */
export function scopeOfClaim(name: string): string | undefined {
  return SCOPE_OF_CLAIM.get(name)
}

const SCOPE_OF_CLAIM: ReadonlyMap<string, string> = new Map(
  Object.entries(SCOPE_CLAIMS).flatMap(([scope, claims]) => claims.map((claim) => [claim, scope] as const)),
)

/** A userinfo answer (OpenID Connect Core section 5.3.2): `sub`, and what the scopes open, or was asked for by name, and the user has. */
export function buildUserinfo(
  user: UserClaims,
  scope: readonly string[],
  names: readonly string[] = [],
): Record<string, unknown> & { sub: string } {
  const claims: Record<string, unknown> & { sub: string } = { sub: user.sub }
  for (const [name, opened] of Object.entries(SCOPE_CLAIMS)) {
    for (const claim of opened) {
      if (!scope.includes(name) && !names.includes(claim)) continue
      const value = user[claim]
      if (value !== undefined && value !== null && value !== '') claims[claim] = value
    }
  }
  return claims
}
