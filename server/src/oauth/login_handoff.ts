import { type Claims, JwtError, type JwtProfile } from '../crypto/foreign_jwt.ts'
import { type PublicJwks, readJwks } from './clients/client_jwks.ts'
import { type Json, readText, refusal } from './clients/metadata_member.ts'
import { OAuthError } from './errors.ts'
import { checkAssertionClaims } from './jwt_claims.ts'

/** A platform that signs its users in itself: where they are sent, and whose word counts (inbound sign-in by handoff). */
export interface LoginHandoff {
  readonly login_uri: string
  /** The `iss` of its answers. */
  readonly issuer: string
  readonly jwks?: PublicJwks
  readonly jwks_uri?: string
}

/** The JWT by which we ask a platform who its user is; for its eyes alone, and no token of any kind. */
export const LOGIN_CHALLENGE_TYP = 'login-challenge+jwt'

/** The JWT by which a platform answers: signed with a key of its own, within two minutes. */
export const LOGIN_ANSWER: JwtProfile = {
  typ: ['login-answer+jwt'],
  alg: ['ES256', 'PS256', 'EdDSA', 'Ed25519', 'RS256'],
}

const LONGEST_ANSWER_SECONDS = 120
const LONGEST_URI = 2048
const LONGEST_TEXT = 200
const MEMBERS = ['login_uri', 'issuer', 'jwks', 'jwks_uri']

/** Reads the setting `login_handoff`; refuses by member name. */
export function readLoginHandoff(json: Json): LoginHandoff {
  const strange = Object.keys(json).find((name) => !MEMBERS.includes(name))
  if (strange !== undefined) throw refusal(strange, `is not one of ${MEMBERS.join(', ')}`)
  const login_uri = readUrl(json, 'login_uri')
  const issuer = readText(json, 'issuer', LONGEST_URI)
  if (login_uri === undefined || issuer === undefined) throw refusal('login_uri', 'and issuer are needed')
  const jwks_uri = readUrl(json, 'jwks_uri')
  const jwks = json['jwks'] ?? undefined
  if ((jwks_uri === undefined) === (jwks === undefined)) throw refusal('jwks', 'or jwks_uri is needed, and not both')
  return { login_uri, issuer, ...(jwks_uri === undefined ? { jwks: readJwks(jwks) } : { jwks_uri }) }
}

/** What is wrong with the setting, or null. */
export function whyNoHandoff(json: Json): string | null {
  try {
    readLoginHandoff(json)
    return null
  } catch (error) {
    if (error instanceof OAuthError) return error.error_description
    throw error
  }
}

function readUrl(json: Json, name: string): string | undefined {
  const text = readText(json, name, LONGEST_URI)
  if (text === undefined) return undefined
  const url = URL.parse(text)
  const local = url?.protocol === 'http:' && /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(url.hostname)
  if (url?.hash !== '' || url.username + url.password !== '' || (url.protocol !== 'https:' && !local)) {
    throw refusal(name, 'must be an https URL without fragment')
  }
  return text
}

/** What a platform is asked: who this browser's user is, for which client, and how surely. */
export interface LoginChallenge {
  readonly iss: string
  readonly aud: string
  readonly iat: number
  readonly exp: number
  /** The answer names it as `challenge`. */
  readonly jti: string
  /** Where the browser brings the answer, as the parameter `login_answer`. */
  readonly answer_uri: string
  readonly client_id?: string
  readonly login_hint?: string
  /** The user must prove anew who they are. */
  readonly prompt?: 'login'
  readonly acr_values?: string
}

/** What a platform answers: its user, or that nobody wanted to sign in. */
export type LoginAnswer =
  | { readonly kind: 'refused' }
  | {
      readonly kind: 'user'
      readonly sub: string
      /** Of RFC 8176, where the platform says them. */
      readonly amr: readonly string[]
      readonly auth_time: number | undefined
      readonly claims: {
        readonly name?: string
        readonly username?: string
        readonly email?: string
        readonly email_verified: boolean
      }
      readonly jti: string
      readonly exp: number
    }

/** The challenge that an answer says it is to, before anything of it is believed. */
export function readChallenge({ challenge }: Claims): string | null {
  return typeof challenge === 'string' && challenge.length <= LONGEST_TEXT ? challenge : null
}

/** Reads an answer whose signature was verified; throws a JwtError that names the claim. */
export function readLoginAnswer(
  claims: Claims,
  rules: { readonly handoff: LoginHandoff; readonly issuer: string; readonly now: number },
): LoginAnswer {
  const { handoff, issuer, now } = rules
  const refused = claims['error'] !== undefined
  const asserted = checkAssertionClaims(refused ? { ...claims, sub: claims['sub'] ?? 'nobody' } : claims, {
    ...{ iss: handoff.issuer, aud: issuer, now, longest_seconds: LONGEST_ANSWER_SECONDS },
  })
  if (refused) return { kind: 'refused' }
  const { sub, jti, exp } = asserted
  const amr = claims['amr'] ?? []
  if (
    !Array.isArray(amr) ||
    amr.length > 10 ||
    !amr.every((method) => typeof method === 'string' && /^[a-z]{1,20}$/.test(method))
  ) {
    throw new JwtError('wrong_claims', 'has an amr that is not a list of methods')
  }
  const auth_time = claims['auth_time']
  if (auth_time !== undefined && (typeof auth_time !== 'number' || !(auth_time >= 0 && auth_time <= now / 1000 + 10))) {
    throw new JwtError('wrong_claims', 'has an auth_time that is not a time in the past')
  }
  const [name, username, email] = [text(claims['name']), text(claims['preferred_username']), text(claims['email'])]
  return {
    ...{ kind: 'user', sub, jti, exp, amr: amr as string[], auth_time },
    claims: {
      ...(name !== undefined && { name }),
      ...(username !== undefined && { username }),
      ...(email !== undefined && { email }),
      email_verified: email !== undefined && claims['email_verified'] === true,
    },
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_TEXT ? value : undefined
}
