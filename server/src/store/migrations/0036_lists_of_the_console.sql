-- What happened routinely, by the hour: sums that grow with the hours they are kept for, and not with traffic.
create table hourly_counts (
  tenant_id text not null,
  hour_at bigint not null,
  -- Such as tokens, and of which sort: by grant type, by reason.
  kind text not null,
  label text not null,
  count bigint not null,
  primary key (tenant_id, hour_at, kind, label)
);
create index hourly_counts_by_hour on hourly_counts (hour_at);
