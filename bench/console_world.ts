import { idFromBytes, randomBytes } from '../server/src/crypto/random.ts'
import type { Row } from './fill_tables.ts'

const DAY_MS = 86_400_000

/** How much there is in the filled database. */
export interface Sizes {
  readonly users: number
  readonly clients: number
  readonly grants: number
  readonly sessions: number
  readonly connections: number
  readonly events: number
  readonly deliveries: number
}

/** Sizes around a number of grants, in the proportions of a tenant that has a million. */
export function sizesAround(grants: number): Sizes {
  const share = (of: number) => Math.ceil(grants * of)
  return {
    ...{ grants, users: share(0.1), clients: Math.min(300, share(0.1)), sessions: share(0.3) },
    ...{ connections: share(0.2), events: grants * 2, deliveries: share(0.2) },
  }
}

/** What the rows of a large tenant refer to. */
export interface Roots {
  readonly tenant_id: string
  readonly now: number
  readonly sizes: Sizes
  /** The names of connectors; the last of them fails. */
  readonly connectors: readonly string[]
  readonly webhook: string
  readonly administrator: string
}

/** The tables of a large tenant, each with its rows; those that others refer to come first. */
export function* largeTenant(roots: Roots): Generator<{ table: string; rows: Iterable<Row> }> {
  const { tenant_id, now, sizes } = roots
  const clients = Array.from({ length: sizes.clients }, (_, i) => idAt(now - 400 * DAY_MS + i * 3_600_000))
  const users = Array.from({ length: sizes.users }, (_, i) => idAt(now - 300 * DAY_MS + i * 200_000))
  const common = { roots, clients, users }
  yield { table: 'clients', rows: clientRows(common) }
  yield { table: 'users', rows: userRows(common) }
  yield { table: 'sessions', rows: sessionRows(common) }
  const grants: string[] = []
  yield { table: 'grants', rows: grantRows(common, grants) }
  const connections: string[] = []
  yield { table: 'connections', rows: connectionRows(common, connections) }
  yield { table: 'connect_sessions', rows: connectSessionRows(common) }
  const events: string[] = []
  yield { table: 'events', rows: eventRows(common, { grants, connections, events }) }
  yield { table: 'webhook_deliveries', rows: deliveryRows(roots, events) }
  yield { table: 'hourly_counts', rows: hourlyRows(tenant_id, now) }
}

interface Common {
  readonly roots: Roots
  readonly clients: readonly string[]
  readonly users: readonly string[]
}

/** An identifier of a moment: UUID version 7. */
function idAt(at: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(Math.floor(at), 0, 6)
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return idFromBytes(bytes)
}

// The same choices at each filling: only identifiers differ.
let state = 0x5a11
function chance(): number {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000
}
const one = <T>(of: readonly T[]): T => of[Math.floor(chance() * of.length)]!

/** Few have many: the first has half, each further one a share that falls. */
function skewed<T>(of: readonly T[]): T {
  if (chance() < 0.5) return of[0]!
  return of[Math.min(of.length - 1, Math.floor(of.length ** chance()))]!
}

/** The second user has five thousand of everything. */
function someUser(users: readonly string[], many: number): string {
  return chance() < many ? users[1]! : one(users)
}

function* clientRows({ roots: { tenant_id, now }, clients }: Common): Generator<Row> {
  for (const [i, client_id] of clients.entries()) {
    const metadata = {
      ...{ redirect_uris: [`https://app-${i}.example/callback`], grant_types: ['authorization_code', 'refresh_token'] },
      ...{ response_types: ['code'], token_endpoint_auth_method: 'client_secret_basic', scope: 'openid profile email' },
    }
    yield {
      ...{ tenant_id, client_id, client_name: `Client ${i}`, metadata: JSON.stringify(metadata), source: 'console' },
      ...{ trusted: i % 10 === 0 ? 1 : 0, client_secret_hash: randomBytes(32), epoch: 0, disabled_at: null },
      former_client_secret_expires_at: i % 40 === 7 ? now + 3 * DAY_MS : null,
      former_client_secret_hash: i % 40 === 7 ? randomBytes(32) : null,
      ...{
        created_at: now - 400 * DAY_MS,
        updated_at: now - DAY_MS,
        tokens_issued: i * 1000,
        last_used_at: now,
        legacy: 0,
      },
    }
  }
}

function* userRows({ roots: { tenant_id, now }, users }: Common): Generator<Row> {
  for (const [i, user_id] of users.entries()) {
    const username = `${one(['anna', 'ben', 'chen', 'dara', 'eve', 'farid'])}.${i}`
    yield {
      ...{
        tenant_id,
        user_id,
        username_key: username,
        username,
        name: `Person ${i}`,
        email: `${username}@example.test`,
      },
      ...{ email_verified: 1, claims: '{}', roles: '["member"]', password_hash: null, epoch: 0 },
      disabled_at: i % 50 === 3 ? now : null,
      ...{ created_at: now - 300 * DAY_MS, updated_at: now - DAY_MS, deleted_at: null, erased_at: null },
    }
  }
}

function* sessionRows({ roots: { tenant_id, now, sizes }, users }: Common): Generator<Row> {
  for (let i = 0; i < sizes.sessions; i++) {
    const created_at = now - 30 * DAY_MS * (1 - i / sizes.sessions)
    const session_id = idAt(created_at)
    const expires_at = created_at + 30 * DAY_MS
    const is_over = chance() < 0.7
    yield {
      ...{
        tenant_id,
        session_id,
        user_id: someUser(users, 0.001),
        secret_hash: randomBytes(32),
        auth_time: created_at,
      },
      ...{ acr: '1', amr: '["pwd"]', user_agent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0', epoch: 0 },
      ...{ tenant_epoch: 0, user_epoch: 0, created_at, last_seen_at: created_at, expires_at, ends_at: expires_at },
      ...{ ended_at: is_over ? created_at + 3_600_000 : null, sid: session_id },
    }
  }
}

function* grantRows({ roots: { tenant_id, now, sizes }, clients, users }: Common, made: string[]): Generator<Row> {
  const choice = JSON.stringify([{ connector: 'c0', connection_id: idAt(now), last_used_at: now }])
  for (let i = 0; i < sizes.grants; i++) {
    const created_at = now - 90 * DAY_MS * (1 - i / sizes.grants)
    const grant_id = idAt(created_at)
    const client_id = skewed(clients)
    const is_redeemed = chance() < 0.98
    const offline = chance() < 0.7
    // Of what is old most is over, and one large client was disabled and everything of it ended.
    const is_revoked = client_id === clients[1] || chance() < (i < sizes.grants / 2 ? 0.6 : 0.15)
    if (i % 10 === 0) made.push(grant_id)
    yield {
      ...{ tenant_id, grant_id, client_id, user_id: someUser(users, 0.005), session_id: offline ? null : grant_id },
      ...{ scope: 'openid profile email offline_access', resource: '["https://api.example"]', auth_time: created_at },
      ...{ authorization_details: null, connections: i % 10 === 0 ? choice : null, nonce: 'n-0S6_WzA2Mj', acr: '1' },
      ...{
        amr: '["pwd"]',
        tenant_epoch: 0,
        client_epoch: 0,
        user_epoch: 0,
        session_epoch: 0,
        offline: offline ? 1 : 0,
      },
      ...{ code_hash: is_redeemed ? null : randomBytes(32), code_expires_at: created_at + 60_000, code_failures: 0 },
      ...{ code_redeemed_at: is_redeemed ? created_at + 1000 : null, code_challenge: null, redirect_uri: null },
      ...{ attempt_id: null, refresh_generation: offline ? 3 : 0, refresh_hash: offline ? randomBytes(32) : null },
      ...{ refresh_previous_hash: null, refresh_kid: offline ? 1 : null, refresh_rotated_at: null, created_at },
      ...{ last_used_at: created_at + 1000, idle_expires_at: now + 30 * DAY_MS, expires_at: created_at + 90 * DAY_MS },
      ...{ revoked_at: is_revoked ? created_at + 5000 : null, revoked_reason: is_revoked ? 'ended' : null, role: null },
    }
  }
}

function* connectionRows(common: Common, made: string[]): Generator<Row> {
  const { roots, clients, users } = common
  const { tenant_id, now, sizes, connectors } = roots
  for (let i = 0; i < sizes.connections; i++) {
    const created_at = now - 200 * DAY_MS * (1 - i / sizes.connections)
    const connection_id = idAt(created_at)
    made.push(connection_id)
    const luck = chance()
    const state = luck < 0.85 ? 'ready' : luck < 0.88 ? 'needs_reconsent' : luck < 0.881 ? 'pending' : 'disconnected'
    const of_platform = i % 10 === 0
    yield {
      ...{ tenant_id, connection_id, connector: i % 40 === 0 ? connectors.at(-1)! : skewed(connectors.slice(0, -1)) },
      user_id: of_platform ? null : someUser(users, 0.005),
      client_id: of_platform ? clients[2]! : null,
      end_user_id: of_platform ? `customer-${i % 5000}` : null,
      ...{ state, reason: state === 'needs_reconsent' ? 'invalid_grant' : state === 'disconnected' ? 'user' : null },
      ...{ account: connection_id, account_name: `person${i}@there.example`, scope: 'repo read:user' },
      ...{ data_key: randomBytes(60), sealed_tokens: randomBytes(200), generation: 3, consented_generation: 1 },
      ...{ refresh_fingerprint: randomBytes(32), issued_at: now - 3_600_000, access_expires_at: now + 3_600_000 },
      ...{ refresh_failures: state === 'needs_reconsent' ? 3 : 0, last_error: null, last_used_at: now - 1000 },
      pending_until_at: state === 'pending' ? now + DAY_MS : null,
      ends_at: i % 50 === 1 ? now + (i % 100 === 1 ? DAY_MS : -DAY_MS) : null,
      ...{ upkeep_at: now + 30 * DAY_MS, refresh_refusals: 0, created_at, updated_at: now },
    }
  }
}

function* connectSessionRows({ roots: { tenant_id, now, sizes }, clients }: Common): Generator<Row> {
  const count = Math.ceil(sizes.connections / 20)
  for (let i = 0; i < count; i++) {
    const created_at = now - DAY_MS * (1 - i / count)
    const is_waiting = i % 20 === 0
    yield {
      ...{
        tenant_id,
        session_id: idAt(created_at),
        client_id: clients[2]!,
        user_id: null,
        end_user_id: `customer-${i}`,
      },
      ...{ invitation: 0, connectors: '["c0"]', origins: '[]', token_hash: randomBytes(32), created_at },
      ...{
        expires_at: created_at + 2 * DAY_MS,
        starts: 0,
        refusals: 0,
        ended_at: is_waiting ? null : created_at + 1000,
      },
    }
  }
}

const FREQUENT = ['session.started', 'grant.created', 'grant.revoked', 'session.ended', 'login.refused'] as const
const RARER = ['connection.connected', 'connection.refresh_failed', 'connection.disconnected', 'user.created'] as const
const RARE = ['client.updated', 'settings.saved', 'role.saved', 'connector.changed', 'key.rotated'] as const

function* eventRows(
  common: Common,
  of: { grants: readonly string[]; connections: readonly string[]; events: string[] },
): Generator<Row> {
  const { roots, clients, users } = common
  const { tenant_id, now, sizes, administrator } = roots
  for (let i = 0; i < sizes.events; i++) {
    const at = Math.floor(now - 180 * DAY_MS * (1 - i / sizes.events))
    const event_id = idAt(at)
    const luck = chance()
    const type = luck < 0.9 ? one(FREQUENT) : luck < 0.9999 ? one(RARER) : one(RARE)
    const is_rare = luck >= 0.9999
    const user_id = is_rare ? null : someUser(users, 0.005)
    if (toldTypes.has(type)) of.events.push(event_id)
    yield {
      ...{ tenant_id, event_id, at, type, actor: is_rare ? `user:${administrator}` : `user:${user_id}` },
      client_id: type.startsWith('grant') ? skewed(clients) : null,
      user_id,
      grant_id: type.startsWith('grant') ? one(of.grants) : null,
      connection_id: type.startsWith('connection') ? one(of.connections) : null,
      request_id: event_id,
      detail: is_rare ? '{"changes":{"name":["before","after"]}}' : '{"amr":["pwd"]}',
      // The first numbers are taken by what made the tenant.
      ...{
        sequence: 1_000_000 + i,
        detail_salt: randomBytes(16),
        detail_digest: randomBytes(32),
        chain: randomBytes(32),
      },
    }
  }
}
const toldTypes = new Set<string>(['grant.created', 'grant.revoked'])

function* deliveryRows({ tenant_id, now, sizes, webhook }: Roots, events: readonly string[]): Generator<Row> {
  const count = Math.min(sizes.deliveries, events.length)
  for (const [i, event_id] of events.slice(-count).entries()) {
    const created_at = now - 6 * DAY_MS * (1 - i / count)
    const state = i % 400 === 1 ? 'failed' : 'delivered'
    const tries = JSON.stringify([{ at: Math.floor(created_at), status: 200, duration_ms: 40 }])
    yield {
      ...{ tenant_id, webhook, event_id, type: 'grant.created', state, attempts: 1, next_at: null, tries, created_at },
      ...{ give_up_at: created_at + DAY_MS, settled_at: created_at + 100, expires_at: created_at + 30 * DAY_MS },
    }
  }
}

function* hourlyRows(tenant_id: string, now: number): Generator<Row> {
  const labels = {
    tokens: [
      'authorization_code',
      'refresh_token',
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:device_code',
    ],
    refusals: ['invalid_grant', 'invalid_client', 'invalid_request', 'access_denied', 'slow_down', 'invalid_scope'],
    refreshes: ['refreshed', 'refused', 'unknown'],
  }
  for (let hour = 0; hour < 8 * 24; hour++) {
    const hour_at = now - (now % 3_600_000) - hour * 3_600_000
    for (const [kind, all] of Object.entries(labels)) {
      for (const label of all) yield { tenant_id, hour_at, kind, label, count: Math.floor(chance() * 10_000) }
    }
  }
}
