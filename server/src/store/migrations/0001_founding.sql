-- Times are milliseconds since the epoch, flags 0 or 1, lists JSON. Every table starts with its tenant.

create table tenants (
  tenant_id text not null primary key,
  issuer text not null unique,
  name text not null,
  settings text not null,
  -- Raised when the tenant is disabled: whatever was issued before stays dead.
  epoch bigint not null,
  -- Raised with every change of resources, roles, signing keys and settings: what is cached is cached per version.
  config_version bigint not null,
  disabled_at bigint,
  created_at bigint not null
);

create table tenant_keys (
  tenant_id text not null references tenants (tenant_id),
  kid bigint not null,
  wrapped bytea not null,
  created_at bigint not null,
  primary key (tenant_id, kid)
);

create table signing_keys (
  tenant_id text not null references tenants (tenant_id),
  kid text not null,
  alg text not null,
  public_jwk text not null,
  sealed_private bytea not null,
  state text not null check (state in ('next', 'current', 'retired', 'revoked')),
  created_at bigint not null,
  primary key (tenant_id, kid)
);

create table clients (
  tenant_id text not null references tenants (tenant_id),
  client_id text not null,
  client_name text not null,
  metadata text not null,
  source text not null,
  trusted bigint not null,
  client_secret_hash bytea,
  former_client_secret_hash bytea,
  former_client_secret_expires_at bigint,
  epoch bigint not null,
  disabled_at bigint,
  created_at bigint not null,
  updated_at bigint not null,
  tokens_issued bigint not null,
  last_used_at bigint,
  primary key (tenant_id, client_id)
);

create table resources (
  tenant_id text not null references tenants (tenant_id),
  resource text not null,
  name text not null,
  scopes text not null,
  default_scopes text not null,
  access_token_format text not null check (access_token_format in ('jwt', 'opaque')),
  access_token_lifetime_seconds bigint not null,
  -- 1 where every user may give its scopes away, whatever their roles.
  every_user bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, resource)
);

create table roles (
  tenant_id text not null references tenants (tenant_id),
  role text not null,
  scopes text not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, role)
);

create table users (
  tenant_id text not null references tenants (tenant_id),
  user_id text not null,
  -- As compared: lower case, NFKC. The name as typed is for display.
  username_key text not null,
  username text not null,
  name text,
  email text,
  email_verified bigint not null,
  claims text not null,
  roles text not null,
  password_hash text,
  epoch bigint not null,
  disabled_at bigint,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, user_id),
  unique (tenant_id, username_key)
);

create table sessions (
  tenant_id text not null,
  session_id text not null,
  user_id text not null,
  secret_hash bytea not null,
  auth_time bigint not null,
  acr text,
  amr text not null,
  user_agent text,
  epoch bigint not null,
  tenant_epoch bigint not null,
  user_epoch bigint not null,
  created_at bigint not null,
  last_seen_at bigint not null,
  expires_at bigint not null,
  ended_at bigint,
  primary key (tenant_id, session_id),
  foreign key (tenant_id, user_id) references users (tenant_id, user_id)
);
create index sessions_by_user on sessions (tenant_id, user_id, session_id);
create index sessions_by_end on sessions (expires_at);

-- One row for one authorization of one client by one user on one occasion. Tokens have no rows.
create table grants (
  tenant_id text not null,
  grant_id text not null,
  client_id text not null,
  user_id text not null,
  session_id text,
  scope text not null,
  resource text not null,
  authorization_details text,
  connections text,
  nonce text,
  auth_time bigint not null,
  acr text,
  amr text,
  -- The epochs under which it was born; a later one on any side ends it.
  tenant_epoch bigint not null,
  client_epoch bigint not null,
  user_epoch bigint not null,
  session_epoch bigint not null,
  offline bigint not null,
  code_hash bytea,
  code_expires_at bigint,
  code_redeemed_at bigint,
  code_failures bigint not null,
  code_challenge text,
  redirect_uri text,
  attempt_id text,
  -- Zero until the first refresh token; the hashes are of the newest secret and of the one before it.
  refresh_generation bigint not null,
  refresh_hash bytea,
  refresh_previous_hash bytea,
  refresh_kid bigint,
  refresh_rotated_at bigint,
  created_at bigint not null,
  last_used_at bigint,
  idle_expires_at bigint,
  expires_at bigint not null,
  revoked_at bigint,
  revoked_reason text,
  cnf text,
  primary key (tenant_id, grant_id),
  foreign key (tenant_id, client_id) references clients (tenant_id, client_id),
  foreign key (tenant_id, user_id) references users (tenant_id, user_id)
);
create index grants_by_user on grants (tenant_id, user_id, grant_id);
create index grants_by_client on grants (tenant_id, client_id, grant_id);
create index grants_by_session on grants (tenant_id, session_id) where session_id is not null;
create index grants_by_end on grants (expires_at);
-- Authorizations that nobody came back for.
create index grants_unredeemed on grants (code_expires_at) where code_redeemed_at is null;

create table consents (
  tenant_id text not null,
  user_id text not null,
  client_id text not null,
  scope text not null,
  resource text not null,
  connections text,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, user_id, client_id),
  foreign key (tenant_id, client_id) references clients (tenant_id, client_id),
  foreign key (tenant_id, user_id) references users (tenant_id, user_id)
);

-- Single access tokens that were revoked before their end.
create table revoked_tokens (
  tenant_id text not null,
  jti text not null,
  expires_at bigint not null,
  primary key (tenant_id, jti)
);
create index revoked_tokens_by_end on revoked_tokens (expires_at);

-- Identifiers that may be accepted once: they live as long as the window of the proof that carries them.
create table replay_ids (
  tenant_id text not null,
  kind text not null,
  id_hash bytea not null,
  expires_at bigint not null,
  primary key (tenant_id, kind, id_hash)
);
create index replay_ids_by_end on replay_ids (expires_at);

-- Guesses at guessable secrets, counted before they are checked.
create table guesses (
  tenant_id text not null,
  subject text not null,
  failures bigint not null,
  window_ends_at bigint not null,
  blocked_until bigint not null,
  primary key (tenant_id, subject)
);
create index guesses_by_end on guesses (window_ends_at);

-- Links that work once: the first administrator's, invitations, resets.
create table one_time_links (
  tenant_id text not null,
  kind text not null,
  secret_hash bytea not null,
  created_at bigint not null,
  expires_at bigint not null,
  used_at bigint,
  primary key (tenant_id, kind, secret_hash)
);

create table events (
  tenant_id text not null,
  event_id text not null,
  at bigint not null,
  type text not null,
  actor text not null,
  client_id text,
  user_id text,
  grant_id text,
  connection_id text,
  request_id text,
  detail text not null,
  -- Given by the sealer, in its order of committing. Erasing a detail erases its salt; its digest stays in the chain.
  sequence bigint,
  detail_salt bytea,
  detail_digest bytea,
  chain bytea,
  primary key (tenant_id, event_id)
);
create index events_unsealed on events (tenant_id, event_id) where sequence is null;
create unique index events_by_sequence on events (tenant_id, sequence) where sequence is not null;
create index events_by_time on events (tenant_id, at, event_id);

create table event_chains (
  tenant_id text not null primary key references tenants (tenant_id),
  sequence bigint not null,
  chain bytea not null
);

create table leases (
  tenant_id text not null,
  name text not null,
  owner text not null,
  until_at bigint not null,
  fence bigint not null,
  primary key (tenant_id, name)
);

create table connectors (
  tenant_id text not null references tenants (tenant_id),
  connector text not null,
  provider text not null,
  client_id text not null,
  sealed_client_secret bytea,
  scope text not null,
  settings text not null,
  -- Raised with every change; flows under way name the one they began under, and the seal of the secret names it too.
  version bigint not null,
  -- What the provider holds against this registration of ours; never a user's fault.
  error text,
  error_description text,
  error_at bigint,
  disabled_at bigint,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, connector)
);

-- One owner's link through a connector. Its tokens are sealed with its own data key, which dies with it.
create table connections (
  tenant_id text not null,
  connection_id text not null,
  connector text not null,
  user_id text not null,
  -- `refreshing` and `error` are seen from the open intent and from the connector, so they are not written here.
  state text not null check (state in ('pending', 'ready', 'needs_reconsent', 'disconnected')),
  reason text,
  account text,
  account_name text,
  scope text not null,
  data_key bytea,
  sealed_tokens bytea,
  -- Raised with every stored answer of the provider; the seal names it.
  generation bigint not null,
  -- The generation that the latest consent brought: answers to older refresh tokens are then of no use.
  consented_generation bigint not null,
  refresh_fingerprint bytea,
  issued_at bigint,
  access_expires_at bigint,
  refresh_expires_at bigint,
  -- The intent that is committed before the provider is called; it is open, and a lease, while it has a deadline.
  intent_id text,
  intent_owner text,
  intent_generation bigint,
  intent_fingerprint bytea,
  intent_at bigint,
  intent_deadline_at bigint,
  -- Since when the provider may have answered a refresh whose answer never arrived here.
  uncertain_at bigint,
  -- A late winner's answer, tried when the stored token turns out dead.
  sealed_candidate bytea,
  refresh_failures bigint not null,
  retry_at bigint,
  last_error text,
  last_used_at bigint,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, connection_id),
  foreign key (tenant_id, connector) references connectors (tenant_id, connector),
  foreign key (tenant_id, user_id) references users (tenant_id, user_id)
);
create index connections_by_user on connections (tenant_id, user_id, connector);
create index connections_by_connector on connections (tenant_id, connector, connection_id);
-- A user's account at a provider is connected once: to connect it again repairs what is there.
create unique index connections_by_account on connections (tenant_id, user_id, connector, account)
  where account is not null and state <> 'disconnected';

-- Consent flows on their way through a provider: single use, bound to the browser that started them.
create table connect_flows (
  tenant_id text not null,
  state_hash bytea not null,
  connector text not null,
  connector_version bigint not null,
  user_id text not null,
  connection_id text,
  browser_hash bytea not null,
  sealed bytea not null,
  created_at bigint not null,
  expires_at bigint not null,
  used_at bigint,
  primary key (tenant_id, state_hash)
);
create index connect_flows_by_end on connect_flows (expires_at);
