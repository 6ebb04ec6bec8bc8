-- The consent that a session ended with: of all that its connection has had, its confirmation and its end mean this one.
alter table connect_sessions add column consented_generation bigint;
-- How often somebody was sent on from it, and how many refusals of it and of a flow were told: both have a bound.
alter table connect_sessions add column starts bigint not null default 0;
alter table connect_sessions add column refusals bigint not null default 0;
alter table connect_flows add column refusals bigint not null default 0;
-- Where several have brought one connection, it is not known which of them this was: none is confirmed any more.
update connect_sessions set consented_generation = (select c.consented_generation from connections c
    where c.tenant_id = connect_sessions.tenant_id and c.connection_id = connect_sessions.connection_id)
  where finished_at is not null and confirmed_at is null and ended_at is null
    and not exists (select 1 from connect_sessions o where o.tenant_id = connect_sessions.tenant_id
      and o.connection_id = connect_sessions.connection_id and o.session_id <> connect_sessions.session_id
      and o.finished_at is not null);
