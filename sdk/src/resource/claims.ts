import { OAuthError } from '../oauth_error.ts'
import { isObject } from './fetch_json.ts'
import type { Scheme } from './presented_token.ts'

/** Who acts for the subject, and for whom that one acts (RFC 8693 section 4.1). */
export interface Actor {
  readonly sub?: string
  readonly client_id?: string
  readonly iss?: string
  readonly act?: Actor
  readonly [claim: string]: unknown
}

/** What an access token says, whichever way it was learnt: names and units are the wire's, times are seconds. */
export interface Claims {
  readonly iss: string
  /** The user, or the client where no user is involved (RFC 9068 section 2.2). */
  readonly sub: string
  readonly client_id: string
  readonly aud: readonly string[]
  /** The scope parameter as it came, values separated by spaces. */
  readonly scope: string
  /** Absent only where an introspection answer leaves it out (RFC 7662 section 2.2). */
  readonly exp: number | undefined
  readonly iat: number | undefined
  readonly nbf: number | undefined
  readonly jti: string | undefined
  readonly auth_time: number | undefined
  readonly acr: string | undefined
  readonly roles: readonly string[]
  readonly act: Actor | undefined
  readonly cnf: Readonly<Record<string, unknown>> | undefined
  /** How it must be presented (RFC 9449 section 7.1). */
  readonly token_type: Scheme
  /** Every member, also those without a field of their own. Frozen, because answers may be shared by requests. */
  readonly raw: Readonly<Record<string, unknown>>
}

/** What the claims are held against. */
export interface Expected {
  readonly resource: string
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly clock_tolerance_seconds: number
}

/** Reads the payload of a JWT access token: the claims of RFC 9068 section 2.2 must be there and of their type. */
export function readJwtClaims(raw: Record<string, unknown>): Claims {
  for (const name of ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti']) {
    if (raw[name] === undefined) throw invalid(`The access token lacks the claim ${name}`)
  }
  return readClaims(raw, raw)
}

/**
 * Reads an active introspection answer (RFC 7662 section 2.2). `iss` may be left out there, since the server was asked
 * directly, and `sub` where no user is involved; `aud` may not, because it is what keeps another API's token out.
 */
export function readIntrospectionClaims(answer: Record<string, unknown>, issuer: string): Claims {
  const token_type = readString(answer, 'token_type')?.toLowerCase()
  if (token_type !== undefined && token_type !== 'bearer' && token_type !== 'dpop') throw invalid('Not an access token')
  // RFC 9449 section 6.2: without the key there would be nothing to hold a proof against.
  if (token_type === 'dpop' && !isBoundToKey(answer.cnf)) throw invalid('The introspection answer lacks the key in cnf')
  for (const name of ['aud', 'client_id']) {
    if (answer[name] === undefined) throw invalid(`The introspection answer lacks ${name}`)
  }
  if ((answer.iss ?? issuer) !== issuer) throw invalid('The access token was issued by another issuer')
  return readClaims({ ...answer, iss: issuer, sub: answer.sub ?? answer.client_id }, answer)
}

/** Decides about time and audience. Runs on every request, also when the claims come from a cache. */
export function checkClaims(claims: Claims, expected: Expected): void {
  const now = expected.now / 1000
  const tolerance = expected.clock_tolerance_seconds
  if (claims.exp !== undefined && now >= claims.exp + tolerance) throw invalid('The access token has expired')
  if (claims.nbf !== undefined && now < claims.nbf - tolerance) throw invalid('The access token is not valid yet')
  if (claims.iat !== undefined && now < claims.iat - tolerance) throw invalid('The access token is from the future')
  if (!claims.aud.includes(expected.resource)) throw invalid('The access token is meant for another resource')
}

function readClaims(from: Record<string, unknown>, raw: Record<string, unknown>): Claims {
  const { act, cnf, roles } = from
  if (act !== undefined && !isObject(act)) throw invalid('The claim act of the access token is not an object')
  return {
    iss: readString(from, 'iss')!,
    sub: readString(from, 'sub')!,
    client_id: readString(from, 'client_id')!,
    aud: readAudience(from.aud),
    scope: readString(from, 'scope') ?? '',
    exp: readTime(from, 'exp'),
    iat: readTime(from, 'iat'),
    nbf: readTime(from, 'nbf'),
    jti: readString(from, 'jti'),
    auth_time: readTime(from, 'auth_time'),
    acr: readString(from, 'acr'),
    roles: Object.freeze(Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : []),
    act: act as Actor | undefined,
    // Whatever stands there, a binding that is not understood must not be taken for none.
    cnf: cnf === undefined ? undefined : isObject(cnf) ? cnf : {},
    token_type: isBoundToKey(cnf) ? 'DPoP' : 'Bearer',
    raw: freeze(raw),
  }
}

function isBoundToKey(cnf: unknown): boolean {
  return isObject(cnf) && typeof cnf.jkt === 'string'
}

function readString(from: Record<string, unknown>, name: string): string | undefined {
  const value = from[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw invalid(`The claim ${name} of the access token is not a string`)
  return value
}

function readTime(from: Record<string, unknown>, name: string): number | undefined {
  const value = from[name]
  if (value === undefined) return undefined
  if (!Number.isFinite(value)) throw invalid(`The claim ${name} of the access token is not a time`)
  return value as number
}

function readAudience(aud: unknown): readonly string[] {
  const list: unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!list.every((value) => typeof value === 'string')) throw invalid('The claim aud of the access token is malformed')
  return Object.freeze([...list])
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) freeze(member)
  return Object.freeze(value)
}

function invalid(error_description: string): OAuthError {
  return new OAuthError('invalid_token', error_description)
}
