-- A user who is deleted leaves a row without a name: what was issued to it stays dead, and its user_id is nobody else's.
-- Until erased_at somebody looks whether anything of them is left.
alter table users add column deleted_at bigint;
alter table users add column erased_at bigint;
create index users_to_erase on users (tenant_id, user_id) where deleted_at is not null and erased_at is null;
