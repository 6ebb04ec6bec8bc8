import { readdirSync, readFileSync } from 'node:fs'
import type { Driver, Session } from './sql.ts'

/** One numbered change of the schema: the SQL both databases take, then the one database's own. */
export interface Migration {
  readonly name: string
  readonly script: string
  /** Indexes of large tables on PostgreSQL, each made or dropped without a transaction, while others write. */
  readonly concurrently?: readonly string[]
}

const FOLDER = new URL('./migrations/', import.meta.url)

/**
 * The migrations for a database, in order: `NNNN_name.sql`, with `NNNN_name.sqlite.sql` or `.postgres.sql` beside it, and
 * `NNNN_name.postgres.concurrently.sql`, whose statements come first and may all be run again.
 */
export function readMigrations(dialect: Driver['dialect'], folder: URL = FOLDER): Migration[] {
  const files = readdirSync(folder).sort()
  const names = new Set(files.map((file) => file.split('.')[0]!))
  return [...names].map((name) => {
    const own = [`${name}.sql`, `${name}.${dialect}.sql`].filter((file) => files.includes(file))
    const read = (file: string) => readFileSync(new URL(file, folder), 'utf8')
    const migration = { name, script: own.map(read).join('\n') }
    const concurrent = `${name}.${dialect}.concurrently.sql`
    return files.includes(concurrent) ? { ...migration, concurrently: listStatements(read(concurrent)) } : migration
  })
}

/** The migrations of these names, as a backup lists those that made its tables. */
export function namedMigrations(dialect: Driver['dialect'], names: readonly string[]): Migration[] {
  return readMigrations(dialect).filter(({ name }) => names.includes(name))
}

function listStatements(script: string): string[] {
  const statements = script.replace(/^--.*$/gm, '').split(';')
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '')
}

/** Names sort and compare by their bytes, as on SQLite, whatever language the database was made for. */
export const BYTE_ORDER = `do $$
declare
  script text;
begin
  if (select datlocprovider = 'c' and datcollate in ('C', 'POSIX') from pg_database where datname = current_database())
  then return; end if;
  for script in
    select format('alter table %I %s', table_name,
      string_agg(format('alter column %I type text collate "C"', column_name), ', '))
    from information_schema.columns
    where table_schema = current_schema() and data_type = 'text' and collation_name is distinct from 'C'
    group by table_name
  loop
    execute script;
  end loop;
end $$`

const DATABASE_TIME = {
  sqlite: "cast(unixepoch('subsec') * 1000 as integer)",
  postgres: '(extract(epoch from now()) * 1000)::bigint',
}

const MAKES = /^create (?:unique )?index concurrently if not exists (\w+) /i
const DROPS = /^drop index concurrently if exists \w+$/i

// An index that was not finished, because the process died or a row was against it, is there by its name and not used.
async function runConcurrently(session: Session, statement: string): Promise<void> {
  const made = MAKES.exec(statement)?.[1]
  if (made === undefined && !DROPS.test(statement)) throw new Error(`A migration cannot be run twice: ${statement}`)
  const unfinished = `select 1 from pg_index where indexrelid = to_regclass('${made}') and not indisvalid`
  if (made !== undefined && (await session.query(unfinished)).length > 0) {
    await session.query(`drop index concurrently if exists ${made}`)
  }
  await session.query(statement)
}

/** The statement that records a migration. */
export function noteOf(name: string, dialect: Driver['dialect']): string {
  return `insert into migrations (name, applied_at) values ('${name}', ${DATABASE_TIME[dialect]})`
}

/** Applies what is missing, each migration in one transaction with its own record; returns the names it applied. */
export function migrate(
  driver: Driver,
  migrations: readonly Migration[] = readMigrations(driver.dialect),
  told: (done: number, total: number) => void = () => {},
): Promise<string[]> {
  return driver.exclusively(async (session) => {
    await session.transaction(
      'create table if not exists migrations (name text not null primary key, applied_at bigint not null)',
    )
    const known = new Set((await session.query('select name from migrations')).map((row) => String(row['name'])))
    const applied: string[] = []
    const missing = migrations.filter(({ name }) => !known.has(name))
    for (const { name, script, concurrently = [] } of missing) {
      for (const statement of concurrently) await runConcurrently(session, statement)
      const note = noteOf(name, driver.dialect)
      const scripts = driver.dialect === 'postgres' ? [script, BYTE_ORDER, note] : [script, note]
      await session.transaction(scripts.join('\n;\n'))
      applied.push(name)
      told(applied.length, missing.length)
    }
    return applied
  })
}
