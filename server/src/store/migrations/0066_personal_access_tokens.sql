-- Personal access tokens end; those that come by the door of another system have no end of their own.
alter table permanent_tokens add column expires_at bigint;
create index if not exists permanent_tokens_by_end on permanent_tokens (tenant_id, expires_at) where expires_at is not null;
