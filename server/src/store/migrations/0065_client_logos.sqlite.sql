insert into client_logos (tenant_id, client_id, logo_uri, attempts, due_at)
select tenant_id, client_id, metadata ->> '$.logo_uri', 0, 0 from clients
where source not in ('open', 'dynamic', 'metadata_document') and metadata ->> '$.logo_uri' is not null;
