import type { Confirmation } from '../../oauth/access_token.ts'
import { type Client, isConfidential } from '../../oauth/clients/client.ts'
import { readDpopProof } from '../../oauth/dpop.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { requireBinding, showsBinding } from '../../oauth/sender_constraint.ts'
import { tokenRefused } from '../../oauth/token_exchange.ts'
import type { GrantRecord } from '../../store/records.ts'
import type { Proof } from '../../store/verbs/proofs.ts'
import type { InboundContext } from '../context.ts'
import type { DirectRequest } from './direct_request.ts'
import { currentNonce, isRecentNonce } from './dpop_nonces.ts'
import type { Proofs } from './proofs.ts'

/** What of a request says which key its sender has. */
export type Shown = Pick<DirectRequest, 'method' | 'url' | 'dpop' | 'certificate'>

/** The key of a request's DPoP header, and what the store remembers it by; null without a header (RFC 9449 section 4.3). */
export function readDpop(
  { tenant: { keys } }: InboundContext,
  { method, url, dpop }: Shown,
  asked: { readonly now: number; readonly nonce_required: boolean; readonly access_token?: string },
): { readonly jkt: string; readonly proof: Proof } | null {
  if (dpop === undefined) return null
  const { now, access_token } = asked
  const nonce = {
    required: asked.nonce_required,
    current: currentNonce(keys, now),
    isRecent: (given: string) => isRecentNonce(keys, given, now),
  }
  const { jkt, id_hash, expires_at } = readDpopProof(dpop, { method, url, now, nonce, access_token })
  return { jkt, proof: { kind: 'dpop', id_hash, expires_at } }
}

/**
 * What the sender of a token request has shown to have, which its tokens are then bound to (RFC 9449 section 5). Refused
 * when its client is registered for bound tokens and nothing was shown.
 */
export function readConfirmation(
  context: InboundContext,
  shown: Shown,
  asked: { readonly client: Client; readonly now: number; readonly proofs: Proofs },
): Confirmation | null {
  const { client, now, proofs } = asked
  const dpop = readDpop(context, shown, { now, nonce_required: client.require_dpop_nonce === true })
  if (dpop) proofs.add(dpop.proof)
  const cnf: Confirmation = {}
  if (dpop) cnf.jkt = dpop.jkt
  if (client.tls_client_certificate_bound_access_tokens === true && shown.certificate) {
    cnf['x5t#S256'] = shown.certificate.thumbprint
  }
  const confirmation = Object.keys(cnf).length > 0 ? cnf : null
  requireBinding(client, confirmation)
  return confirmation
}

/**
 * The key that the code of a pushed request will be bound to, which its `dpop_jkt` then is: the parameter or the key of
 * the DPoP header; both must name the same one (RFC 9449 section 10.1).
 */
export function readPushedKey(
  context: InboundContext,
  request: DirectRequest,
  asked: { readonly client: Client; readonly now: number; readonly proofs: Proofs },
): string | undefined {
  const { client, now, proofs } = asked
  const { dpop_jkt } = request.params.values
  const dpop = readDpop(context, request, { now, nonce_required: client.require_dpop_nonce === true })
  if (!dpop) return dpop_jkt
  if (dpop_jkt !== undefined && dpop_jkt !== dpop.jkt) {
    throw new OAuthError('invalid_dpop_proof', 'The DPoP proof is by another key than the one of parameter dpop_jkt')
  }
  proofs.add(dpop.proof)
  return dpop.jkt
}

/** Refuses whoever does not show what a code was bound to when it was asked for (RFC 9449 section 10). */
export function requireKeyOfCode({ cnf }: GrantRecord, shown: Confirmation | null): void {
  if (cnf === null || showsBinding(shown, JSON.parse(cnf) as Confirmation)) return
  throw new OAuthError('invalid_grant', 'The code is bound to a key, and the request shows no proof of that key')
}

/**
 * Refuses a refresh token from whoever does not show what it is bound to. Those of confidential clients are bound by
 * the client's authentication, so that it may change its keys (RFC 9449 section 5).
 */
export function requireKeyOfGrant(client: Client, { cnf }: GrantRecord, shown: Confirmation | null): void {
  if (cnf === null || isConfidential(client) || showsBinding(shown, JSON.parse(cnf) as Confirmation)) return
  throw new OAuthError(
    'invalid_grant',
    'The refresh token is bound to a key, and the request shows no proof of that key',
  )
}

/**
 * Refuses a bound token that is presented for another one by whoever does not show its key: else it could be exchanged
 * for one that is bound to nothing. A confidential client may pass on what others sent it, since it says who it is.
 */
export function requireKeyOfToken(
  parameter: 'subject_token' | 'actor_token',
  client: Client,
  cnf: Confirmation | undefined,
  shown: Confirmation | null,
): void {
  if (cnf === undefined || isConfidential(client) || showsBinding(shown, cnf)) return
  throw tokenRefused(parameter, `Parameter ${parameter} is bound to a key, and the request shows no proof of that key`)
}

/** What the refresh tokens that a grant gives out now are bound to, as its row keeps it; nothing leaves what stands. */
export function keptBinding(client: Client, shown: Confirmation | null): { cnf?: string } {
  return shown === null || isConfidential(client) ? {} : { cnf: JSON.stringify(shown) }
}

/** The header that hands out the next nonce to whoever used one that is about to end (RFC 9449 section 8.2). */
export function renewNonce(
  { tenant: { keys, clock } }: InboundContext,
  dpop: string | undefined,
): Record<string, string> {
  const used = dpop === undefined ? undefined : readNonce(dpop)
  if (used === undefined) return {}
  const current = currentNonce(keys, clock())
  return used === current ? {} : { 'DPoP-Nonce': current }
}

// Of a proof that was accepted: nothing is believed here.
function readNonce(dpop: string): unknown {
  try {
    const payload = Buffer.from(dpop.split('.')[1] ?? '', 'base64url').toString('utf8')
    return (JSON.parse(payload) as { nonce?: unknown }).nonce
  } catch {
    return undefined
  }
}
