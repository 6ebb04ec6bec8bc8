-- Read as text: what else is in it may have escapes of characters that PostgreSQL has not.
insert into client_logos (tenant_id, client_id, logo_uri, attempts, due_at)
select tenant_id, client_id, substring(metadata from '"logo_uri":"([^"\\]+)"'), 0, 0 from clients
where source not in ('open', 'dynamic', 'metadata_document') and substring(metadata from '"logo_uri":"([^"\\]+)"') is not null;
