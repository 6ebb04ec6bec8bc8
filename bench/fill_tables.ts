import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import pg from 'pg'

/** A row by its columns; those that are not named are null. */
export type Row = Readonly<Record<string, string | number | Uint8Array | null>>
type Table = { readonly table: string; readonly rows: Iterable<Row> }

const ROWS_AT_ONCE = 5000

/** Fills tables of a closed SQLite database, faster than verbs could: nothing is durable before the end. */
export function fillSqlite(file: string, tables: Iterable<Table>): void {
  const database = new DatabaseSync(file)
  database.exec('pragma synchronous = off; pragma foreign_keys = off; pragma cache_size = -400000')
  for (const { table, rows } of tables) {
    const indexes = database
      .prepare("select name, sql from sqlite_master where type = 'index' and tbl_name = ? and sql is not null")
      .all(table) as { name: string; sql: string }[]
    for (const { name } of indexes) database.exec(`drop index ${name}`)
    database.exec('begin')
    let insert: ((row: Row) => void) | undefined
    for (const row of rows) {
      insert ??= inserter(database, table, row)
      insert(row)
    }
    database.exec('commit')
    for (const { sql } of indexes) database.exec(sql)
    console.error(`${table} filled`)
  }
  database.exec('pragma wal_checkpoint(truncate)')
  database.close()
}

function inserter(database: DatabaseSync, table: string, like: Row): (row: Row) => void {
  const columns = Object.keys(like)
  const marks = columns.map(() => '?').join(', ')
  const statement = database.prepare(`insert into ${table} (${columns.join(', ')}) values (${marks})`)
  return (row) => statement.run(...columns.map((column) => whole(row[column]) as SQLInputValue))
}

/** The same for PostgreSQL; foreign keys are not looked at, and in the end it is analyzed as it would be within a minute. */
export async function fillPostgres(url: string, tables: Iterable<Table>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(
    "set session_replication_role = replica; set synchronous_commit = off; set maintenance_work_mem = '512MB'",
  )
  for (const { table, rows } of tables) {
    const indexes = await client.query<{ indexdef: string; indexname: string }>(
      `select indexname, indexdef from pg_indexes where tablename = $1
       and indexname not in (select conname from pg_constraint)`,
      [table],
    )
    for (const { indexname } of indexes.rows) await client.query(`drop index ${indexname}`)
    const batch: Row[] = []
    for (const row of rows) {
      batch.push(row)
      if (batch.length === ROWS_AT_ONCE) await insertAll(client, table, batch.splice(0))
    }
    if (batch.length > 0) await insertAll(client, table, batch)
    for (const { indexdef } of indexes.rows) await client.query(indexdef)
    console.error(`${table} filled`)
  }
  await client.query('vacuum analyze')
  await client.end()
}

async function insertAll(client: pg.Client, table: string, rows: readonly Row[]): Promise<void> {
  const columns = Object.keys(rows[0]!).join(', ')
  const json = JSON.stringify(rows, (_, value) => {
    const bytes = (value as { type?: string } | null)?.type === 'Buffer' ? Buffer.from(value as Buffer) : null
    return bytes ? `\\x${bytes.toString('hex')}` : typeof value === 'number' ? whole(value) : value
  })
  await client.query(
    `insert into ${table} (${columns}) select ${columns} from json_populate_recordset(null::${table}, $1)`,
    [json],
  )
}

function whole(value: Row[string] | undefined): Row[string] {
  return typeof value === 'number' ? Math.floor(value) : (value ?? null)
}
