-- Devices that wait for somebody to allow them (RFC 8628): one row for each request, as long as its codes live.
create table device_codes (
  tenant_id text not null references tenants (tenant_id),
  device_code_hash bytea not null,
  user_code_hash bytea not null,
  client_id text not null,
  -- What was asked for; empty where the defaults are meant.
  scope text not null,
  resource text not null,
  code_challenge text,
  user_agent text,
  address text,
  interval_seconds bigint not null,
  polled_at bigint,
  state text not null check (state in ('pending', 'approved', 'denied', 'dead')),
  -- Who opened it first: nobody else can answer. Others who tried are counted.
  user_id text,
  other_users text not null,
  grant_id text,
  created_at bigint not null,
  expires_at bigint not null,
  primary key (tenant_id, device_code_hash),
  foreign key (tenant_id, client_id) references clients (tenant_id, client_id) on delete cascade
);
create unique index device_codes_by_user_code on device_codes (tenant_id, user_code_hash);
create index device_codes_by_end on device_codes (expires_at);
