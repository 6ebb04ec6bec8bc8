-- A link that signs in is for the browser and the request that asked for it, and for the user as they were then.
alter table one_time_links add column asked_hash bytea;
alter table one_time_links add column user_epoch bigint;
create index one_time_links_by_asked on one_time_links (tenant_id, asked_hash) where asked_hash is not null;
