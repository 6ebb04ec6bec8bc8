import { SealError } from '../../crypto/seal.ts'
import type { RootKey } from '../../crypto/tenant_keys.ts'
import { readMigrations } from '../migrate.ts'
import { listTenantKeys, listTenants } from '../verbs/tenants.ts'
import { BackupError, type BackupHead, readBackup } from './backup_file.ts'
import { type Cell, type RestoreTarget, ROWS_AT_ONCE, type TableShape } from './tables.ts'

/** Fills an unfinished database from a backup, and brings it up to the present schema; answers the head of the backup. */
export async function fillFromBackup(
  chunks: AsyncIterable<Uint8Array>,
  target: RestoreTarget,
  root: RootKey,
  told: (rows: number, head: BackupHead) => void,
): Promise<BackupHead> {
  let head: BackupHead | undefined
  let left: TableShape[] = []
  let shape: TableShape | undefined
  let some: Cell[][] = []
  let rows = 0
  const flush = async () => {
    if (some.length === 0) return
    await insert(target, shape!, some)
    rows += some.length
    told(rows, head!)
    some = []
  }
  for await (const part of readBackup(chunks, (name) => findKey(root, name))) {
    if (part.kind === 'row') {
      if (some.push(part.row) === ROWS_AT_ONCE) await flush()
    } else if (part.kind === 'table') {
      await flush()
      shape = part.shape
      left = takeTable(left, shape)
    } else {
      head = part.head
      left = [...(await target.prepare(migrationsOf(head)))]
    }
  }
  await flush()
  if (left.length > 0) throw new BackupError(`The backup lacks the table ${left[0]!.table}`)
  await target.upgrade()
  await checkTenantKeys(target, root)
  return head!
}

function findKey(root: RootKey, name: string) {
  const key = root.backupKey(name)
  if (key) return key
  throw new BackupError(
    `The backup is of root key ${name}, and the settings give ${root.name}: without that root key nothing in it opens`,
  )
}

// What a later version has made of the tables is not known here. What this one adds is added to the filled tables.
function migrationsOf({ migrations, version }: BackupHead) {
  const known = readMigrations('sqlite').map(({ name }) => name)
  const later = migrations.find((name) => !known.includes(name))
  if (later !== undefined) {
    throw new BackupError(
      `The backup was made by a later version, ${version}, which has ${later}: restore with that one`,
    )
  }
  return migrations
}

function takeTable(left: readonly TableShape[], shape: TableShape): TableShape[] {
  const made = left.find(({ table }) => table === shape.table)
  const write = ({ columns }: TableShape) =>
    columns
      .map((column) => column.join(' '))
      .sort()
      .join()
  if (!made || write(made) !== write(shape))
    throw new BackupError(`The table ${shape.table} of the backup is not as it must be`)
  return left.filter((one) => one !== made)
}

async function insert(target: RestoreTarget, shape: TableShape, rows: readonly Cell[][]): Promise<void> {
  try {
    await target.insert(shape, rows)
  } catch (cause) {
    throw new BackupError(`Rows of ${shape.table} cannot be restored: ${(cause as Error).message}`, { cause })
  }
}

async function checkTenantKeys(target: RestoreTarget, root: RootKey): Promise<void> {
  for (const { tenant_id } of await target.run(listTenants, {})) {
    try {
      root.unwrap(tenant_id, await target.run(listTenantKeys, { tenant_id }))
    } catch (cause) {
      if (!(cause instanceof SealError)) throw cause
      throw new BackupError('Keys in the backup are wrapped by another root key: give it beside the present one', {
        cause,
      })
    }
  }
}
