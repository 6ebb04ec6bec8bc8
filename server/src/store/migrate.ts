import { readdirSync, readFileSync } from 'node:fs'
import type { Driver } from './sql.ts'

/** One numbered change of the schema: the SQL both databases take, then the one database's own. */
export interface Migration {
  readonly name: string
  readonly script: string
}

const FOLDER = new URL('./migrations/', import.meta.url)

/** The migrations for a database, in order: `NNNN_name.sql`, with `NNNN_name.sqlite.sql` or `.postgres.sql` beside it. */
export function readMigrations(dialect: Driver['dialect'], folder: URL = FOLDER): Migration[] {
  const files = readdirSync(folder).sort()
  const names = new Set(files.map((file) => file.split('.')[0]!))
  return [...names].map((name) => {
    const own = [`${name}.sql`, `${name}.${dialect}.sql`].filter((file) => files.includes(file))
    return { name, script: own.map((file) => readFileSync(new URL(file, folder), 'utf8')).join('\n') }
  })
}

// Names sort and compare by their bytes, as on SQLite, whatever language the database was made for.
const BYTE_ORDER = `do $$
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

/** Applies what is missing, each migration in one transaction with its own record; returns the names it applied. */
export function migrate(driver: Driver, migrations = readMigrations(driver.dialect)): Promise<string[]> {
  return driver.exclusively(async (session) => {
    await session.transaction(
      'create table if not exists migrations (name text not null primary key, applied_at bigint not null)',
    )
    const known = new Set((await session.query('select name from migrations')).map((row) => String(row['name'])))
    const applied: string[] = []
    for (const { name, script } of migrations) {
      if (known.has(name)) continue
      const note = `insert into migrations (name, applied_at) values ('${name}', ${DATABASE_TIME[driver.dialect]})`
      const scripts = driver.dialect === 'postgres' ? [script, BYTE_ORDER, note] : [script, note]
      await session.transaction(scripts.join('\n;\n'))
      applied.push(name)
    }
    return applied
  })
}
