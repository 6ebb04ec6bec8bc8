import { equalBytes } from '../../crypto/hash.ts'
import type { Client } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { requireParam } from '../../oauth/params.ts'
import { checkCodeVerifier, codeVerifierError } from '../../oauth/pkce.ts'
import type { GrantAuthority, GrantRecord } from '../../store/records.ts'
import { readCode } from '../authorization/codes.ts'
import type { GrantType, TokenRequest } from '../authorization/grant_type.ts'
import type { Proofs } from '../client_authentication/proofs.ts'
import { requireKeyOfCode } from '../client_authentication/sender_constraint.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { whyGrantIsDead } from '../liveness.ts'
import { prepareFirstTokens } from './first_tokens.ts'

const MOST_FAILURES = 5

/** The hash of the presented code, and the grant that the code names; null is no code of ours. */
interface Presented extends GrantAuthority {
  readonly code_hash: Buffer | null
}

/** The authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5). */
export const authorization_code: GrantType<Presented> = {
  grant_type: 'authorization_code',

  async load(context, params, client_id) {
    const code = readCode(context.tenant.keys, requireParam(params, 'code'))
    const { tenant_id, store } = context.tenant
    const authority = await store.loadGrantAuthority({ tenant_id, client_id, grant_id: code?.grant_id ?? '' })
    return authority && { ...authority, code_hash: code?.code_hash ?? null }
  },

  async issue(context, request) {
    const { client, proofs } = request
    const grant = await checkCode(context, request, request.authority)
    const { redemption, response } = await prepareFirstTokens(context, request, grant)
    const replay_event = replayed(context, client, grant)
    const outcome = await context.tenant.store.redeemCode({ ...redemption, code_hash: grant.code_hash!, replay_event })
    if (outcome !== 'redeemed') throw spent(outcome)
    proofs.settle()
    return response
  },
}

/** Everything that a redemption must show, single use last: only who could have redeemed it can end its grant. */
async function checkCode(
  context: InboundContext,
  { params, client, cnf, proofs }: Pick<TokenRequest<Presented>, 'params' | 'client' | 'cnf' | 'proofs'>,
  authority: Presented,
): Promise<GrantRecord> {
  const { grant, code_hash, now } = authority
  const refuse = (cause: string) =>
    new OAuthError('invalid_grant', 'The code is unknown, expired, used or was issued to another client', { cause })
  if (!grant || !equalBytes(code_hash, grant.code_hash)) throw refuse('no such code')
  if (grant.client_id !== client.client_id) throw refuse('issued to another client')
  if (grant.code_expires_at === null || grant.code_expires_at <= now) throw refuse('expired')
  if (grant.code_failures >= MOST_FAILURES) throw refuse('too many wrong tries')
  const dead = whyGrantIsDead(authority)
  if (dead !== null) throw refuse(dead)
  requireKeyOfCode(grant, cnf)
  const { redirect_uri, code_verifier } = params.values
  const verified = checkCodeVerifier(code_verifier, grant.code_challenge)
  if (!isRedirectUriOf(client, grant, redirect_uri)) {
    await countFailure(context, grant, proofs)
    throw new OAuthError('invalid_grant', 'Parameter redirect_uri is not the one of the authorization request')
  }
  if (verified !== 'ok') {
    await countFailure(context, grant, proofs)
    throw codeVerifierError(verified)
  }
  if (grant.code_redeemed_at !== null) {
    const { tenant_id, store } = context.tenant
    await store.revokeGrant({
      tenant_id,
      grant_id: grant.grant_id,
      reason: 'code_replayed',
      proofs: proofs.list(),
      event: replayed(context, client, grant),
    })
    throw spent('replayed')
  }
  return grant
}

/**
 * Whether a request names the redirect URI that its code was sent to. It may leave it out where a verifier proves the
 * same (OAuth 2.1 section 10.2), or where the authorization request did so (RFC 6749 section 4.1.3).
 */
function isRedirectUriOf(client: Client, grant: GrantRecord, redirect_uri: string | undefined): boolean {
  if (redirect_uri === undefined) return grant.code_challenge !== null || grant.redirect_uri === null
  return redirect_uri === (grant.redirect_uri ?? client.redirect_uris[0])
}

async function countFailure(context: InboundContext, grant: GrantRecord, proofs: Proofs): Promise<void> {
  const { tenant_id, store } = context.tenant
  await store.countCodeFailure({ tenant_id, grant_id: grant.grant_id, proofs: proofs.list() })
}

function replayed(context: InboundContext, client: Client, grant: GrantRecord) {
  const { client_id } = client
  const about = { client_id, user_id: grant.user_id, grant_id: grant.grant_id, detail: { reason: 'code_replayed' } }
  return event(context.tenant, 'grant.revoked', `client:${client_id}`, about)
}

function spent(outcome: 'replayed' | 'gone'): OAuthError {
  const what = outcome === 'replayed' ? 'was used before: its grant is revoked' : 'is expired or its grant has ended'
  return new OAuthError('invalid_grant', `The code ${what}`)
}
