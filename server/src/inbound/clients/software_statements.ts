import { type Claims, FOREIGN_ALGORITHMS, JwtError, type JwtProfile, readForeignJwt } from '../../crypto/foreign_jwt.ts'
import type { Json } from '../../oauth/clients/metadata_member.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { checkBegun, readTime } from '../../oauth/jwt_claims.ts'
import type { TrustedIssuerRules } from '../../oauth/trusted_issuer.ts'
import type { InboundContext } from '../context.ts'
import { KeysUnavailable } from '../remote_keys.ts'
import { verifyBySource } from '../verify_assertion.ts'

const SOFTWARE_STATEMENT: JwtProfile = { typ: [null, 'jwt'], alg: FOREIGN_ALGORITHMS }

// What is said of the statement itself, and not of the client (RFC 7519 section 4.1).
const OF_THE_JWT: ReadonlySet<string> = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'software_statement'])

/** What a client says about itself, and what a third party has signed about it, which counts for more. */
export interface Stated {
  readonly source: Json
  /** As it came: the answer repeats it (RFC 7591 section 3.2.1). */
  readonly software_statement: string | undefined
}

/**
 * Puts the claims of a software statement over the members of a description (RFC 7591 section 2.3): signed by an issuer
 * that the tenant trusts for such statements, by its own keys, for us and for now.
 */
export async function applySoftwareStatement(context: InboundContext, source: Json): Promise<Stated> {
  const { software_statement } = source
  if (software_statement === undefined || software_statement === null || software_statement === '') {
    return { source, software_statement: undefined }
  }
  if (typeof software_statement !== 'string') throw invalid('must be a JWT as a string')
  const claims = await verifyStatement(context, software_statement)
  const said = Object.entries(claims).filter(([name]) => !OF_THE_JWT.has(name))
  return { source: { ...source, ...Object.fromEntries(said) }, software_statement }
}

async function verifyStatement(context: InboundContext, software_statement: string): Promise<Claims> {
  const { tenant } = context
  try {
    const jwt = readForeignJwt(software_statement, SOFTWARE_STATEMENT)
    const { iss } = jwt.unverified
    if (typeof iss !== 'string') throw invalid('must have an iss')
    const { tenant_id, store, issuer } = tenant
    const trusted = iss === issuer ? null : await store.findTrustedIssuer({ tenant_id, issuer: iss })
    const rules = trusted && trusted.disabled_at === null ? (JSON.parse(trusted.rules) as TrustedIssuerRules) : null
    if (!rules?.software_statements) {
      throw new OAuthError(
        'unapproved_software_statement',
        'Member software_statement is by nobody who is trusted here',
      )
    }
    const claims = await verifyBySource(context, jwt, rules)
    checkClaims(claims, issuer, tenant.clock())
    return claims
  } catch (error) {
    if (error instanceof JwtError) throw invalid(error.message)
    if (error instanceof KeysUnavailable) throw invalid('is by an issuer whose keys could not be fetched', error.cause)
    throw error
  }
}

function checkClaims(claims: Claims, issuer: string, now: number): void {
  const { aud } = claims
  if (aud !== undefined && ![aud].flat().includes(issuer)) throw invalid(`must have aud ${issuer}, or none`)
  const exp = readTime(claims, 'exp')
  if (exp !== null && exp * 1000 <= now) throw invalid('is expired')
  checkBegun(claims, now)
}

function invalid(what: string, cause?: unknown): OAuthError {
  const options = cause === undefined ? {} : { cause }
  return new OAuthError('invalid_software_statement', `Member software_statement ${what}`, options)
}
