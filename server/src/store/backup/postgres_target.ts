import type pg from 'pg'
import { BYTE_ORDER, type Migration, namedMigrations, noteOf, readMigrations } from '../migrate.ts'
import { MIGRATION_LOCK } from '../postgres.ts'
import { encodeArray } from '../postgres_array.ts'
import { Renderer } from '../postgres_batch.ts'
import { connectClient, ownTypes } from '../postgres_connection.ts'
import { runInLockstep } from '../postgres_lockstep.ts'
import { BackupError } from './backup_file.ts'
import { readPostgresCatalogue } from './postgres_source.ts'
import { listOwnTables, listTables, type RestoreTarget } from './tables.ts'

/**
 * A PostgreSQL database that is made and filled in one transaction: a process that is killed before its end leaves what
 * was there. It holds the lock of migrations, for which every server waits that starts meanwhile.
 */
export async function openPostgresTarget(url: string, options: { replace: boolean }): Promise<RestoreTarget> {
  const client = await connectClient(url, { statement_timeout: 0 })
  const renderer = new Renderer(undefined)
  const ask = {
    async query(query: { text: string; values?: unknown[] }) {
      const { fields, rows } = await client.query({ ...query, types: ownTypes, rowMode: 'array' as const })
      return { columns: fields.map(({ name }) => name), rows: rows as unknown as unknown[][] }
    },
  }
  const applied = new Set<string>()
  const apply = async (migrations: readonly Migration[]) => {
    for (const migration of migrations) {
      if (applied.has(migration.name)) continue
      await client.query(scriptOf(migration))
      applied.add(migration.name)
    }
  }
  try {
    await claim(client, options.replace)
  } catch (error) {
    await client.end()
    throw error
  }
  return {
    async prepare(migrations) {
      await client.query('create table migrations (name text not null primary key, applied_at bigint not null)')
      await apply(namedMigrations('postgres', migrations))
      return listTables(await readPostgresCatalogue(client))
    },
    async insert({ table, columns }, rows) {
      const names = columns.map(([name]) => name).join(', ')
      const arrays = columns.map(([, type], i) => `$${i + 1}::${type}[]`).join(', ')
      const values = columns.map(([, type], i) =>
        encodeArray(
          type,
          rows.map((row) => row[i]),
        ),
      )
      await client.query(`insert into ${table} (${names}) select * from unnest(${arrays})`, values)
    },
    async upgrade() {
      await apply(readMigrations('postgres'))
      await client.query('analyze')
    },
    async run(verb, args) {
      const [result] = await runInLockstep(ask, renderer, [verb.run(args)])
      return result as never
    },
    async finish() {
      const { command } = await client.query('commit')
      if (command !== 'COMMIT') throw new BackupError('The database rolled back')
    },
    close: () => client.end(),
  }
}

// Tables that nobody sees yet have their indexes made inside of the transaction.
function scriptOf({ name, script, concurrently = [] }: Migration): string {
  const indexes = concurrently.map((statement) => statement.replace(/\bconcurrently\b/i, ''))
  return [...indexes, script, BYTE_ORDER, noteOf(name, 'postgres')].join('\n;\n')
}

async function claim(client: pg.Client, replace: boolean): Promise<void> {
  await client.query('set statement_timeout = 0; set idle_in_transaction_session_timeout = 0')
  const { rows: locks } = await client.query(`select pg_try_advisory_lock(${MIGRATION_LOCK}) as is_held`)
  if (!locks[0].is_held) throw new BackupError('Another process migrates or restores this database')
  const { rows: others } = await client.query(`
    select count(*)::int as count from pg_stat_activity
    where datname = current_database() and application_name = 'sallyport' and pid <> pg_backend_pid()`)
  if (others[0].count > 0) {
    throw new BackupError(`Servers are connected to this database (${others[0].count} connections): stop them first`)
  }
  const present = await listPresent(client)
  if (present.length > 0 && !(await isOurs(client, present))) {
    throw new BackupError(`The database holds ${present[0]}, a table of something else: give one of its own`)
  }
  if (present.includes('tenants') && !replace) {
    const { rows } = await client.query('select 1 from tenants limit 1')
    if (rows.length > 0) {
      throw new BackupError('The database is not empty: restore into an empty one, or replace it with --replace')
    }
  }
  await client.query('begin isolation level read committed read write')
  // In one statement, since they refer to each other; what others have built on them keeps them from going.
  if (present.length > 0) await client.query(`drop table ${present.join(', ')}`)
}

async function listPresent(client: pg.Client): Promise<string[]> {
  const own = listOwnTables(readMigrations('postgres')).add('migrations')
  const { columns } = await readPostgresCatalogue(client)
  return [...new Set(columns.map(({ table_name }) => table_name))].filter((name) => own.has(name))
}

// Tables of another program may have the same names, that of its migrations too.
async function isOurs(client: pg.Client, present: readonly string[]): Promise<boolean> {
  if (!present.includes('migrations')) return false
  const [{ name: founding }] = readMigrations('postgres') as [Migration]
  const { rows } = await client.query("select 1 from migrations m where to_jsonb(m) ->> 'name' = $1", [founding])
  return rows.length > 0
}
