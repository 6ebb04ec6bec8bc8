import type { Duplex } from 'node:stream'
import pg from 'pg'
import type { Query } from './postgres_batch.ts'
import { StoreUnavailable } from './sql.ts'

/** How values of the database are read: every integer of ours fits a JavaScript number; times are milliseconds. */
export const ownTypes = new pg.TypeOverrides()
ownTypes.setTypeParser(pg.types.builtins.INT8, Number)
ownTypes.setTypeParser(pg.types.builtins.BYTEA, (hex: string) => {
  const bytes = Buffer.from(hex.slice(2), 'hex')
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
})

// Takes the lock of each key before any row is touched, in the order of the array, which is the order of the keys:
// two batches that share keys wait for each other in one direction only, whatever plan PostgreSQL picks for the rows.
const LOCK_KEYS = 'select count(pg_advisory_xact_lock(hashtextextended(k, 0))) from unnest($1::text[]) k'

// Each of our statements has an index, and a plan that was made while a table was empty must use it as well.
// Writing needs an explicit BEGIN: if that one statement fails, those sent behind it must not commit by themselves.
const SESSION = `
  set jit = off;
  set plan_cache_mode = force_generic_plan;
  set enable_seqscan = off;
  set enable_hashjoin = off;
  set enable_mergejoin = off;
  set idle_in_transaction_session_timeout = '5s';
  set default_transaction_read_only = on`

/** One connection, with what a batch needs of it. Statements are sent without waiting for the ones before them. */
export class PostgresConnection {
  readonly #client: pg.Client
  #warning: Error | undefined
  #queries = 0
  #replan_at = 32
  #lost = false

  private constructor(client: pg.Client) {
    this.#client = client
    client.on('error', () => {
      this.#lost = true
    })
    client.on('notice', (notice) => {
      this.#warning ??= new Error(notice.message)
    })
  }

  /** Connects, and sets what every session of ours relies on. */
  static async open(url: string, statementTimeoutMs: number): Promise<PostgresConnection> {
    const client = await connectClient(url, { statement_timeout: statementTimeoutMs })
    const connection = new PostgresConnection(client)
    try {
      await client.query(SESSION)
      const { rows } = await client.query('show synchronous_commit')
      if (rows[0].synchronous_commit === 'off') await client.query('set synchronous_commit = on')
      return connection
    } catch (error) {
      connection.discard()
      throw error
    }
  }

  get lost(): boolean {
    return this.#lost
  }

  /** Begins a transaction and takes the locks of its keys. */
  async begin(keys: readonly string[]): Promise<void> {
    // With the first statement of the verbs it goes out in one write.
    const { stream } = (this.#client as unknown as { connection: { stream: Duplex } }).connection
    stream.cork()
    process.nextTick(() => stream.uncork())
    const begun = this.#client.query('begin isolation level read committed read write')
    const locked = keys.length === 0 ? null : this.#client.query({ name: 'lock', text: LOCK_KEYS, values: [keys] })
    await Promise.all([begun, locked])
  }

  /** Rows as arrays, with the names of their columns. */
  async query(query: Query): Promise<{ columns: string[]; rows: unknown[][] }> {
    if (++this.#queries === this.#replan_at) this.#replan()
    const { fields, rows } = await this.#client.query({ ...query, types: ownTypes, rowMode: 'array' as const })
    return { columns: fields.map(({ name }) => name), rows }
  }

  // A plan is made for the tables as they are, and kept until statistics come. In a database that fills up quickly that
  // is too long: what is good for ten grants reads all of ten thousand.
  #replan(): void {
    this.#replan_at *= 2
    this.#client.query('discard plans').catch(() => {})
  }

  /** Commits, or says what is known of the outcome. */
  async commit(): Promise<void> {
    this.#warning = undefined
    const { command } = await this.#client.query('commit')
    // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK, and no error.
    if (command !== 'COMMIT') throw new StoreUnavailable('the database rolled back', 'not committed')
    // It warns when it gave up waiting for a synchronous standby: what it committed may be lost with this server.
    if (this.#warning) throw new StoreUnavailable('the commit may be on one server only', 'unknown', this.#warning)
  }

  /** Ends a failed transaction; false when the connection is of no more use. */
  async rollback(): Promise<boolean> {
    try {
      await this.#client.query('rollback')
      return !this.#lost
    } catch {
      return false
    }
  }

  /** Closes in order. */
  async close(): Promise<void> {
    await this.#client.end()
  }

  /** Closes without waiting for anything. */
  discard(): void {
    this.#lost = true
    this.#client.end().catch(() => {})
  }
}

/** A client for one session; the time to connect is limited, each statement too unless its limit is 0. */
export async function connectClient(url: string, limits: { statement_timeout: number }): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 2000,
    // The server's own limit comes first; this one is for a server that cannot be heard any more.
    ...(limits.statement_timeout > 0 ? { ...limits, query_timeout: limits.statement_timeout + 500 } : {}),
    keepAlive: true,
    application_name: 'sallyport',
    pipeline: true,
  })
  // Without a listener the loss of an idle connection would end the process.
  client.on('error', () => {})
  await client.connect()
  return client
}

/**
 * What an error means for the calls that ran into it. `conflict`: again. `lost`: the connection is of no more use, and
 * whether a commit under way succeeded is unknown. `busy`: the database cannot do it now. `data`: one call is to blame.
 */
export type Fault = 'conflict' | 'lost' | 'busy' | 'data'

const LOST = /^(08|57P|25P03|25P04|25006|0A000|26000)/
const BUSY = /^(53|55P03|57014|58|XX)/

/** Reads what an error means. Only the server's own answers have a SQLSTATE: `EPIPE` looks like one and is none. */
export function readFault(error: unknown): Fault {
  if (!(error instanceof pg.DatabaseError)) return 'lost'
  const code = error.code ?? ''
  if (code === '40001' || code === '40P01') return 'conflict'
  if (LOST.test(code)) return 'lost'
  return BUSY.test(code) ? 'busy' : 'data'
}

/** Whether the server did not answer in time; the connection is closed then. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout'
}
