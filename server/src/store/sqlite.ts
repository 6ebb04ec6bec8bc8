import { chmodSync, existsSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import {
  type Driver,
  NOW,
  type Run,
  type Session,
  type SqlValue,
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

const MOST_IN_A_BATCH = 256
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
  readonly #prepared = new Map<TemplateStringsArray, StatementSync>()
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
    assertVersion(this.#database)
    // Exclusive locking keeps every other process out for as long as this one lives.
    try {
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
    `)
    for (const file of [path, `${path}-wal`]) if (existsSync(file)) chmodSync(file, 0o600)
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

  close(): Promise<void> {
    this.#closing ??= (async () => {
      while (this.#waiting.length > 0) await new Promise((resolve) => setImmediate(resolve))
      this.#database.close()
    })()
    return this.#closing
  }

  // Two statements of one read belong to one snapshot by themselves: nothing runs between them.
  async #read<Args, Result>(verb: Verb<Args, Result>, args: Args): Promise<Result> {
    return this.#drive(verb.run(args))
  }

  #flush(): void {
    const jobs = this.#waiting.splice(0, MOST_IN_A_BATCH)
    if (this.#waiting.length > 0) setImmediate(() => this.#flush())
    const answers: (() => void)[] = []
    try {
      this.#database.exec('begin immediate')
      for (const job of jobs) answers.push(this.#runInSavepoint(job))
      this.#database.exec('commit')
    } catch (cause) {
      if (this.#database.isTransaction) this.#database.exec('rollback')
      const error = new StoreUnavailable('the database did not commit', 'not committed', cause)
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
      return () => job.reject(error)
    }
  }

  #drive<Result>(run: Run<Result>): Result {
    let step = run.next([])
    while (!step.done) {
      step = run.next(this.#execute(step.value))
    }
    return step.value
  }

  #execute(statement: Statement<unknown>): unknown[] {
    let prepared = this.#prepared.get(statement.strings)
    if (!prepared) {
      prepared = this.#database.prepare(statement.strings.join('?'))
      this.#prepared.set(statement.strings, prepared)
    }
    const values = statement.values
    const bound: SQLInputValue[] = new Array(values.length)
    for (let i = 0; i < values.length; i++) bound[i] = this.#bind(values[i]!)
    return prepared.all(...bound)
  }

  #bind(value: SqlValue): SQLInputValue {
    if (value === NOW) return this.#clock()
    if (typeof value === 'object' && 'type' in value) return value.value as SQLInputValue
    return value as SQLInputValue
  }
}

function assertVersion(database: DatabaseSync): void {
  const { version } = database.prepare('select sqlite_version() as version').get() as { version: string }
  const numbers = version.split('.').map(Number)
  for (const [i, minimum] of MINIMUM_VERSION.entries()) {
    if (numbers[i]! > minimum) return
    if (numbers[i]! < minimum) {
      throw new Error(`SQLite ${MINIMUM_VERSION.join('.')} or newer is needed, this Node brings ${version}`)
    }
  }
}

function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode ?? 0
  return (code & 0xff) === 5 || (code & 0xff) === 6
}
