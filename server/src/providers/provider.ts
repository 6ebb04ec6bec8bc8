import type { Fact } from './fact.ts'
import type {
  AccountPlace,
  AssertionGrant,
  ErrorResponse,
  IntrospectionRequest,
  Learned,
  RevocationRequest,
  Step,
  TokenResponse,
  UserinfoRequest,
} from './quirks.ts'
import type { Placeholder } from './template.ts'

/** How a client shows who it is (IANA OAuth Token Endpoint Authentication Methods). */
export type ClientAuthMethod =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'private_key_jwt'
  | 'tls_client_auth'
  | 'self_signed_tls_client_auth'
  | 'none'

/** Parameters by name; values may hold placeholders. */
export type ParamTemplates = Readonly<Record<string, string>>

/**
 * Everything that the product knows about another party's OAuth server. What differs from the RFCs is a named field
 * with a value, never a branch on the provider's name. URLs may hold placeholders such as `{tenant}`.
 */
export interface ProviderFields {
  // Where: the endpoints, by their names in RFC 8414 and OpenID Connect Discovery.
  readonly issuer: string | null
  /** Which metadata document fills the endpoints that this record leaves out. */
  readonly discovery: 'oidc' | 'oauth2' | null
  readonly authorization_endpoint: string | null
  readonly token_endpoint: string | null
  /** Only where it is not the token endpoint. */
  readonly refresh_endpoint: string | null
  readonly revocation_endpoint: string | null
  readonly introspection_endpoint: string | null
  readonly userinfo_endpoint: string | null
  readonly device_authorization_endpoint: string | null
  readonly pushed_authorization_request_endpoint: string | null
  readonly jwks_uri: string | null
  /** `iss` of ID tokens where it is not the issuer: `{name}` stands for the token's own claim of that name. */
  readonly id_token_issuer: {
    readonly template: string
    readonly when: Readonly<Record<string, readonly string[]>>
  } | null
  /** Where the API is; hosts that the proxy may reach with the token beside it. */
  readonly api_base_url: string | null
  readonly api_hosts: readonly string[]
  /** Values of placeholders, or the API's base, that only an answer or the callback tells. */
  readonly learned: readonly Learned[]

  // Request: how we ask.
  /** What a connection holds: what OAuth brings, or a name and password, or an API key, that its person types. */
  readonly credential: 'oauth' | 'basic_pair' | 'api_key'
  /** What stands for the password where an API key is the user name of Basic (RFC 7617); null where it stands alone. */
  readonly basic_password: string | null
  readonly grant_types: readonly string[]
  readonly token_endpoint_auth_method: ClientAuthMethod
  readonly revocation_endpoint_auth_method: ClientAuthMethod | null
  /** Tokens are bound to the connector's certificate (RFC 8705 section 3): they are used through the proxy alone. */
  readonly tls_client_certificate_bound_access_tokens: boolean
  /** Basic credentials form-encoded (RFC 6749 section 2.3.1) or as they are. */
  readonly basic_credentials: 'encoded' | 'raw'
  /** The client secret is text, or a JWT signed with the connector's key. */
  readonly client_secret_form: 'text' | 'signed_jwt'
  /** Each customer of the provider registers a client: there is a connector for each, which the console says. */
  readonly client_per_connection: boolean
  readonly pkce: 'required' | 'supported' | 'refused'
  /** Authorization requests are pushed (RFC 9126): always, wherever there is an endpoint for it, or never. */
  readonly par: 'required' | 'supported' | 'refused'
  /**
   * Tokens are bound to a key of the connection (RFC 9449): always, where the metadata says that the provider can, or never.
   * Such a token is of no use to anybody else: it is used through the proxy alone.
   */
  readonly dpop: 'required' | 'supported' | 'refused'
  readonly response_mode: 'query' | 'form_post' | null
  readonly authorization_params: ParamTemplates
  /** The parameter that carries the scope; null where the provider takes none. */
  readonly scope_parameter: string | null
  readonly scope_separator: string
  readonly default_scope: string
  /** What makes a refresh token come. */
  readonly offline_scope: string | null
  readonly offline_params: ParamTemplates
  /** Body of token requests: form (RFC 6749), JSON, or a GET with everything in the query. */
  readonly token_request: 'form' | 'json' | 'query'
  readonly token_request_headers: ParamTemplates
  /** Parameters of every request for a token but a refresh. */
  readonly token_params: ParamTemplates
  readonly assertion_grant: AssertionGrant
  /** Where a refresh is not RFC 6749 section 6: another grant type or none, and which token renews itself. */
  readonly refresh_grant: {
    readonly grant_type: string | null
    readonly token_param: string
    readonly sends: 'access_token' | 'refresh_token'
  } | null
  readonly refresh_params: ParamTemplates
  readonly refresh_sends: ReadonlyArray<'scope' | 'redirect_uri'>

  // Response: what comes back.
  readonly token_response: TokenResponse
  /** Only where a refresh is answered in another shape. */
  readonly refresh_response: TokenResponse | null
  readonly error_response: ErrorResponse
  /** The parameter of the callback that says which scopes the person allowed. */
  readonly callback_scope: { readonly parameter: string; readonly separator: string } | null
  /** ID tokens repeat the nonce that was sent; without, none is sent. */
  readonly id_token_nonce: boolean

  // Life: how long what came back is good for.
  /** Assumed where an answer does not say; null is known not to end, `unknown` an hour where they can be renewed. */
  readonly access_token_seconds: number | 'unknown' | null
  readonly refresh_token_seconds: number | null
  /** The most that refresh tokens of one consent live, however often they are used. */
  readonly refresh_token_max_seconds: number | null
  /** Counted from consent, or from the last use. */
  readonly refresh_token_life: 'fixed' | 'idle' | 'unlimited' | 'setting' | 'unknown'
  readonly refresh_token_rotation: 'never' | 'always' | 'sometimes' | 'setting' | 'no_refresh_token' | 'unknown'
  /** What happens when a refresh token is sent again after its successor was issued. */
  readonly refresh_token_replay:
    | 'accepted'
    | 'until_successor_used'
    | 'within_grace'
    | 'refused'
    | 'ends_grant'
    | 'unknown'
  readonly replay_grace_seconds: number | null
  readonly revocation_request: RevocationRequest | null
  /** What dies with a revoked token besides the token. */
  readonly revocation_ends: 'token' | 'grant' | 'client_of_user' | 'unknown'

  // Ways: what else belongs to a connection.
  readonly steps: readonly Step[]
  /** People may start there: an answer that nobody here asked for starts a flow of ours. */
  readonly starts_at_provider: boolean
  readonly callback_signature: { readonly parameter: string; readonly algorithm: 'hmac_sha256_hex' } | null
  readonly account: AccountPlace | null
  readonly userinfo_request: UserinfoRequest
  readonly introspection_request: IntrospectionRequest

  // Calls: how a token is used.
  /** The header that carries the token, and the scheme before it; null where the token stands alone. */
  readonly authorization_header: string
  readonly authorization_scheme: string | null
  /** Headers of every call with a token, and of revocations; in proxied calls the caller's own count more. */
  readonly api_headers: ParamTemplates
  /** GET and its like only read, and what reads is asked for by them: where not, no client can be held to reading alone. */
  readonly reads_by_method: boolean
  readonly notes: string | null
}

/** One provider of the catalogue. A field that is left out behaves as the RFCs say. */
export interface Provider {
  readonly provider: string
  readonly name: string
  readonly placeholders: Readonly<Record<string, Placeholder>>
  /** The page of the provider on which its developers register an application. */
  readonly registration?: Fact<string>
  readonly fields: { readonly [K in keyof ProviderFields]?: Fact<ProviderFields[K]> }
}
