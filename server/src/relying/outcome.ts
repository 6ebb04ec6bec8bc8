import type { JsonObject } from './read_json.ts'

/** Tokens that a provider issued, read to RFC 6749 section 5.1 whatever shape they came in. */
export interface Tokens {
  readonly kind: 'tokens'
  readonly access_token: string
  readonly token_type: string
  /** Seconds from now; null where it has no end, `unknown` where the provider does not say and nothing is known of it. */
  readonly expires_in: number | 'unknown' | null
  /** Null where the answer brings none: the one that is held stays good. */
  readonly refresh_token: string | null
  /** Null where the answer does not say. */
  readonly refresh_token_expires_in: number | 'never' | null
  /** Joined by spaces, whatever the provider joins with; null where the answer does not say. */
  readonly scope: string | null
  readonly id_token: string | null
  /** What else stood in the answer, within limits. */
  readonly extra: JsonObject
  /** Optional parts that could not be read and were left out, one sentence each. */
  readonly warnings: readonly string[]
}

/** The provider decided against the request: its answer is definite. */
export interface Refused {
  readonly kind: 'refused'
  /** The code of RFC 6749 that the provider's own stands for. */
  readonly error: string
  /** The code as the provider sent it. */
  readonly provider_error: string
  readonly error_description: string
}

/** The provider does not accept us as a client: the connector's fault, not the user's. */
export interface ClientRefused {
  readonly kind: 'client_refused'
  readonly error: string
  readonly provider_error: string
  readonly error_description: string
}

/** The provider asks for a pause; it has not looked at the request. */
export interface Throttled {
  readonly kind: 'throttled'
  readonly retry_after_seconds: number | null
}

/** No definite answer: the request may or may not have had its effect, unless it was never sent. */
export interface Unknown {
  readonly kind: 'unknown'
  /** False where no byte of the request can have left, so that nothing was spent. */
  readonly sent: boolean
  readonly status: number | null
  readonly retry_after_seconds: number | null
  readonly cause: Error
  /** The refresh token that an answer to a refresh brought, although what stood beside it is of no use. */
  readonly successor?: string
  /** Tokens that came of a code all the same, which nobody may use. */
  readonly dropped?: Tokens
}

/** The answer came and was complete, but it is not for us: a mix-up, or an ID token that does not hold. */
export interface Rejected {
  readonly kind: 'rejected'
  readonly reason: string
  readonly cause: Error
  readonly dropped?: Tokens
}

/** What a call to a token endpoint came to. */
export type TokenOutcome = Tokens | Refused | ClientRefused | Throttled | Unknown

/** What an authorization response and its code came to. */
export type ExchangeOutcome =
  | (Tokens & { readonly id_token_claims: IdTokenClaims | null })
  | Exclude<TokenOutcome, Tokens>
  | Rejected

/** Claims of an ID token that was validated (OpenID Connect Core 1.0 section 2). */
export interface IdTokenClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: string | readonly string[]
  readonly exp: number
  readonly iat: number
  readonly [claim: string]: unknown
}

/** An outcome for a call that brought no answer. */
export function unknownOutcome(
  cause: unknown,
  more: { sent?: boolean; status?: number; retry_after_seconds?: number | null; successor?: string | null } = {},
): Unknown {
  const sent = more.sent ?? (cause instanceof Error && 'sent' in cause ? cause.sent !== false : true)
  return {
    kind: 'unknown',
    sent,
    status: more.status ?? null,
    retry_after_seconds: more.retry_after_seconds ?? null,
    cause: cause instanceof Error ? cause : new Error(String(cause)),
    ...(more.successor && { successor: more.successor }),
  }
}
