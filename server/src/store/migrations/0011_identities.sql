-- Accounts elsewhere by which people sign in here: the authority and the account together name one user, for good.
create table identities (
  tenant_id text not null,
  authority text not null,
  account text not null,
  user_id text not null,
  -- Through which it came, and what its owner calls it.
  connector text not null,
  account_name text,
  created_at bigint not null,
  last_used_at bigint,
  primary key (tenant_id, authority, account),
  foreign key (tenant_id, user_id) references users (tenant_id, user_id)
);
create index identities_by_user on identities (tenant_id, user_id, created_at);
