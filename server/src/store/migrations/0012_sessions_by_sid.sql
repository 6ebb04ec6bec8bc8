-- Clients know a session by its sid, which is all that an ID token says of it.
create index sessions_by_sid on sessions (tenant_id, sid) where sid is not null;
