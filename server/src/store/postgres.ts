import pg from 'pg'
import { ORDINAL, type Query, renderMany, renderOne } from './postgres_batch.ts'
import { type Driver, type Run, type Session, type Statement, StoreUnavailable, type Verb } from './sql.ts'

/** Options of the PostgreSQL driver. */
export interface PostgresOptions {
  readonly url: string
  /** Connections of this process; batches make few enough. */
  readonly connections?: number
  /** Replaces the database's clock, for tests. */
  readonly clock?: () => number
  readonly statementTimeoutMs?: number
}

interface Job {
  readonly verb: Verb<unknown, unknown>
  readonly args: unknown
  readonly key: string | undefined
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  tries: number
}

const MOST_IN_A_BATCH = 64
const MOST_TRIES = 6
const MIGRATION_LOCK = 0x5a11_7007
const RETRIED = new Set(['40001', '40P01'])

// Every integer of ours fits a JavaScript number; times are milliseconds.
const types = new pg.TypeOverrides()
types.setTypeParser(pg.types.builtins.INT8, Number)

/**
 * Opens a PostgreSQL database. Calls of one verb that wait at the same time run in lockstep in one transaction, each
 * step as one statement over `unnest`: at most one call a key, rows locked in key order, results by ordinal.
 */
export function openPostgres(options: PostgresOptions): Driver {
  return new PostgresDriver(options)
}

class PostgresDriver implements Driver {
  readonly dialect = 'postgres'
  readonly #options: PostgresOptions
  readonly #idle: pg.Client[] = []
  readonly #waiting = new Map<Verb<unknown, unknown>, Job[]>()
  #busy = 0
  #scheduled = false
  #closed = false
  #drained: (() => void) | undefined

  constructor(options: PostgresOptions) {
    this.#options = options
  }

  run<Args, Result>(verb: Verb<Args, Result>, args: Args): Promise<Result> {
    if (this.#closed) return Promise.reject(new StoreUnavailable('the store is closed', 'not committed'))
    return new Promise((resolve, reject) => {
      this.#enqueue({ verb, args, key: verb.key?.(args), resolve, reject, tries: 0 } as Job)
      this.#schedule()
    })
  }

  async exclusively<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const client = await this.#connect({ statement_timeout: 0 })
    try {
      await client.query(`select pg_advisory_lock(${MIGRATION_LOCK})`)
      return await work({
        query: async (text) => (await client.query(text)).rows,
        transaction: async (text) => {
          await client.query(`begin; ${text}; commit`)
        },
      })
    } finally {
      await client.end()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#busy > 0 || this.#waiting.size > 0) await new Promise<void>((resolve) => (this.#drained = resolve))
    await Promise.all(this.#idle.splice(0).map((client) => client.end()))
  }

  #enqueue(job: Job): void {
    const queue = this.#waiting.get(job.verb)
    if (queue) queue.push(job)
    else this.#waiting.set(job.verb, [job])
  }

  // What arrives in one turn of the event loop leaves together.
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#dispatch()
    })
  }

  #dispatch(): void {
    while (this.#waiting.size > 0 && this.#busy < (this.#options.connections ?? 4)) {
      const jobs = this.#takeBatch()
      this.#busy++
      void this.#serve(jobs).finally(() => {
        this.#busy--
        if (this.#waiting.size > 0) this.#schedule()
        else if (this.#busy === 0) this.#drained?.()
      })
    }
  }

  #takeBatch(): Job[] {
    const [verb, queue] = this.#waiting.entries().next().value!
    // The verb goes to the end of the round, so that a busy one starves nobody.
    this.#waiting.delete(verb)
    const jobs: Job[] = []
    const left: Job[] = []
    const keys = new Set<string>()
    const alone = verb.kind === 'write' && !verb.key
    for (const job of queue) {
      const fits = jobs.length < (alone ? 1 : MOST_IN_A_BATCH) && (job.key === undefined || !keys.has(job.key))
      if (fits) jobs.push(job)
      else left.push(job)
      if (fits && job.key !== undefined) keys.add(job.key)
    }
    if (left.length > 0) this.#waiting.set(verb, left)
    return jobs.sort((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1))
  }

  async #serve(jobs: Job[]): Promise<void> {
    let client: pg.Client
    try {
      client = this.#idle.pop() ?? (await this.#connect({}))
    } catch (cause) {
      const error = new StoreUnavailable('the database cannot be reached', 'not committed', cause)
      for (const job of jobs) job.reject(error)
      return
    }
    const progress = { committing: false }
    try {
      const results = await this.#runTogether(client, jobs, progress)
      this.#release(client)
      for (const [i, job] of jobs.entries()) job.resolve(results[i])
    } catch (error) {
      await this.#recover(client, jobs, error, progress.committing)
    }
  }

  async #runTogether(client: pg.Client, jobs: readonly Job[], progress: { committing: boolean }): Promise<unknown[]> {
    const writes = jobs[0]!.verb.kind === 'write'
    const begun = writes ? client.query('begin isolation level read committed') : undefined
    begun?.catch(() => {})
    const results = await this.#drive(client, jobs)
    await begun
    if (writes) {
      progress.committing = true
      const { command } = await client.query('commit')
      // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK, and no error.
      if (command !== 'COMMIT') throw new StoreUnavailable('the database rolled back', 'not committed')
    }
    return results
  }

  async #drive(client: pg.Client, jobs: readonly Job[]): Promise<unknown[]> {
    const runs: Run<unknown>[] = jobs.map((job) => job.verb.run(job.args))
    const results: unknown[] = new Array(jobs.length)
    let steps = new Map<TemplateStringsArray, { index: number; statement: Statement<unknown> }[]>()
    const advance = (index: number, rows: unknown[]) => {
      const step = runs[index]!.next(rows)
      if (step.done) results[index] = step.value
      else {
        const group = steps.get(step.value.strings)
        if (group) group.push({ index, statement: step.value })
        else steps.set(step.value.strings, [{ index, statement: step.value }])
      }
    }
    for (const index of runs.keys()) advance(index, [])
    while (steps.size > 0) {
      const groups = [...steps.values()]
      steps = new Map()
      for (const group of groups) {
        const rows = await this.#execute(
          client,
          group.map(({ statement }) => statement),
        )
        for (const [i, { index }] of group.entries()) advance(index, rows[i]!)
      }
    }
    return results
  }

  async #execute(client: pg.Client, statements: readonly Statement<unknown>[]): Promise<unknown[][]> {
    const clock = this.#options.clock
    const many = statements.length > 1 ? renderMany(statements, clock) : null
    if (many) {
      const answers: unknown[][] = statements.map(() => [])
      for (const row of await this.#query(client, many)) {
        answers[(row[ORDINAL] as number) - 1]!.push(row)
        delete row[ORDINAL]
      }
      return answers
    }
    const answers: unknown[][] = []
    for (const statement of statements) answers.push(await this.#query(client, renderOne(statement, clock)))
    return answers
  }

  async #query(client: pg.Client, query: Query): Promise<Record<string, unknown>[]> {
    return (await client.query({ ...query, types })).rows
  }

  async #recover(client: pg.Client, jobs: Job[], error: unknown, committing: boolean): Promise<void> {
    const code = (error as { code?: string }).code ?? ''
    // Only the server's own answers have a five-character SQLSTATE; everything else means the connection is gone.
    const answered = /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('57P')
    if (answered && (await rollback(client))) this.#release(client)
    else this.#discard(client)

    if (committing && !answered && !jobs.every(({ verb }) => verb.repeatable)) {
      const unknown = new StoreUnavailable('the connection was lost during a commit', 'unknown', error)
      for (const job of jobs) job.reject(unknown)
    } else if (RETRIED.has(code) || !answered) {
      await this.#retry(jobs, error)
    } else if (jobs.length > 1) {
      // One caller's data may be to blame: each runs alone, so that only that one fails.
      for (const job of jobs) await this.#serve([job])
    } else {
      jobs[0]!.reject(code.startsWith('57') || code.startsWith('53') ? unavailable(error) : error)
    }
  }

  async #retry(jobs: Job[], error: unknown): Promise<void> {
    for (const job of jobs) {
      if (++job.tries >= MOST_TRIES) job.reject(unavailable(error))
      else this.#enqueue(job)
    }
  }

  async #connect(overrides: pg.ClientConfig): Promise<pg.Client> {
    const timeout = this.#options.statementTimeoutMs ?? 2000
    const client = new pg.Client({
      connectionString: this.#options.url,
      connectionTimeoutMillis: 3000,
      statement_timeout: timeout,
      query_timeout: timeout * 2,
      keepAlive: true,
      application_name: 'sallyport',
      pipeline: true,
      ...overrides,
    })
    client.on('error', () => this.#discard(client))
    await client.connect()
    try {
      await client.query('set jit = off; set plan_cache_mode = force_generic_plan')
      const { rows } = await client.query('show synchronous_commit')
      if (rows[0].synchronous_commit === 'off') await client.query('set synchronous_commit = on')
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
    return client
  }

  #release(client: pg.Client): void {
    this.#idle.push(client)
  }

  #discard(client: pg.Client): void {
    const index = this.#idle.indexOf(client)
    if (index >= 0) this.#idle.splice(index, 1)
    client.end().catch(() => {})
  }
}

async function rollback(client: pg.Client): Promise<boolean> {
  try {
    await client.query('rollback')
    return true
  } catch {
    return false
  }
}

function unavailable(cause: unknown): StoreUnavailable {
  return new StoreUnavailable('the database cannot answer now', 'not committed', cause)
}
