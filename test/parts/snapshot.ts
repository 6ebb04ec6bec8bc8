import { createHash } from 'node:crypto'
import type { Store } from '../../server/src/store/store.ts'

type Row = Record<string, unknown>

// What routine work writes and no refusal is measured by: the audit log, counted guesses, and counters written behind.
const LOGS = ['events', 'event_chains', 'guesses', 'hourly_counts', 'leases', 'migrations']
const COUNTERS = ['tokens_issued', 'last_used_at', 'last_seen_at']

/** Every row of every table, by table: what an attacker would see who has the database. */
export async function dumpRows(store: Store): Promise<ReadonlyMap<string, readonly Row[]>> {
  const list =
    store.driver.dialect === 'sqlite'
      ? "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name"
      : "select table_name as name from information_schema.tables where table_schema = 'public' order by table_name"
  return store.driver.exclusively(async (session) => {
    const tables = new Map<string, readonly Row[]>()
    for (const row of await session.query(list)) {
      const name = String(row['name'])
      tables.set(name, await session.query(`select * from ${name}`))
    }
    return tables
  })
}

/** How many rows each table has, the audit log left out. */
export async function countRows(store: Store): Promise<Record<string, number>> {
  const tables = [...(await dumpRows(store))].filter(([name]) => !LOGS.includes(name))
  return Object.fromEntries(tables.map(([name, rows]) => [name, rows.length]))
}

/** Every row but those of routine work, as text with its table. */
export async function printRows(store: Store): Promise<string[]> {
  const tables = [...(await dumpRows(store))].filter(([name]) => !LOGS.includes(name))
  return tables.flatMap(([name, rows]) => rows.map((row) => `${name}: ${printRow(row, COUNTERS)}`)).sort()
}

/** Number and hash of each table's rows: equal before and after what must change nothing. */
export async function snapshotRows(store: Store): Promise<Record<string, string>> {
  const snapshot: Record<string, string> = {}
  for (const [name, rows] of await dumpRows(store)) {
    if (LOGS.includes(name)) continue
    const lines = rows.map((row) => printRow(row, COUNTERS)).sort()
    snapshot[name] = `${rows.length} rows, ${createHash('sha256').update(lines.join('\n')).digest('hex')}`
  }
  return snapshot
}

/** One row as text, bytes in every spelling that a secret could have been stored in. */
export function printRow(row: Row, except: readonly string[] = []): string {
  const cells = Object.entries(row).filter(([column]) => !except.includes(column))
  return cells.map(([column, value]) => `${column}=${printValue(value)}`).join(' ')
}

function printValue(value: unknown): string {
  if (!(value instanceof Uint8Array)) return String(value)
  const bytes = Buffer.from(value)
  return [bytes.toString('hex'), bytes.toString('base64url'), bytes.toString('base64'), bytes.toString('latin1')].join()
}

/** Watches the audit log of a store: the answer lists what was added since. */
export async function watchEvents(
  store: Store,
): Promise<() => Promise<{ type: string; actor: string; detail: Record<string, unknown> }[]>> {
  const read = async () => (await dumpRows(store)).get('events') ?? []
  const seen = new Set((await read()).map((row) => row['event_id']))
  return async () =>
    (await read())
      .filter((row) => !seen.has(row['event_id']))
      .map(({ type, actor, detail }) => ({
        type: String(type),
        actor: String(actor),
        detail: JSON.parse(String(detail)),
      }))
}
