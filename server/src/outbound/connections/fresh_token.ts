import { type ProofKey, readProofKey } from '../../crypto/proof_key.ts'
import { type IntrospectionOutcome, introspectToken } from '../../relying/introspection.ts'
import { fetchUserinfo, type UserinfoOutcome } from '../../relying/userinfo.ts'
import type { ConnectionAuthority } from '../../store/verbs/connections.ts'
import { type Connector, openConnector, partyOfTokens } from '../connectors/connector.ts'
import { connectUrl, type OutboundContext, outboundEvent, type RefreshPause } from '../context.ts'
import { openVault, type ProviderTokens } from '../vault/vault.ts'
import { refreshConnection } from './refresh.ts'
import { mayReplay, type ReplayPolicy } from './replay.ts'

/** A usable token of a provider; times are milliseconds. */
export interface UsableToken {
  readonly kind: 'token'
  readonly connection_id: string
  readonly connector: string
  readonly access_token: string
  readonly token_type: string
  readonly issued_at: number
  /** Null when the provider names no end. */
  readonly expires_at: number | null
  readonly scope: string
  readonly extra: ProviderTokens['extra']
  /** What a forced refresh names as the one that failed. */
  readonly generation: number
  /** What has to prove each use of it, where it is bound (RFC 9449): it never leaves. */
  readonly proof_key?: ProofKey
}

/** Why there is no token: what helps is a new consent, or time, or nothing. */
export type NoToken =
  | { readonly kind: 'needs_reconsent'; readonly reason: string; readonly connect_url?: string }
  | {
      readonly kind: 'unavailable'
      readonly reason: RefreshPause['reason']
      readonly retry_after_seconds: number
    }
  | { readonly kind: 'refused'; readonly reason: 'unknown' | 'disconnected' | 'disabled' | 'pending' | 'bound' }

/** What is asked of a token. */
export interface TokenWish {
  readonly connection_id: string
  /** Its owner; null where that is a user whom a platform alone knows, and then the platform is named. */
  readonly user_id: string | null
  readonly client_id?: string | null
  /** The connector that the connection must go through, where the caller was told one. */
  readonly connector?: string
  /** Seconds of life the token should have left; one that never lives so long is renewed at half its life. */
  readonly min_seconds?: number
  /** The provider refused the token of this generation: only a newer one will do. */
  readonly failed_generation?: number
}

const AHEAD_SECONDS = 30
const MOST_REFRESHES = 4
const MOST_READS = 10
// A path of an API that always says 401 must not call the token endpoint each time.
const FORCED_AGAIN_MS = 30_000
const TOUCH_AFTER_MS = 3_600_000

/** A usable access token of a connection to be handed out, renewed where it has to be, by one call however many ask. */
export async function freshToken(context: OutboundContext, wish: TokenWish): Promise<UsableToken | NoToken> {
  const found = await findFreshToken(context, wish)
  if (found.kind !== 'found') return found
  return isBound(found) ? BOUND : found.token
}

/** Whether a token is of use to its connector alone: with a proof of its key, or with its certificate. */
export function isBound({ token, connector }: FoundToken): boolean {
  return token.proof_key !== undefined || connector.provider.tls_client_certificate_bound_access_tokens
}

/** What is bound to a key of ours would be of no use to anybody else. */
export const BOUND: NoToken = { kind: 'refused', reason: 'bound' }

/** A usable token together with the connector that it came through. */
export interface FoundToken {
  readonly kind: 'found'
  readonly token: UsableToken
  readonly connector: Connector
}

/** As `freshToken`, for callers that need the connector as well. */
export async function findFreshToken(context: OutboundContext, wish: TokenWish): Promise<FoundToken | NoToken> {
  const { tenant_id, store } = context.tenant
  const { connection_id, user_id } = wish
  let pause: RefreshPause | null = null
  let begun: number | undefined
  for (let refreshes = 0; refreshes <= MOST_READS; refreshes++) {
    const authority = await store.loadConnection({ tenant_id, connection_id })
    const connection = authority?.connection
    const owned = connection?.user_id === user_id && (user_id !== null || connection.client_id === wish.client_id)
    if (!connection || !owned || (wish.connector ?? connection.connector) !== connection.connector) {
      return { kind: 'refused', reason: 'unknown' }
    }
    begun ??= authority!.now
    const connector = openConnector(context, authority!.connector)
    const decision = decide(authority!, {
      min_seconds: wish.min_seconds ?? AHEAD_SECONDS,
      forced: isForced(context, authority!, wish.failed_generation),
      renewed: (connection.issued_at ?? 0) >= begun,
      exhausted: pause !== null || refreshes >= MOST_REFRESHES,
      policy: connector.provider,
    })
    const lives = decision === 'serve' || (decision === 'probe' && (await isLiving(context, authority!)))
    if (lives) return { kind: 'found', token: await open(context, authority!), connector }
    if (decision === 'refuse') return refuse(context, authority!)
    if (decision === 'pause') return unavailable(pause)
    if (decision === 'lapse') await lapse(context, authority!)
    if (decision !== 'refresh') continue
    pause = await refreshConnection(context, authority!)
    if (!pause && wish.failed_generation !== undefined) noteForced(context, authority!)
  }
  return unavailable(null)
}

type Decision = 'serve' | 'refuse' | 'refresh' | 'lapse' | 'probe' | 'pause'

/** What to do for a wish, from what was read alone. */
export function decide(
  authority: ConnectionAuthority,
  wish: { min_seconds: number; forced: boolean; renewed: boolean; exhausted: boolean; policy: ReplayPolicy },
): Decision {
  const { connection, connector, now } = authority
  if (connection.state !== 'ready') return 'refuse'
  if (authority.tenant_disabled_at !== null || authority.user_disabled_at !== null) return 'refuse'
  if (connector.disabled_at !== null) return 'refuse'
  const { access_expires_at: end, issued_at, uncertain_at } = connection
  const left = end === null ? Number.POSITIVE_INFINITY : end - now
  const life = end === null ? 0 : end - (issued_at ?? end)
  const asked = wish.min_seconds * 1000
  // A token that never lives as long as asked would otherwise be renewed at each call.
  const ahead = life > asked ? asked : life / 2
  // A token that has just come is as good as they get here, however short its life.
  if (!wish.forced && (left > ahead || wish.renewed)) return 'serve'
  const living = left > 0 && !wish.forced
  if (connection.refresh_fingerprint === null) {
    if (living) return 'serve'
    return left > 0 ? 'probe' : 'lapse'
  }
  if (living && (wish.exhausted || (uncertain_at !== null && !mayReplay(wish.policy, uncertain_at, now))))
    return 'serve'
  return wish.exhausted ? 'pause' : 'refresh'
}

function isForced(context: OutboundContext, { connection }: ConnectionAuthority, failed?: number): boolean {
  if (failed !== connection.generation) return false
  const last = context.forced.get(connection.connection_id)
  return last?.generation !== failed || last.at + FORCED_AGAIN_MS <= context.clock()
}

function noteForced(context: OutboundContext, { connection }: ConnectionAuthority): void {
  context.forced.set(connection.connection_id, { generation: connection.generation + 1, at: context.clock() })
}

async function open(context: OutboundContext, { connection, now }: ConnectionAuthority): Promise<UsableToken> {
  const { connection_id, generation, last_used_at } = connection
  const vault = await openVault(context, connection_id, connection.data_key!)
  const tokens = vault.open(connection.sealed_tokens!, generation)
  if (last_used_at === null || last_used_at + TOUCH_AFTER_MS <= now) touch(context, connection_id)
  return {
    kind: 'token',
    connection_id,
    connector: connection.connector,
    access_token: tokens.access_token,
    token_type: tokens.token_type,
    issued_at: connection.issued_at!,
    expires_at: earliest(connection.access_expires_at, connection.ends_at),
    scope: connection.scope,
    extra: tokens.extra,
    generation,
    ...(tokens.token_type === 'DPoP' && tokens.proof_key && { proof_key: readProofKey(tokens.proof_key) }),
  }
}

function earliest(...ends: readonly (number | null)[]): number | null {
  const known = ends.filter((end) => end !== null)
  return known.length === 0 ? null : Math.min(...known)
}

function touch(context: OutboundContext, connection_id: string): void {
  const { tenant_id, store } = context.tenant
  store.touchConnection({ tenant_id, connection_id }).catch((cause) => context.report('last use was not noted', cause))
}

function refuse(context: OutboundContext, { connection, connector }: ConnectionAuthority): NoToken {
  if (connection.state === 'disconnected') return { kind: 'refused', reason: 'disconnected' }
  if (connection.state === 'ready') return { kind: 'refused', reason: 'disabled' }
  if (connection.state === 'pending') return { kind: 'refused', reason: 'pending' }
  const { connection_id, reason } = connection
  // A platform's user has no page here: the platform makes a session for them.
  const connect_url = connection.user_id === null ? null : connectUrl(context, connector.connector, connection_id)
  return { kind: 'needs_reconsent', reason: reason ?? 'unknown', ...(connect_url !== null && { connect_url }) }
}

function unavailable(pause: RefreshPause | null): NoToken {
  const { reason, retry_ms } = pause ?? { reason: 'busy', retry_ms: 1000 }
  return { kind: 'unavailable', reason, retry_after_seconds: Math.max(1, Math.ceil(retry_ms / 1000)) }
}

/** The access token is over and nothing renews it: only a new consent helps. */
export async function lapse(
  context: OutboundContext,
  authority: ConnectionAuthority,
  reason = 'expired',
): Promise<void> {
  const { connection_id, generation, connector, user_id } = authority.connection
  const detail = { connector, reason }
  await context.tenant.store.needReconsent({
    ...{ tenant_id: context.tenant.tenant_id, connection_id, generation, intent_id: null },
    ...{ reason, error: reason, second_look_ms: null },
    event: outboundEvent(context, 'connection.needs_reconsent', 'system', { connection_id, user_id, detail }),
  })
}

/** A token that nothing renews was refused somewhere: the provider itself says whether it is dead. */
async function isLiving(context: OutboundContext, authority: ConnectionAuthority): Promise<boolean> {
  const { connection, connector } = authority
  const vault = await openVault(context, connection.connection_id, connection.data_key!)
  const tokens = vault.open(connection.sealed_tokens!, connection.generation)
  const party = partyOfTokens(context, openConnector(context, connector), tokens)
  let answer: UserinfoOutcome | IntrospectionOutcome = await fetchUserinfo(context.relying, party, tokens)
  if (answer.kind === 'unsupported') answer = await introspectToken(context.relying, party, tokens)
  const isDead = answer.kind === 'inactive' || (answer.kind === 'refused' && answer.status === 401)
  if (!isDead) return true
  await lapse(context, authority, 'revoked')
  return false
}
