import { type Migration, readMigrations } from './migrate.ts'
import type { Driver } from './sql.ts'

/** The names of the migrations that a database still lacks, in order; nothing is changed. */
export function listPendingMigrations(
  driver: Driver,
  migrations: readonly Migration[] = readMigrations(driver.dialect),
): Promise<string[]> {
  return driver.exclusively(async (session) => {
    const [table] = await session.query(TABLE[driver.dialect])
    const known = new Set(table ? (await session.query('select name from migrations')).map((row) => row['name']) : [])
    return migrations.flatMap(({ name }) => (known.has(name) ? [] : [name]))
  })
}

const TABLE = {
  sqlite: "select name from sqlite_master where type = 'table' and name = 'migrations'",
  postgres: "select 1 where to_regclass('migrations') is not null",
} as const
