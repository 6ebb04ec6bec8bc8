import { chmodSync, existsSync } from 'node:fs'
import { backup, DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import {
  type Driver,
  makeRow,
  NOW,
  type Run,
  type Session,
  type Statement,
  StoreUnavailable,
  type Verb,
} from './sql.ts'

interface Job {
  readonly verb: Verb<unknown, unknown>
  readonly args: unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

interface Prepared {
  readonly statement: StatementSync
  readonly columns: readonly string[]
}

const MOST_IN_A_BATCH = 256
const PAGES_AT_ONCE = 256
// Older versions may corrupt a WAL database that is checkpointed while it is written.
const MINIMUM_VERSION = [3, 51, 3]

/**
 * Opens a SQLite database for this process alone. Writes that arrive in one turn of the event loop share one
 * transaction and one fsync, a savepoint each; reads run between batches, so they only see what is committed.
 */
export function openSqlite(options: { path: string; clock: () => number }): Driver {
  return new SqliteDriver(options.path, options.clock)
}

class SqliteDriver implements Driver {
  readonly dialect = 'sqlite'
  readonly #database: DatabaseSync
  readonly #clock: () => number
  readonly #prepared = new WeakMap<TemplateStringsArray, Prepared>()
  readonly #savepoint: StatementSync
  readonly #release: StatementSync
  #waiting: Job[] = []
  #closing: Promise<void> | undefined

  constructor(path: string, clock: () => number) {
    this.#clock = clock
    this.#database = new DatabaseSync(path, { timeout: 0 })
    try {
      this.#configure(path)
      this.#savepoint = this.#database.prepare('savepoint verb')
      this.#release = this.#database.prepare('release verb')
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  #configure(path: string): void {
    // While it is empty: the log that SQLite puts beside it takes over its mode.
    for (const file of [path, `${path}-wal`]) if (existsSync(file)) chmodSync(file, 0o600)
    // Exclusive locking keeps every other process out for as long as this one lives.
    try {
      assertVersion(this.#database)
      this.#database.exec('pragma locking_mode = exclusive')
      this.#database.exec('pragma journal_mode = wal')
      this.#database.exec('begin immediate; commit')
    } catch (cause) {
      if (!isBusy(cause)) throw cause
      throw new StoreUnavailable(
        `${path} is in use by another process: one process owns a SQLite database; stop the other server, or use PostgreSQL`,
        'not committed',
        cause,
      )
    }
    this.#database.exec(`
      pragma synchronous = full;
      pragma foreign_keys = on;
      pragma trusted_schema = off;
      pragma cell_size_check = on;
      pragma temp_store = memory;
      pragma cache_size = -65536;
      pragma wal_autocheckpoint = 4000;
    `)
  }

  run<Args, Result>(verb: Verb<Args, Result>, args: Args): Promise<Result> {
    if (this.#closing) return Promise.reject(new StoreUnavailable('the store is closed', 'not committed'))
    if (verb.kind === 'read') return this.#read(verb, args)
    return new Promise((resolve, reject) => {
      const job = { verb, args, resolve, reject } as Job
      if (this.#waiting.push(job) === 1) setImmediate(() => this.#flush())
    })
  }

  exclusively<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return work({
      query: async (text) => this.#database.prepare(text).all() as Record<string, unknown>[],
      transaction: async (text) => {
        this.#database.exec('begin immediate')
        try {
          this.#database.exec(text)
          this.#database.exec('commit')
        } catch (error) {
          if (this.#database.isTransaction) this.#database.exec('rollback')
          throw error
        }
      },
    })
  }

  async copyTo(file: string): Promise<void> {
    // A few pages at a time, between which others have their turn; what they write meanwhile is copied as well.
    await backup(this.#database, file, { rate: PAGES_AT_ONCE })
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      while (this.#waiting.length > 0) await new Promise((resolve) => setImmediate(resolve))
      this.#database.close()
    })()
    return this.#closing
  }

  // Two statements of one read belong to one snapshot by themselves: nothing runs between them.
  async #read<Args, Result>(verb: Verb<Args, Result>, args: Args): Promise<Result> {
    try {
      return this.#drive(verb.run(args))
    } catch (error) {
      throw asUnavailable(error)
    }
  }

  #flush(): void {
    const jobs = this.#waiting.splice(0, MOST_IN_A_BATCH)
    if (this.#waiting.length > 0) setImmediate(() => this.#flush())
    const answers: (() => void)[] = []
    let committing = false
    try {
      this.#database.exec('begin immediate')
      for (const job of jobs) answers.push(this.#runInSavepoint(job))
      committing = true
      this.#database.exec('commit')
    } catch (cause) {
      if (this.#database.isTransaction) this.#database.exec('rollback')
      // After a failed fsync nobody can say what a power loss would leave.
      const outcome = committing && primaryCode(cause) === IOERR ? 'unknown' : 'not committed'
      const error = new StoreUnavailable('the database did not commit', outcome, cause)
      for (const job of jobs) job.reject(error)
      return
    }
    // No answer leaves before the commit has succeeded.
    for (const answer of answers) answer()
  }

  #runInSavepoint(job: Job): () => void {
    this.#savepoint.run()
    try {
      const result = this.#drive(job.verb.run(job.args))
      this.#release.run()
      return () => job.resolve(result)
    } catch (error) {
      // A full disk, among others, rolls back everything: then nobody in this batch has been served.
      if (!this.#database.isTransaction) throw error
      this.#database.exec('rollback to verb; release verb')
      return () => job.reject(asUnavailable(error))
    }
  }

  #drive<Result>(run: Run<Result>): Result {
    let step = run.next([])
    while (!step.done) {
      const asked = step.value
      const rows = isList(asked) ? asked.map((statement) => this.#execute(statement)) : this.#execute(asked)
      step = run.next(rows)
    }
    return step.value
  }

  #execute(statement: Statement<unknown>): unknown[] {
    let prepared = this.#prepared.get(statement.strings)
    if (!prepared) {
      prepared = this.#prepare(statement.strings)
      this.#prepared.set(statement.strings, prepared)
    }
    const { values } = statement
    const bound: SQLInputValue[] = new Array(values.length)
    // One statement sees one time, as on PostgreSQL.
    let now: number | undefined
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!
      if (value === NOW) bound[i] = now ??= this.#clock()
      else bound[i] = (typeof value === 'object' && 'type' in value ? value.value : value) as SQLInputValue
    }
    const { columns } = prepared
    const rows = prepared.statement.all(...bound) as unknown as unknown[][]
    return columns.length === 0 ? rows : rows.map((row) => makeRow(columns, row))
  }

  #prepare(strings: TemplateStringsArray): Prepared {
    const statement = this.#database.prepare(strings.join('?'))
    // Objects made by the database are three times as slow to make and to read as our own.
    statement.setReturnArrays(true)
    return { statement, columns: statement.columns().map(({ name }) => name) }
  }
}

function isList(asked: Statement<unknown> | readonly Statement<unknown>[]): asked is readonly Statement<unknown>[] {
  return Array.isArray(asked)
}

/** Refuses a SQLite that may corrupt a write-ahead log. */
export function assertVersion(database: DatabaseSync): void {
  const { version } = database.prepare('select sqlite_version() as version').get() as { version: string }
  const numbers = version.split('.').map(Number)
  for (const [i, minimum] of MINIMUM_VERSION.entries()) {
    if (numbers[i]! > minimum) return
    if (numbers[i]! < minimum) {
      throw new Error(`SQLite ${MINIMUM_VERSION.join('.')} or newer is needed, this Node brings ${version}`)
    }
  }
}

const BUSY = 5
const LOCKED = 6
const IOERR = 10
// Out of memory, read-only, input or output failed, damaged, full, cannot be opened: no caller's data is to blame.
const NO_CALLERS_FAULT = new Set([BUSY, LOCKED, 7, 8, IOERR, 11, 13, 14])

function primaryCode(error: unknown): number {
  return ((error as { errcode?: number } | null)?.errcode ?? 0) & 0xff
}

function isBusy(error: unknown): boolean {
  return [BUSY, LOCKED].includes(primaryCode(error))
}

function asUnavailable(error: unknown): unknown {
  if (!NO_CALLERS_FAULT.has(primaryCode(error))) return error
  return new StoreUnavailable('the database cannot answer now', 'not committed', error)
}
