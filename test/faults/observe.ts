import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { idFromBytes } from '../../server/src/crypto/random.ts'
import type { History } from './history.ts'
import type { Observation, ObservedGrant } from './observation.ts'

const GRANTS = `select grant_id, code_redeemed_at, revoked_at, refresh_generation from grants`
const EVENTS = `select grant_id, type, count(*) as number from events
  where type in ('grant.created', 'grant.revoked') group by grant_id, type`

interface GrantRow {
  readonly grant_id: string
  readonly code_redeemed_at: unknown
  readonly revoked_at: unknown
  readonly refresh_generation: unknown
}

interface EventRow {
  readonly grant_id: string
  readonly type: string
  readonly number: unknown
}

/** Reads the database of a dead server from a copy, so that its next start finds what a crash leaves. */
export async function observeSqlite(
  file: string,
  history: History,
  other_codes: readonly string[],
): Promise<Observation> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-observed-'))
  const at = history.now()
  try {
    const copy = path.join(folder, 'copy.db')
    await cp(file, copy)
    await cp(`${file}-wal`, `${copy}-wal`).catch((error: NodeJS.ErrnoException) => {
      // A server that ended in order leaves no log.
      if (error.code !== 'ENOENT') throw error
    })
    const database = new DatabaseSync(copy)
    const all = (sql: string) => database.prepare(sql).all()
    const checked = all('pragma integrity_check').map((row) => String(row['integrity_check']))
    const orphans = all('pragma foreign_key_check').map((row) => `foreign key: ${JSON.stringify(row)}`)
    const damage = [...checked.filter((line) => line !== 'ok'), ...orphans]
    const grants = all(GRANTS) as unknown as GrantRow[]
    const events = all(EVENTS) as unknown as EventRow[]
    database.close()
    return { at, damage, ...sortGrants(grants, events, history, other_codes) }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Reads PostgreSQL, heap and indexes examined by its own extension. */
export async function observePostgres(
  url: string,
  history: History,
  other_codes: readonly string[],
): Promise<Observation> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('create extension if not exists amcheck')
    const at = history.now()
    const damage = [...(await examineIndexes(client)), ...(await examineHeaps(client))]
    await client.query('begin isolation level repeatable read')
    const grants = (await client.query<GrantRow>(GRANTS)).rows
    const events = (await client.query<EventRow>(EVENTS)).rows
    return { at, damage, ...sortGrants(grants, events, history, other_codes) }
  } finally {
    await client.end()
  }
}

async function examineIndexes(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_index i join pg_class c on c.oid = i.indexrelid
     where c.relnamespace = 'public'::regnamespace and i.indisvalid`,
  )
  const damage: string[] = []
  for (const { name } of rows) {
    await client.query('select bt_index_check($1::regclass, true)', [name]).catch((error: Error) => {
      damage.push(`${name}: ${error.message}`)
    })
  }
  return damage
}

async function examineHeaps(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; msg: string }>(
    `select c.oid::regclass::text as name, v.msg from pg_class c cross join lateral verify_heapam(c.oid) v
     where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace`,
  )
  return rows.map(({ name, msg }) => `${name}: ${msg}`)
}

/** Puts the grants to the codes that the clients know; `other_codes` are those for which nobody comes back. */
function sortGrants(
  rows: readonly GrantRow[],
  events: readonly EventRow[],
  history: History,
  other_codes: readonly string[],
): Pick<Observation, 'grants' | 'unknown_grants'> {
  const codes = new Map<string, string>()
  for (const { op, t_ok, result } of history.operations) {
    if (op === 'authorize' && t_ok !== undefined) codes.set(grantOf(result!.code!), result!.code!)
  }
  const others = new Set(other_codes.map(grantOf))
  const counts = new Map(events.map(({ grant_id, type, number }) => [`${type} ${grant_id}`, Number(number)]))
  const grants = new Map<string, ObservedGrant>()
  let unknown_grants = 0
  for (const { grant_id, code_redeemed_at, revoked_at, refresh_generation } of rows) {
    const code = codes.get(grant_id)
    if (code === undefined) {
      if (!others.has(grant_id)) unknown_grants++
      continue
    }
    grants.set(code, {
      redeemed: code_redeemed_at !== null,
      revoked: revoked_at !== null,
      refresh_generation: Number(refresh_generation),
      created_events: counts.get(`grant.created ${grant_id}`) ?? 0,
      revoked_events: counts.get(`grant.revoked ${grant_id}`) ?? 0,
    })
  }
  return { grants, unknown_grants }
}

// A code begins with the grant that it belongs to.
function grantOf(code: string): string {
  return idFromBytes(Buffer.from(code.slice('sp_ac_'.length), 'base64url').subarray(0, 16))
}
