-- Sessions that have run out are looked for often, tenant by tenant: found by their end alone, SQLite read all that there were.
create index if not exists sessions_running_out on sessions (tenant_id, ends_at) where ended_at is null;
drop index if exists sessions_by_own_end;
