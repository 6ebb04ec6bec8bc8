-- The pictures of clients that somebody of the tenant registered, fetched from their logo_uri and shown from here.
create table client_logos (
  tenant_id text not null references tenants (tenant_id),
  client_id text not null,
  -- What was, or will be, fetched: the client's own logo_uri.
  logo_uri text not null,
  -- The name under which it is served, made of its hash and its kind; null until there is one.
  file text,
  picture bytea,
  fetched_at bigint,
  -- Why it could not be fetched of late, and when that was.
  failure text,
  failed_at bigint,
  attempts bigint not null,
  due_at bigint not null,
  primary key (tenant_id, client_id),
  foreign key (tenant_id, client_id) references clients (tenant_id, client_id) on delete cascade
);
create index client_logos_due on client_logos (tenant_id, due_at);
create index client_logos_by_file on client_logos (tenant_id, file);
