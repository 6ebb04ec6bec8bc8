-- The keys that wrap the data keys of connections, wrapped themselves by the root key that is named; the canary is a value
-- sealed under the key, by which a key is known to be the right one. A key whose successor is a minute old wraps no more.
create table vault_keys (
  tenant_id text not null references tenants (tenant_id),
  kid bigint not null,
  wrapped bytea not null,
  wrapped_by text not null,
  canary bytea not null,
  created_at bigint not null,
  primary key (tenant_id, kid)
);

-- Which root key wraps a tenant key; null is one of before names were kept.
alter table tenant_keys add column wrapped_by text;

-- Finds the data keys under a former key, which the first five bytes name; they never change with a refresh.
create index connections_by_data_key on connections (tenant_id, substr(data_key, 1, 5), connection_id)
  where data_key is not null;
