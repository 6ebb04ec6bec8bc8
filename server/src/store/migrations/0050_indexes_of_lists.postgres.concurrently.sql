-- What the console lists and counts: events of a type, by an actor, of a user, of a connection; connections by their state;
-- connect sessions that wait. A list that is filtered reads the rows that it shows, however many there are beside them.
create index concurrently if not exists events_by_type on events (tenant_id, type, event_id);
create index concurrently if not exists events_by_actor on events (tenant_id, actor, type, event_id);
create index concurrently if not exists events_by_user on events (tenant_id, user_id, event_id) where user_id is not null;
create index concurrently if not exists events_by_connection on events (tenant_id, connection_id, event_id) where connection_id is not null;
create index concurrently if not exists connections_by_state on connections (tenant_id, state, connector, connection_id);
create index concurrently if not exists connect_sessions_waiting on connect_sessions (tenant_id, session_id) where confirmed_at is null and ended_at is null;
create index concurrently if not exists webhook_deliveries_by_state on webhook_deliveries (tenant_id, webhook, state, event_id);
create index concurrently if not exists connections_by_platform on connections (tenant_id, client_id, connection_id) where client_id is not null;
-- What waits for a confirmation has a time until which it waits. By its state this index would be taken, on SQLite, for a
-- hint that there are few of that state, and a list of them would read the table.
drop index concurrently if exists connections_pending;
create index concurrently if not exists connections_pending_until on connections (tenant_id, pending_until_at) where pending_until_at is not null;
