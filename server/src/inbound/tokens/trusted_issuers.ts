import { LRUCache } from 'lru-cache'
import { JwtError, readForeignJwt, type UnverifiedJwt } from '../../crypto/foreign_jwt.ts'
import { sha256 } from '../../crypto/hash.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { type AssertionClaims, checkAssertionClaims } from '../../oauth/jwt_claims.ts'
import {
  GRANT_ASSERTION,
  LONGEST_GRANT_ASSERTION_SECONDS,
  type TrustedIssuerRules,
  userOfSubject,
} from '../../oauth/trusted_issuer.ts'
import type { UserRecord } from '../../store/records.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { Proof } from '../../store/verbs/proofs.ts'
import type { TrustedIssuerRecord } from '../../store/verbs/trusted_issuers.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { KeysUnavailable } from '../remote_keys.ts'
import { usernameKey } from '../users/prepare_user.ts'
import { verifyBySource } from '../verify_assertion.ts'

/** What a trusted issuer says of one of our users. */
export interface Asserted {
  readonly claims: AssertionClaims
  readonly rules: TrustedIssuerRules
  readonly user: UserRecord
  /** To be recorded with the commit: its jti is good once. */
  readonly proof: Proof
}

/**
 * Verifies an assertion of a trusted issuer (RFC 7523 section 3, RFC 10070): by the keys of the issuer that it names and
 * of no other, presented by a client that may, about somebody who is a user here. `parameter` is what refusals name.
 */
export async function verifyAssertion(
  context: InboundContext,
  token: string,
  asked: { readonly client_id: string; readonly now: number; readonly parameter: string },
): Promise<Asserted> {
  const { tenant } = context
  const { client_id, now, parameter } = asked
  const refuse = (what: string, cause?: unknown) =>
    new OAuthError('invalid_grant', `Parameter ${parameter} ${what}`, cause === undefined ? {} : { cause })
  try {
    const jwt = readForeignJwt(token, GRANT_ASSERTION)
    const issuer = await findIssuer(tenant, jwt, client_id)
    if (typeof issuer === 'string') throw refuse('is by nobody whom this client may bring assertions of', issuer)
    const verified = await verifyBySource(context, jwt, issuer.rules)
    const rules = { iss: issuer.iss, aud: tenant.issuer, now, longest_seconds: LONGEST_GRANT_ASSERTION_SECONDS }
    const claims = checkAssertionClaims(verified, rules)
    const user = await findSubject(tenant, issuer.rules, claims)
    if (!user) throw refuse('is about somebody who is no user here', `sub ${claims.sub}`)
    const id_hash = sha256(JSON.stringify([claims.iss, claims.jti]))
    return { claims, rules: issuer.rules, user, proof: { kind: 'assertion', id_hash, expires_at: claims.exp * 1000 } }
  } catch (error) {
    if (error instanceof JwtError) throw refuse(error.message)
    if (error instanceof KeysUnavailable) throw refuse('is by an issuer whose keys could not be fetched', error.cause)
    throw error
  }
}

const parsed = new LRUCache<string, TrustedIssuerRules>({ max: 1000 })

/** Rules of a row. Only the reading of their text is remembered, and with it their keys; never whether they count. */
function readRules(text: string): TrustedIssuerRules {
  let rules = parsed.get(text)
  if (!rules) {
    rules = JSON.parse(text) as TrustedIssuerRules
    parsed.set(text, rules)
  }
  return rules
}

/** The issuer that an assertion names, or the reason why it does not count. */
async function findIssuer(
  { tenant_id, issuer, store }: Tenant,
  { unverified: { iss } }: UnverifiedJwt,
  client_id: string,
): Promise<{ iss: string; rules: TrustedIssuerRules } | string> {
  if (typeof iss !== 'string' || !ISSUER.test(iss)) return 'it names no issuer'
  // What we sign ourselves, ID tokens above all, is nobody's assertion.
  if (iss === issuer) return 'the issuer is this server'
  const found = await store.findTrustedIssuer({ tenant_id, issuer: iss })
  if (!found) return 'the issuer is not trusted'
  if (found.disabled_at !== null) return 'the issuer is disabled'
  const rules = readRules(found.rules)
  return rules.clients.includes(client_id) ? { iss, rules } : 'the client is not listed'
}

async function findSubject(
  { tenant_id, store }: Tenant,
  rules: TrustedIssuerRules,
  claims: AssertionClaims,
): Promise<UserRecord | null> {
  const is = userOfSubject(rules, claims)
  if (!is) return null
  const user = await ('user_id' in is
    ? store.findUser({ tenant_id, user_id: is.user_id })
    : store.findUserByUsername({ tenant_id, username_key: usernameKey(is.username) }))
  if (!user || user.disabled_at !== null || ('username' in is && is.exactly && user.username !== is.username))
    return null
  const { password_hash: _, ...record } = user
  return record
}

const ISSUER = /^[\x21-\x7e]{1,2048}$/

/** Checks the name of an issuer that an administrator describes. */
export function checkTrustedIssuer(our_issuer: string, issuer: string): void {
  if (issuer === our_issuer) throw new OAuthError('invalid_request', 'issuer is this server itself')
  if (!ISSUER.test(issuer)) throw new OAuthError('invalid_request', 'issuer must be an iss, without spaces')
}

/**
 * Trusts an issuer, changes what it may say, or switches it off, which works at once (CVE-2026-1486). False when what
 * stands is no longer what was `seen`.
 */
export function saveTrustedIssuer(
  tenant: Tenant,
  saved: { readonly issuer: string; readonly rules: TrustedIssuerRules; readonly disabled: boolean },
  args: {
    readonly actor: string
    readonly changed: readonly string[]
    readonly seen?: Pick<TrustedIssuerRecord, 'rules' | 'disabled_at'> | null
  },
): Promise<boolean> {
  const { issuer, rules, disabled } = saved
  checkTrustedIssuer(tenant.issuer, issuer)
  return tenant.store.saveTrustedIssuer({
    tenant_id: tenant.tenant_id,
    issuer,
    rules: JSON.stringify(rules),
    disabled,
    ...(args.seen !== undefined && { seen: args.seen }),
    event: event(tenant, 'trusted_issuer.saved', args.actor, { detail: { issuer, disabled, changed: args.changed } }),
  })
}
