-- Consent flows that go through a redirect broker: through which, when it fetched what it needs (once), and what came
-- back: sealed to the flow's own key, beside the hash of what the browser brings to finish.
alter table connect_flows add column broker text;
alter table connect_flows add column opened_at bigint;
alter table connect_flows add column delivered text;
alter table connect_flows add column receipt_hash bytea;
