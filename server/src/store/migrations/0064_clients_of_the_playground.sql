-- Clients of the playground are thrown away after a day: they are found without reading the others.
create index if not exists clients_of_playground on clients (tenant_id, created_at) where source = 'playground';
