// Made of the table of the administration API (server/src/web/api/table.ts) by `npm run openapi`: not edited by hand.
import type { Change, Options, Pages } from './call.ts'

/** Client, as the API says it. */
export type Client = {
  readonly client_id: string
  readonly client_name: string
  readonly source: string
  readonly described_by: 'administrators' | 'file' | 'itself'
  /** Nobody of the tenant has looked at it */
  readonly unverified: boolean
  readonly disabled_at: number | null
  readonly created_at: number
  readonly updated_at: number
  readonly last_used_at: number | null
  readonly metadata: ClientMetadata
}

/** ClientLogo, as the API says it. */
export type ClientLogo = {
  readonly logo_uri: string
  /** The copy that people see; null until there is one */
  readonly picture_uri: string | null
  readonly fetched_at: number | null
  /** Why it could not be fetched of late */
  readonly failure: string | null
  readonly failed_at: number | null
  readonly due_at: number
}

/** Under the names of RFC 7591 section 2 and its registry; some are ours */
export type ClientMetadata = {
  readonly client_name?: string
  readonly client_uri?: string
  readonly logo_uri?: string
  readonly policy_uri?: string
  readonly tos_uri?: string
  readonly contacts?: readonly string[]
  readonly redirect_uris?: readonly string[]
  readonly post_logout_redirect_uris?: readonly string[]
  readonly id_token_signed_response_alg?: string
  readonly backchannel_logout_uri?: string
  readonly backchannel_logout_session_required?: boolean
  readonly grant_types?: readonly string[]
  readonly response_types?: readonly string[]
  readonly response_modes?: readonly string[]
  readonly token_endpoint_auth_method?: string
  readonly scope?: string
  readonly application_type?: string
  readonly jwks?: {
    readonly keys: readonly unknown[]
  }
  readonly jwks_uri?: string
  readonly token_endpoint_auth_signing_alg?: string
  readonly tls_client_auth_subject_dn?: string
  readonly tls_client_auth_san_dns?: string
  readonly tls_client_auth_san_uri?: string
  readonly tls_client_auth_san_ip?: string
  readonly tls_client_auth_san_email?: string
  readonly tls_client_certificate_bound_access_tokens?: boolean
  readonly software_id?: string
  readonly software_version?: string
  readonly default_max_age?: number
  readonly dpop_bound_access_tokens?: boolean
  readonly require_auth_time?: boolean
  readonly default_acr_values?: readonly string[]
  readonly require_pushed_authorization_requests?: boolean
  readonly initiate_login_uri?: string
  readonly subject_type?: string
  readonly sector_identifier_uri?: string
  readonly profile?: string
  readonly grant_lifetime_seconds?: number
  readonly optional_scope?: string
  readonly trusted?: boolean
  readonly require_pkce?: boolean
  readonly default_resource?: string
  readonly access_token_lifetime_seconds?: number
  readonly loopback_localhost?: boolean
  readonly role_scopes?: Readonly<Record<string, readonly string[]>>
  readonly one_role?: boolean
  readonly service_account?: {
    readonly user_id: string
    readonly role: string
  }
  readonly token_exchange?: {
    readonly resources?: readonly string[]
    readonly impersonation?: boolean
  }
  readonly every_service?: boolean
  readonly offline_refresh_only?: boolean
  readonly require_dpop_nonce?: boolean
  readonly json_requests?: boolean
  readonly bearer_authentication?: boolean
  readonly redirect_uri_prefix?: boolean
}

/** How far a connect session is */
export type ConnectSession = {
  readonly session_id: string
  readonly status: 'created' | 'opened' | 'failed' | 'unconfirmed' | 'connected' | 'expired' | 'ended'
  /** Why the latest try brought nothing */
  readonly reason: string | null
  readonly user_id: string | null
  readonly end_user_id: string | null
  readonly connectors: readonly string[]
  readonly invitation: boolean
  readonly expected_account: string | null
  readonly connection_id: string | null
  readonly account: string | null
  readonly account_name: string | null
  readonly expires_at: number
}

/** Whose the connection will be, to what, and from which pages */
export type ConnectSessionAsk = {
  /** The owner, where that is a user of this server */
  readonly user_id?: string
  /** The platform's own name for the owner, where that is one of its users */
  readonly end_user_id?: string
  readonly connectors: readonly string[]
  readonly origins?: readonly string[]
  /** Where the person goes without a popup */
  readonly return_uri?: string
  /** A link for another person than the owner */
  readonly invitation?: boolean
  readonly expected_account?: string
  /** Less than the connector asks for */
  readonly scope?: string
  /** The connection to repair */
  readonly connection_id?: string
  /** Seconds in which it has to be opened */
  readonly expires_in?: number
}

/** ConnectSessionConfirmation, as the API says it. */
export type ConnectSessionConfirmation = {
  /** What the platform's own user brought */
  readonly confirmation_code?: string
  /** What an invited person connected, as it was seen */
  readonly account?: string
}

/** A user's account at a provider; never its tokens */
export type Connection = {
  readonly connection_id: string
  readonly connector: string
  readonly provider: string
  readonly user_id: string | null
  readonly username: string | null
  /** The platform whose user owns it, where no user of ours does */
  readonly client_id: string | null
  /** What that platform calls its user */
  readonly end_user_id: string | null
  readonly account: string | null
  readonly account_name: string | null
  readonly scope: string
  /** pending, ready, needs_reconsent, disconnected, error or refreshing */
  readonly state: string
  readonly reason: string | null
  readonly created_at: number
  readonly expires_at: number | null
  readonly refreshed_at: number | null
  readonly last_used_at: number | null
  /** The end that was chosen for it */
  readonly ends_at: number | null
  readonly last_error: string | null
  readonly revocation_ends: string
}

/** A registration of ours at a provider; never its secret */
export type Connector = {
  readonly connector: string
  readonly provider: string
  readonly provider_name: string
  readonly client_id: string
  readonly has_client_secret: boolean
  readonly public_jwk: Readonly<Record<string, unknown>> | null
  readonly jwks_uri: string | null
  readonly scope: string
  /** What else was described */
  readonly settings: Readonly<Record<string, unknown>>
  /** The redirect URI to register at the provider */
  readonly callback_url: string
  readonly unverified_fields: readonly string[]
  /** It comes with the server, which alone changes it */
  readonly for_everyone: boolean
  readonly disabled_at: number | null
  readonly error: string | null
  readonly error_description: string | null
  readonly error_at: number | null
  /** Those that are not disconnected; they are counted up to 10,000 */
  readonly connections: number
  readonly created_at: number
  readonly updated_at: number
}

/** An event of the audit log */
export type Event = {
  readonly event_id: string
  readonly at: number
  readonly type: string
  readonly actor: string
  readonly client_id: string | null
  readonly user_id: string | null
  readonly grant_id: string | null
  readonly connection_id: string | null
  readonly request_id: string | null
  readonly detail: Readonly<Record<string, unknown>>
  /** Its number in the chain; null for a moment after it happened */
  readonly sequence: number | null
  /** Its link, in base64url */
  readonly chain: string | null
}

/** What a user has allowed a client, from which its tokens descend */
export type Grant = {
  readonly grant_id: string
  readonly client_id: string
  readonly client_name: string
  readonly user_id: string
  readonly username: string
  readonly scope: string
  readonly resource: readonly string[]
  readonly role: string | null
  readonly connections: readonly Readonly<Record<string, unknown>>[] | null
  readonly created_at: number
  readonly last_used_at: number | null
  readonly expires_at: number
  readonly revoked_at: number | null
  readonly revoked_reason: string | null
}

/** MadeConnectSession, as the API says it. */
export type MadeConnectSession = {
  readonly session_id: string
  /** For the page, good once; shown once */
  readonly session_token: string
  readonly invitation_url?: string
  readonly expires_at: number
  /** What the page may load, where it has no bundler: the same as @sallyport/sdk/connect */
  readonly script: {
    readonly src: string
    readonly integrity: string
  }
}

/** A token that a user has made for a script, without its secret. Settings may end it before expires_at, and null is until it is deleted. It works, is off while settings or lost roles leave nothing of it, or has ended for good */
export type PersonalAccessToken = {
  readonly token_id: string
  readonly begins_with: string
  readonly name: string
  readonly scope: string
  readonly resource: readonly string[]
  readonly created_at: number
  readonly expires_at: number | null
  readonly last_used_at: number | null
  readonly state: 'works' | 'off' | 'ended'
}

/** A record of the catalogue */
export type Provider = {
  readonly provider: string
  readonly name: string
  readonly notes: string | null
  readonly placeholders: readonly string[]
  /** Where its developers register an application */
  readonly registration: string | null
  /** The record stands for any server: a connector says where it is */
  readonly any_server: boolean
  /** What a connector to it has to be told, besides a name */
  readonly needs: readonly string[]
  readonly known_scope: readonly string[]
  readonly unverified_fields: readonly string[]
}

/** A usable access token of the provider, with the provider's own members */
export type ProviderToken = {
  readonly access_token: string
  readonly token_type: string
  readonly scope: string
  readonly connection_id: string
  readonly issued_at: number
  readonly expires_in?: number
}

/** An initial access token (RFC 7591 section 3); never what it is */
export type RegistrationToken = {
  readonly token_id: string
  readonly name: string
  readonly scope: string | null
  readonly grant_types: string | null
  readonly uses_left: number | null
  readonly created_at: number
  readonly expires_at: number
}

/** An API that tokens are for (RFC 8707), with its scopes */
export type Resource = {
  readonly resource: string
  readonly built_in: boolean
  readonly name: string
  /** What each scope allows, as consent pages say it */
  readonly scopes: Readonly<Record<string, string>>
  readonly default_scopes: readonly string[]
  readonly access_token: {
    readonly format: 'jwt' | 'opaque'
    readonly lifetime_seconds: number
    readonly signing_alg?: 'ES256' | 'EdDSA' | 'PS256' | 'RS256'
  }
  readonly every_user: boolean
  readonly introspection_clients: readonly string[]
}

/** Which rule gives or refuses each scope, by the rule that issues */
export type Rights = {
  readonly client_id: string
  readonly user_id?: string
  readonly roles: readonly string[] | null
  readonly scopes: readonly {
    readonly scope: string
    readonly granted: boolean
    readonly rule: string
    readonly role?: string
    readonly reason: string
  }[]
}

/** The scopes that whoever holds it can give away */
export type Role = {
  readonly role: string
  readonly scopes: readonly string[]
}

/** A sign-in in one browser; the times are in milliseconds */
export type Session = {
  readonly session_id: string
  readonly user_agent: string | null
  readonly auth_time: number
  readonly last_seen_at: number
  readonly expires_at: number
}

/** Settings, as the API says it. */
export type Settings = {
  readonly code_lifetime_seconds: number
  readonly refresh_idle_seconds: number
  readonly refresh_lifetime_seconds: number
  readonly browser_refresh_lifetime_seconds: number
  readonly refresh_retry_seconds: number
  readonly session_idle_seconds: number
  readonly session_lifetime_seconds: number
  readonly signing_algs: readonly unknown[]
  readonly signing_key_days: number
  readonly custom_claims: readonly unknown[]
  readonly require_pushed_authorization_requests: boolean
  readonly profile: string
  readonly mfa: string
  readonly password_min_length: number
  readonly password_min_length_administrators: number
  readonly sign_up: string
  readonly sign_in_link: boolean
  readonly personal_access_tokens: boolean
  readonly personal_access_token_days: number
  readonly personal_access_tokens_per_user: number
  readonly account_deletion: string
  readonly login_handoff: Readonly<Record<string, unknown>> | null
  readonly brokers: readonly unknown[]
  readonly registration: string
  readonly metadata_documents: string
  readonly metadata_document_hosts: readonly unknown[]
  readonly dynamic_client_scopes: readonly unknown[]
  readonly dynamic_client_secret_days: number
  readonly dynamic_client_unused_days: number
  readonly service_registration: string
  readonly legacy_grants: string
  readonly compat: string
  readonly default_locale: string
  readonly brand_name: string
  readonly brand_accent: string
  readonly brand_logo: string
}

/** SettingsChange, as the API says it. */
export type SettingsChange = {
  readonly code_lifetime_seconds?: number
  readonly refresh_idle_seconds?: number
  readonly refresh_lifetime_seconds?: number
  readonly browser_refresh_lifetime_seconds?: number
  readonly refresh_retry_seconds?: number
  readonly session_idle_seconds?: number
  readonly session_lifetime_seconds?: number
  readonly signing_algs?: readonly unknown[]
  readonly signing_key_days?: number
  readonly custom_claims?: readonly unknown[]
  readonly require_pushed_authorization_requests?: boolean
  readonly profile?: string
  readonly mfa?: string
  readonly password_min_length?: number
  readonly password_min_length_administrators?: number
  readonly sign_up?: string
  readonly sign_in_link?: boolean
  readonly personal_access_tokens?: boolean
  readonly personal_access_token_days?: number
  readonly personal_access_tokens_per_user?: number
  readonly account_deletion?: string
  readonly login_handoff?: Readonly<Record<string, unknown>> | null
  readonly brokers?: readonly unknown[]
  readonly registration?: string
  readonly metadata_documents?: string
  readonly metadata_document_hosts?: readonly unknown[]
  readonly dynamic_client_scopes?: readonly unknown[]
  readonly dynamic_client_secret_days?: number
  readonly dynamic_client_unused_days?: number
  readonly service_registration?: string
  readonly legacy_grants?: string
  readonly compat?: string
  readonly default_locale?: string
  readonly brand_name?: string
  readonly brand_accent?: string
  readonly brand_logo?: string
}

/** next, current, retired or revoked, since state_at */
export type SigningKey = {
  readonly kid: string
  readonly alg: string
  readonly state: string
  readonly created_at: number
  readonly state_at: number
}

/** Somebody whose assertions are taken (RFC 7523 section 2.1) */
export type TrustedIssuer = {
  readonly issuer: string
  readonly jwks?: {
    readonly keys: readonly unknown[]
  }
  readonly jwks_uri?: string
  readonly subject_is?: 'user_id' | 'username'
  readonly subjects?: Readonly<Record<string, string>>
  readonly clients?: readonly string[]
  readonly scope?: string
  readonly software_statements?: boolean
  readonly disabled: boolean
}

/** User, as the API says it. */
export type User = {
  readonly user_id: string
  readonly username: string
  readonly name: string | null
  readonly email: string | null
  readonly email_verified: boolean
  readonly roles: readonly string[]
  readonly claims: Readonly<Record<string, unknown>>
  readonly disabled_at: number | null
  readonly updated_at: number
}

/** An address that is told of events (Standard Webhooks); never its secret */
export type Webhook = {
  readonly webhook: string
  readonly url: string
  readonly description: string
  /** What it is told of; an empty list is everything */
  readonly event_types: readonly ('connection.pending' | 'connection.ready' | 'connection.expires_soon' | 'connection.refresh_failed' | 'connection.needs_reconsent' | 'connection.disconnected' | 'connector.error' | 'connector.ready' | 'grant.created' | 'grant.ended' | 'user.created' | 'user.updated' | 'user.disabled' | 'user.enabled' | 'user.deleted' | 'webhook.disabled')[]
  /** What signs, the newest first: two while they change */
  readonly keys: readonly {
    readonly signature: 'v1' | 'v1a'
    /** whpk_ for v1a; null for a secret */
    readonly public_key: string | null
    readonly made_at: number
    readonly ends_at: number | null
  }[]
  /** In a row */
  readonly failures: number
  readonly failing_since: number | null
  readonly retry_at: number | null
  readonly disabled_at: number | null
  /** administrator, failing or gone */
  readonly disabled_reason: string | null
  readonly created_at: number
  readonly updated_at: number
}

/** What became of telling one event to one webhook */
export type WebhookDelivery = {
  readonly event_id: string
  /** The header webhook-id, the same at each try */
  readonly webhook_id: string
  readonly type: 'connection.pending' | 'connection.ready' | 'connection.expires_soon' | 'connection.refresh_failed' | 'connection.needs_reconsent' | 'connection.disconnected' | 'connector.error' | 'connector.ready' | 'grant.created' | 'grant.ended' | 'user.created' | 'user.updated' | 'user.disabled' | 'user.enabled' | 'user.deleted' | 'webhook.disabled'
  readonly state: 'pending' | 'delivered' | 'failed'
  readonly attempts: number
  readonly tries: readonly {
    readonly at: number
    readonly ms: number
    readonly status?: number
    /** A word for why there was no status */
    readonly error?: string
  }[]
  readonly next_at: number | null
  readonly give_up_at: number
  readonly created_at: number
  readonly settled_at: number | null
}

/** The administration API: one function a route. Each rejects with an AdminError. */
export interface AdminOperations {
  /** Clients by client_id (GET /clients; admin:read). */
  listClients(options?: Options & { readonly cursor?: string; readonly limit?: number }): Pages<Client>
  /** Registers a client; its secret, where it has one, is in this answer and nowhere else (POST /clients; admin:write). */
  createClient(body: {
    readonly client_id?: string
    readonly metadata: ClientMetadata
  }, options?: Options): Promise<{
    readonly client_id: string
    readonly client_name: string
    readonly source: string
    readonly described_by: 'administrators' | 'file' | 'itself'
    /** Nobody of the tenant has looked at it */
    readonly unverified: boolean
    readonly disabled_at: number | null
    readonly created_at: number
    readonly updated_at: number
    readonly last_used_at: number | null
    readonly metadata: ClientMetadata
    readonly client_secret?: string
  }>
  /** One client (GET /clients/{client_id}; admin:read). */
  getClient(client_id: string, options?: Options): Promise<Client>
  /** Makes a client what is described, all of it; one that begins to need a secret gets it here (PUT /clients/{client_id}; admin:write). */
  updateClient(client_id: string, body: {
    readonly metadata: ClientMetadata
  }, options: Change): Promise<{
    readonly client_id: string
    readonly client_name: string
    readonly source: string
    readonly described_by: 'administrators' | 'file' | 'itself'
    /** Nobody of the tenant has looked at it */
    readonly unverified: boolean
    readonly disabled_at: number | null
    readonly created_at: number
    readonly updated_at: number
    readonly last_used_at: number | null
    readonly metadata: ClientMetadata
    readonly client_secret?: string
  }>
  /** Deletes a client with its grants (DELETE /clients/{client_id}; admin:write). */
  deleteClient(client_id: string, options?: Options & Partial<Change>): Promise<void>
  /** Switches a client off: what it was issued never lives again (POST /clients/{client_id}/disable; admin:write). */
  disableClient(client_id: string, options?: Options & Partial<Change>): Promise<Client>
  /** Switches a client on again (POST /clients/{client_id}/enable; admin:write). */
  enableClient(client_id: string, options?: Options & Partial<Change>): Promise<Client>
  /** Switches Trust or a legacy grant of a client on or off (POST /clients/{client_id}/switch; admin:write). */
  switchClient(client_id: string, body: {
    readonly name: 'trusted' | 'password' | 'implicit'
    readonly on: boolean
  }, options?: Options & Partial<Change>): Promise<Client>
  /** What became of fetching the logo of a client; of one that registered itself none is fetched (GET /clients/{client_id}/logo; admin:read). */
  getClientLogo(client_id: string, options?: Options): Promise<ClientLogo>
  /** Has the logo of a client fetched again within seconds (POST /clients/{client_id}/logo; admin:write). */
  fetchClientLogo(client_id: string, options?: Options & Partial<Change>): Promise<ClientLogo>
  /** When the living secrets of a client were made and end, newest first; never what they are (GET /clients/{client_id}/secrets; admin:read). */
  listClientSecrets(client_id: string, options?: Options & { readonly cursor?: string; readonly limit?: number }): Pages<{
    readonly made_at: number | null
    readonly expires_at: number | null
  }>
  /** Makes a further secret, in this answer and nowhere else; the one before it lives on for a while (POST /clients/{client_id}/secrets; admin:write). */
  rotateClientSecret(client_id: string, options?: Options & Partial<Change>): Promise<{
    readonly client_id: string
    readonly client_secret: string
    readonly former_expires_at: number
  }>
  /** Ends the older of two secrets (DELETE /clients/{client_id}/secrets/former; admin:write). */
  endFormerClientSecret(client_id: string, options?: Options & Partial<Change>): Promise<void>
  /** The initial access tokens there are, the newest first (GET /registration_tokens; admin:read). */
  listRegistrationTokens(options?: Options & { readonly cursor?: string; readonly limit?: number }): Pages<RegistrationToken>
  /** Issues an initial access token; it is in this answer and nowhere else (POST /registration_tokens; admin:write). */
  createRegistrationToken(body: {
    readonly name: string
    readonly uses?: number
    readonly days?: number
    readonly scope?: string
    readonly grant_types?: string
  }, options?: Options): Promise<{
    readonly token_id: string
    readonly name: string
    readonly scope: string | null
    readonly grant_types: string | null
    readonly uses_left: number | null
    readonly created_at: number
    readonly expires_at: number
    readonly token: string
  }>
  /** Ends an initial access token; the clients that it registered stay (DELETE /registration_tokens/{token_id}; admin:write). */
  endRegistrationToken(token_id: string, options?: Options): Promise<void>
  /** Resources by URI (GET /resources; admin:read). */
  listResources(options?: Options & { readonly cursor?: string; readonly limit?: number }): Pages<Resource>
  /** Describes a resource (POST /resources; admin:write). */
  createResource(body: {
    readonly resource: string
    readonly name?: string
    /** What each scope allows, as consent pages say it */
    readonly scopes?: Readonly<Record<string, string>>
    readonly default_scopes?: readonly string[]
    readonly access_token?: {
      readonly format?: 'jwt' | 'opaque'
      readonly lifetime_seconds?: number
      readonly signing_alg?: 'ES256' | 'EdDSA' | 'PS256' | 'RS256'
    }
    readonly every_user?: boolean
    readonly introspection_clients?: readonly string[]
  }, options?: Options): Promise<Resource>
  /** One resource (GET /resources/{resource}; admin:read). */
  getResource(resource: string, options?: Options): Promise<Resource>
  /** Makes a resource what is described, all of it (PUT /resources/{resource}; admin:write). */
  updateResource(resource: string, body: {
    readonly name?: string
    /** What each scope allows, as consent pages say it */
    readonly scopes?: Readonly<Record<string, string>>
    readonly default_scopes?: readonly string[]
    readonly access_token?: {
      readonly format?: 'jwt' | 'opaque'
      readonly lifetime_seconds?: number
      readonly signing_alg?: 'ES256' | 'EdDSA' | 'PS256' | 'RS256'
    }
    readonly every_user?: boolean
    readonly introspection_clients?: readonly string[]
  }, options: Change): Promise<Resource>
  /** Roles by name (GET /roles; admin:read). */
  listRoles(options?: Options & { readonly cursor?: string; readonly limit?: number }): Pages<Role>
  /** Makes a role (POST /roles; admin:write). */
  createRole(body: {
    readonly role: string
    readonly scopes: readonly string[]
  }, options?: Options): Promise<Role>
  /** One role (GET /roles/{role}; admin:read). */
  getRole(role: string, options?: Options): Promise<Role>
  /** Gives a role these scopes and no others (PUT /roles/{role}; admin:write). */
  updateRole(role: string, body: {
    readonly scopes: readonly string[]
  }, options: Change): Promise<Role>
  /** Why a client gets a scope, with a user or on its own behalf, or does not (GET /rights; admin:read). */
  explainRights(options: Options & { readonly client_id: string; readonly user_id?: string; readonly role?: string; readonly scope?: string }): Promise<Rights>
  /** Users by user_id, or those whose username begins as given (GET /users; admin:read). */
  listUsers(options?: Options & { readonly cursor?: string; readonly limit?: number; readonly username?: string }): Pages<User>
  /** Makes a user who may sign in (POST /users; admin:write or admin:create_users). */
  createUser(body: {
    readonly username: string
    readonly password?: string
    readonly name?: string
    readonly email?: string
    readonly email_verified?: boolean
    readonly roles?: readonly string[]
    readonly claims?: Readonly<Record<string, unknown>>
  }, options?: Options): Promise<User>
  /** One user (GET /users/{user_id}; admin:read). */
  getUser(user_id: string, options?: Options): Promise<User>
  /** Changes what is named of a user; a password is a reset, which ends all sessions and grants (PATCH /users/{user_id}; admin:write). */
  updateUser(user_id: string, body: {
    readonly name?: string | null
    readonly email?: string | null
    readonly email_verified?: boolean
    readonly password?: string
    readonly roles?: readonly string[]
    readonly claims?: Readonly<Record<string, unknown>>
  }, options: Change): Promise<User>
  /** Deletes a user for good: what they were issued, what is known of them, and their connections (DELETE /users/{user_id}; admin:write). */
  deleteUser(user_id: string, options?: Options & Partial<Change>): Promise<void>
  /** Switches a user off: what they were issued never lives again (POST /users/{user_id}/disable; admin:write). */
  disableUser(user_id: string, options?: Options & Partial<Change>): Promise<User>
  /** Switches a user on again (POST /users/{user_id}/enable; admin:write). */
  enableUser(user_id: string, options?: Options & Partial<Change>): Promise<User>
  /** Sends a user who has no password a letter with a link to choose one (POST /users/{user_id}/invite; admin:write). */
  inviteUser(user_id: string, options?: Options & Partial<Change>): Promise<void>
  /** The living sessions of a user by session_id (GET /users/{user_id}/sessions; admin:read). */
  listSessions(user_id: string, options?: Options & { readonly cursor?: string; readonly limit?: number }): Pages<Session>
  /** Signs a user out everywhere (DELETE /users/{user_id}/sessions; admin:write). */
  endSessions(user_id: string, options?: Options & Partial<Change>): Promise<void>
  /** Ends one session of a user (DELETE /users/{user_id}/sessions/{session_id}; admin:write). */
  endSession(user_id: string, session_id: string, options?: Options & Partial<Change>): Promise<void>
  /** The tokens that a user has made for scripts, by token_id (GET /users/{user_id}/personal_access_tokens; admin:read). */
  listPersonalAccessTokens(user_id: string, options?: Options & { readonly cursor?: string; readonly limit?: number }): Pages<PersonalAccessToken>
  /** Deletes a token that a user has made for scripts: it is dead at once (DELETE /users/{user_id}/personal_access_tokens/{token_id}; admin:write). */
  deletePersonalAccessToken(user_id: string, token_id: string, options?: Options & Partial<Change>): Promise<void>
  /** Grants by grant_id, of a client, of a user, or of all; those that ended stay for a while (GET /grants; admin:read). */
  listGrants(options?: Options & { readonly cursor?: string; readonly limit?: number; readonly client_id?: string; readonly user_id?: string }): Pages<Grant>
  /** One grant (GET /grants/{grant_id}; admin:read). */
  getGrant(grant_id: string, options?: Options): Promise<Grant>
  /** Ends a grant, and every token that descends from it (DELETE /grants/{grant_id}; admin:write). */
  endGrant(grant_id: string, options?: Options & Partial<Change>): Promise<void>
  /** Trusted issuers by name (GET /trusted_issuers; admin:read). */
  listTrustedIssuers(options?: Options & { readonly cursor?: string; readonly limit?: number }): Pages<TrustedIssuer>
  /** Trusts an issuer (POST /trusted_issuers; admin:write). */
  createTrustedIssuer(body: {
    readonly issuer: string
    readonly jwks?: {
      readonly keys: readonly unknown[]
    }
    readonly jwks_uri?: string
    readonly subject_is?: 'user_id' | 'username'
    readonly subjects?: Readonly<Record<string, string>>
    readonly clients?: readonly string[]
    readonly scope?: string
    readonly software_statements?: boolean
    readonly disabled?: boolean
  }, options?: Options): Promise<TrustedIssuer>
  /** One trusted issuer (GET /trusted_issuers/{issuer}; admin:read). */
  getTrustedIssuer(issuer: string, options?: Options): Promise<TrustedIssuer>
  /** Says what an issuer may say, all of it, and switches it on or off, which works at once (PUT /trusted_issuers/{issuer}; admin:write). */
  updateTrustedIssuer(issuer: string, body: {
    readonly jwks?: {
      readonly keys: readonly unknown[]
    }
    readonly jwks_uri?: string
    readonly subject_is?: 'user_id' | 'username'
    readonly subjects?: Readonly<Record<string, string>>
    readonly clients?: readonly string[]
    readonly scope?: string
    readonly software_statements?: boolean
    readonly disabled?: boolean
  }, options: Change): Promise<TrustedIssuer>
  /** The catalogue of providers by name (GET /providers; admin:read). */
  listProviders(options?: Options & { readonly cursor?: string; readonly limit?: number; readonly q?: string }): Pages<Provider>
  /** Connectors by name (GET /connectors; admin:read). */
  listConnectors(options?: Options & { readonly cursor?: string; readonly limit?: number }): Pages<Connector>
  /** Makes a connector to a provider (POST /connectors; admin:write). */
  createConnector(body: {
    readonly connector: string
    readonly provider: string
    readonly issuer?: string
    readonly client_id?: string
    readonly client_secret?: string
    readonly private_key?: string
    readonly certificate?: string
    readonly key_id?: string
    readonly team_id?: string
    readonly scope?: string
    readonly placeholders?: Readonly<Record<string, string>>
    readonly fields?: Readonly<Record<string, unknown>>
    readonly return_uris?: readonly string[]
    readonly redirect_uris?: readonly string[]
    readonly hand_out_tokens?: boolean
    readonly connection_lifetime_seconds?: number
    readonly grant_type?: 'authorization_code' | 'client_credentials' | 'urn:ietf:params:oauth:grant-type:jwt-bearer' | 'urn:ietf:params:oauth:grant-type:device_code' | 'password'
    readonly sign_in?: 'off' | 'linked' | 'create'
  }, options?: Options): Promise<Connector>
  /** One connector (GET /connectors/{connector}; admin:read). */
  getConnector(connector: string, options?: Options): Promise<Connector>
  /** Makes a connector what is described; a secret that is left out stays (PUT /connectors/{connector}; admin:write). */
  updateConnector(connector: string, body: {
    readonly provider: string
    readonly issuer?: string
    readonly client_id?: string
    readonly client_secret?: string
    readonly private_key?: string
    readonly certificate?: string
    readonly key_id?: string
    readonly team_id?: string
    readonly scope?: string
    readonly placeholders?: Readonly<Record<string, string>>
    readonly fields?: Readonly<Record<string, unknown>>
    readonly return_uris?: readonly string[]
    readonly redirect_uris?: readonly string[]
    readonly hand_out_tokens?: boolean
    readonly connection_lifetime_seconds?: number
    readonly grant_type?: 'authorization_code' | 'client_credentials' | 'urn:ietf:params:oauth:grant-type:jwt-bearer' | 'urn:ietf:params:oauth:grant-type:device_code' | 'password'
    readonly sign_in?: 'off' | 'linked' | 'create'
  }, options: Change): Promise<Connector>
  /** Deletes a connector; with disconnect=true it ends its connections first, each also at the provider (DELETE /connectors/{connector}; admin:write). */
  deleteConnector(connector: string, options?: Options & Partial<Change> & { readonly disconnect?: 'true' | 'false' }): Promise<void>
  /** Switches a connector off: no token of it is given (POST /connectors/{connector}/disable; admin:write). */
  disableConnector(connector: string, options?: Options & Partial<Change>): Promise<Connector>
  /** Switches a connector on again (POST /connectors/{connector}/enable; admin:write). */
  enableConnector(connector: string, options?: Options & Partial<Change>): Promise<Connector>
  /** Asks the provider whether the connector can work; nothing is changed (POST /connectors/{connector}/test; admin:write). */
  testConnector(connector: string, options?: Options & Partial<Change>): Promise<{
    readonly items: readonly {
      readonly check: 'metadata' | 'client'
      readonly outcome: 'ok' | 'failed' | 'unknown' | 'not_asked'
      readonly reason: 'endpoints_known' | 'metadata_read' | 'metadata_unreachable' | 'metadata_invalid' | 'issuer_differs' | 'endpoint_missing' | 'client_accepted' | 'client_refused' | 'client_unclear' | 'pause_asked' | 'not_let_out' | 'no_answer' | 'people_type_keys'
      readonly detail: string
    }[]
  }>
  /** Asks one person to connect an account (POST /connect_sessions; connect:sessions). */
  createConnectSession(body: ConnectSessionAsk, options?: Options): Promise<MadeConnectSession>
  /** How far a connect session is, and which account was connected (GET /connect_sessions/{session_id}; connect:sessions). */
  getConnectSession(session_id: string, options?: Options): Promise<ConnectSession>
  /** Says that it was the right person: the connection is live from then on (POST /connect_sessions/{session_id}/confirm; connect:sessions). */
  confirmConnectSession(session_id: string, body: ConnectSessionConfirmation, options?: Options): Promise<ConnectSession>
  /** Ends a connect session, and what it brought unless that was confirmed (POST /connect_sessions/{session_id}/end; connect:sessions). */
  endConnectSession(session_id: string, options?: Options): Promise<ConnectSession>
  /** Connections of users to providers, ended ones included (GET /connections; admin:read or connect:sessions). */
  listConnections(options?: Options & { readonly cursor?: string; readonly limit?: number; readonly connector?: string; readonly state?: 'pending' | 'ready' | 'needs_reconsent' | 'disconnected' | 'error'; readonly end_user_id?: string }): Pages<Connection>
  /** One connection (GET /connections/{connection_id}; admin:read or connect:sessions). */
  getConnection(connection_id: string, options?: Options): Promise<Connection>
  /** A usable access token of the provider, refreshed where needed (GET /connections/{connection_id}/token; vault:token or connect:token). */
  getConnectionToken(connection_id: string, options?: Options & { readonly min_seconds?: string }): Promise<ProviderToken>
  /** The same, renewed now (POST /connections/{connection_id}/refresh; vault:token or connect:token). */
  refreshConnection(connection_id: string, options?: Options & Partial<Change> & { readonly min_seconds?: string }): Promise<ProviderToken>
  /** Ends a connection: revoked at the provider where it can be, its key destroyed (POST /connections/{connection_id}/disconnect; admin:write or connect:sessions). */
  disconnectConnection(connection_id: string, options?: Options & Partial<Change>): Promise<void>
  /** Every setting, those never set at their defaults (GET /settings; admin:read). */
  getSettings(options?: Options): Promise<Settings>
  /** Changes the settings that are named (PATCH /settings; admin:write). */
  updateSettings(body: SettingsChange, options: Change): Promise<Settings>
  /** The signing keys, oldest first (GET /signing_keys; admin:read). */
  listSigningKeys(options?: Options & { readonly cursor?: string; readonly limit?: number }): Pages<SigningKey>
  /** Rotates now what would be rotated later, of one algorithm or of all; `sealing` is the key at rest (POST /signing_keys/rotate; admin:write). */
  rotateSigningKeys(body: {
    readonly alg?: string
  }, options?: Options): Promise<{
    readonly items: readonly SigningKey[]
  }>
  /** Revokes a key at once: whatever it signed is dead (POST /signing_keys/{kid}/revoke; admin:write). */
  revokeSigningKey(kid: string, options?: Options): Promise<{
    readonly items: readonly SigningKey[]
  }>
  /** Events of the audit log, newest first; a type is the beginning of one (GET /events; admin:read). */
  listEvents(options?: Options & { readonly cursor?: string; readonly limit?: number; readonly type?: string; readonly actor?: string }): Pages<Event>
  /** The chain of sealed events, oldest first, one JSON object a line, from after a sequence (GET /events/export; admin:read). */
  exportEvents(options?: Options & { readonly after_sequence?: number }): Promise<Response>
  /** Addresses that are told of events (GET /webhooks; admin:read). */
  listWebhooks(options?: Options & { readonly cursor?: string; readonly limit?: number }): Pages<Webhook>
  /** Has an address told of what happens from now on (POST /webhooks; admin:write). */
  createWebhook(body: {
    readonly webhook: string
    readonly url: string
    readonly description?: string
    /** What it is told of; an empty list is everything */
    readonly event_types?: readonly ('connection.pending' | 'connection.ready' | 'connection.expires_soon' | 'connection.refresh_failed' | 'connection.needs_reconsent' | 'connection.disconnected' | 'connector.error' | 'connector.ready' | 'grant.created' | 'grant.ended' | 'user.created' | 'user.updated' | 'user.disabled' | 'user.enabled' | 'user.deleted' | 'webhook.disabled')[]
    /** whsec_ or whsk_; one is made unless it is given */
    readonly secret?: string
    /** Which kind is made: v1 unless said */
    readonly signature?: 'v1' | 'v1a'
  }, options?: Options): Promise<{
    readonly webhook: string
    readonly url: string
    readonly description: string
    /** What it is told of; an empty list is everything */
    readonly event_types: readonly ('connection.pending' | 'connection.ready' | 'connection.expires_soon' | 'connection.refresh_failed' | 'connection.needs_reconsent' | 'connection.disconnected' | 'connector.error' | 'connector.ready' | 'grant.created' | 'grant.ended' | 'user.created' | 'user.updated' | 'user.disabled' | 'user.enabled' | 'user.deleted' | 'webhook.disabled')[]
    /** What signs, the newest first: two while they change */
    readonly keys: readonly {
      readonly signature: 'v1' | 'v1a'
      /** whpk_ for v1a; null for a secret */
      readonly public_key: string | null
      readonly made_at: number
      readonly ends_at: number | null
    }[]
    /** In a row */
    readonly failures: number
    readonly failing_since: number | null
    readonly retry_at: number | null
    readonly disabled_at: number | null
    /** administrator, failing or gone */
    readonly disabled_reason: string | null
    readonly created_at: number
    readonly updated_at: number
    /** whsec_ or whsk_; it is in this answer and nowhere else */
    readonly secret?: string
  }>
  /** One webhook (GET /webhooks/{webhook}; admin:read). */
  getWebhook(webhook: string, options?: Options): Promise<Webhook>
  /** Changes a webhook; what is left out stays (PATCH /webhooks/{webhook}; admin:write). */
  updateWebhook(webhook: string, body: {
    readonly url?: string
    readonly description?: string
    /** What it is told of; an empty list is everything */
    readonly event_types?: readonly ('connection.pending' | 'connection.ready' | 'connection.expires_soon' | 'connection.refresh_failed' | 'connection.needs_reconsent' | 'connection.disconnected' | 'connector.error' | 'connector.ready' | 'grant.created' | 'grant.ended' | 'user.created' | 'user.updated' | 'user.disabled' | 'user.enabled' | 'user.deleted' | 'webhook.disabled')[]
    /** While it is, nothing is sent, and nothing kept for later */
    readonly disabled?: boolean
  }, options: Change): Promise<Webhook>
  /** Deletes a webhook with its deliveries (DELETE /webhooks/{webhook}; admin:write). */
  deleteWebhook(webhook: string, options?: Options & Partial<Change>): Promise<void>
  /** Makes a further secret of the same kind; the one before it signs beside it for a day (POST /webhooks/{webhook}/rotate_secret; admin:write). */
  rotateWebhookSecret(webhook: string, options?: Options & Partial<Change>): Promise<{
    /** whsec_ or whsk_; it is in this answer and nowhere else */
    readonly secret: string
    readonly former_ends_at: number
  }>
  /** What became of each event, the newest first; kept for 30 days (GET /webhooks/{webhook}/deliveries; admin:read). */
  listWebhookDeliveries(webhook: string, options?: Options & { readonly cursor?: string; readonly limit?: number; readonly state?: 'pending' | 'delivered' | 'failed' }): Pages<WebhookDelivery>
  /** Sends one event again, with the same webhook-id (POST /webhooks/{webhook}/deliveries/{event_id}/replay; admin:write). */
  replayWebhookDelivery(webhook: string, event_id: string, options?: Options & Partial<Change>): Promise<void>
  /** Sends what happened in a stretch of time again; one call looks at 10000 events at most (POST /webhooks/{webhook}/replay; admin:write). */
  replayWebhook(webhook: string, body: {
    readonly from_at: number
    /** Not included */
    readonly to_at: number
    /** Only what never arrived */
    readonly undelivered_only?: boolean
    /** The next_cursor of the call before */
    readonly cursor?: string
  }, options?: Options & Partial<Change>): Promise<{
    readonly replayed: number
    /** Where the next call goes on; null when that was all */
    readonly next_cursor: string | null
  }>
}

/** What each function sends: the method, the path, and `body`, `keyed` (Idempotency-Key), `pages` or `raw` (no JSON). */
export const OPERATIONS: Readonly<Record<keyof AdminOperations, string>> = {
  listClients: 'GET /clients pages',
  createClient: 'POST /clients body keyed',
  getClient: 'GET /clients/{client_id}',
  updateClient: 'PUT /clients/{client_id} body',
  deleteClient: 'DELETE /clients/{client_id}',
  disableClient: 'POST /clients/{client_id}/disable keyed',
  enableClient: 'POST /clients/{client_id}/enable keyed',
  switchClient: 'POST /clients/{client_id}/switch body keyed',
  getClientLogo: 'GET /clients/{client_id}/logo',
  fetchClientLogo: 'POST /clients/{client_id}/logo keyed',
  listClientSecrets: 'GET /clients/{client_id}/secrets pages',
  rotateClientSecret: 'POST /clients/{client_id}/secrets keyed',
  endFormerClientSecret: 'DELETE /clients/{client_id}/secrets/former',
  listRegistrationTokens: 'GET /registration_tokens pages',
  createRegistrationToken: 'POST /registration_tokens body keyed',
  endRegistrationToken: 'DELETE /registration_tokens/{token_id}',
  listResources: 'GET /resources pages',
  createResource: 'POST /resources body keyed',
  getResource: 'GET /resources/{resource}',
  updateResource: 'PUT /resources/{resource} body',
  listRoles: 'GET /roles pages',
  createRole: 'POST /roles body keyed',
  getRole: 'GET /roles/{role}',
  updateRole: 'PUT /roles/{role} body',
  explainRights: 'GET /rights',
  listUsers: 'GET /users pages',
  createUser: 'POST /users body keyed',
  getUser: 'GET /users/{user_id}',
  updateUser: 'PATCH /users/{user_id} body',
  deleteUser: 'DELETE /users/{user_id}',
  disableUser: 'POST /users/{user_id}/disable keyed',
  enableUser: 'POST /users/{user_id}/enable keyed',
  inviteUser: 'POST /users/{user_id}/invite keyed',
  listSessions: 'GET /users/{user_id}/sessions pages',
  endSessions: 'DELETE /users/{user_id}/sessions',
  endSession: 'DELETE /users/{user_id}/sessions/{session_id}',
  listPersonalAccessTokens: 'GET /users/{user_id}/personal_access_tokens pages',
  deletePersonalAccessToken: 'DELETE /users/{user_id}/personal_access_tokens/{token_id}',
  listGrants: 'GET /grants pages',
  getGrant: 'GET /grants/{grant_id}',
  endGrant: 'DELETE /grants/{grant_id}',
  listTrustedIssuers: 'GET /trusted_issuers pages',
  createTrustedIssuer: 'POST /trusted_issuers body keyed',
  getTrustedIssuer: 'GET /trusted_issuers/{issuer}',
  updateTrustedIssuer: 'PUT /trusted_issuers/{issuer} body',
  listProviders: 'GET /providers pages',
  listConnectors: 'GET /connectors pages',
  createConnector: 'POST /connectors body keyed',
  getConnector: 'GET /connectors/{connector}',
  updateConnector: 'PUT /connectors/{connector} body',
  deleteConnector: 'DELETE /connectors/{connector}',
  disableConnector: 'POST /connectors/{connector}/disable keyed',
  enableConnector: 'POST /connectors/{connector}/enable keyed',
  testConnector: 'POST /connectors/{connector}/test',
  createConnectSession: 'POST /connect_sessions body',
  getConnectSession: 'GET /connect_sessions/{session_id}',
  confirmConnectSession: 'POST /connect_sessions/{session_id}/confirm body',
  endConnectSession: 'POST /connect_sessions/{session_id}/end',
  listConnections: 'GET /connections pages',
  getConnection: 'GET /connections/{connection_id}',
  getConnectionToken: 'GET /connections/{connection_id}/token',
  refreshConnection: 'POST /connections/{connection_id}/refresh',
  disconnectConnection: 'POST /connections/{connection_id}/disconnect keyed',
  getSettings: 'GET /settings',
  updateSettings: 'PATCH /settings body',
  listSigningKeys: 'GET /signing_keys pages',
  rotateSigningKeys: 'POST /signing_keys/rotate body keyed',
  revokeSigningKey: 'POST /signing_keys/{kid}/revoke keyed',
  listEvents: 'GET /events pages',
  exportEvents: 'GET /events/export raw',
  listWebhooks: 'GET /webhooks pages',
  createWebhook: 'POST /webhooks body keyed',
  getWebhook: 'GET /webhooks/{webhook}',
  updateWebhook: 'PATCH /webhooks/{webhook} body',
  deleteWebhook: 'DELETE /webhooks/{webhook}',
  rotateWebhookSecret: 'POST /webhooks/{webhook}/rotate_secret keyed',
  listWebhookDeliveries: 'GET /webhooks/{webhook}/deliveries pages',
  replayWebhookDelivery: 'POST /webhooks/{webhook}/deliveries/{event_id}/replay keyed',
  replayWebhook: 'POST /webhooks/{webhook}/replay body keyed',
}
