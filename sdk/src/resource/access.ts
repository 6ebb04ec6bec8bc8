import { OAuthError } from '../oauth_error.ts'
import type { Claims } from './claims.ts'

/** What a request may do: the claims of its access token, checked for this resource (RFC 9068 section 2.2, RFC 7662). */
export interface Access extends Omit<Claims, 'scope' | 'raw'> {
  /** For the answer's DPoP-Nonce header, which the adapters set: what the client's next proof is to have (RFC 9449 section 8.2). */
  readonly dpop_nonce: string | undefined
  /** The granted scope values (RFC 6749 section 3.3). */
  readonly scope: ReadonlySet<string>
  /** Every claim of the token or member of the introspection answer, frozen. */
  readonly claims: Readonly<Record<string, unknown>>
  /** Whether all of the given scope values, separated by spaces, were granted. */
  has(scope: string): boolean
}

/** What a route asks of an access token beyond being valid. */
export interface Requirements {
  /** Scope values, separated by spaces: all of them must be granted (RFC 6750 section 3.1). */
  readonly scope?: string | undefined
  /** Authentication contexts, separated by spaces, best first: the token's `acr` must be one (RFC 9470 section 3). */
  readonly acr_values?: string | undefined
  /** How many seconds ago the user may have authenticated, by the token's `auth_time` (RFC 9470 section 3). */
  readonly max_age?: number | undefined
}

/** The view of the claims that handlers receive. */
export function toAccess({ scope, raw, ...claims }: Claims, dpop_nonce: string | undefined): Access {
  const granted = new Set(splitSpaces(scope))
  return {
    ...claims,
    dpop_nonce,
    scope: granted,
    claims: raw,
    has: (asked) => {
      const values = splitSpaces(asked)
      // Asking for nothing is more likely a mistake than a permission.
      return values.length > 0 && values.every((value) => granted.has(value))
    },
  }
}

/** Refuses requirements that no token can meet or no header can carry; for the moment when a route is set up. */
export function checkRequirements({ scope, acr_values, max_age }: Requirements): void {
  // RFC 6749 section 3.3: scope-token.
  if (scope !== undefined && !/^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/.test(scope)) {
    throw new TypeError('scope must be one or more scope values, separated by single spaces')
  }
  if (acr_values !== undefined && splitSpaces(acr_values).length === 0) {
    throw new TypeError('acr_values must name at least one authentication context')
  }
  if (max_age !== undefined && !(Number.isSafeInteger(max_age) && max_age >= 0)) {
    throw new TypeError('max_age must be a whole number of seconds')
  }
}

/** Holds an access against requirements: 403 for scope (RFC 6750 section 3.1), 401 for authentication (RFC 9470 section 3). */
export function checkAccess(access: Access, { scope, acr_values, max_age }: Requirements, now: number): void {
  if (scope !== undefined && !access.has(scope)) {
    throw new OAuthError('insufficient_scope', 'The access token lacks a scope that this request needs')
  }
  if (acr_values !== undefined && !splitSpaces(acr_values).includes(access.acr ?? '')) {
    throw new OAuthError('insufficient_user_authentication', 'Another way of authentication is needed')
  }
  if (max_age !== undefined && !(access.auth_time !== undefined && now / 1000 - access.auth_time <= max_age)) {
    throw new OAuthError('insufficient_user_authentication', 'A more recent authentication is needed')
  }
}

function splitSpaces(text: string): string[] {
  return text.split(' ').filter((value) => value !== '')
}
