-- A user who is deleted leaves a row without a name: what was issued to it stays dead, and its user_id is nobody else's.
alter table users add column deleted_at bigint;
