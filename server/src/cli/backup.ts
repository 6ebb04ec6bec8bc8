import { existsSync, renameSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { VERSION } from '../app.ts'
import type { Config } from '../config/read_config.ts'
import { randomBytes } from '../crypto/random.ts'
import { BackupError, writeBackup } from '../store/backup/backup_file.ts'
import { syncPath } from '../store/backup/durable.ts'
import { openPostgresSnapshot } from '../store/backup/postgres_source.ts'
import { copySqlite, openSqliteCopy } from '../store/backup/sqlite_source.ts'
import type { BackupSource } from '../store/backup/tables.ts'
import { readMigrations } from '../store/migrate.ts'
import { adminSocketPath, findAdministration } from './admin_socket.ts'
import type { CommandConfig } from './command_config.ts'
import { dataFiles, readRootKey } from './data_folder.ts'
import { CommandError, EXIT } from './exit_codes.ts'
import { requireMade } from './open_app.ts'
import { askDatabase, openAsItIs } from './open_store.ts'
import { showProgress } from './progress.ts'

const PACKED = { level: 4 }

/**
 * `backup <file>`: writes everything that the database has into one file, beside a running server or without one. It is
 * written aside and named when it is whole and on the disk; - is the standard output.
 */
export async function backUp({ config }: CommandConfig, file: string, json: boolean): Promise<number> {
  if (file !== '-' && existsSync(file)) throw new CommandError(`${file} is there already`, EXIT.conflict)
  if (file === '-' && process.stdout.isTTY) throw new CommandError('A backup is not for a terminal: send it to a file')
  await requireMade(config)
  const root = readRootKey(config)
  const source = await openSource(config)
  const progress = showProgress('backup', 'rows', json)
  try {
    checkKnown(source)
    const key = { name: root.name, key: root.backupKey()! }
    const lines = writeBackup(source, key, VERSION, (rows) => progress.tell(rows, source.row_count))
    if (file === '-') await pipeline(Readable.from(lines), createGzip(PACKED), print)
    else await writeFile(path.resolve(file), lines)
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new BackupError(`The backup was not made: ${(error as Error).message}`, { cause: error })
  } finally {
    progress.end()
    await source.close()
  }
  const { row_count: rows, made_at } = source
  const told = { file, rows, made_at: new Date(made_at).toISOString(), root_key: root.name }
  const said = json ? `${JSON.stringify(told, null, 2)}\n` : describe(told)
  // Where the backup itself goes to the standard output, nothing else does.
  ;(file === '-' ? process.stderr : process.stdout).write(said)
  return EXIT.done
}

function describe({ file, rows, root_key }: { file: string; rows: number; root_key: string }): string {
  return (
    `${rows} rows in ${file === '-' ? 'the backup' : file}\n` +
    `The root key is not in it: keep root key ${root_key} elsewhere, for without it nothing of the backup opens\n`
  )
}

async function openSource(config: Config): Promise<BackupSource> {
  const { database_url } = config
  if (database_url !== undefined) return askDatabase(() => openPostgresSnapshot(database_url))
  const running = await findAdministration(adminSocketPath(config))
  if (running) return openSqliteCopy(await running.copyDatabase())
  const store = await openAsItIs(config)
  try {
    return openSqliteCopy(await copySqlite(store.driver, dataFiles(config).database, Date.now()))
  } finally {
    await store.close()
  }
}

// Tables that a later version has made would be left out.
function checkKnown({ dialect, migrations }: BackupSource): void {
  const known = readMigrations(dialect).map(({ name }) => name)
  const later = migrations.find((name) => !known.includes(name))
  if (later !== undefined)
    throw new CommandError(`The database is of a later version, which has ${later}: use that one`)
}

async function print(packed: AsyncIterable<Buffer>): Promise<void> {
  const { stdout } = process
  // Whoever reads may have gone: the callback says so.
  stdout.on('error', () => {})
  for await (const chunk of packed) {
    await new Promise<void>((resolve, reject) => {
      stdout.write(chunk, (error) => (error ? reject(error) : resolve()))
    })
  }
}

async function writeFile(file: string, lines: AsyncIterable<Buffer>): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}.part`
  let handle: FileHandle | undefined
  try {
    handle = await open(aside, 'wx', 0o600)
    const made = handle
    await pipeline(Readable.from(lines), createGzip(PACKED), (packed: AsyncIterable<Buffer>) => made.writeFile(packed))
    await handle.sync()
    await handle.close()
    handle = undefined
    if (existsSync(file)) throw new CommandError(`${file} is there already`, EXIT.conflict)
    renameSync(aside, file)
    syncPath(path.dirname(file))
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (!['open', 'write', 'fsync', 'rename'].includes(syscall ?? '')) throw error
    throw new CommandError(`${file} cannot be written (${code})`, EXIT.failed, { cause: error })
  } finally {
    await handle?.close()
    rmSync(aside, { force: true })
  }
}
