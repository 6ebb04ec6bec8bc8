-- The secret of a client that signs with it (client_secret_jwt), and the one before it: sealed, since they are read again.
alter table clients add column sealed_client_secret bytea;
alter table clients add column former_sealed_client_secret bytea;

-- Who else may say who somebody is (RFC 7523 section 2.1): how to know their signature, and what they may say.
create table trusted_issuers (
  tenant_id text not null references tenants (tenant_id),
  issuer text not null,
  -- JSON: keys, whom their subjects are here, the clients that may present what they sign, and for which scopes.
  rules text not null,
  disabled_at bigint,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, issuer)
);
