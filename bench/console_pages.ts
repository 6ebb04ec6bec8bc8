/** Rows of the filled database that pages are about. */
export interface Places {
  readonly large_client: string
  readonly disabled_client: string
  readonly small_client: string
  readonly busy_user: { readonly user_id: string; readonly username: string }
  readonly some_user: { readonly user_id: string; readonly username: string }
  readonly grant: string
  readonly grant_500: string
  readonly connection: string
  readonly connection_500: string
  readonly event: string
  readonly event_500: string
  readonly event_of_connection: string
  readonly user_500: string
  readonly connector: string
  readonly key: string
}

type Session = { query(text: string): Promise<Record<string, unknown>[]> }

const DEEP = 500 * 50

/** Looks up what the pages of `listPages` are about. */
export async function findPlaces(session: Session): Promise<Places> {
  const one = async (text: string) => (await session.query(text))[0]?.['id'] as string
  const client = (name: string) => one(`select client_id as id from clients where client_name = '${name}'`)
  const user = async (order: number) => {
    const user_id = await one(`select user_id as id from users where name = 'Person ${order}'`)
    return { user_id, username: await one(`select username as id from users where user_id = '${user_id}'`) }
  }
  const deep = (table: string, id: string, order: string) =>
    one(`select ${id} as id from ${table} order by ${id} ${order} limit 1 offset ${DEEP}`)
  return {
    large_client: await client('Client 0'),
    disabled_client: await client('Client 1'),
    small_client: await client('Client 150'),
    busy_user: await user(1),
    some_user: await user(77),
    grant: await one('select grant_id as id from grants where connections is not null order by grant_id desc limit 1'),
    grant_500: await deep('grants', 'grant_id', 'desc'),
    connection: await one(
      "select connection_id as id from connections where state = 'ready' order by connection_id limit 1",
    ),
    connection_500: await deep('connections', 'connection_id', 'asc'),
    event: await one(
      "select event_id as id from events where type = 'connection.connected' order by event_id desc limit 1",
    ),
    event_500: await deep('events', 'event_id', 'desc'),
    event_of_connection: await one(
      "select connection_id as id from events where type = 'connection.connected' order by event_id desc limit 1",
    ),
    user_500: await deep('users', 'user_id', 'asc'),
    connector: 'google',
    key: await one("select kid as id from signing_keys where state = 'current' limit 1"),
  }
}

/** Every page of the console that reads what grows, with its filters. */
export function listPages(p: Places): { title: string; url: string }[] {
  const page = (title: string, path: string, query: Record<string, string> = {}) => {
    const search = new URLSearchParams(query).toString()
    return { title, url: `/admin${path}${search === '' ? '' : `?${search}`}` }
  }
  const states = ['ready', 'needs_reconsent', 'pending', 'disconnected', 'error']
  return [
    page('overview with its plots', ''),
    page('search of what is in no name', '/search', { find: 'in no name' }),
    page('search of what is in many', '/search', { find: 'client' }),
    page('search of how many usernames begin', '/search', { find: 'p' }),
    page('search of an address', '/search', { find: 'nobody@example.test' }),
    page('clients', '/clients'),
    page('client of half of all grants', '/client', { client_id: p.large_client }),
    page('client, all grants ended', '/client', { client_id: p.disabled_client }),
    page('client of few grants', '/client', { client_id: p.small_client }),
    page('client, rights', '/client/rights', { client_id: p.large_client }),
    page('registration tokens', '/clients/registration_tokens'),
    page('users', '/users'),
    page('users, page 500', '/users', { cursor: p.user_500 }),
    page('users, search of a common name', '/users', { q: 'a' }),
    page('users, search of one', '/users', { q: p.some_user.username }),
    page('user', '/user', { user_id: p.some_user.user_id }),
    page('user of thousands of grants', '/user', { user_id: p.busy_user.user_id }),
    page('grants', '/grants'),
    page('grants, page 500', '/grants', { cursor: p.grant_500 }),
    page('grants of the large client', '/grants', { client: p.large_client }),
    page('grants of the large client, deep', '/grants', { client: p.large_client, cursor: p.grant_500 }),
    page('grants of a user', '/grants', { user: p.some_user.username }),
    page('grants of the busy user', '/grants', { user: p.busy_user.username }),
    page('grants of a user and a small client', '/grants', { user: p.busy_user.username, client: p.small_client }),
    page('grants of a user and the large client', '/grants', { user: p.busy_user.username, client: p.large_client }),
    page('grant', '/grant', { grant_id: p.grant }),
    page('connections', '/connections'),
    page('connections, page 500', '/connections', { cursor: p.connection_500 }),
    ...states.map((state) => page(`connections, ${state}`, '/connections', { state })),
    page('connections of a connector', '/connections', { connector: p.connector }),
    ...states.map((state) =>
      page(`connections of a connector, ${state}`, '/connections', { state, connector: p.connector }),
    ),
    page('connection', '/connection', { connection_id: p.connection }),
    page('connect sessions', '/connect_sessions'),
    page('connectors', '/connectors'),
    page('connector', '/connector', { connector: p.connector }),
    page('events', '/events'),
    page('events, page 500', '/events', { cursor: p.event_500 }),
    page('events of a frequent type', '/events', { event: 'session.started' }),
    page('events of a frequent type, deep', '/events', { event: 'session.started', cursor: p.event_500 }),
    page('events of a rare type', '/events', { event: 'settings.saved' }),
    page('events of a group of types', '/events', { event: 'connection.' }),
    page('events of no type', '/events', { event: 'zebra' }),
    page('events by the busy user', '/events', { actor: p.busy_user.username }),
    page('events by root', '/events', { actor: 'root' }),
    page('events by the busy user of a type', '/events', { actor: p.busy_user.username, event: 'grant.' }),
    page('events about the busy user', '/events', { user: p.busy_user.username }),
    page('events about the busy user of a rare type', '/events', { user: p.busy_user.username, event: 'settings.' }),
    page('events about one user by another', '/events', { user: p.busy_user.username, actor: 'root' }),
    page('events of a connection', '/events', { connection: p.event_of_connection }),
    page('events until a day', '/events', {
      until: new Date(Date.now() - 100 * 86_400_000).toISOString().slice(0, 10),
    }),
    page('event', '/event', { event_id: p.event }),
    page('webhooks', '/webhooks'),
    page('webhook of many deliveries', '/webhook', { webhook: 'crm' }),
    ...['delivered', 'failed', 'pending'].map((state) =>
      page(`webhook, ${state}`, '/webhook', { webhook: 'crm', state }),
    ),
    page('resources', '/resources'),
    page('roles', '/roles'),
    page('rights of a user', '/rights', { user: p.some_user.username }),
    page('keys', '/keys'),
    page('trusted issuers', '/trusted_issuers'),
    page('settings', '/settings'),
  ]
}
