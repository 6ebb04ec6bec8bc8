-- What a platform asks of one of its people: to connect an account, at one of its pages or by an invitation. The owner of
-- what comes of it is a user of ours, or somebody whom the platform alone knows (`end_user_id`).
create table connect_sessions (
  tenant_id text not null,
  session_id text not null,
  client_id text not null,
  user_id text,
  end_user_id text,
  -- Another person than the owner consents, with this account.
  invitation bigint not null,
  expected_account text,
  connectors text not null,
  scope text,
  -- The connection to repair, and afterwards the one that came of it.
  connection_id text,
  origins text not null,
  return_uri text,
  token_hash bytea not null,
  created_at bigint not null,
  expires_at bigint not null,
  -- The browser that opened it, once, at a page of which origin, and what that page shows to be told the code.
  opened_at bigint,
  browser_hash bytea,
  origin text,
  code_challenge text,
  -- Why the latest try brought nothing.
  reason text,
  finished_at bigint,
  sealed_code bytea,
  confirmed_at bigint,
  ended_at bigint,
  primary key (tenant_id, session_id)
);
create unique index connect_sessions_by_token on connect_sessions (tenant_id, token_hash);
create index connect_sessions_by_end on connect_sessions (expires_at);
