import type { Driver, Run, Statement, Verb } from '../server/src/store/sql.ts'

/** What was seen of one statement of one verb: how often it ran and what its slowest run took. */
export interface Trace {
  readonly verb: string
  readonly statement: Statement<unknown>
  readonly ms: number
  /** Statements that went out with it, itself included: the time is of all of them. */
  readonly beside: number
}

/** Passes verbs on to a driver and notes how long each statement of theirs took, as the verb sees it. */
export class TracedDriver implements Driver {
  readonly dialect: Driver['dialect']
  traces: Trace[] = []
  readonly #inner: Driver
  readonly #names: ReadonlyMap<unknown, string>
  readonly #traced = new WeakMap<object, Verb<unknown, unknown>>()

  constructor(inner: Driver, names: ReadonlyMap<unknown, string>) {
    this.#inner = inner
    this.dialect = inner.dialect
    this.#names = names
  }

  run<Args, Result>(verb: Verb<Args, Result>, args: Args): Promise<Result> {
    let traced = this.#traced.get(verb) as Verb<Args, Result> | undefined
    if (!traced) {
      const name = this.#names.get(verb) ?? '?'
      traced = { ...verb, run: (args: Args) => this.#note(name, verb.run(args)) }
      this.#traced.set(verb, traced as Verb<unknown, unknown>)
    }
    return this.#inner.run(traced, args)
  }

  exclusively: Driver['exclusively'] = (work) => this.#inner.exclusively(work)

  close(): Promise<void> {
    return this.#inner.close()
  }

  *#note<Result>(verb: string, run: Run<Result>): Run<Result> {
    let step = run.next([])
    while (!step.done) {
      const asked = step.value
      const started = performance.now()
      const rows = (yield asked) as unknown[]
      const ms = performance.now() - started
      const statements = Array.isArray(asked) ? (asked as Statement<unknown>[]) : [asked as Statement<unknown>]
      for (const statement of statements) this.traces.push({ verb, statement, ms, beside: statements.length })
      step = run.next(rows)
    }
    return step.value
  }
}
