-- What the console lists and counts: events of a type, by an actor, of a user, of a connection; connections by their state;
-- connect sessions that wait. A list that is filtered reads the rows that it shows, however many there are beside them.
create index events_by_type on events (tenant_id, type, event_id);
create index events_by_actor on events (tenant_id, actor, type, event_id);
create index events_by_user on events (tenant_id, user_id, event_id) where user_id is not null;
create index events_by_connection on events (tenant_id, connection_id, event_id) where connection_id is not null;
create index connections_by_state on connections (tenant_id, state, connector, connection_id);
create index connect_sessions_waiting on connect_sessions (tenant_id, session_id) where confirmed_at is null and ended_at is null;
create index webhook_deliveries_by_state on webhook_deliveries (tenant_id, webhook, state, event_id);

-- What happened routinely, by the hour: sums that grow with the hours they are kept for, and not with traffic.
create table hourly_counts (
  tenant_id text not null,
  hour_at bigint not null,
  -- Such as tokens, and of which sort: by grant type, by reason.
  kind text not null,
  label text not null,
  count bigint not null,
  primary key (tenant_id, hour_at, kind, label)
);
create index hourly_counts_by_hour on hourly_counts (hour_at);

create index connections_by_platform on connections (tenant_id, client_id, connection_id) where client_id is not null;
-- What waits for a confirmation has a time until which it waits. By its state this index would be taken, on SQLite, for a
-- hint that there are few of that state, and a list of them would read the table.
drop index connections_pending;
create index connections_pending on connections (tenant_id, pending_until_at) where pending_until_at is not null;
