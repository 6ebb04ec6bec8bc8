import { equalBytes } from '../../crypto/hash.ts'
import { idFromBytes, idToBytes, newId, randomBytes } from '../../crypto/random.ts'
import type { AccessTokenClaims } from '../../oauth/access_token.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { IDENTITY_SCOPES } from '../../oauth/scope.ts'
import type { TenantState, UserRecord } from '../../store/records.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { PermanentToken } from '../../store/verbs/permanent_tokens.ts'
import { event } from '../event.ts'

const PREFIX = 'sp_pt_'
const SIZE = 16 + 32
const LONGEST_NAME = 200
const HOUR_MS = 3_600_000

/** Whether a text looks like a permanent token. */
export function isPermanentToken(token: string): boolean {
  return token.startsWith(PREFIX)
}

/** The most permanent tokens of a user, where nothing says fewer. */
export const MOST_TOKENS = 50

/** Whether a permanent token can have this name: one line that shows something, by which its owner tells it from others. */
export function isTokenName(name: string): boolean {
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(name) && name.length <= LONGEST_NAME && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)
}

/** The beginning of a permanent token, which is its name in other letters: who has one finds out which it is, and no more. */
export function beginningOf(token_id: string): string {
  return PREFIX + idToBytes(token_id)!.toString('base64url').slice(0, 16)
}

/** A permanent token as it is wanted. */
export interface NewPermanentToken {
  readonly user: Pick<UserRecord, 'user_id' | 'epoch'>
  readonly state: Pick<TenantState, 'epoch'>
  readonly name: string
  readonly scope: readonly string[]
  readonly resource: readonly string[]
  /** Null for one that lives until it is deleted. */
  readonly expires_at: number | null
  /** The name that a form has given it, so that it makes one however often it is sent. */
  readonly token_id?: string | undefined
  /** So many may the user have. */
  readonly most: number
  readonly actor: string
}

/**
 * Makes a permanent token, by which a script acts as the user at the named resources. The token is in the answer and
 * nowhere else: the store keeps its hash. It ends with the deletion, and whenever the user is disabled or reset.
 */
export async function createPermanentToken(
  tenant: Tenant,
  wanted: NewPermanentToken,
): Promise<{ token_id: string; token: string; created_at: number } | 'taken' | 'full'> {
  const { user, scope, name, resource, expires_at, most } = wanted
  const { tenant_id, store } = tenant
  if (!isTokenName(name)) {
    throw new OAuthError('invalid_request', `name must have 1 to ${LONGEST_NAME} characters, on one line`)
  }
  if (scope.length === 0 || scope.some((one) => IDENTITY_SCOPES.has(one))) {
    throw new OAuthError('invalid_scope', 'scope must name what the token is for, and no identity')
  }
  const created_at = tenant.clock()
  const { token_id = newId(created_at) } = wanted
  const secret = randomBytes(32)
  const about = { name, scope: scope.join(' '), expires_at }
  const outcome = await store.createPermanentToken({
    tenant_id,
    token: {
      ...{ token_id, user_id: user.user_id, ...about, resource: JSON.stringify(resource) },
      ...{ tenant_epoch: wanted.state.epoch, user_epoch: user.epoch, created_at },
      secret_hash: tenant.keys.hashSecret(secret),
    },
    most,
    event: event(tenant, 'permanent_token.created', wanted.actor, {
      ...{ user_id: user.user_id, detail: { token_id, ...about, resource } },
    }),
  })
  if (outcome !== 'made') return outcome
  return { token_id, token: PREFIX + Buffer.concat([idToBytes(token_id)!, secret]).toString('base64url'), created_at }
}

/** Deletes a permanent token of a user; false when it is not theirs. */
export function deletePermanentToken(
  tenant: Tenant,
  args: { user_id: string; token_id: string; actor: string; reason?: 'expired' | 'revoked_by_holder' },
): Promise<boolean> {
  const { user_id, token_id, reason } = args
  const type = reason === 'expired' ? 'permanent_token.expired' : 'permanent_token.deleted'
  const detail = { token_id, ...(reason === 'revoked_by_holder' && { reason }) }
  const deleted = event(tenant, type, args.actor, { user_id, detail })
  return tenant.store.deletePermanentToken({ tenant_id: tenant.tenant_id, user_id, token_id, event: deleted })
}

/** Deletes the permanent token that somebody shows: to hold it is all that it asks for, so it is enough to end it. */
export async function deleteShownToken(tenant: Tenant, token: string): Promise<void> {
  const opened = await openPermanentToken(tenant, token)
  if (!opened) return
  const { user_id, token_id } = opened
  await deletePermanentToken(tenant, { user_id, token_id, actor: 'anonymous', reason: 'revoked_by_holder' })
}

/** Notes that a token was used, once an hour, where it is a permanent one: when the request has succeeded, and not before. */
export async function noteTokenUse(
  tenant: Tenant,
  used: { readonly permanent?: PermanentToken; readonly authority: { readonly now: number } },
): Promise<void> {
  if (!used.permanent) return
  const { token_id, last_used_at } = used.permanent
  if (last_used_at !== null && last_used_at >= used.authority.now - HOUR_MS) return
  await tenant.store.touchPermanentToken({ tenant_id: tenant.tenant_id, token_id })
}

/** A permanent token by what its holder shows; null when it is none that stands. */
export async function openPermanentToken(tenant: Tenant, token: string): Promise<PermanentToken | null> {
  const text = token.slice(PREFIX.length)
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length !== SIZE || bytes.toString('base64url') !== text) return null
  const { tenant_id, store } = tenant
  const found = await store.findPermanentToken({ tenant_id, token_id: idFromBytes(bytes) })
  if (!found || !equalBytes(tenant.keys.hashSecret(bytes.subarray(16)), found.secret_hash)) return null
  return found.token
}

/** What a permanent token says, as the claims of an access token of nobody's client: the issuer stands for one. */
export function claimsOfPermanentToken({ issuer }: Tenant, token: PermanentToken, ends_at: number): AccessTokenClaims {
  const { token_id, user_id, scope, resource, created_at, tenant_epoch, user_epoch } = token
  const aud = JSON.parse(resource) as string[]
  return {
    ...{ iss: issuer, sub: user_id, client_id: issuer, jti: token_id, scope },
    aud: aud.length === 1 ? aud[0]! : aud,
    ...{ iat: Math.floor(created_at / 1000), exp: Math.floor(ends_at / 1000) },
    ep: [tenant_epoch, 0, user_epoch, 0],
  }
}
