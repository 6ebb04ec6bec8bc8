import type { OAuthError } from '../oauth_error.ts'
import type { DpopAlgorithm } from './dpop_proof.ts'
import type { Fetch } from './fetch_json.ts'
import type { Algorithm } from './key_set.ts'
import type { RequestLike } from './presented_token.ts'
import type { ReplayStore } from './replays.ts'

/** How this resource asks its authorization server about tokens (RFC 7662). */
export interface IntrospectionOptions {
  /** Default: the `introspection_endpoint` of the server's metadata. */
  readonly endpoint?: string
  /** This resource's own credentials at the server, sent as client_secret_basic. */
  readonly client_id: string
  readonly client_secret: string
  /** Also ask about JWTs whose signature is good, so that their revocation is seen at once. Default false. */
  readonly jwt?: boolean
  /**
   * How long a positive answer may serve, 0 to 30 seconds and never past the token's `exp`. Default 0: every request
   * asks, and a revoked token is refused by the next request. Any other value is how long it may still pass.
   */
  readonly cache_seconds?: number
  /** How long the answer that a token is not active may serve, 0 to 30 seconds. Default 5. */
  readonly negative_cache_seconds?: number
  /** How many answers of each kind are remembered. Default 1000. */
  readonly cache_entries?: number
  /** How many questions may be under way; more are refused with 503. Default 100. */
  readonly max_in_flight?: number
}

/**
 * How this resource follows the revocation feed of a Sallyport, so that a JWT that was revoked is refused: within twice
 * `poll_seconds` while the feed answers, and by `when_stale` when it does not.
 */
export interface RevocationOptions {
  /** Default: the `revocation_feed_endpoint` of the server's metadata. */
  readonly endpoint?: string
  /** This resource's own credentials at the server, sent as client_secret_basic. */
  readonly client_id: string
  readonly client_secret: string
  /** How often the feed is asked while tokens come, up to 60 seconds. Default 2: a revoked JWT passes for 4 seconds at most. */
  readonly poll_seconds?: number
  /** Age from which what is known counts as stale, at least twice poll_seconds. Default 30. */
  readonly stale_seconds?: number
  /** What happens to JWTs then: `fail` answers 503 until the feed is back (the default), `allow` lets them pass. */
  readonly when_stale?: 'fail' | 'allow'
  /** Is told when the feed has become stale, with what failed last, and when it is back. */
  readonly onStale?: (is_stale: boolean, cause: unknown) => void
}

/** An authorization server whose tokens this resource accepts. */
export interface AuthorizationServerOptions {
  /** Its issuer identifier, exactly as its metadata and tokens spell it (RFC 8414 section 2). */
  readonly issuer: string
  /** Where its keys are. Default: the `jwks_uri` of its metadata. */
  readonly jwks_uri?: string
  /** How to ask it about opaque tokens. Without this an opaque token is refused. */
  readonly introspection?: IntrospectionOptions
  /** Where to hear of revoked JWTs. Without this a JWT passes until it expires, or is asked about by introspection. */
  readonly revocation?: RevocationOptions
}

/** How tokens that are bound to a key of their client are taken (RFC 9449 section 7). */
export interface DpopOptions {
  /** Refuse tokens that are bound to nothing. Default false: both kinds are taken, each by its own scheme. */
  readonly required?: boolean
  /**
   * The public address of this API, with the path that a proxy takes off. What proofs name is held against it and the
   * path of the request, never against the Host header. Default: scheme, host and port of `resource`.
   */
  readonly base_url?: string
  /** Accepted signature algorithms of proofs. Default: ES256, EdDSA, Ed25519 and PS256. */
  readonly algorithms?: readonly DpopAlgorithm[]
  /** Ask for nonces, made from this secret of 32 characters or more, which replicas share. Default: none are asked for. */
  readonly nonce_secret?: string
  /** Where it is remembered which proofs were used. Default: this process, which is enough for one. */
  readonly replays?: ReplayStore
  /** How many proofs this process remembers, for 70 s or a little longer each; more are refused with 503. Default 100,000. */
  readonly replay_entries?: number
}

/** Everything about a resource but its authorization servers. */
export interface ResourceSettings {
  /** The resource identifier, exactly as it stands in `aud` (RFC 8707 section 2, RFC 9728 section 1.2). */
  readonly resource: string
  /** Scope values that clients may ask for; published (RFC 9728 section 2). */
  readonly scopes_supported?: readonly string[]
  /** Name for people; published, like the three pages after it (RFC 9728 section 2). */
  readonly resource_name?: string
  readonly resource_documentation?: string
  readonly resource_policy_uri?: string
  readonly resource_tos_uri?: string
  /** The `realm` of challenges (RFC 9110 section 11.5). Default: none. */
  readonly realm?: string
  /** Accepted signature algorithms. Default: ES256, EdDSA, PS256 and RS256. */
  readonly algorithms?: readonly Algorithm[]
  /** How tokens that are bound to a key are taken. */
  readonly dpop?: DpopOptions
  /**
   * Where the TLS certificate of a request's client is, as DER or PEM, for tokens that are bound to one (RFC 8705). Behind a
   * proxy that ends TLS it is in a header which that proxy must always overwrite. Default: the request's own `certificate`,
   * which the Express adapter finds where this process ends TLS.
   */
  readonly certificate?: (request: RequestLike) => Uint8Array | string | null | undefined
  /** How far clocks may differ when exp, nbf and iat are compared, 0 to 10 seconds. Default 10. */
  readonly clock_tolerance_seconds?: number
  /** How many JWTs are remembered as well signed; 0 for none. All but the signature is checked each time. Default 1000. */
  readonly jwt_cache_entries?: number
  /** Age at which keys and metadata are fetched again. Default 600. */
  readonly jwks_max_age_seconds?: number
  /** How much longer they serve while the server does not answer. Default 3600. */
  readonly jwks_stale_seconds?: number
  /** Shortest time between two fetches that unknown key ids cause. Default 30. */
  readonly jwks_cooldown_seconds?: number
  /** Time for one answer of an authorization server. Default 5. */
  readonly timeout_seconds?: number
  /** The time in milliseconds since the epoch. Default: Date.now. */
  readonly clock?: () => number
  /** The way out. Default: the runtime's fetch. */
  readonly fetch?: Fetch
  /** Is told of every refusal, for the log: `refusal.cause` says what the caller is not told. */
  readonly onRefusal?: (refusal: OAuthError, request: RequestLike | undefined) => void
}

/** Settings with one authorization server named in place, or with a list of them. */
export type ResourceOptions = ResourceSettings &
  (
    | (AuthorizationServerOptions & { readonly authorization_servers?: undefined })
    | {
        readonly authorization_servers: readonly (string | AuthorizationServerOptions)[]
        readonly issuer?: undefined
        readonly jwks_uri?: undefined
        readonly introspection?: undefined
        readonly revocation?: undefined
      }
  )

/** A number of seconds out of the options, held against its limits. */
export function readSeconds(value: number | undefined, name: string, otherwise: number, most = Infinity): number {
  const seconds = value ?? otherwise
  if (!(seconds >= 0 && seconds <= most)) throw new TypeError(`${name} must be between 0 and ${most} seconds`)
  return seconds
}

/** A limit on a number of entries or calls out of the options. */
export function readCount(value: number | undefined, name: string, otherwise: number): number {
  const count = value ?? otherwise
  if (!(Number.isSafeInteger(count) && count >= 0)) throw new TypeError(`${name} must be a whole number`)
  return count
}
