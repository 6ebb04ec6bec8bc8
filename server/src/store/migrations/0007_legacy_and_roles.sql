-- The one role in which a grant's client acts; null is all that the user has.
alter table grants add column role text;
-- 1 where a client may use a legacy grant: discovery asks whether there is one.
alter table clients add column legacy bigint not null default 0;
create index clients_legacy on clients (tenant_id) where legacy = 1;
-- The client that stands for a resource: they are made and deleted together.
alter table resources add column client_id text;
create index resources_by_client on resources (tenant_id, client_id) where client_id is not null;

-- What a service of the Hub door says about itself beyond a client's metadata.
create table hub_services (
  tenant_id text not null,
  client_id text not null,
  service text not null,
  -- Redirect URIs that were refused to signed-in users, newest first: JSON.
  untrusted_redirect_uris text not null,
  primary key (tenant_id, client_id),
  foreign key (tenant_id, client_id) references clients (tenant_id, client_id) on delete cascade
);

-- Tokens that a user makes for scripts: each is shown once, and lives until it is deleted.
create table permanent_tokens (
  tenant_id text not null,
  token_id text not null,
  user_id text not null,
  name text not null,
  scope text not null,
  resource text not null,
  secret_hash bytea not null,
  tenant_epoch bigint not null,
  user_epoch bigint not null,
  created_at bigint not null,
  last_used_at bigint,
  primary key (tenant_id, token_id),
  foreign key (tenant_id, user_id) references users (tenant_id, user_id)
);
create index permanent_tokens_by_user on permanent_tokens (tenant_id, user_id, token_id);
