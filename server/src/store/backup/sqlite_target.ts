import { existsSync, linkSync, readdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { randomBytes } from '../../crypto/random.ts'
import { migrate, namedMigrations } from '../migrate.ts'
import type { Driver } from '../sql.ts'
import { openSqlite } from '../sqlite.ts'
import { BackupError } from './backup_file.ts'
import { syncPath } from './durable.ts'
import { readSqliteCatalogue } from './sqlite_source.ts'
import { listTables, type RestoreTarget } from './tables.ts'

/**
 * A new SQLite file, filled aside and moved to its place when it is whole: a process that is killed before leaves what
 * was there. What is replaced stays locked until then, so that no server starts on it.
 */
export function openSqliteTarget(file: string, options: { replace: boolean }): RestoreTarget {
  const former = existsSync(file) ? openSqlite({ path: file, clock: Date.now }) : null
  if (former && !options.replace) {
    void former.close()
    throw new BackupError(`${file} is there already: restore into an empty data folder, or replace it with --replace`)
  }
  removeLeftovers(file)
  const aside = `${file}.restoring-${randomBytes(6).toString('hex')}`
  let filling: DatabaseSync | undefined
  let filled: Driver | undefined
  const statements = new Map<string, StatementSync>()
  return {
    async prepare(migrations) {
      const driver = openSqlite({ path: aside, clock: Date.now })
      await migrate(driver, namedMigrations('sqlite', migrations))
      await driver.close()
      filling = new DatabaseSync(aside)
      // Until it is whole nobody needs it: it reaches the disk at the end.
      filling.exec(
        'pragma locking_mode = exclusive; pragma synchronous = off; pragma cache_size = -65536; begin immediate',
      )
      return listTables(readSqliteCatalogue(filling))
    },
    async insert({ table, columns }, rows) {
      let statement = statements.get(table)
      if (!statement) {
        const names = columns.map(([name]) => name).join(', ')
        statement = filling!.prepare(`insert into ${table} (${names}) values (${columns.map(() => '?').join(', ')})`)
        statements.set(table, statement)
      }
      for (const row of rows) statement.run(...row)
    },
    async upgrade() {
      filling!.exec('commit')
      filling!.close()
      filling = undefined
      filled = openSqlite({ path: aside, clock: Date.now })
      await migrate(filled)
    },
    run: (verb, args) => filled!.run(verb, args),
    async finish() {
      // The last connection puts everything that was logged into the file itself.
      await filled!.close()
      filled = undefined
      syncPath(aside)
      if (former) await replace(former, aside, file)
      else putInPlace(aside, file)
      syncPath(path.dirname(file))
    },
    async close() {
      filling?.close()
      await filled?.close()
      await former?.close()
      removeWithLogs(aside)
    },
  }
}

// Without a write-ahead log nothing lies beside the file that could be taken for the new one's.
async function replace(former: Driver, aside: string, file: string): Promise<void> {
  await former.exclusively(async (session) => {
    const [mode] = await session.query('pragma journal_mode = delete')
    if (mode?.['journal_mode'] !== 'delete') throw new BackupError(`${file} is in use`)
    await session.transaction('select 1')
  })
  renameSync(aside, file)
}

// A file that came there meanwhile is not written over.
function putInPlace(aside: string, file: string): void {
  try {
    linkSync(aside, file)
  } catch (cause) {
    throw new BackupError(`${file} cannot be put in place (${(cause as NodeJS.ErrnoException).code})`, { cause })
  }
}

function removeLeftovers(file: string): void {
  const mark = `${path.basename(file)}.restoring-`
  for (const name of readdirSync(path.dirname(file))) {
    if (name.startsWith(mark)) rmSync(path.join(path.dirname(file), name), { force: true })
  }
}

function removeWithLogs(file: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${end}`, { force: true })
}
