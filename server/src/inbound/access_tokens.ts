import { LRUCache } from 'lru-cache'
import { readKid, signJwt, verifyOwnJwt } from '../crypto/jwt.ts'
import { newId } from '../crypto/random.ts'
import { type AccessTokenClaims, buildAccessTokenClaims, type Epochs } from '../oauth/access_token.ts'
import { bearerChallenge } from '../oauth/challenge.ts'
import type { Client } from '../oauth/client.ts'
import { OAuthError } from '../oauth/errors.ts'
import { isSubset, parseScope } from '../oauth/scope.ts'
import type { GrantRecord, UserRecord } from '../store/records.ts'
import type { Configuration } from '../store/tenant.ts'
import type { TokenAuthority } from '../store/verbs/tokens.ts'
import { readMetadata } from './clients.ts'
import type { InboundContext } from './context.ts'
import { whyTokenIsDead } from './liveness.ts'
import { findServiceRole, presentScopes, rightsOf, rolesAtWork } from './rights.ts'

/** How long access tokens live where no resource says otherwise. */
const LIFETIME_SECONDS = 600
const LARGEST_TOKEN = 4096

/** What an access token is issued for: a client alone, or a grant of a user. */
export interface AccessTokenOrder {
  readonly client: Client
  readonly configuration: Configuration
  readonly scope: readonly string[]
  readonly resource: readonly string[]
  readonly now: number
  readonly epochs: Epochs
  readonly grant: GrantRecord | null
  readonly user: UserRecord | null
  /** The one role of a client that acts as a user of its own (a service account); a grant has its role itself. */
  readonly role?: string
}

/** Makes an access token: a JWT (RFC 9068), or sealed claims where any of its resources asks for opaque ones. */
export function issueAccessToken(
  context: InboundContext,
  order: AccessTokenOrder,
): { access_token: string; expires_in: number } {
  const { tenant } = context
  const { client, configuration, grant, now } = order
  const resources = order.resource.flatMap((name) => configuration.resources.get(name) ?? [])
  const lifetimes = resources.map(({ access_token_lifetime_seconds }) => access_token_lifetime_seconds)
  const claims = buildAccessTokenClaims({
    iss: tenant.issuer,
    sub: grant?.user_id ?? order.user?.user_id ?? client.client_id,
    client_id: client.client_id,
    jti: newId(now),
    ep: order.epochs,
    resources: order.resource,
    scope: order.scope,
    now,
    lifetime_seconds: Math.min(client.access_token_lifetime_seconds ?? LIFETIME_SECONDS, ...lifetimes),
    ends_at: grant?.expires_at,
    auth_time: grant && Math.floor(grant.auth_time / 1000),
    acr: grant?.acr,
    roles: order.user && rolesAtWork(order.user, grant?.role ?? order.role ?? null),
    grant_id: grant?.grant_id,
  })
  const opaque = resources.some(({ access_token_format }) => access_token_format === 'opaque')
  const access_token = opaque
    ? context.access_tokens.seal(tenant.keys, claims)
    : signJwt(configuration.signing_key, 'at+jwt', claims)
  if (access_token.length > LARGEST_TOKEN) {
    throw new OAuthError('invalid_request', 'The token would be larger than 4 kB: ask for fewer scopes or resources')
  }
  context.usage.countToken(tenant.tenant_id, client.client_id)
  return { access_token, expires_in: claims.exp - claims.iat }
}

/** An access token that this tenant issued, unexpired or not. Whether it lives, and its key is trusted, is asked later. */
export interface OpenedToken {
  readonly claims: AccessTokenClaims
  /** The key that signed it; sealed tokens have none. */
  readonly kid: string | null
}

// That a signature is right is an immutable fact; whether its key is still trusted and the token lives is asked anew.
const verified = new LRUCache<string, OpenedToken>({ max: 5000 })

/** Opens an access token, or answers null when this tenant did not issue it. */
export async function openAccessToken({ tenant, access_tokens }: InboundContext, token: string) {
  if (token.length > LARGEST_TOKEN) return null
  const sealed = access_tokens.open(tenant.keys, token)
  if (sealed) return isAccessToken(sealed, tenant.issuer) ? { claims: sealed, kid: null } : null
  const known = verified.get(token)
  if (known) return known.claims.iss === tenant.issuer ? known : null
  const kid = readKid(token)
  const key = kid === null ? undefined : await tenant.findVerifyingKey(kid)
  const claims = key ? verifyOwnJwt(token, 'at+jwt', () => key) : null
  if (!claims || !isAccessToken(claims, tenant.issuer)) return null
  const opened: OpenedToken = { claims, kid }
  verified.set(token, opened)
  return opened
}

/** Whether the key of an opened token is still trusted, by a configuration that the request itself has read. */
export function isKeyTrusted({ kid }: OpenedToken, configuration: Configuration): boolean {
  return kid === null || configuration.verifying_keys.has(kid)
}

// Nothing without an end or without epochs is an access token.
function isAccessToken(claims: object, issuer: string): claims is AccessTokenClaims {
  const { iss, exp, ep, sub, client_id, scope, jti, grant_id } = claims as Partial<AccessTokenClaims>
  if (iss !== issuer || !Number.isInteger(exp) || !Array.isArray(ep) || ep.length !== 4) return false
  const texts = [sub, client_id, scope, jti, grant_id ?? ''].every((text) => typeof text === 'string')
  return texts
}

/** Everything about a token that lives. */
export interface LivingToken {
  readonly claims: AccessTokenClaims
  readonly authority: TokenAuthority
  readonly configuration: Configuration
  /** Its scopes, less those that its client or user has lost since. */
  readonly scope: readonly string[]
}

/** Whether a token without a grant speaks for its client alone (RFC 6749 section 4.4). */
function isOfClientAlone({ grant_id, sub, client_id }: AccessTokenClaims): boolean {
  return grant_id === undefined && sub === client_id
}

/** Opens an access token and asks the store whether it lives; `asking_client_id` is loaded in the same query. */
export async function findLivingToken(
  context: InboundContext,
  token: string,
  asking_client_id: string,
): Promise<{ living: LivingToken | null; authority: TokenAuthority | null; reason: string | null }> {
  const { tenant } = context
  const opened = await openAccessToken(context, token)
  const claims = opened?.claims
  const authority = await tenant.store.loadTokenAuthority({
    tenant_id: tenant.tenant_id,
    client_id: asking_client_id,
    token_client_id: claims?.client_id ?? '',
    user_id: claims && !isOfClientAlone(claims) ? claims.sub : '',
    grant_id: claims?.grant_id ?? '',
    jti: claims?.jti ?? '',
  })
  if (!opened || !claims || !authority) return { living: null, authority, reason: 'not one of ours' }
  if (claims.exp * 1000 <= authority.now) return { living: null, authority, reason: 'expired' }
  const grant_id = claims.grant_id ?? null
  const sub = isOfClientAlone(claims) ? null : claims.sub
  const dead = whyTokenIsDead(authority, { grant_id, sub, epochs: claims.ep })
  if (dead !== null) return { living: null, authority, reason: dead }
  const configuration = await tenant.configuration(authority.tenant.config_version)
  if (!isKeyTrusted(opened, configuration)) return { living: null, authority, reason: 'its signing key is revoked' }
  const client = readMetadata(authority.token_client!.metadata)
  const granted = parseScope(claims.scope)
  const still = authority.grant ? granted.filter((scope) => authority.grant!.scope.split(' ').includes(scope)) : granted
  // Without a grant a user's name stands for a service account, which the client must still have.
  const role = grant_id === null && sub !== null ? findServiceRole(client, authority.user, sub) : authority.grant?.role
  if (role === undefined && sub !== null) return { living: null, authority, reason: 'no longer its service account' }
  const scope = presentScopes(still, rightsOf(configuration, client, authority.user, role))
  return { living: { claims, authority, configuration, scope }, authority, reason: null }
}

/** The living token of an Authorization header, meant for one of our own resources (RFC 6750 section 2.1). */
export async function requireAccessToken(
  context: InboundContext,
  authorization: string | undefined,
  asked: { audience: readonly string[]; scope: readonly string[] },
): Promise<LivingToken> {
  const realm = context.tenant.issuer
  if (authorization === undefined) {
    throw new OAuthError('invalid_token', 'The request has no access token', {
      headers: { 'WWW-Authenticate': bearerChallenge({ realm }) },
    })
  }
  const refuse = (
    error: 'invalid_token' | 'insufficient_scope' | 'invalid_request',
    error_description: string,
    cause?: string,
  ) =>
    new OAuthError(error, error_description, {
      headers: {
        'WWW-Authenticate': bearerChallenge({
          realm,
          error,
          error_description,
          ...(error === 'insufficient_scope' ? { scope: asked.scope.join(' ') } : {}),
        }),
      },
      ...(cause === undefined ? {} : { cause }),
    })
  const token = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1]
  if (token === undefined) throw refuse('invalid_request', 'The Authorization header must be Bearer and one token')
  const { living, reason } = await findLivingToken(context, token, '')
  if (!living) throw refuse('invalid_token', 'The access token is unknown, expired or revoked', reason ?? '')
  const aud = [living.claims.aud].flat()
  if (!asked.audience.some((resource) => aud.includes(resource))) {
    throw refuse('invalid_token', 'The access token is meant for another resource')
  }
  if (!isSubset(asked.scope, living.scope)) {
    throw refuse('insufficient_scope', `The access token needs scope ${asked.scope.join(' ')}`)
  }
  return living
}
