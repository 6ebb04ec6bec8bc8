import { LRUCache } from 'lru-cache'
import { readKid, signJwt, verifyOwnJwt } from '../../crypto/jwt.ts'
import { newId } from '../../crypto/random.ts'
import {
  type AccessTokenClaims,
  type Actor,
  buildAccessTokenClaims,
  type Confirmation,
  type Epochs,
  type Forebear,
} from '../../oauth/access_token.ts'
import { type Client, PAIRWISE } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { requireConstrained, rulesOf } from '../../oauth/profile.ts'
import { hasLostAll, parseScope } from '../../oauth/scope.ts'
import { requireBinding, tokenType } from '../../oauth/sender_constraint.ts'
import type { GrantRecord, UserRecord } from '../../store/records.ts'
import { type Configuration, pickSigningKey, type Resource, type Tenant } from '../../store/tenant.ts'
import type { PermanentToken } from '../../store/verbs/permanent_tokens.ts'
import type { TokenAuthority } from '../../store/verbs/tokens.ts'
import { readMetadata } from '../clients/client_record.ts'
import type { InboundContext } from '../context.ts'
import { isOn, whyTokenIsDead } from '../liveness.ts'
import { findServiceRole, knownResources, presentScopes, rightsOf, rolesAtWork, scopesAtResources } from '../rights.ts'
import { subjectAtResources } from '../subjects.ts'
import { prepareClaims } from './custom_claims.ts'
import { claimsOfPermanentToken, isPermanentToken, openPermanentToken } from './permanent_tokens.ts'
import { endOfToken, scopeOfToken } from './personal_access_tokens.ts'

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
  /** What it is bound to. */
  readonly cnf: Confirmation | null
  readonly grant: Pick<GrantRecord, 'grant_id' | 'user_id' | 'role' | 'auth_time' | 'acr' | 'expires_at'> | null
  readonly user: UserRecord | null
  /** Where the token may do less than its grant (RFC 9396 section 6). */
  readonly authorization_details?: readonly object[] | undefined
  /** Who acts, where the token was exchanged (RFC 8693 section 4.1). */
  readonly act?: Actor | undefined
  /** The end of the token that it was exchanged for; it does not outlive it. */
  readonly ends_at?: number | undefined
  /** The tokens that it was exchanged for, one for the other. */
  readonly exchanged_from?: readonly Forebear[]
  /** The role that was picked at an exchange, where the grant has none. */
  readonly one_role?: string | undefined
  /** The one role of a client that acts as a user of its own (a service account); a grant has its role itself. */
  readonly role?: string
}

/** An access token with what its answer says about it (RFC 6749 section 5.1). */
export interface IssuedAccessToken {
  readonly access_token: string
  readonly token_type: 'Bearer' | 'DPoP'
  readonly expires_in: number
}

/** Makes an access token: a JWT (RFC 9068), or sealed claims where any of its resources asks for opaque ones. */
export async function issueAccessToken(context: InboundContext, order: AccessTokenOrder): Promise<IssuedAccessToken> {
  const { tenant } = context
  requireBinding(order.client, order.cnf)
  const { client, configuration, grant, now } = order
  requireConstrained(rulesOf(client, configuration.settings), order.cnf)
  const resources = order.resource.flatMap((name) => configuration.resources.get(name) ?? [])
  const lifetimes = resources.map(({ access_token_lifetime_seconds }) => access_token_lifetime_seconds)
  const named = grant && subjectAtResources(tenant, client, order.resource, grant.user_id)
  const claims = buildAccessTokenClaims({
    iss: tenant.issuer,
    sub: named?.sub ?? order.user?.user_id ?? client.client_id,
    client_id: client.client_id,
    jti: newId(now),
    ep: order.epochs,
    resources: order.resource,
    scope: order.scope,
    now,
    lifetime_seconds: Math.min(client.access_token_lifetime_seconds ?? LIFETIME_SECONDS, ...lifetimes),
    ends_at: earliest(grant?.expires_at, order.ends_at),
    auth_time: grant && Math.floor(grant.auth_time / 1000),
    acr: grant?.acr,
    roles: order.user && rolesAtWork(order.user, grant?.role ?? order.one_role ?? order.role ?? null),
    grant_id: grant?.grant_id,
    cnf: order.cnf,
    act: order.act,
    exchanged_from: order.exchanged_from,
    one_role: order.one_role,
    authorization_details: order.authorization_details,
    custom: await prepareClaims(context, 'access_token', { ...order, client_id: client.client_id }),
  })
  const opaque = named?.opaque || resources.some(({ access_token_format }) => access_token_format === 'opaque')
  const access_token = opaque
    ? context.access_tokens.seal(tenant.keys, claims)
    : await signJwt(pickSigningKey(configuration, signingAlg(resources)), 'at+jwt', claims)
  if (access_token.length > LARGEST_TOKEN) {
    throw new OAuthError('invalid_request', 'The token would be larger than 4 kB: ask for fewer scopes or resources')
  }
  context.usage.countToken(tenant.tenant_id, client.client_id)
  return { access_token, token_type: tokenType(claims.cnf), expires_in: claims.exp - claims.iat }
}

function earliest(...ends: readonly (number | undefined)[]): number | undefined {
  const known = ends.filter((end) => end !== undefined)
  return known.length > 0 ? Math.min(...known) : undefined
}

// The first of its resources that asks for one decides: a token has one signature.
function signingAlg(resources: readonly Resource[]): string | undefined {
  return resources.find(({ access_token_signing_alg }) => access_token_signing_alg)?.access_token_signing_alg
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
  await tenant.learnKey(access_tokens.readKid(token))
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
export function isKeyTrusted({ kid }: Pick<OpenedToken, 'kid'>, configuration: Configuration): boolean {
  return kid === null || configuration.verifying_keys.has(kid)
}

// Nothing without an end or without epochs is an access token.
function isAccessToken(claims: object, issuer: string): claims is AccessTokenClaims {
  const { iss, aud, exp, ep, sub, client_id, scope, jti, grant_id } = claims as Partial<AccessTokenClaims>
  if (iss !== issuer || !Number.isInteger(exp) || !Array.isArray(ep) || ep.length !== 4) return false
  const audience: unknown[] = Array.isArray(aud) ? aud : [aud]
  return [sub, client_id, scope, jti, grant_id ?? '', ...audience].every((text) => typeof text === 'string')
}

/** Everything about a token that lives. */
export interface LivingToken {
  readonly claims: AccessTokenClaims
  readonly authority: TokenAuthority
  readonly configuration: Configuration
  /** Whom it speaks for, by our own name and not by the one in the token; null where that is its client alone. */
  readonly user_id: string | null
  /** Its audience, less the resources that are gone. */
  readonly resource: readonly string[]
  /** Its scopes, less those that its client or user has lost since, or that went with a resource. */
  readonly scope: readonly string[]
  /** The one role that it is cut to; null where it is all that the user has. */
  readonly role: string | null
  /** The key that signed it; sealed tokens have none. */
  readonly kid: string | null
  /** The permanent token that it is, where it is one. */
  readonly permanent?: PermanentToken
}

/** Whether a token without a grant speaks for its client alone (RFC 6749 section 4.4). */
function isOfClientAlone({ grant_id, sub, client_id }: AccessTokenClaims): boolean {
  return grant_id === undefined && sub === client_id
}

/** A permanent token lives with its user: what a script may do is what the user may, at the resources it is for. */
async function findLivingPermanentToken(tenant: Tenant, token: string, asking_client_id: string): Promise<FoundToken> {
  const opened = await openPermanentToken(tenant, token)
  const { tenant_id, store } = tenant
  const named = { client_id: asking_client_id, token_client_id: '', grant_id: '', jti: '' }
  const authority = await store.loadTokenAuthority({ tenant_id, ...named, user_id: opened?.user_id ?? '' })
  if (!opened || !authority) return { living: null, authority, reason: 'not one of ours' }
  const { tenant: state, user, now } = authority
  if (!isOn(state, opened.tenant_epoch) || !isOn(user, opened.user_epoch)) {
    return { living: null, authority, reason: 'tenant or user disabled since' }
  }
  const configuration = await tenant.configuration(state.config_version)
  const ends_at = endOfToken(opened, configuration)
  if (ends_at <= now) return { living: null, authority, reason: 'expired, or switched off' }
  const claims = claimsOfPermanentToken(tenant, opened, ends_at)
  const scope = scopeOfToken(tenant, configuration, opened, user!)
  const { user_id } = opened
  const cut = { scope, role: null, kid: null, permanent: opened }
  return cutToResources(tenant, { claims, authority, configuration, user_id, ...cut })
}

/** What of a token still means anything: less the resources that are gone, and the scopes that went with them (ASVS 8.3.2). */
function cutToResources({ issuer }: Tenant, token: Omit<LivingToken, 'resource'>): FoundToken {
  const { claims, authority, configuration } = token
  const known = knownResources(issuer, configuration)
  const resource = [claims.aud].flat().filter((name) => known.has(name))
  if (resource.length === 0) return { living: null, authority, reason: 'its resource is gone' }
  const scope = scopesAtResources(token.scope, issuer, configuration, resource)
  if (hasLostAll(parseScope(claims.scope), scope)) return { living: null, authority, reason: 'its scopes are lost' }
  return { living: { ...token, resource, scope }, authority, reason: null }
}

/** Our own name of a token's user: a pairwise one means nothing without the grant. */
function ownName({ sub }: AccessTokenClaims, { grant }: TokenAuthority): string {
  return grant && sub.startsWith(PAIRWISE) ? grant.user_id : sub
}

/** What looking for a token came to. */
interface FoundToken {
  readonly living: LivingToken | null
  readonly authority: TokenAuthority | null
  readonly reason: string | null
}

/** Opens an access token and asks the store whether it lives; `asking_client_id` is loaded in the same query. */
export async function findLivingToken(
  context: InboundContext,
  token: string,
  asking_client_id: string,
): Promise<FoundToken> {
  const { tenant } = context
  if (isPermanentToken(token)) return findLivingPermanentToken(tenant, token, asking_client_id)
  const opened = await openAccessToken(context, token)
  const claims = opened?.claims
  const authority = await tenant.store.loadTokenAuthority({
    tenant_id: tenant.tenant_id,
    client_id: asking_client_id,
    token_client_id: claims?.client_id ?? '',
    user_id: claims && !isOfClientAlone(claims) ? claims.sub : '',
    grant_id: claims?.grant_id ?? '',
    jti: claims?.jti ?? '',
    forebears: claims?.exchanged_from?.map(([client_id, , jti]) => ({ client_id, jti })) ?? [],
  })
  if (!opened || !claims || !authority) return { living: null, authority, reason: 'not one of ours' }
  if (claims.exp * 1000 <= authority.now) return { living: null, authority, reason: 'expired' }
  const grant_id = claims.grant_id ?? null
  const sub = isOfClientAlone(claims) ? null : ownName(claims, authority)
  const { exchanged_from = [], one_role } = claims
  const grant_client_id = exchanged_from[0]?.[0] ?? claims.client_id
  const birth = { grant_id, sub, epochs: claims.ep, grant_client_id, exchanged_from, one_role }
  const dead = whyTokenIsDead(authority, birth)
  if (dead !== null) return { living: null, authority, reason: dead }
  const configuration = await tenant.configuration(authority.tenant.config_version)
  const kids = [opened, ...exchanged_from.map(([, , , kid]) => ({ kid }))]
  if (!kids.every((signed) => isKeyTrusted(signed, configuration))) {
    return { living: null, authority, reason: 'its signing key is revoked' }
  }
  const client = readMetadata(authority.token_client!.metadata)
  const granted = parseScope(claims.scope)
  // What a trusted client was given in exchange is for its policy to say, and not for the grant.
  const beyond = exchanged_from.length > 0 && authority.token_client!.trusted === 1
  const still =
    authority.grant && !beyond ? granted.filter((scope) => authority.grant!.scope.split(' ').includes(scope)) : granted
  // Without a grant a user's name stands for a service account, which the client must still have.
  const role =
    grant_id === null && sub !== null
      ? findServiceRole(client, authority.user, sub)
      : (authority.grant?.role ?? one_role ?? null)
  if (role === undefined) return { living: null, authority, reason: 'no longer its service account' }
  const scope = presentScopes(still, rightsOf(configuration, client, authority.user, role))
  return cutToResources(tenant, { claims, authority, configuration, user_id: sub, scope, role, kid: opened.kid })
}
