-- Authorization requests that clients pushed (RFC 9126): sealed, and gone with the answer.
create table pushed_requests (
  tenant_id text not null references tenants (tenant_id),
  request_hash bytea not null,
  client_id text not null,
  sealed bytea not null,
  created_at bigint not null,
  -- Until when a browser may arrive with it.
  expires_at bigint not null,
  primary key (tenant_id, request_hash)
);
create index pushed_requests_by_end on pushed_requests (expires_at);

-- The claims that were asked for by name and allowed (OpenID Connect Core section 5.5).
alter table grants add column claims text;
-- The end that the user chose: nothing is allowed without asking after it, and no grant reaches beyond it.
alter table consents add column expires_at bigint;
-- The hosts at which the answers were allowed to arrive, as JSON: another one is asked for again.
alter table consents add column redirect_hosts text;
