import { equalBytes } from '../../crypto/hash.ts'
import { idFromBytes, idToBytes, newId, randomBytes } from '../../crypto/random.ts'
import type { AccessTokenClaims } from '../../oauth/access_token.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { IDENTITY_SCOPES } from '../../oauth/scope.ts'
import type { TenantState, UserRecord } from '../../store/records.ts'
import type { Tenant } from '../../store/tenant.ts'
import { event } from '../event.ts'

const PREFIX = 'sp_pt_'
const SIZE = 16 + 32
const MOST_TOKENS = 50
const LONGEST_NAME = 200
/** The last second that a date can name: a permanent token ends when it is deleted, or with its user. */
const NEVER = 253_402_300_799

/** Whether a text looks like a permanent token. */
export function isPermanentToken(token: string): boolean {
  return token.startsWith(PREFIX)
}

/**
 * Makes a permanent token, by which a script acts as the user at the named resources. The token is in the answer and
 * nowhere else: the store keeps its hash. It ends with the deletion, and whenever the user is disabled or reset.
 */
export async function createPermanentToken(
  tenant: Tenant,
  wanted: {
    user: Pick<UserRecord, 'user_id' | 'epoch'>
    state: Pick<TenantState, 'epoch'>
    name: string
    scope: readonly string[]
    resource: readonly string[]
    actor: string
  },
): Promise<{ token_id: string; token: string; created_at: number }> {
  const { user, scope, name } = wanted
  const { tenant_id, store } = tenant
  if (name === '' || name.length > LONGEST_NAME || /\p{Cc}/u.test(name)) {
    throw new OAuthError('invalid_request', `name must have 1 to ${LONGEST_NAME} characters, on one line`)
  }
  if (scope.length === 0 || scope.some((one) => IDENTITY_SCOPES.has(one))) {
    throw new OAuthError('invalid_scope', 'scope must name what the token is for, and no identity')
  }
  const created_at = tenant.clock()
  const token_id = newId(created_at)
  const secret = randomBytes(32)
  const outcome = await store.createPermanentToken({
    tenant_id,
    token: {
      ...{ token_id, user_id: user.user_id, name, scope: scope.join(' '), resource: JSON.stringify(wanted.resource) },
      ...{ tenant_epoch: wanted.state.epoch, user_epoch: user.epoch, created_at },
      secret_hash: tenant.keys.hashSecret(secret),
    },
    most: MOST_TOKENS,
    event: event(tenant, 'permanent_token.created', wanted.actor, {
      ...{ user_id: user.user_id, detail: { token_id, name, scope: scope.join(' ') } },
    }),
  })
  if (outcome === 'full') throw new OAuthError('invalid_request', `A user may have ${MOST_TOKENS} permanent tokens`)
  const token = PREFIX + Buffer.concat([idToBytes(token_id)!, secret]).toString('base64url')
  return { token_id, token, created_at }
}

/** Deletes a permanent token of a user; false when it is not theirs. */
export function deletePermanentToken(
  tenant: Tenant,
  args: { user_id: string; token_id: string; actor: string },
): Promise<boolean> {
  const { user_id, token_id } = args
  const deleted = event(tenant, 'permanent_token.deleted', args.actor, { user_id, detail: { token_id } })
  return tenant.store.deletePermanentToken({ tenant_id: tenant.tenant_id, user_id, token_id, event: deleted })
}

/** What a permanent token says, as the claims of an access token of nobody's client; null when it is none that stands. */
export async function openPermanentToken(tenant: Tenant, token: string): Promise<AccessTokenClaims | null> {
  const text = token.slice(PREFIX.length)
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length !== SIZE || bytes.toString('base64url') !== text) return null
  const { tenant_id, store } = tenant
  const found = await store.findPermanentToken({ tenant_id, token_id: idFromBytes(bytes) })
  if (!found || !equalBytes(tenant.keys.hashSecret(bytes.subarray(16)), found.secret_hash)) return null
  const { token_id, user_id, scope, resource, created_at, tenant_epoch, user_epoch } = found.token
  await store.touchPermanentToken({ tenant_id, token_id })
  const aud = JSON.parse(resource) as string[]
  return {
    ...{ iss: tenant.issuer, sub: user_id, client_id: tenant.issuer, jti: token_id, scope },
    aud: aud.length === 1 ? aud[0]! : aud,
    ...{ iat: Math.floor(created_at / 1000), exp: NEVER, ep: [tenant_epoch, 0, user_epoch, 0] },
  }
}
