import type pg from 'pg'
import { connectClient, ownTypes } from '../postgres_connection.ts'
import { type BackupSource, type Catalogue, listTables, ROWS_AT_ONCE, type TableShape } from './tables.ts'

/** Reads a PostgreSQL database as of one moment, beside whoever uses it. */
export async function openPostgresSnapshot(url: string): Promise<BackupSource> {
  const client = await connectClient(url, { statement_timeout: 0 })
  try {
    await client.query('set statement_timeout = 0; set idle_in_transaction_session_timeout = 0')
    // Everything that follows sees what was committed when the first query came.
    await client.query('begin isolation level repeatable read read only')
    return await readDatabase(client)
  } catch (error) {
    await client.end()
    throw error
  }
}

async function readDatabase(client: pg.Client): Promise<BackupSource> {
  const { rows: known } = await client.query({
    text: `select name, (extract(epoch from now()) * 1000)::bigint as now from migrations order by name`,
    types: ownTypes,
  })
  const tables = listTables(await readPostgresCatalogue(client))
  return {
    dialect: 'postgres',
    made_at: known[0]!.now as number,
    migrations: known.map(({ name }) => String(name)),
    tables,
    row_count: await countRows(client, tables),
    async *rows({ table, columns }) {
      const names = columns.map(([name]) => name).join(', ')
      await client.query(`declare backup no scroll cursor for select ${names} from ${table}`)
      const fetch = { text: `fetch ${ROWS_AT_ONCE} from backup`, types: ownTypes, rowMode: 'array' as const }
      for (let { rows } = await client.query(fetch); rows.length > 0; ) {
        yield rows
        if (rows.length < ROWS_AT_ONCE) break
        rows = (await client.query(fetch)).rows
      }
      await client.query('close backup')
    },
    close: () => client.end(),
  }
}

async function countRows(client: pg.Client, tables: readonly TableShape[]): Promise<number> {
  let sum = 0
  for (const { table } of tables) {
    sum += Number((await client.query(`select count(*) as rows from ${table}`)).rows[0].rows)
  }
  return sum
}

/** The catalogue of the schema that a client works in. */
export async function readPostgresCatalogue(client: pg.Client): Promise<Catalogue> {
  const { rows: columns } = await client.query(`
    select c.table_name, c.column_name, c.data_type as type
    from information_schema.columns c
    join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
    where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' order by 1, c.ordinal_position`)
  const { rows: references } = await client.query(`
    select distinct r.relname as table_name, f.relname as refers_to
    from pg_constraint k join pg_class r on r.oid = k.conrelid join pg_class f on f.oid = k.confrelid
    where k.contype = 'f' and k.connamespace = current_schema()::regnamespace`)
  return { columns, references } as Catalogue
}
