-- The clients that may introspect the tokens for a resource: a JSON list of client ids.
alter table resources add column introspection_clients text not null default '[]';
