import { usernameKey } from '../../../inbound/users/prepare_user.ts'
import { ours, redirect, send, type Visit } from '../../page.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage } from '../forms/administrator.ts'
import { type Found, MOST_FOUND, renderSearch } from './templates/search.ts'

/** Names of clients are looked through, so many of them: no index finds what stands in the middle of one. */
const MOST_CLIENTS_READ = 10_000
const NOT_FOUND: readonly Found[] = []

/** GET /admin/search?find=: the page of what has this id or name, or what is alike. */
export const searchPage = consolePage(async (visit) => {
  const find = visit.query['find']?.trim() ?? ''
  const exact = find === '' ? NOT_FOUND : await findExactly(visit, find)
  if (exact.length === 1) {
    const { path, query } = exact[0]!
    return redirect(visit, ours(visit.web, path, query))
  }
  const alike = find === '' ? NOT_FOUND : await findAlike(visit, find)
  const known = new Set(exact.map(({ kind, id }) => `${kind} ${id}`))
  const found = [...exact, ...alike.filter(({ kind, id }) => !known.has(`${kind} ${id}`))]
  return send(visit, renderSearch(visit.view, { find, found }))
})

/** Whatever has this for its id, its name or its address; each is one look into an index. */
async function findExactly(visit: Visit, find: string): Promise<Found[]> {
  const { tenant_id, store } = visit.web.tenant
  const [client, user, users, by_email, grant, connection, event, connector, webhook, trusted] = await Promise.all([
    store.findClient({ tenant_id, client_id: find }),
    store.findUser({ tenant_id, user_id: find }),
    store.searchUsers({ tenant_id, username_key: usernameKey(find), most: 1 }),
    store.findUsersByEmail({ tenant_id, email: find, disabled_too: true, most: MOST_FOUND }),
    store.findGrant({ tenant_id, grant_id: find }),
    store.findListedConnection({ tenant_id, connection_id: find }),
    store.findEvent({ tenant_id, event_id: find }),
    store.findConnector({ tenant_id, connector: find }),
    store.findWebhook({ tenant_id, webhook: find }),
    store.findTrustedIssuer({ tenant_id, issuer: find }),
  ])
  const named = users.filter(({ username }) => usernameKey(username) === usernameKey(find))
  const people = new Map([...(user ? [user] : []), ...named, ...by_email].map((one) => [one.user_id, one]))
  const { resources, roles } = visit.configuration
  return [
    ...(client ? [foundClient(client)] : []),
    ...[...people.values()].map(foundUser),
    ...(grant ? [foundGrant(grant)] : []),
    ...(connection ? [foundConnection(connection)] : []),
    ...(event ? [foundEvent(event)] : []),
    ...(connector ? [foundConnector(connector)] : []),
    ...(webhook ? [foundWebhook(webhook)] : []),
    ...(trusted ? [foundIssuer(trusted)] : []),
    ...[resources.get(find)].flatMap((resource) => (resource ? [foundResource(resource)] : [])),
    ...(roles.has(find) ? [foundRole(find)] : []),
  ]
}

/** What has this in its name, and whose username begins with it. */
async function findAlike(visit: Visit, find: string): Promise<Found[]> {
  const { tenant_id, store } = visit.web.tenant
  const [clients, users, connectors, webhooks] = await Promise.all([
    store.searchClients({ tenant_id, text: find, most_read: MOST_CLIENTS_READ, most: MOST_FOUND }),
    store.searchUsers({ tenant_id, username_key: usernameKey(find), most: MOST_FOUND }),
    store.listConnectors({ tenant_id }),
    store.listWebhooks({ tenant_id }),
  ])
  const text = find.toLowerCase()
  const holds = (...names: readonly string[]) => names.some((name) => name.toLowerCase().includes(text))
  const { resources, roles } = visit.configuration
  const few = <T>(all: Iterable<T>, is: (one: T) => boolean) => [...all].filter(is).slice(0, MOST_FOUND)
  return [
    ...clients.map(foundClient),
    ...users.map(foundUser),
    ...few(connectors, ({ connector, provider }) => holds(connector, provider)).map(foundConnector),
    ...few(webhooks, ({ webhook, url, description }) => holds(webhook, url, description)).map(foundWebhook),
    ...few(resources.values(), ({ resource, name }) => holds(resource, name)).map(foundResource),
    ...few(roles.keys(), (role) => holds(role)).map(foundRole),
  ]
}

const foundClient = ({ client_id, client_name }: { client_id: string; client_name: string | null }): Found => ({
  ...{ kind: 'clients', id: client_id, name: client_name ?? undefined },
  ...{ path: paths.admin_client, query: { client_id } },
})

const foundUser = (user: { user_id: string; username: string; name: string | null }): Found => ({
  ...{ kind: 'users', id: user.username, name: user.name ?? undefined },
  ...{ path: paths.admin_user, query: { user_id: user.user_id } },
})

const foundGrant = (grant: { grant_id: string; client_name: string; username: string }): Found => ({
  ...{ kind: 'grants', id: grant.grant_id, name: `${grant.client_name} · ${grant.username}` },
  ...{ path: paths.admin_grant, query: { grant_id: grant.grant_id } },
})

const foundConnection = (one: { connection_id: string; connector: string; account_name: string | null }): Found => ({
  ...{ kind: 'connections', id: one.connection_id, name: one.account_name ?? one.connector },
  ...{ path: paths.admin_connection, query: { connection_id: one.connection_id } },
})

const foundEvent = ({ event_id, type }: { event_id: string; type: string }): Found => ({
  ...{ kind: 'events', id: event_id, name: type },
  ...{ path: paths.admin_event, query: { event_id } },
})

const foundConnector = ({ connector, provider }: { connector: string; provider: string }): Found => ({
  ...{ kind: 'connectors', id: connector, name: provider === connector ? undefined : provider },
  ...{ path: paths.admin_connector, query: { connector } },
})

const foundWebhook = ({ webhook, url }: { webhook: string; url: string }): Found => ({
  ...{ kind: 'webhooks', id: webhook, name: url },
  ...{ path: paths.admin_webhook, query: { webhook } },
})

const foundIssuer = ({ issuer }: { issuer: string }): Found => ({
  ...{ kind: 'trusted_issuers', id: issuer, path: paths.admin_trusted_issuer, query: { issuer } },
})

const foundResource = ({ resource, name }: { resource: string; name: string }): Found => ({
  ...{ kind: 'resources', id: resource, name, path: paths.admin_resource, query: { uri: resource } },
})

const foundRole = (role: string): Found => ({
  ...{ kind: 'roles', id: role, path: paths.admin_edit_role, query: { role } },
})
