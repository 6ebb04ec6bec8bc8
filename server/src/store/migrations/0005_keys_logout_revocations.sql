-- Since when a signing key is in its state: its rotation goes by it.
alter table signing_keys add column state_at bigint not null default 0;
update signing_keys set state_at = created_at;
-- One key of an algorithm signs, and one waits to: two replicas that make the same key at once make one.
create unique index signing_keys_current on signing_keys (tenant_id, alg) where state = 'current';
create unique index signing_keys_next on signing_keys (tenant_id, alg) where state = 'next';

-- 0 while a tenant key only opens: it seals once every replica has had time to know it.
alter table tenant_keys add column seals bigint not null default 1;

-- What access tokens for a resource are signed with; null is the tenant's first algorithm.
alter table resources add column access_token_signing_alg text;
-- While tokens may live that are older than their lifetime is now: how long theirs was, and until when.
alter table resources add column former_lifetime_seconds bigint;
alter table resources add column former_lifetime_until bigint;
create index resources_lowered on resources (tenant_id, former_lifetime_until) where former_lifetime_until is not null;

-- The session as clients know it: whoever signs in again gets a new session and keeps its sid. Null is the session_id.
alter table sessions add column sid text;
-- When it ends unless it is used: idle or absolute, whichever is first. Null is expires_at.
alter table sessions add column ends_at bigint;
create index sessions_by_own_end on sessions (ends_at) where ended_at is null;

-- Clients with a back-channel logout address that were told of a session.
create table session_clients (
  tenant_id text not null,
  sid text not null,
  client_id text not null,
  user_id text not null,
  expires_at bigint not null,
  primary key (tenant_id, sid, client_id)
);
create index session_clients_by_end on session_clients (expires_at);

-- Logout tokens still to be delivered: written with the end of the session, gone when the client has taken it.
create table logout_notices (
  tenant_id text not null,
  sid text not null,
  client_id text not null,
  user_id text not null,
  created_at bigint not null,
  attempts bigint not null,
  next_at bigint not null,
  expires_at bigint not null,
  primary key (tenant_id, sid, client_id)
);
create index logout_notices_by_turn on logout_notices (tenant_id, next_at);
create index logout_notices_by_end on logout_notices (expires_at);

-- What resource servers that verify tokens by themselves must refuse from now on. Numbered after it is committed, so
-- that whoever has read up to a number has missed nothing below it.
create table revocations (
  tenant_id text not null,
  revocation_id text not null,
  sequence bigint,
  kind text not null check (kind in ('jti', 'grant_id', 'client_id', 'sub', 'iss', 'kid')),
  value text not null,
  -- Tokens born under a lower one are dead; null where the value alone says it.
  epoch bigint,
  created_at bigint not null,
  -- When the last token that it concerns has ended by itself.
  expires_at bigint not null,
  primary key (tenant_id, revocation_id)
);
create unique index revocations_by_sequence on revocations (tenant_id, sequence) where sequence is not null;
create index revocations_unnumbered on revocations (tenant_id, revocation_id) where sequence is null;
create index revocations_by_time on revocations (tenant_id, created_at) where sequence is not null;
create index revocations_by_end on revocations (expires_at);
alter table event_chains add column revocation_sequence bigint not null default 0;
