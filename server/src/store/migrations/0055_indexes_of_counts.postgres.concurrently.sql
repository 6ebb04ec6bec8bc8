-- What the console counts is read from an index and from no row: grants that live, of all clients and of one, with their
-- users; users that are not deleted; secrets that still work for a while.
create index concurrently if not exists grants_living on grants (tenant_id, client_id, expires_at, user_id) where revoked_at is null;
create index concurrently if not exists users_living on users (tenant_id, user_id) where deleted_at is null;
create index concurrently if not exists clients_by_former_secret on clients (tenant_id, former_client_secret_expires_at) where former_client_secret_expires_at is not null;
