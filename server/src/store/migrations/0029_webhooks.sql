-- Where a tenant's events are told: addresses, the types they want, and what signs for them, sealed as JSON.
create table webhooks (
  tenant_id text not null references tenants (tenant_id),
  webhook text not null,
  url text not null,
  description text not null,
  -- A JSON list; an empty one stands for every type there is.
  event_types text not null,
  sealed_secrets bytea not null,
  -- Raised with every change; the seal of the secrets names it.
  version bigint not null,
  -- The number in the chain of events up to which deliveries have been made of them.
  spread_to bigint not null,
  -- Failures in a row, since when, and until when it is left alone for them.
  failures bigint not null,
  failing_since bigint,
  retry_at bigint,
  disabled_at bigint,
  disabled_reason text,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, webhook)
);

-- One event for one webhook: it names the event and holds nothing of it.
create table webhook_deliveries (
  tenant_id text not null,
  webhook text not null,
  event_id text not null,
  type text not null,
  state text not null check (state in ('pending', 'delivered', 'failed')),
  attempts bigint not null,
  -- Its next turn; while it is being sent, when another process may take it to be lost. Null once it is settled.
  next_at bigint,
  give_up_at bigint not null,
  -- The latest tries, as JSON.
  tries text not null,
  created_at bigint not null,
  settled_at bigint,
  -- When the row goes.
  expires_at bigint not null,
  primary key (tenant_id, webhook, event_id)
);
create index webhook_deliveries_by_turn on webhook_deliveries (tenant_id, webhook, next_at) where next_at is not null;
create index webhook_deliveries_by_end on webhook_deliveries (expires_at);
