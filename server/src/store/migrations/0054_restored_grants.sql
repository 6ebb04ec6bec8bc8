-- When a grant came out of a backup: refresh tokens of it may be younger than its row, and a genuine one is believed.
alter table grants add column restored_at bigint;
