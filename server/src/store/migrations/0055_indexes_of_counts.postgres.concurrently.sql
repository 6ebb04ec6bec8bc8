-- What the console counts is read from an index and from no row: grants that live, of all clients and of one, with their
-- users; users that are not deleted; secrets that still work for a while. What an index is limited by stands in it as well:
-- otherwise SQLite reads the row for it.
create index concurrently if not exists grants_living on grants (tenant_id, client_id, expires_at, user_id, revoked_at) where revoked_at is null;
create index concurrently if not exists users_living on users (tenant_id, user_id, deleted_at) where deleted_at is null;
create index concurrently if not exists clients_by_former_secret on clients (tenant_id, former_client_secret_expires_at) where former_client_secret_expires_at is not null;
