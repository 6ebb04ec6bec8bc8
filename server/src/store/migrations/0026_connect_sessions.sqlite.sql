-- SQLite cannot let go of a `not null`, so the table is made anew with all that stands in it.
create table connections_anew (
  tenant_id text not null,
  connection_id text not null,
  connector text not null,
  user_id text,
  -- The platform, and its own name for its user, where the owner is no user of ours.
  client_id text,
  end_user_id text,
  state text not null check (state in ('pending', 'ready', 'needs_reconsent', 'disconnected')),
  -- Until when a connection that nobody has confirmed yet may be.
  pending_until_at bigint,
  reason text,
  account text,
  account_name text,
  scope text not null,
  data_key bytea,
  sealed_tokens bytea,
  generation bigint not null,
  consented_generation bigint not null,
  refresh_fingerprint bytea,
  issued_at bigint,
  access_expires_at bigint,
  refresh_expires_at bigint,
  intent_id text,
  intent_owner text,
  intent_generation bigint,
  intent_fingerprint bytea,
  intent_at bigint,
  intent_deadline_at bigint,
  uncertain_at bigint,
  sealed_candidate bytea,
  refresh_failures bigint not null,
  retry_at bigint,
  last_error text,
  last_used_at bigint,
  upkeep_at bigint default 0,
  keep_at bigint,
  warn_at bigint,
  warned_at bigint,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, connection_id),
  foreign key (tenant_id, connector) references connectors (tenant_id, connector),
  foreign key (tenant_id, user_id) references users (tenant_id, user_id),
  check ((user_id is null) = (client_id is not null and end_user_id is not null))
);
insert into connections_anew (tenant_id, connection_id, connector, user_id, state, reason, account, account_name, scope,
  data_key, sealed_tokens, generation, consented_generation, refresh_fingerprint, issued_at, access_expires_at,
  refresh_expires_at, intent_id, intent_owner, intent_generation, intent_fingerprint, intent_at, intent_deadline_at,
  uncertain_at, sealed_candidate, refresh_failures, retry_at, last_error, last_used_at, upkeep_at, keep_at, warn_at,
  warned_at, created_at, updated_at)
select tenant_id, connection_id, connector, user_id, state, reason, account, account_name, scope,
  data_key, sealed_tokens, generation, consented_generation, refresh_fingerprint, issued_at, access_expires_at,
  refresh_expires_at, intent_id, intent_owner, intent_generation, intent_fingerprint, intent_at, intent_deadline_at,
  uncertain_at, sealed_candidate, refresh_failures, retry_at, last_error, last_used_at, upkeep_at, keep_at, warn_at,
  warned_at, created_at, updated_at
from connections;
drop table connections;
alter table connections_anew rename to connections;
create index connections_by_user on connections (tenant_id, user_id, connector);
create index connections_by_connector on connections (tenant_id, connector, connection_id);
create unique index connections_by_account on connections (tenant_id, user_id, connector, account)
  where account is not null and state <> 'disconnected';
create index connections_by_data_key on connections (tenant_id, substr(data_key, 1, 5), connection_id)
  where data_key is not null;
create index connections_by_upkeep on connections (tenant_id, upkeep_at, connection_id) where upkeep_at is not null;
create unique index connections_by_end_users_account on connections (tenant_id, client_id, end_user_id, connector, account)
  where client_id is not null and account is not null and state <> 'disconnected';
create index connections_by_end_user on connections (tenant_id, client_id, end_user_id, connection_id) where client_id is not null;
create index connections_pending on connections (tenant_id, pending_until_at) where state = 'pending';
