import { existsSync, linkSync, readdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { randomBytes } from '../../crypto/random.ts'
import { migrate, namedMigrations } from '../migrate.ts'
import { type Driver, StoreUnavailable } from '../sql.ts'
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
  removeLeftovers(file)
  const former = existsSync(file) ? openFormer(file) : null
  if (former && !options.replace) {
    void former.close()
    throw new BackupError(`${file} is there already: restore into an empty data folder, or replace it with --replace`)
  }
  // The log of a file that is gone would be taken for that of the new one.
  if (!former) removeLogs(file)
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

function openFormer(file: string): Driver {
  try {
    return openSqlite({ path: file, clock: Date.now })
  } catch (cause) {
    if (cause instanceof StoreUnavailable) throw cause
    throw new BackupError(`${file} cannot be opened (${(cause as Error).message}): move it away first`, { cause })
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

// What a killed process has left. What another one still fills is locked, and goes on.
function removeLeftovers(file: string): void {
  const mark = `${path.basename(file)}.restoring-`
  for (const name of readdirSync(path.dirname(file))) {
    if (!name.startsWith(mark) || /-(?:wal|shm|journal)$/.test(name)) continue
    const left = path.join(path.dirname(file), name)
    refuseWhereFilled(left)
    removeWithLogs(left)
  }
}

function refuseWhereFilled(left: string): void {
  try {
    void openSqlite({ path: left, clock: Date.now }).close()
  } catch (cause) {
    // Any other error tells of a file that is only half there.
    if (!(cause instanceof StoreUnavailable)) return
    throw new BackupError('Another process restores into this data folder: wait for its end', { cause })
  }
}

function removeWithLogs(file: string): void {
  rmSync(file, { force: true })
  removeLogs(file)
}

function removeLogs(file: string): void {
  for (const end of ['-wal', '-shm', '-journal']) rmSync(`${file}${end}`, { force: true })
}
