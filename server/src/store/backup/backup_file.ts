import type { KeyObject } from 'node:crypto'
import { equalBytes, startHmac } from '../../crypto/hash.ts'
import type { BackupSource, Cell, TableShape } from './tables.ts'

/** The form of what is written; a form that a later version writes is refused. */
const FORM = 1
// More than a row is: only what is no backup has longer lines.
const LONGEST_LINE = 64 * 2 ** 20
const PIECE = 64 * 2 ** 10

/** The first line of a backup. */
export interface BackupHead {
  readonly sallyport_backup: number
  readonly made_at: number
  readonly version: string
  readonly database: 'sqlite' | 'postgres'
  /** The name of the root key without which nothing in it opens. The key itself is not in it. */
  readonly root_key: string
  readonly migrations: readonly string[]
  readonly row_count: number
}

/** The key that proves a backup to be whole and as it was made, and whose it is. */
export interface BackupKey {
  readonly name: string
  readonly key: KeyObject
}

/** A backup that cannot be used, said for people. */
export class BackupError extends Error {
  constructor(sentence: string, options: { readonly cause?: unknown } = {}) {
    super(sentence, options)
    this.name = 'BackupError'
  }
}

/**
 * Writes a backup as lines of JSON: the head, then of each table its columns and its rows, then the number of rows and
 * a tag over all that came before. `told` hears how many rows there are by now.
 */
export async function* writeBackup(
  source: BackupSource,
  { name: root_key, key }: BackupKey,
  version: string,
  told: (rows: number) => void,
): AsyncGenerator<Buffer> {
  const { dialect: database, made_at, migrations, row_count } = source
  const mac = startHmac(key)
  let lines: string[] = []
  let size = 0
  const flush = () => {
    const piece = Buffer.from(lines.join(''))
    lines = []
    size = 0
    mac.add(piece)
    return piece
  }
  const add = (value: unknown) => {
    const line = `${JSON.stringify(value)}\n`
    size += line.length
    lines.push(line)
  }
  add({ sallyport_backup: FORM, made_at, version, database, root_key, migrations, row_count } satisfies BackupHead)
  let rows = 0
  for (const shape of source.tables) {
    add(shape)
    for await (const some of source.rows(shape)) {
      for (const row of some) add(row.map(encode))
      rows += some.length
      told(rows)
      if (size >= PIECE) yield flush()
    }
  }
  yield flush()
  yield Buffer.from(`${JSON.stringify({ rows, tag: mac.end().toString('base64url') })}\n`)
}

function encode(cell: Cell): string | number | null {
  return cell instanceof Uint8Array ? Buffer.from(cell).toString('base64') : cell
}

/** What comes out of a backup, in its order. */
export type BackupPart =
  | { readonly kind: 'head'; readonly head: BackupHead }
  | { readonly kind: 'table'; readonly shape: TableShape }
  | { readonly kind: 'row'; readonly row: Cell[] }

/**
 * Reads a backup. It ends without an error only where the tag is right: until then nothing that was read may be kept.
 * `findKey` answers the key of a name, or refuses.
 */
export async function* readBackup(
  chunks: AsyncIterable<Uint8Array>,
  findKey: (name: string) => KeyObject,
): AsyncGenerator<BackupPart> {
  let mac: ReturnType<typeof startHmac> | undefined
  let shape: TableShape | undefined
  let number = 0
  let rows = 0
  for await (const line of splitLines(chunks)) {
    const value = parse(line, ++number)
    if (!mac) {
      const head = readHead(value)
      mac = startHmac(findKey(head.root_key))
      mac.add(line)
      yield { kind: 'head', head }
    } else if (Array.isArray(value)) {
      mac.add(line)
      if (!shape) throw damaged(number)
      rows++
      yield { kind: 'row', row: decodeRow(value, shape, number) }
    } else if (isShape(value)) {
      mac.add(line)
      shape = value
      yield { kind: 'table', shape }
    } else {
      const { rows: all, tag } = (value ?? {}) as { rows?: unknown; tag?: unknown }
      const right = typeof tag === 'string' && equalBytes(mac.end(), Buffer.from(tag, 'base64url'))
      if (!right || all !== rows) throw new BackupError('The backup is not as it was made: its tag is wrong')
      return
    }
  }
  throw new BackupError(number === 0 ? 'This is no backup: it is empty' : 'The backup is cut off: its end is missing')
}

async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let from = 0
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
      const piece = bytes.subarray(from, at + 1)
      yield rest.length === 0 ? piece : Buffer.concat([...rest, piece])
      rest = []
      size = 0
      from = at + 1
    }
    if (from < bytes.length) {
      rest.push(bytes.subarray(from))
      size += bytes.length - from
      if (size > LONGEST_LINE) throw new BackupError('This is no backup: a line of it has no end')
    }
  }
  if (size > 0) throw new BackupError('The backup is cut off: its end is missing')
}

function parse(line: Buffer, number: number): unknown {
  try {
    return JSON.parse(line.toString('utf8')) as unknown
  } catch {
    throw number === 1 ? new BackupError('This is no backup of Sallyport') : damaged(number)
  }
}

function readHead(value: unknown): BackupHead {
  const head = (value ?? {}) as Partial<BackupHead>
  const { sallyport_backup: form, root_key, migrations, row_count, made_at } = head
  if (typeof form !== 'number') throw new BackupError('This is no backup of Sallyport')
  if (form !== FORM) throw new BackupError(`The backup has form ${form}: a later version of Sallyport made it`)
  const whole = Number.isSafeInteger(row_count) && Number.isSafeInteger(made_at) && typeof root_key === 'string'
  if (!whole || !isTexts(migrations)) throw damaged(1)
  return head as BackupHead
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function isShape(value: unknown): value is TableShape {
  const { table, columns } = (value ?? {}) as Partial<TableShape>
  return typeof table === 'string' && Array.isArray(columns)
}

function decodeRow(cells: readonly unknown[], { columns }: TableShape, number: number): Cell[] {
  if (cells.length !== columns.length) throw damaged(number)
  return cells.map((cell, i) => {
    const type = columns[i]![1]
    if (cell === null) return null
    if (type === 'bigint' && Number.isSafeInteger(cell)) return cell as number
    if (typeof cell !== 'string' || type === 'bigint') throw damaged(number)
    return type === 'text' ? cell : Buffer.from(cell, 'base64')
  })
}

function damaged(number: number): BackupError {
  return new BackupError(`The backup is damaged in line ${number}`)
}
