-- What manages a client that registered itself (RFC 7592 section 3), and when its secret ends.
alter table clients add column registration_token_hash bytea;
alter table clients add column client_secret_expires_at bigint;
-- Clients that nobody of the tenant registered: those that go unused are swept.
create index clients_self_registered on clients (tenant_id, created_at) where source in ('dynamic', 'metadata_document');

-- Initial access tokens (RFC 7591 section 3): who holds one may register clients.
create table registration_tokens (
  tenant_id text not null references tenants (tenant_id),
  token_id text not null,
  name text not null,
  secret_hash bytea not null,
  -- What a client registered with it may have, instead of what the tenant lets unknown clients have.
  scope text,
  grant_types text,
  -- Null is as often as its holder likes.
  uses_left bigint,
  created_at bigint not null,
  expires_at bigint not null,
  primary key (tenant_id, token_id)
);
create unique index registration_tokens_by_secret on registration_tokens (tenant_id, secret_hash);
create index registration_tokens_by_end on registration_tokens (expires_at);
