-- What the administration API answered to requests that named an Idempotency-Key. The key is hashed with its caller, the
-- request by its bytes, the answer is sealed; without one the request is under way, or the process that had it is gone.
create table idempotency_keys (
  tenant_id text not null references tenants (tenant_id),
  key_hash bytea not null,
  request_hash bytea not null,
  answer bytea,
  started_at bigint not null,
  expires_at bigint not null,
  primary key (tenant_id, key_hash)
);

create index idempotency_keys_by_end on idempotency_keys (expires_at);
