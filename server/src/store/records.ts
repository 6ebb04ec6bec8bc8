import type { Algorithm } from '../crypto/signing_keys.ts'

/** What of a tenant decides: read on every request, never cached. */
export interface TenantState {
  readonly tenant_id: string
  readonly epoch: number
  readonly config_version: number
  readonly disabled_at: number | null
}

/** A tenant as its row holds it. */
export interface TenantRecord extends TenantState {
  readonly issuer: string
  readonly name: string
  readonly settings: string
  readonly created_at: number
}

/** A client as its row holds it; `metadata` is the JSON of its RFC 7591 members. */
export interface ClientRecord {
  readonly client_id: string
  readonly client_name: string
  readonly metadata: string
  readonly source: string
  readonly trusted: number
  readonly client_secret_hash: Uint8Array | null
  readonly former_client_secret_hash: Uint8Array | null
  readonly former_client_secret_expires_at: number | null
  /** When the present one ends; null when it does not. */
  readonly client_secret_expires_at: number | null
  readonly epoch: number
  readonly disabled_at: number | null
}

/** A user as its row holds it; `roles` and `claims` are JSON. */
export interface UserRecord {
  readonly user_id: string
  readonly username: string
  readonly name: string | null
  readonly email: string | null
  readonly email_verified: number
  readonly claims: string
  readonly roles: string
  readonly epoch: number
  readonly disabled_at: number | null
  readonly updated_at: number
}

/** A sign-in of a user in one browser. */
export interface SessionRecord {
  readonly session_id: string
  /** As clients know it: it stays when the same person signs in again and gets a new session. */
  readonly sid: string
  readonly user_id: string
  readonly secret_hash: Uint8Array
  readonly auth_time: number
  readonly acr: string | null
  readonly amr: string
  readonly epoch: number
  readonly tenant_epoch: number
  readonly user_epoch: number
  readonly created_at: number
  readonly last_seen_at: number
  /** When it ends unless it is used; `expires_at` is when it ends anyway. */
  readonly ends_at: number
  readonly expires_at: number
  readonly ended_at: number | null
}

/** One authorization of one client by one user: the row from which its tokens descend. */
export interface GrantRecord {
  readonly grant_id: string
  readonly client_id: string
  readonly user_id: string
  readonly session_id: string | null
  readonly scope: string
  readonly resource: string
  readonly authorization_details: string | null
  /** Claims that were asked for by name and allowed: JSON of their names, for the ID token and for userinfo. */
  readonly claims: string | null
  readonly connections: string | null
  /** The one role in which the client acts (one-role clients), or null for all that the user has. */
  readonly role: string | null
  readonly nonce: string | null
  readonly auth_time: number
  readonly acr: string | null
  readonly amr: string | null
  readonly tenant_epoch: number
  readonly client_epoch: number
  readonly user_epoch: number
  readonly session_epoch: number
  readonly offline: number
  readonly code_hash: Uint8Array | null
  readonly code_expires_at: number | null
  readonly code_redeemed_at: number | null
  readonly code_failures: number
  readonly code_challenge: string | null
  readonly redirect_uri: string | null
  /** JSON of the key that the code, and a public client's refresh token, is bound to (RFC 9449 sections 5 and 10). */
  readonly cnf: string | null
  readonly refresh_generation: number
  readonly refresh_hash: Uint8Array | null
  readonly refresh_previous_hash: Uint8Array | null
  readonly refresh_kid: number | null
  readonly refresh_rotated_at: number | null
  /** When it came out of a backup; null for one that lives where it was made. */
  readonly restored_at: number | null
  readonly created_at: number
  readonly idle_expires_at: number | null
  readonly expires_at: number
  readonly revoked_at: number | null
}

/** Everything that decides about a grant, read in one query. */
export interface GrantAuthority {
  readonly now: number
  readonly tenant: TenantState
  readonly client: ClientRecord | null
  readonly grant: GrantRecord | null
  /** Epoch and disablement of the grant's own client, which need not be the one that asks. */
  readonly grant_client: { readonly epoch: number; readonly disabled_at: number | null } | null
  readonly user: UserRecord | null
  readonly session: SessionState | null
}

/** What of a session decides about what hangs on it. `expires_at` is when it ends unless it is used. */
export interface SessionState {
  readonly sid: string
  readonly epoch: number
  readonly ended_at: number | null
  readonly expires_at: number
}

/** A resource (RFC 8707) with its scopes; `scopes` is a JSON object of scope to sentence, `default_scopes` a list. */
export interface ResourceRecord {
  readonly resource: string
  readonly name: string
  readonly scopes: string
  readonly default_scopes: string
  readonly access_token_format: 'jwt' | 'opaque'
  readonly access_token_lifetime_seconds: number
  /** What its access tokens are signed with; null is the tenant's first algorithm. */
  readonly access_token_signing_alg?: Algorithm | null
  /** 1 where every user may give its scopes away, whatever their roles. */
  readonly every_user?: number
  /** The JSON list of clients that may introspect tokens for it. */
  readonly introspection_clients?: string
  /** The client that stands for it: they go together. */
  readonly client_id?: string | null
}

/** A role and the JSON list of scopes that its holders can give away. */
export interface RoleRecord {
  readonly role: string
  readonly scopes: string
}

/** A signing key at rest. */
export interface SigningKeyRecord {
  readonly kid: string
  readonly alg: Algorithm
  readonly public_jwk: string
  readonly sealed_private: Uint8Array
  readonly state: 'next' | 'current' | 'retired' | 'revoked'
}

/** What a state change leaves in the audit log, written in its own transaction. */
export interface NewEvent {
  readonly tenant_id: string
  readonly event_id: string
  readonly at: number
  readonly type: string
  /** Who did it: `user:<id>`, `client:<id>`, `cli`, `system`. */
  readonly actor: string
  readonly client_id?: string | null
  readonly user_id?: string | null
  readonly grant_id?: string | null
  readonly connection_id?: string | null
  readonly request_id?: string | null
  readonly detail?: Readonly<Record<string, unknown>>
}
