-- How often in a row the provider has decided against a refresh, in words that no standard gives a meaning; what is no
-- decision, such as trouble or a pause, is counted in refresh_failures alone.
alter table connections add column refresh_refusals bigint not null default 0;
