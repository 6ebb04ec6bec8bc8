import type { Confirmation } from '../../oauth/access_token.ts'
import type { Client } from '../../oauth/clients/client.ts'
import { isConfidential } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { requireParam } from '../../oauth/params.ts'
import { rulesOf } from '../../oauth/profile.ts'
import { buildTokenResponse, type TokenResponse } from '../../oauth/token_response.ts'
import type { GrantAuthority, GrantRecord } from '../../store/records.ts'
import type { GrantType, TokenRequest } from '../authorization/grant_type.ts'
import { keptBinding, requireKeyOfGrant } from '../client_authentication/sender_constraint.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { whyGrantIsDead } from '../liveness.ts'
import {
  deriveSuccessor,
  formatRefreshToken,
  judgeRefreshToken,
  openRefreshToken,
  type RefreshToken,
} from '../tokens/refresh_tokens.ts'
import { idleEnd, prepareTokens } from './tokens_of_grant.ts'

// Each round means that another request rotated the grant in between; one more look then decides.
const MOST_ROUNDS = 4

/** The presented token, read once, and the grant it names; null is no token of ours. */
interface Presented extends GrantAuthority {
  readonly token: RefreshToken | null
}

/** The refresh token (RFC 6749 section 6) with idempotent rotation: a retry gets the same successor. */
export const refresh_token: GrantType<Presented> = {
  grant_type: 'refresh_token',

  async load(context, params, client_id) {
    const token = await openRefreshToken(context.tenant, requireParam(params, 'refresh_token'))
    const authority = await loadGrant(context, client_id, token)
    return authority && { ...authority, token }
  },

  async issue(context, request) {
    const { tenant } = context
    const { client, configuration, cnf, proofs } = request
    const { token } = request.authority
    let authority: GrantAuthority = request.authority
    for (let round = 0; token && round < MOST_ROUNDS; round++) {
      const grant = checkGrant(authority, client, cnf)
      const bearer_public = !isConfidential(client) && grant.cnf === null
      const verdict = judgeRefreshToken(token, grant, tenant.keys.hashSecret(token.secret), {
        now: authority.now,
        bearer_public,
        retry_ms: configuration.settings.refresh_retry_seconds * 1000,
      })
      if (verdict === 'unknown') break
      if (verdict === 'reused') throw await endReused(context, request, grant, token)
      if (verdict === 'newer') {
        await goForward(context, grant, token)
        const reloaded = await loadGrant(context, client.client_id, token)
        if (!reloaded) break
        authority = reloaded
        continue
      }
      if (verdict === 'rotate' && staysTheSame(request)) {
        const answer = await answerWithout(context, { ...request, authority }, grant, token)
        if (answer) return answer
        const reloaded = await loadGrant(context, client.client_id, token)
        if (!reloaded) break
        authority = reloaded
        continue
      }
      const kid = verdict === 'rotate' ? tenant.keys.kid : grant.refresh_kid!
      const secret = deriveSuccessor(tenant.keys, token, kid)
      if (!secret) break
      const prepared = await prepareTokens(context, { ...request, authority, grant }, false)
      const answer = () => {
        const successor = { grant_id: grant.grant_id, generation: token.generation + 1, secret }
        const refresh_token = formatRefreshToken(tenant.keys, successor, kid)
        return buildTokenResponse({ ...prepared.token, ...prepared, refresh_token })
      }
      if (verdict === 'retry') {
        await proofs.accept(context)
        if (bearer_public) await recordRetry(context, client, grant, token)
        return answer()
      }
      const outcome = await tenant.store.rotateRefreshToken({
        tenant_id: tenant.tenant_id,
        grant_id: grant.grant_id,
        generation: token.generation,
        hash: grant.refresh_hash!,
        successor_hash: tenant.keys.hashSecret(secret),
        kid,
        idle_expires_at: idleEnd(configuration, grant, authority.now),
        ...keptBinding(client, cnf),
        proofs: proofs.list(),
      })
      if (outcome === 'rotated') {
        proofs.settle()
        return answer()
      }
      const reloaded = await loadGrant(context, client.client_id, token)
      if (!reloaded) break
      authority = reloaded
    }
    throw refused('not the token of a living grant')
  },
}

/** Whether the client's profile has no rotation; without a proof of who presents a token, it must rotate (RFC 9700 section 4.14.2). */
function staysTheSame({ client, configuration, cnf }: TokenRequest<Presented>): boolean {
  return !rulesOf(client, configuration.settings).refresh_rotation && (isConfidential(client) || cnf !== null)
}

/** The answer to a refresh after which the same token goes on; null when another request has rotated it in between. */
async function answerWithout(
  context: InboundContext,
  request: Omit<TokenRequest<Presented>, 'authority'> & { readonly authority: GrantAuthority },
  grant: GrantRecord,
  token: RefreshToken,
): Promise<TokenResponse | null> {
  const { tenant } = context
  const { client, configuration, cnf, proofs, params, authority } = request
  const prepared = await prepareTokens(context, { ...request, grant }, false)
  const outcome = await tenant.store.keepRefreshToken({
    ...{
      tenant_id: tenant.tenant_id,
      grant_id: grant.grant_id,
      generation: token.generation,
      hash: grant.refresh_hash!,
    },
    idle_expires_at: idleEnd(configuration, grant, authority.now),
    ...keptBinding(client, cnf),
    proofs: proofs.list(),
  })
  if (outcome === 'stale') return null
  proofs.settle()
  return buildTokenResponse({ ...prepared.token, ...prepared, refresh_token: params.values['refresh_token'] })
}

function loadGrant(context: InboundContext, client_id: string, token: RefreshToken | null) {
  const { tenant_id, store } = context.tenant
  return store.loadGrantAuthority({ tenant_id, client_id, grant_id: token?.grant_id ?? '' })
}

/** The grant of a refresh token, if it is this client's and lives. What an outsider presents changes nothing. */
function checkGrant(authority: GrantAuthority, client: Client, cnf: Confirmation | null): GrantRecord {
  const { grant, now } = authority
  if (!grant || grant.client_id !== client.client_id) throw refused('no grant of this client')
  const dead = whyGrantIsDead(authority)
  if (dead !== null) throw refused(dead)
  if (grant.idle_expires_at !== null && grant.idle_expires_at <= now) throw refused('idle for too long')
  requireKeyOfGrant(client, grant, cnf)
  return grant
}

function refused(cause: string): OAuthError {
  const text = 'The refresh token is unknown, expired, revoked or was issued to another client'
  return new OAuthError('invalid_grant', text, { cause })
}

/** What a backup was too old to know: the token's tag proves that this server had come so far, and the client itself. */
async function goForward({ tenant }: InboundContext, grant: GrantRecord, token: RefreshToken): Promise<void> {
  await tenant.store.forwardRefreshToken({
    ...{ tenant_id: tenant.tenant_id, grant_id: grant.grant_id, from: grant.refresh_generation },
    ...{ generation: token.generation, hash: tenant.keys.hashSecret(token.secret) },
    event: event(tenant, 'refresh_token.forwarded', `client:${grant.client_id}`, {
      ...{ client_id: grant.client_id, user_id: grant.user_id, grant_id: grant.grant_id },
      detail: { from: grant.refresh_generation, to: token.generation },
    }),
  })
}

async function endReused(
  context: InboundContext,
  { client, proofs }: Pick<TokenRequest<Presented>, 'client' | 'proofs'>,
  grant: GrantRecord,
  token: RefreshToken,
): Promise<OAuthError> {
  const { tenant_id, store } = context.tenant
  await store.revokeGrant({
    tenant_id,
    grant_id: grant.grant_id,
    reason: 'refresh_token_reused',
    proofs: proofs.list(),
    event: event(context.tenant, 'grant.revoked', `client:${client.client_id}`, {
      client_id: client.client_id,
      user_id: grant.user_id,
      grant_id: grant.grant_id,
      detail: { reason: 'refresh_token_reused', presented: token.generation, newest: grant.refresh_generation },
    }),
  })
  return new OAuthError('invalid_grant', 'The refresh token was used before: its grant is revoked')
}

async function recordRetry(
  context: InboundContext,
  client: Client,
  grant: GrantRecord,
  token: RefreshToken,
): Promise<void> {
  await context.tenant.store.recordEvent(
    event(context.tenant, 'refresh_token.retried', `client:${client.client_id}`, {
      client_id: client.client_id,
      user_id: grant.user_id,
      grant_id: grant.grant_id,
      detail: { generation: token.generation },
    }),
  )
}
