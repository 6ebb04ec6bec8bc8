import { type Run, read, sql, write } from '../sql.ts'
import type { ListedClient } from './clients.ts'

/** A service of the Hub door: its client, and what it says about itself beyond that; null where it never did. */
export interface ListedService extends ListedClient {
  readonly service: string | null
  readonly untrusted_redirect_uris: string | null
}

/** Keeps what a service says about itself. */
export const saveHubService = write(function* (args: {
  tenant_id: string
  client_id: string
  service: string
}): Run<void> {
  yield* sql`
    insert into hub_services (tenant_id, client_id, service, untrusted_redirect_uris)
    values (${args.tenant_id}, ${args.client_id}, ${args.service}, '[]')
    on conflict (tenant_id, client_id) do update set service = excluded.service`
})

/** Keeps a redirect URI that was refused, newest first, each once and so many of them. */
export const noteUntrustedRedirectUri = write(
  function* (args: { tenant_id: string; client_id: string; redirect_uri: string; most: number }): Run<void> {
    const [row] = yield* sql<{ untrusted_redirect_uris: string }>`
      update hub_services set untrusted_redirect_uris = untrusted_redirect_uris
      where tenant_id = ${args.tenant_id} and client_id = ${args.client_id} returning untrusted_redirect_uris`
    const before = row && (JSON.parse(row.untrusted_redirect_uris) as string[])
    if (!before || before[0] === args.redirect_uri) return
    const kept = [args.redirect_uri, ...before.filter((uri) => uri !== args.redirect_uri)].slice(0, args.most)
    yield* sql`
      update hub_services set untrusted_redirect_uris = ${JSON.stringify(kept)}
      where tenant_id = ${args.tenant_id} and client_id = ${args.client_id}`
  },
  { key: (args) => `${args.tenant_id}/${args.client_id}` },
)

/** One service, or null. */
export const findHubService = read(function* (args: {
  tenant_id: string
  client_id: string
}): Run<ListedService | null> {
  const [service] = yield* sql<ListedService>`
    select c.client_id, c.client_name, c.metadata, c.source, c.trusted, c.client_secret_hash,
      c.former_client_secret_hash, c.former_client_secret_expires_at, c.epoch, c.disabled_at, c.created_at,
      c.updated_at, c.tokens_issued, c.last_used_at, h.service, h.untrusted_redirect_uris
    from clients c left join hub_services h on h.tenant_id = c.tenant_id and h.client_id = c.client_id
    where c.tenant_id = ${args.tenant_id} and c.client_id = ${args.client_id} and c.source in ('hub', 'open')`
  return service ?? null
})

/** A page of the services whose name holds a text, in lower case; `order` is by name, by id or by when they were made. */
export const pageHubServices = read(function* (args: {
  tenant_id: string
  query: string
  order: 'name' | 'id' | 'created'
  skip: number
  top: number
}): Run<{ total: number; services: ListedService[] }> {
  const like = `%${args.query.replace(/[\\%_]/g, (mark) => `\\${mark}`)}%`
  const [count] = yield* sql<{ total: number }>`
    select count(*) as total from clients
    where tenant_id = ${args.tenant_id} and source in ('hub', 'open') and lower(client_name) like ${like} escape '\\'`
  const services = yield* sql<ListedService>`
    select c.client_id, c.client_name, c.metadata, c.source, c.trusted, c.client_secret_hash,
      c.former_client_secret_hash, c.former_client_secret_expires_at, c.epoch, c.disabled_at, c.created_at,
      c.updated_at, c.tokens_issued, c.last_used_at, h.service, h.untrusted_redirect_uris
    from clients c left join hub_services h on h.tenant_id = c.tenant_id and h.client_id = c.client_id
    where c.tenant_id = ${args.tenant_id} and c.source in ('hub', 'open') and lower(c.client_name) like ${like} escape '\\'
    order by case ${args.order} when 'name' then lower(c.client_name) else '' end,
      case ${args.order} when 'created' then c.created_at else 0 end, c.client_id
    limit ${args.top} offset ${args.skip}`
  return { total: count!.total, services }
})
