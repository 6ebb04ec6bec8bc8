import { FOREIGN_ALGORITHMS, type JwtProfile } from '../crypto/foreign_jwt.ts'
import { type PublicJwks, readJwks } from './clients/client_jwks.ts'
import { type Json, readBoolean, readText, readTexts } from './clients/metadata_member.ts'
import { OAuthError } from './errors.ts'
import type { AssertionClaims } from './jwt_claims.ts'
import { formatScope, parseScope } from './scope.ts'

/** What somebody whose assertions we take may say (RFC 7523 section 2.1): deny by default, each thing is named. */
export interface TrustedIssuerRules {
  readonly jwks?: PublicJwks
  readonly jwks_uri?: string
  /** What its `sub` is here; without it, only the subjects that are listed are anybody. */
  readonly subject_is?: 'user_id' | 'username'
  /** The usernames that single subjects have here. */
  readonly subjects?: Readonly<Record<string, string>>
  /** The clients that may present its assertions. */
  readonly clients: readonly string[]
  /** The scopes that they get for them at most. */
  readonly scope: string
  /** What it says about clients that register themselves is taken for true (RFC 7591 section 2.3). */
  readonly software_statements?: true
}

/** An assertion as an authorization grant (RFC 7523 section 2.1). */
export const GRANT_ASSERTION: JwtProfile = { typ: [null, 'jwt'], alg: FOREIGN_ALGORITHMS }

/** An issuer may make an assertion for many requests of a while; each of ours needs one of its own. */
export const LONGEST_GRANT_ASSERTION_SECONDS = 3600

const LONGEST_URI = 2048
const MOST_SUBJECTS = 10_000

/** Reads the rules of an issuer as an administrator writes them; refuses by member name. */
export function readTrustedIssuer(json: Json): TrustedIssuerRules {
  return {
    ...readKeys(json),
    ...readSubjects(json),
    clients: readTexts(json, 'clients', 255) ?? [],
    scope: formatScope(parseScope(readText(json, 'scope', 4096) ?? '')),
    ...(readBoolean(json, 'software_statements') === true && { software_statements: true as const }),
  }
}

function readKeys(json: Json): Pick<TrustedIssuerRules, 'jwks' | 'jwks_uri'> {
  const jwks_uri = readText(json, 'jwks_uri', LONGEST_URI)
  const jwks = json['jwks'] ?? undefined
  if ((jwks_uri === undefined) === (jwks === undefined)) throw refusal('jwks', 'or jwks_uri is needed, and not both')
  if (jwks_uri === undefined) return { jwks: readJwks(jwks) }
  if (!/^https?:$/.test(URL.parse(jwks_uri)?.protocol ?? '')) throw refusal('jwks_uri', 'must be an https URL')
  return { jwks_uri }
}

function readSubjects(json: Json): Pick<TrustedIssuerRules, 'subject_is' | 'subjects'> {
  const subject_is = readText(json, 'subject_is', 20)
  if (subject_is !== undefined && subject_is !== 'user_id' && subject_is !== 'username') {
    throw refusal('subject_is', 'must be user_id or username')
  }
  const subjects = json['subjects'] ?? undefined
  if (subjects === undefined) return subject_is === undefined ? {} : { subject_is }
  if (typeof subjects !== 'object' || Array.isArray(subjects)) throw refusal('subjects', 'must map sub to username')
  const entries = Object.entries(subjects as Json)
  if (entries.length > MOST_SUBJECTS) throw refusal('subjects', `must have at most ${MOST_SUBJECTS} entries`)
  for (const [, username] of entries) {
    if (typeof username !== 'string' || readText({ subjects: username }, 'subjects', 255) === undefined) {
      throw refusal('subjects', 'must map each sub to a username')
    }
  }
  return { ...(subject_is && { subject_is }), subjects: subjects as Record<string, string> }
}

/** Which user a subject of an issuer is here; null is nobody. Never by an e-mail address: those change hands. */
export function userOfSubject(
  { subject_is, subjects }: TrustedIssuerRules,
  { sub }: AssertionClaims,
): { readonly user_id: string } | { readonly username: string; readonly exactly: boolean } | null {
  if (subjects && Object.hasOwn(subjects, sub)) return { username: subjects[sub]!, exactly: false }
  if (subject_is === 'user_id') return { user_id: sub }
  // To its issuer, Alice and alice may be two people (RFC 7519 section 4.1.2).
  return subject_is === 'username' ? { username: sub, exactly: true } : null
}

function refusal(name: string, what: string): OAuthError {
  return new OAuthError('invalid_request', `Member ${name} ${what}`)
}
