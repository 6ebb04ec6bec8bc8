-- Keys on people's devices (WebAuthn). Several for each user, each with a name for its owner.
create table passkeys (
  tenant_id text not null,
  credential_id text not null,
  user_id text not null,
  name text not null,
  public_key bytea not null,
  counter bigint not null,
  transports text not null,
  -- Whether the key may be, and is, copied to its owner's other devices.
  backup_eligible bigint not null,
  backed_up bigint not null,
  created_at bigint not null,
  last_used_at bigint,
  primary key (tenant_id, credential_id),
  foreign key (tenant_id, user_id) references users (tenant_id, user_id)
);
create index passkeys_by_user on passkeys (tenant_id, user_id, created_at);

-- The seed of a user's authenticator app. Steps up to the last one are spent.
create table totp_seeds (
  tenant_id text not null,
  user_id text not null,
  sealed_seed bytea not null,
  last_step bigint not null,
  created_at bigint not null,
  primary key (tenant_id, user_id),
  foreign key (tenant_id, user_id) references users (tenant_id, user_id)
);

-- Codes for whoever lost the other factors, each good once.
create table recovery_codes (
  tenant_id text not null,
  user_id text not null,
  code_hash bytea not null,
  created_at bigint not null,
  used_at bigint,
  primary key (tenant_id, user_id, code_hash),
  foreign key (tenant_id, user_id) references users (tenant_id, user_id)
);

-- Links to one user's mailbox; a link that confirms an address names it.
alter table one_time_links add column user_id text;
alter table one_time_links add column email text;
create index one_time_links_by_user on one_time_links (tenant_id, user_id, kind) where user_id is not null;
create index one_time_links_by_end on one_time_links (expires_at);

create index users_by_email on users (tenant_id, lower(email)) where email is not null;
