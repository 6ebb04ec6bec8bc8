-- Flows in which the provider is asked again and again whether the person has consented elsewhere (RFC 8628 section 3.5):
-- how many seconds apart, and when next, whichever replica it is.
alter table connect_flows add column poll_seconds bigint;
alter table connect_flows add column poll_at bigint;
