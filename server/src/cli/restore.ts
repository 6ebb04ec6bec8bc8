import { createReadStream, existsSync } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Config } from '../config/read_config.ts'
import { newId } from '../crypto/random.ts'
import type { RootKey } from '../crypto/tenant_keys.ts'
import { BackupError, type BackupHead } from '../store/backup/backup_file.ts'
import { openPostgresTarget } from '../store/backup/postgres_target.ts'
import { fillFromBackup } from '../store/backup/restore.ts'
import { openSqliteTarget } from '../store/backup/sqlite_target.ts'
import type { RestoreTarget } from '../store/backup/tables.ts'
import { settleRestored } from '../store/verbs/restored.ts'
import { listTenants } from '../store/verbs/tenants.ts'
import { adminSocketPath, findAdministration } from './admin_socket.ts'
import type { CommandConfig } from './command_config.ts'
import { dataFiles, makeDataFolder, readRootKey } from './data_folder.ts'
import { CommandError, EXIT } from './exit_codes.ts'
import { askDatabase } from './open_store.ts'
import { type Progress, showProgress } from './progress.ts'
import { replayRevocations, type Undone } from './replay_revocations.ts'
import { confirm, printable } from './terminal.ts'

/** What `restore` is told beside the file. */
export interface RestoreWish {
  /** Also over a database that holds something. */
  readonly replace: boolean
  /** Exports of the audit log since the backup, one for each tenant whose grants may go on. */
  readonly revocations: readonly string[]
  readonly yes: boolean
  readonly json: boolean
}

/** What a restored tenant has come to. */
interface RestoredTenant {
  readonly issuer: string
  readonly kept_grants: number
  readonly ended_grants: number
  /** Until when it is known what was revoked; null where no export says so, and nothing goes on. */
  readonly known_until: string | null
  /** What was done since the backup and is undone by restoring it: to be done again. */
  readonly undone: Undone
}

/**
 * `restore <file>`: fills a database that no server uses from a backup of either kind of database. Nothing is seen of it
 * before all of it is there; then every token of before is void.
 */
export async function restore({ config }: CommandConfig, file: string, wish: RestoreWish): Promise<number> {
  if (await findAdministration(adminSocketPath(config))) {
    throw new CommandError('A server of this data folder runs: stop it first', EXIT.conflict)
  }
  const root = readPresentRootKey(config)
  if (wish.replace && !wish.yes) await confirm('What the database holds now will be gone. Restore?')
  const target = await openTarget(config, wish.replace)
  const progress = showProgress('restore', 'rows', wish.json)
  try {
    const restored = await restoreInto(target, root, { file, revocations: wish.revocations }, progress)
    progress.end()
    process.stdout.write(wish.json ? `${JSON.stringify(restored, null, 2)}\n` : describe(restored))
    return EXIT.done
  } catch (error) {
    if (error instanceof CommandError || error instanceof BackupError) throw error
    throw new BackupError(`Nothing was restored: ${(error as Error).message}`, { cause: error })
  } finally {
    progress.end()
    await target.close()
  }
}

/** What was restored. */
export interface Restored {
  readonly rows: number
  readonly made_at: string
  /** The kind of database that the backup was made of. */
  readonly from: string
  readonly tenants: readonly RestoredTenant[]
}

/** Fills a target from a file, settles each tenant, and only then puts the target in its place. */
export async function restoreInto(
  target: RestoreTarget,
  root: RootKey,
  { file, revocations }: { readonly file: string; readonly revocations: readonly string[] },
  progress: Progress,
): Promise<Restored> {
  const head = await fill(target, root, file, progress)
  const tenants = await settle(target, root, head, revocations)
  await target.finish()
  const { made_at, row_count: rows, database: from } = head
  return { rows, made_at: new Date(made_at).toISOString(), from, tenants }
}

// A root key that was made now would open nothing.
function readPresentRootKey(config: Config): RootKey {
  const { root_key } = config
  if (root_key.kind === 'made' && !existsSync(root_key.file)) {
    throw new CommandError(`Put the root key of the backup into ${root_key.file} first: it is not in the backup`)
  }
  return readRootKey(config)
}

async function openTarget(config: Config, replace: boolean): Promise<RestoreTarget> {
  const { database_url } = config
  if (database_url === undefined) {
    makeDataFolder(config)
    return openSqliteTarget(dataFiles(config).database, { replace })
  }
  try {
    return await openPostgresTarget(database_url, { replace })
  } catch (error) {
    if (error instanceof BackupError) throw error
    return askDatabase(() => Promise.reject(error))
  }
}

async function fill(target: RestoreTarget, root: RootKey, file: string, progress: Progress): Promise<BackupHead> {
  const packed = file === '-' ? process.stdin : createReadStream(file)
  const chunks = createGunzip()
  // Whatever breaks is thrown where the rows are read.
  pipeline(packed, chunks, () => {})
  try {
    return await fillFromBackup(chunks, target, root, (rows, { row_count }) => progress.tell(rows, row_count))
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (syscall === 'open' || syscall === 'read') throw new CommandError(`${file} cannot be read (${code})`)
    if (code === 'Z_BUF_ERROR') throw new BackupError('The backup is cut off: its end is missing', { cause: error })
    if (code?.startsWith('Z_')) throw new BackupError('This is no backup, or a damaged one', { cause: error })
    throw error
  } finally {
    packed.destroy()
  }
}

async function settle(
  target: RestoreTarget,
  root: RootKey,
  head: BackupHead,
  files: readonly string[],
): Promise<RestoredTenant[]> {
  const { made_at } = head
  const replayed = await replayRevocations(target, root, files, made_at)
  const restored: RestoredTenant[] = []
  for (const { tenant_id, issuer } of await target.run(listTenants, {})) {
    const since = replayed.get(tenant_id)
    const at = Date.now()
    const event = {
      ...{ tenant_id, event_id: newId(at), at, type: 'tenant.restored', actor: 'cli' },
      detail: { made_at, replayed_events: since?.events ?? 0 },
    }
    const settled = await target.run(settleRestored, { tenant_id, made_at, keep_proven: since !== undefined, event })
    const known_until = since ? new Date(since.until).toISOString() : null
    restored.push({ issuer, ...settled, known_until, undone: since?.undone ?? {} })
  }
  return restored
}

function describe({ rows, made_at, tenants }: Restored): string {
  const lines = tenants.flatMap(({ issuer, kept_grants, ended_grants, known_until, undone }) => [
    `${printable(issuer)}: ${ended_grants} grants ended, ${kept_grants} go on; every token and session of before is void`,
    known_until === null
      ? '  no export says what was revoked since the backup, so no grant goes on'
      : `  what was revoked until ${known_until} stays so; what was revoked later is not known`,
    ...Object.entries(undone).map(([type, { times, of }]) => {
      const named = of.length === 0 ? '' : `: ${of.map(printable).join(', ')}`
      return `  undone, to be done again: ${type} (${times})${named}`
    }),
  ])
  return `${rows} rows of ${made_at} restored\n${lines.map((line) => `${line}\n`).join('')}`
}
