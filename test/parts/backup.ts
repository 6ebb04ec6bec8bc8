import { writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import type { RootKey } from '../../server/src/crypto/tenant_keys.ts'
import { writeBackup } from '../../server/src/store/backup/backup_file.ts'
import { copySqlite, openSqliteCopy } from '../../server/src/store/backup/sqlite_source.ts'
import type { BackupSource } from '../../server/src/store/backup/tables.ts'
import { exportEvents } from '../../server/src/web/export_events.ts'
import type { TestServer } from './sallyport.ts'

/** Restores in tests tell nobody how far they are. */
export const SILENT = { tell() {}, end() {} }

/** Writes a backup of a source, and closes that; answers the file. */
export async function saveBackup(source: BackupSource, root: RootKey, file: string): Promise<string> {
  const pieces: Buffer[] = []
  try {
    const key = { name: root.name, key: root.backupKey()! }
    for await (const piece of writeBackup(source, key, '0', () => {})) pieces.push(piece)
  } finally {
    await source.close()
  }
  await writeFile(file, gzipSync(Buffer.concat(pieces), { level: 1 }))
  return file
}

/** Backs up the SQLite database of a server that runs in this process. */
export async function backUpServer({ store }: TestServer, root: RootKey, file: string): Promise<string> {
  return saveBackup(openSqliteCopy(await copySqlite(store.driver, `${file}.db`, Date.now())), root, file)
}

/** Exports the audit log of a server, or the lines of it that are kept. */
export async function exportLog(
  { store, app }: TestServer,
  file: string,
  keep: (lines: string[]) => string[] = (lines) => lines,
): Promise<string> {
  const { tenant_id } = app.tenant
  while ((await store.sealEvents({ tenant_id, most: 1000 })) > 0);
  const lines = (await new Response(exportEvents({ tenant_id, store }, 0)).text()).trimEnd().split('\n')
  await writeFile(
    file,
    keep(lines)
      .map((line) => `${line}\n`)
      .join(''),
  )
  return file
}
