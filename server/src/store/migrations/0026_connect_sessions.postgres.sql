alter table connections alter column user_id drop not null;
-- The platform, and its own name for its user, where the owner is no user of ours.
alter table connections add column client_id text;
alter table connections add column end_user_id text;
-- Until when a connection that nobody has confirmed yet may be.
alter table connections add column pending_until_at bigint;
alter table connections add constraint connections_owner check ((user_id is null) = (client_id is not null and end_user_id is not null));
create unique index connections_by_end_users_account on connections (tenant_id, client_id, end_user_id, connector, account)
  where client_id is not null and account is not null and state <> 'disconnected';
create index connections_by_end_user on connections (tenant_id, client_id, end_user_id, connection_id) where client_id is not null;
create index connections_pending on connections (tenant_id, pending_until_at) where state = 'pending';
