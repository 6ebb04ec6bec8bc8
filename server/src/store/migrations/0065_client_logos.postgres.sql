insert into client_logos (tenant_id, client_id, logo_uri, attempts, due_at)
select tenant_id, client_id, cast(metadata as json) ->> 'logo_uri', 0, 0 from clients
where source not in ('open', 'dynamic', 'metadata_document') and cast(metadata as json) ->> 'logo_uri' is not null;
