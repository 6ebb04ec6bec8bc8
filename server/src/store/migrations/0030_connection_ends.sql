-- The end that was chosen for a connection, after which nothing leaves it; and the redirect URI that its consent came by,
-- which a repair goes by again.
alter table connections add column ends_at bigint;
alter table connections add column redirect_uri text;
-- A flow that waits for a choice holds tokens, which are taken back at the provider when nobody has chosen.
alter table connect_flows add column holds_tokens bigint;
create index connections_by_chosen_end on connections (tenant_id, ends_at) where ends_at is not null;
