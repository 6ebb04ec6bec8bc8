-- When each of a client's two secrets was made, for whoever must decide which of them to end.
alter table clients add column client_secret_made_at bigint;
alter table clients add column former_client_secret_made_at bigint;
