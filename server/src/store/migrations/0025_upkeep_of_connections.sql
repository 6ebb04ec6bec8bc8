-- When work behind the requests looks at a connection next: 0 is not planned yet, null is never. A connection from before
-- this migration, or of a process from before it, is planned at the first look.
alter table connections add column upkeep_at bigint default 0;
-- When its refresh token is used although nobody asks for a token, so that it does not die of idleness.
alter table connections add column keep_at bigint;
-- When its owner is told that its tokens will end, and when that was done.
alter table connections add column warn_at bigint;
alter table connections add column warned_at bigint;
create index connections_by_upkeep on connections (tenant_id, upkeep_at, connection_id) where upkeep_at is not null;
