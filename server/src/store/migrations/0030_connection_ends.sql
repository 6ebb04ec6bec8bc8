-- The end that was chosen for a connection, after which nothing leaves it; and the redirect URI that its consent came by,
-- which a repair goes by again.
alter table connections add column ends_at bigint;
alter table connections add column redirect_uri text;
create index connections_by_chosen_end on connections (tenant_id, ends_at) where ends_at is not null;
