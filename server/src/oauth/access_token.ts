import { OAuthError } from './errors.ts'
import { formatScope } from './scope.ts'

/** The counters a token was born under; a token whose counters are not the present ones is dead for good. */
export type Epochs = readonly [tenant: number, client: number, user: number, session: number]

/** The party that acts for the subject, and those before it (RFC 8693 section 4.1). */
export interface Actor {
  sub: string
  iss?: string
  client_id?: string
  act?: Actor
}

/**
 * A token that was exchanged for another one: its client, that client's counter when it was born, its own name, and the
 * key that signed it; sealed tokens have none.
 */
export type Forebear = readonly [client_id: string, epoch: number, jti: string, kid: string | null]

/** The key a token is bound to (RFC 7800 section 3.1, RFC 9449 section 6.1, RFC 8705 section 3.1). */
export interface Confirmation {
  jkt?: string
  'x5t#S256'?: string
}

/**
 * The claims of an access token (RFC 9068 section 2.2). `sid` is read by this server alone; `grant_id` and `ep` also by
 * resource servers that follow the revocation feed.
 */
export interface AccessTokenClaims {
  iss: string
  sub: string
  aud: string | readonly string[]
  exp: number
  iat: number
  jti: string
  client_id: string
  scope: string
  auth_time?: number
  acr?: string
  amr?: readonly string[]
  roles?: readonly string[]
  grant_id?: string
  sid?: string
  ep: Epochs
  cnf?: Confirmation
  /** Only where the token may do less of it than its grant (RFC 9396 section 9.1). */
  authorization_details?: readonly object[]
  act?: Actor
  /** The tokens that it was exchanged for, one for the other, the grant's own first; it lives no longer than any of them. */
  exchanged_from?: readonly Forebear[]
  /** The one role that was picked at an exchange, where the grant has none. */
  one_role?: string
}

/** What an access token is made of. Claims keep their wire form: `auth_time` is in seconds. */
export interface AccessTokenInput
  extends Pick<AccessTokenClaims, 'iss' | 'sub' | 'client_id' | 'jti' | 'ep'>,
    Partialized<
      Pick<
        AccessTokenClaims,
        | 'auth_time'
        | 'acr'
        | 'amr'
        | 'roles'
        | 'grant_id'
        | 'sid'
        | 'cnf'
        | 'act'
        | 'authorization_details'
        | 'exchanged_from'
        | 'one_role'
      >
    > {
  resources: readonly string[]
  scope: readonly string[]
  now: number
  lifetime_seconds: number
  /** Claims of the tenant's own; they never replace those of the token. */
  custom?: Readonly<Record<string, unknown>> | undefined
  /** When the grant, the session or the token it descends from ends; no token outlives it. */
  ends_at?: number | null | undefined
}

type Partialized<T> = { [K in keyof T]?: T[K] | null | undefined }

/** Builds the claims of an access token (RFC 9068 section 2.2): one resource is a string in `aud`, several a list. */
export function buildAccessTokenClaims(input: AccessTokenInput): AccessTokenClaims {
  const { resources } = input
  const iat = Math.floor(input.now / 1000)
  let exp = iat + input.lifetime_seconds
  if (input.ends_at !== undefined && input.ends_at !== null) exp = Math.min(exp, Math.floor(input.ends_at / 1000))
  if (exp <= iat) throw new OAuthError('invalid_grant', 'The grant has ended')
  const claims: AccessTokenClaims = {
    ...input.custom,
    iss: input.iss,
    sub: input.sub,
    aud: resources.length === 1 ? (resources[0] as string) : resources,
    exp,
    iat,
    jti: input.jti,
    client_id: input.client_id,
    scope: formatScope(input.scope),
    ep: input.ep,
  }
  if (isGiven(input.auth_time)) claims.auth_time = input.auth_time
  if (isGiven(input.acr)) claims.acr = input.acr
  if (isGiven(input.amr)) claims.amr = input.amr
  if (isGiven(input.roles)) claims.roles = input.roles
  if (isGiven(input.grant_id)) claims.grant_id = input.grant_id
  if (isGiven(input.sid)) claims.sid = input.sid
  if (isGiven(input.cnf)) claims.cnf = input.cnf
  if (isGiven(input.act)) claims.act = input.act
  if (isGiven(input.exchanged_from)) claims.exchanged_from = input.exchanged_from
  if (isGiven(input.one_role)) claims.one_role = input.one_role
  if (isGiven(input.authorization_details)) claims.authorization_details = input.authorization_details
  return claims
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null
}
