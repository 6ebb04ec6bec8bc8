import { closeSync, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { randomBytes } from '../../crypto/random.ts'
import type { Driver } from '../sql.ts'
import { type BackupSource, type Catalogue, type Cell, listTables, ROWS_AT_ONCE, type TableShape } from './tables.ts'

/** A copy of the database, and from which time on it may lack something. */
export interface CopiedDatabase {
  readonly file: string
  readonly made_at: number
}

const LEFT_BEHIND_MS = 3_600_000

/** Copies a SQLite database, beside its use, into a new file of its folder. */
export async function copySqlite(driver: Driver, database: string, now: number): Promise<CopiedDatabase> {
  const mark = `${path.basename(database)}.copy-`
  const folder = path.dirname(database)
  // What a process that was killed has left; a younger one may still be made.
  for (const name of readdirSync(folder)) {
    const left = path.join(folder, name)
    if (name.startsWith(mark) && statSync(left).mtimeMs < now - LEFT_BEHIND_MS) rmSync(left, { force: true })
  }
  const file = `${database}.copy-${randomBytes(6).toString('hex')}`
  closeSync(openSync(file, 'wx', 0o600))
  try {
    await driver.copyTo!(file)
  } catch (error) {
    rmSync(file, { force: true })
    throw error
  }
  return { file, made_at: now }
}

/** Reads a copy of a SQLite database that nobody else uses, and removes it: at once where the system lets it be read on. */
export function openSqliteCopy({ file, made_at }: CopiedDatabase): BackupSource {
  const remove = () => rmSync(file, { force: true })
  try {
    const place = pathToFileURL(file)
    // Nobody changes it, so neither locks nor files beside it are needed.
    place.search = '?immutable=1'
    const database = new DatabaseSync(place, { readOnly: true })
    try {
      return readDatabase(database, made_at, remove)
    } catch (error) {
      database.close()
      throw error
    }
  } finally {
    if (process.platform !== 'win32') remove()
  }
}

function readDatabase(database: DatabaseSync, made_at: number, remove: () => void): BackupSource {
  const tables = listTables(readSqliteCatalogue(database))
  const count = ({ table }: TableShape) =>
    (database.prepare(`select count(*) as rows from ${table}`).get() as { rows: number }).rows
  const migrations = database.prepare('select name from migrations order by name').all() as { name: string }[]
  return {
    dialect: 'sqlite',
    made_at,
    migrations: migrations.map(({ name }) => name),
    tables,
    row_count: tables.reduce((sum, shape) => sum + count(shape), 0),
    *rows({ table, columns }) {
      const statement = database.prepare(`select ${columns.map(([name]) => name).join(', ')} from ${table}`)
      statement.setReturnArrays(true)
      let some: Cell[][] = []
      for (const row of statement.iterate() as Iterable<unknown> as Iterable<Cell[]>) {
        if (some.push(row) < ROWS_AT_ONCE) continue
        yield some
        some = []
      }
      if (some.length > 0) yield some
    },
    async close() {
      database.close()
      remove()
    },
  }
}

/** The catalogue of an open SQLite database. */
export function readSqliteCatalogue(database: DatabaseSync): Catalogue {
  const ask = (text: string) => database.prepare(text).all() as unknown[]
  const from = (pragma: string) =>
    `from sqlite_master m, ${pragma}(m.name) p where m.type = 'table' and m.name not like 'sqlite\\_%' escape '\\'`
  return {
    columns: ask(
      `select m.name as table_name, p.name as column_name, lower(p.type) as type ${from('pragma_table_info')} order by 1, p.cid`,
    ) as Catalogue['columns'],
    references: ask(
      `select distinct m.name as table_name, p."table" as refers_to ${from('pragma_foreign_key_list')}`,
    ) as Catalogue['references'],
  }
}
