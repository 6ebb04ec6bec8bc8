import { type Migration, readMigrations } from '../migrate.ts'
import type { Verb } from '../sql.ts'

/** The types of columns that both databases have. */
export type ColumnType = 'text' | 'bigint' | 'bytea'

/** A table as both databases have it: its columns in any order. */
export interface TableShape {
  readonly table: string
  readonly columns: readonly (readonly [name: string, type: ColumnType])[]
}

/** What a cell holds: a text, an integer, bytes, or nothing. */
export type Cell = string | number | Uint8Array | null

/** One database as of one moment, while it is read for a backup. */
export interface BackupSource {
  readonly dialect: 'sqlite' | 'postgres'
  /** The time of the database. */
  readonly made_at: number
  /** The migrations that made its tables, in their order. */
  readonly migrations: readonly string[]
  /** Each table behind those that it refers to. */
  readonly tables: readonly TableShape[]
  /** How many rows there are in all. */
  readonly row_count: number
  /** The rows of a table, some at a time, their cells in the order of the columns. */
  rows(shape: TableShape): AsyncIterable<readonly (readonly Cell[])[]> | Iterable<readonly (readonly Cell[])[]>
  close(): Promise<void>
}

/** Where rows are read or written: some at a time, whatever the size of a table. */
export const ROWS_AT_ONCE = 500

/** What the tables of the schema are made of, as a database's catalogue lists it. */
export interface Catalogue {
  readonly columns: readonly { readonly table_name: string; readonly column_name: string; readonly type: string }[]
  readonly references: readonly { readonly table_name: string; readonly refers_to: string }[]
}

/** The tables that migrations have made: others of the same schema are somebody else's. */
export function listOwnTables(migrations: readonly Migration[] = readMigrations('sqlite')): Set<string> {
  const scripts = migrations.map(({ script }) => script).join('\n')
  return new Set([...scripts.matchAll(/^create table (\w+)/gm)].map(([, table]) => table!))
}

/** The tables of a catalogue, each behind those that it refers to, so that rows can be put in as they come. */
export function listTables({ columns, references }: Catalogue): TableShape[] {
  const own = listOwnTables()
  const shapes = new Map<string, TableShape>()
  for (const { table_name: table, column_name, type } of columns) {
    // The record of migrations is no data: migrating makes it.
    if (!own.has(table)) continue
    if (!isColumnType(type)) throw new Error(`${table}.${column_name} is ${type}, which a backup does not know`)
    const known = shapes.get(table)?.columns ?? []
    shapes.set(table, { table, columns: [...known, [column_name, type]] })
  }
  const sorted: TableShape[] = []
  const visit = (table: string, from: readonly string[]) => {
    if (from.includes(table)) throw new Error(`${[...from, table].join(' > ')}: tables refer to each other in a circle`)
    if (sorted.some((shape) => shape.table === table)) return
    for (const { table_name, refers_to } of references) {
      if (table_name === table && refers_to !== table) visit(refers_to, [...from, table])
    }
    sorted.push(shapes.get(table)!)
  }
  for (const table of [...shapes.keys()].sort()) visit(table, [])
  return sorted
}

function isColumnType(type: string): type is ColumnType {
  return type === 'text' || type === 'bigint' || type === 'bytea'
}

/** A database that is filled from a backup: nothing of it is seen by anybody before it is finished. */
export interface RestoreTarget {
  /** Makes the tables as migrations of these names have made them. */
  prepare(migrations: readonly string[]): Promise<readonly TableShape[]>
  insert(shape: TableShape, rows: readonly (readonly Cell[])[]): Promise<void>
  /** Brings the filled tables up to the present schema. */
  upgrade(): Promise<void>
  /** Runs a verb on what was filled. */
  run<Args, Result>(verb: Verb<Args, Result>, args: Args): Promise<Result>
  /** Puts it where servers look for it, all at once and for good. */
  finish(): Promise<void>
  /** Lets go of everything; without `finish` nothing has happened. */
  close(): Promise<void>
}
