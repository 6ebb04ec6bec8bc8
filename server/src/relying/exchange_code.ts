import {
  AuthorizationResponseError,
  type AuthorizationServer,
  skipStateCheck,
  validateAuthResponse,
} from 'oauth4webapi'
import { cleanText } from './clean_text.ts'
import type { RelyingContext, RelyingParty } from './context.ts'
import { discoverProvider, hasIssuer } from './discovery.ts'
import { canValidateIdToken, validateIdToken } from './id_token.ts'
import { type ExchangeOutcome, type Rejected, type TokenOutcome, unknownOutcome } from './outcome.ts'
import { redeemCode } from './token_call.ts'

/** An authorization response that came back, and what was remembered when its request left. */
export interface ExchangeInput {
  /** The parameters of the callback. The caller has already found its own flow by `state`. */
  readonly params: URLSearchParams
  readonly code_verifier: string | null
  readonly nonce: string | null
  /** What the code was redeemed for already, by a redirect broker; everything else is looked at all the same. */
  readonly exchanged?: TokenOutcome | null
  readonly timeoutMs?: number
}

/**
 * Takes an authorization response through (RFC 6749 section 4.1.2): its issuer must be the one that was asked
 * (RFC 9207), its code is redeemed, and its ID token, where one was asked for, must hold.
 */
export async function exchangeCode(
  context: RelyingContext,
  party: RelyingParty,
  input: ExchangeInput,
): Promise<ExchangeOutcome> {
  const response = await readAuthorizationResponse(context, party, input.params)
  if (!(response instanceof URLSearchParams)) return response
  const outcome = input.exchanged ?? (await redeemCode(context, party, { ...input, response }))
  if (outcome.kind !== 'tokens') return outcome
  if (outcome.id_token === null) {
    if (input.nonce === null) return { ...outcome, id_token_claims: null }
    return { ...reject('id_token', 'The provider was asked for an ID token and sent none'), dropped: outcome }
  }
  // Some providers send one unasked, and publish nothing to hold it against: then it says nothing.
  if (input.nonce === null && !(await canValidateIdToken(context, party))) return { ...outcome, id_token_claims: null }
  const checked = await validateIdToken(context, party, { id_token: outcome.id_token, nonce: input.nonce })
  if (checked.kind === 'valid') return { ...outcome, id_token_claims: checked.claims }
  if (checked.kind === 'invalid') {
    return { ...reject('id_token', 'The ID token does not hold', checked.cause), dropped: outcome }
  }
  return { ...unknownOutcome(checked.cause, { sent: true }), dropped: outcome }
}

/** The response in a form that its code may be redeemed from, or why it may not. */
export async function readAuthorizationResponse(
  context: RelyingContext,
  party: RelyingParty,
  received: URLSearchParams,
): Promise<URLSearchParams | ExchangeOutcome> {
  let server: AuthorizationServer
  try {
    server = await discoverProvider(context, party.provider)
  } catch (cause) {
    return unknownOutcome(cause, { sent: false })
  }
  const params = new URLSearchParams(received)
  // Without an issuer to compare with, the connector's own redirect URI is what keeps servers apart.
  if (!hasIssuer(server)) params.delete('iss')
  try {
    const response = validateAuthResponse(server, { client_id: party.client_id }, params, skipStateCheck)
    const [code, ...more] = response.getAll('code')
    return code && more.length === 0 ? response : reject('code', 'The authorization response does not hold one code')
  } catch (cause) {
    if (cause instanceof AuthorizationResponseError) {
      const provider_error = cleanText(cause.error).slice(0, 100)
      const error_description = cleanText(cause.error_description)
      return { kind: 'refused', error: provider_error, provider_error, error_description }
    }
    const reason = isMixedUp(server, params.get('iss')) ? 'iss' : 'response'
    return reject(reason, 'The authorization response is not one of this provider', cause)
  }
}

// RFC 9207 section 2.4.
function isMixedUp(server: AuthorizationServer, iss: string | null): boolean {
  if (!hasIssuer(server)) return false
  return iss === null ? server.authorization_response_iss_parameter_supported === true : iss !== server.issuer
}

function reject(reason: Rejected['reason'], message: string, cause?: unknown): Rejected {
  return { kind: 'rejected', reason, cause: new Error(message, { cause }) }
}
