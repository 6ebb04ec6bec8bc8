import { setTimeout } from 'node:timers/promises'
import { Renderer } from './postgres_batch.ts'
import { connectClient, type Fault, isTimeout, PostgresConnection, readFault } from './postgres_connection.ts'
import { runInLockstep, VerbThrew } from './postgres_lockstep.ts'
import { type Driver, type Session, StoreUnavailable, type Verb } from './sql.ts'

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
  readonly since: number
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  tries: number
  /** What is known should it fail: once a commit of it was lost on the way, nobody can say that it did not happen. */
  outcome: StoreUnavailable['outcome']
}

const MOST_IN_A_BATCH = 64
const MOST_TRIES = 6
/** Held by whoever migrates or restores a database; a server that starts waits for it. */
export const MIGRATION_LOCK = 0x5a11_7007
const LOCK_EVERY_MS = 50
// Whoever has waited so long when the database stops answering is not kept waiting for the next attempt.
const PATIENCE_MS = 1000

/**
 * Opens a PostgreSQL database. Calls of one verb that wait at the same time run in lockstep in one transaction, each
 * step as one statement over `unnest`: at most one call a key, keys locked in their order, results by ordinal.
 */
export function openPostgres(options: PostgresOptions): Driver {
  return new PostgresDriver(options)
}

class PostgresDriver implements Driver {
  readonly dialect = 'postgres'
  readonly #options: PostgresOptions
  readonly #renderer: Renderer
  readonly #timeout: number
  readonly #idle: PostgresConnection[] = []
  readonly #waiting = new Map<Verb<unknown, unknown>, Job[]>()
  /** Keys of writes under way: a second one waits here, not on a row lock with a connection in its hands. */
  readonly #held = new Set<string>()
  #busy = 0
  #scheduled = false
  #closing: Promise<void> | undefined
  #drained = () => {}

  constructor(options: PostgresOptions) {
    this.#options = options
    this.#renderer = new Renderer(options.clock)
    this.#timeout = options.statementTimeoutMs ?? 2000
  }

  run<Args, Result>(verb: Verb<Args, Result>, args: Args): Promise<Result> {
    if (this.#closing) return Promise.reject(new StoreUnavailable('the store is closed', 'not committed'))
    return new Promise((resolve, reject) => {
      const since = performance.now()
      this.#enqueue({
        verb,
        args,
        key: verb.key?.(args),
        since,
        resolve,
        reject,
        tries: 0,
        outcome: 'not committed',
      } as Job)
      this.#schedule()
    })
  }

  async exclusively<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const client = await connectClient(this.#options.url, { statement_timeout: 0 })
    try {
      await client.query('set statement_timeout = 0')
      // Asked again and again: a statement that waits has a snapshot, for which an index made concurrently would wait.
      const lock = `select pg_try_advisory_lock(${MIGRATION_LOCK}) as is_held`
      while (!(await client.query(lock)).rows[0].is_held) await setTimeout(LOCK_EVERY_MS)
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

  close(): Promise<void> {
    this.#closing ??= (async () => {
      if (this.#busy > 0 || this.#waiting.size > 0) await new Promise<void>((resolve) => (this.#drained = resolve))
      await Promise.all(this.#idle.splice(0).map((connection) => connection.close()))
    })()
    return this.#closing
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
    while (this.#busy < (this.#options.connections ?? 4)) {
      const jobs = this.#takeBatch()
      if (jobs.length === 0) return
      this.#busy++
      void this.#serve(jobs).finally(() => {
        this.#busy--
        for (const { key } of jobs) if (key !== undefined) this.#held.delete(key)
        if (this.#waiting.size > 0) this.#schedule()
        else if (this.#busy === 0) this.#drained()
      })
    }
  }

  #takeBatch(): Job[] {
    for (const [verb, queue] of this.#waiting) {
      const most = verb.kind === 'write' && !verb.key ? 1 : MOST_IN_A_BATCH
      const jobs: Job[] = []
      const left: Job[] = []
      let next = 0
      for (; next < queue.length && jobs.length < most; next++) {
        const job = queue[next]!
        const fits = job.key === undefined || !this.#held.has(job.key)
        ;(fits ? jobs : left).push(job)
        if (fits && job.key !== undefined) this.#held.add(job.key)
      }
      if (jobs.length === 0) continue
      // The verb goes to the end of the round, so that a busy one starves nobody.
      this.#waiting.delete(verb)
      const rest = next < queue.length ? left.concat(queue.slice(next)) : left
      if (rest.length > 0) this.#waiting.set(verb, rest)
      return verb.key ? jobs.sort((a, b) => (a.key! < b.key! ? -1 : 1)) : jobs
    }
    return []
  }

  async #serve(jobs: readonly Job[]): Promise<void> {
    let connection: PostgresConnection
    try {
      connection = await this.#connect()
    } catch (cause) {
      for (const job of jobs) refuse(job, cause)
      this.#refuseWaiting(cause, 0)
      return
    }
    const attempt = { committing: false }
    try {
      const results = await this.#runTogether(connection, jobs, attempt)
      this.#release(connection)
      for (const [i, job] of jobs.entries()) job.resolve(results[i])
    } catch (error) {
      await this.#recover(connection, jobs, error, attempt.committing)
    }
  }

  async #runTogether(
    connection: PostgresConnection,
    jobs: readonly Job[],
    attempt: { committing: boolean },
  ): Promise<unknown[]> {
    const runs = () =>
      runInLockstep(
        connection,
        this.#renderer,
        jobs.map(({ verb, args }) => verb.run(args)),
      )
    if (jobs[0]!.verb.kind === 'read') return runs()
    const begun = connection.begin(jobs.length > 1 ? jobs.map(({ key }) => key!) : [])
    begun.catch(() => {})
    let results: unknown[]
    try {
      results = await runs()
    } finally {
      // When BEGIN or a lock failed, what was sent behind it failed because of that.
      await begun
    }
    attempt.committing = true
    await connection.commit()
    return results
  }

  async #recover(
    connection: PostgresConnection,
    jobs: readonly Job[],
    error: unknown,
    committing: boolean,
  ): Promise<void> {
    const ours = error instanceof VerbThrew || error instanceof StoreUnavailable
    const fault = ours ? 'data' : readFault(error)
    if (fault !== 'lost' && (await connection.rollback())) this.#release(connection)
    else connection.discard()

    if (error instanceof StoreUnavailable) {
      for (const job of jobs) job.reject(error)
    } else if (error instanceof VerbThrew) {
      jobs[error.index]!.reject(error.cause)
      if (jobs.length > 1) await this.#serve(jobs.filter((_, index) => index !== error.index))
    } else if (fault !== 'data') {
      if (fault === 'lost' && committing) for (const job of jobs) job.outcome = 'unknown'
      this.#refuseOrRetry(jobs, error, fault)
    } else if (jobs.length > 1) {
      // One caller's data is to blame: halves of the batch run until that one is alone, and only that one fails.
      await this.#serve(jobs.slice(0, jobs.length >> 1))
      await this.#serve(jobs.slice(jobs.length >> 1))
    } else {
      jobs[0]!.reject(error)
    }
  }

  #refuseOrRetry(jobs: readonly Job[], error: unknown, fault: Fault): void {
    const late = fault === 'busy' || isTimeout(error)
    for (const job of jobs) {
      const repeatable = job.verb.repeatable || job.outcome === 'not committed'
      if (late || !repeatable || ++job.tries >= MOST_TRIES) refuse(job, error)
      else this.#enqueue(job)
    }
    if (late) this.#refuseWaiting(error, PATIENCE_MS)
  }

  #refuseWaiting(cause: unknown, patience: number): void {
    const latest = performance.now() - patience
    for (const [verb, queue] of this.#waiting) {
      const left = queue.filter((job) => job.since > latest || refuse(job, cause))
      if (left.length > 0) this.#waiting.set(verb, left)
      else this.#waiting.delete(verb)
    }
  }

  async #connect(): Promise<PostgresConnection> {
    for (let known = this.#idle.pop(); known; known = this.#idle.pop()) {
      if (!known.lost) return known
    }
    return PostgresConnection.open(this.#options.url, this.#timeout)
  }

  #release(connection: PostgresConnection): void {
    if (!connection.lost) this.#idle.push(connection)
  }
}

function refuse(job: Job, cause: unknown): void {
  job.reject(new StoreUnavailable('the database cannot answer now', job.outcome, cause))
}
