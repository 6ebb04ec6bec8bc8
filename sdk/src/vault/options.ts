import type { Fetch } from '../resource/fetch_json.ts'
import type { VaultErrorCode } from './vault_error.ts'

/** What there is to know of a connection without asking: for a log, a metric or a message to the user. It holds no secret. */
export type VaultEvent = {
  /** The connector or the connection that it is about. */
  readonly connector?: string | undefined
  readonly connection_id?: string | undefined
} & (
  | {
      /** Only the user can help, at `connect_url`. The same is thrown as a VaultError. */
      readonly type: 'needs_consent'
      readonly error: VaultErrorCode
      readonly connect_url: string
    }
  /** The API has refused a token, and there is another one now. What the proxy renews is not told here. */
  | { readonly type: 'refreshed' }
  /** A request is made again after so many seconds, because of a status or an error. */
  | { readonly type: 'retrying'; readonly after_seconds: number; readonly because: number | VaultErrorCode }
)

/** How Sallyport is asked. */
export interface VaultOptions {
  /** The issuer identifier of the Sallyport. */
  readonly issuer: string
  /** This app's own registration there, sent as client_secret_basic. Not needed for users' requests through the proxy. */
  readonly client_id?: string
  readonly client_secret?: string
  /** Time for one answer of Sallyport that is not the API's, in seconds: it may have to refresh first. Default 30. */
  readonly timeout_seconds?: number
  /** How often a request is made again when it was put off by Retry-After. Default 2. */
  readonly retries?: number
  /** The longest Retry-After that is waited for, in seconds; a longer one is passed on at once. Default 10. */
  readonly longest_wait_seconds?: number
  /** Is told of what happens to connections. */
  readonly onEvent?: (event: VaultEvent) => void
  /** The time in milliseconds since the epoch. Default: Date.now. */
  readonly clock?: () => number
  /** Waits so many milliseconds, or rejects when the signal is aborted. Default: a timer. */
  readonly wait?: (ms: number, signal?: AbortSignal | null) => Promise<void>
  /** The way out, to Sallyport and to APIs. Default: the runtime's fetch. */
  readonly fetch?: Fetch
}

/** A user's access token for Sallyport, or how to get one: `failed` is the one before, which was refused as expired or revoked. */
export type UserToken = string | ((failed?: string) => string | Promise<string>)

/** Which connection, and how its API is called. */
export type ConnectionOptions = {
  /**
   * Where the API is, without a slash at its end. Absolute URLs below it are taken by `fetch`; without the proxy it is
   * needed, and the token goes nowhere else.
   */
  readonly api_base_url?: string
  /** Seconds of life that a token has left at least when it is used, up to 3600. Default 30. */
  readonly min_seconds?: number
  /** How long a token is used before Sallyport is asked again, up to 3600 seconds. Default 60: so long may an ended connection be used. */
  readonly keep_seconds?: number
} & (
  | {
      /** The connector, for whichever connection of the user this app may use. */
      readonly connector: string
      readonly access_token: UserToken
      /** `proxy`: the provider's token never leaves Sallyport (the default). `token`: it is fetched by token exchange. */
      readonly via?: 'proxy' | 'token'
      /**
       * The token was sent to this app, a resource server, by a client of its own. It is exchanged (RFC 8693) for one by which
       * the proxy knows that this app acts for that client, as far as the user has allowed it.
       */
      readonly exchange?: boolean
      /** What it is used for, where that is not everything: a user is asked for no more. */
      readonly actions?: readonly ('read' | 'write')[]
      readonly connection_id?: undefined
      readonly scope?: undefined
    }
  | {
      /** A connection by its id, for a platform, which asks with a token of its own client. */
      readonly connection_id: string
      readonly connector?: undefined
      readonly access_token?: undefined
      /** `proxy`: as above, with the scope `vault:proxy` (the default). `token`: it is fetched, with the scope `vault:token`. */
      readonly via?: 'proxy' | 'token'
      /** Instead of these, where the connection is of a user of the platform's own: it opens no others. */
      readonly scope?: 'connect:token'
      readonly exchange?: undefined
      readonly actions?: undefined
    }
)

/** What a client token is for. */
export interface ClientTokenOptions {
  /** The resource identifier of the API (RFC 8707). */
  readonly resource?: string
  /** Scope values, separated by spaces. Default: what the client gets without asking. */
  readonly scope?: string
}

/** A provider's access token, with whatever else the provider says of it. */
export interface ProviderToken {
  readonly access_token: string
  readonly token_type: string
  /** Scope values, separated by spaces. */
  readonly scope: string
  /** Milliseconds since the epoch; undefined when the provider names no end. */
  readonly expires_at: number | undefined
  readonly [name: string]: unknown
}
