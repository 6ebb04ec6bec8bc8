/** A value of a statement. Nullable ones say their type, because PostgreSQL receives them in typed arrays. */
export type SqlValue = string | number | Uint8Array | Typed | typeof NOW

/** The database's clock in milliseconds, where time decides: `now()` of PostgreSQL, this process's for SQLite. */
export const NOW: unique symbol = Symbol('now')

/** A nullable value with its type. */
export interface Typed {
  readonly type: 'text' | 'bigint' | 'bytea'
  readonly value: string | number | Uint8Array | null
}

/** A nullable text. */
export const text = (value: string | null | undefined): Typed => ({ type: 'text', value: value ?? null })
/** A nullable integer. */
export function int(value: number | null | undefined): Typed {
  if (value != null && !Number.isSafeInteger(value)) throw new RangeError(`${value} is not an integer`)
  return { type: 'bigint', value: value ?? null }
}
/** A nullable byte string. */
export const bytes = (value: Uint8Array | null | undefined): Typed => ({ type: 'bytea', value: value ?? null })

/** One statement: its text is the identity of the template, so that each is prepared once. */
export class Statement<Row> {
  readonly strings: TemplateStringsArray
  readonly values: readonly SqlValue[]

  constructor(strings: TemplateStringsArray, values: readonly SqlValue[]) {
    this.strings = strings
    this.values = values
  }

  /** `yield* sql...` hands the statement to the driver and receives its rows. */
  *[Symbol.iterator](): Generator<Statement<unknown>, Row[], unknown[]> {
    return (yield this as Statement<unknown>) as Row[]
  }
}

/** A row from its values, of the same shape on both databases; `from` skips what is not the verb's. */
export function makeRow(columns: readonly string[], values: readonly unknown[], from = 0): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (let i = from; i < columns.length; i++) row[columns[i]!] = values[i]
  return row
}

/** Writes a statement in the SQL that SQLite and PostgreSQL share; values are always bound, never spliced. */
export function sql<Row = never>(strings: TemplateStringsArray, ...values: SqlValue[]): Statement<Row> {
  for (const value of values) {
    // SQLite would store a fraction where PostgreSQL refuses it.
    if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError(`${value} is not an integer`)
  }
  return new Statement<Row>(strings, values)
}

/** Of a joined row its own columns: a record that is logged or handed on holds no part of what was joined to it. */
export function pickColumns<T>(row: Readonly<Record<string, unknown>>, columns: readonly (keyof T)[]): T {
  const picked = {} as T
  for (const column of columns) picked[column] = row[column as string] as T[keyof T]
  return picked
}

/** Runs statements that do not depend on each other in one go; answers the rows of each. */
export function* together<Row>(statements: readonly Statement<Row>[]): Run<Row[][]> {
  if (statements.length === 0) return []
  return (yield statements) as Row[][]
}

/** A running verb: yields statements, receives rows, and awaits nothing else. */
export type Run<Result> = Generator<Statement<unknown> | readonly Statement<unknown>[], Result, unknown[]>

/** A verb of the store: one transaction, one meaning. */
export interface Verb<Args, Result> {
  readonly kind: 'read' | 'write'
  readonly run: (args: Args) => Run<Result>
  /** What a write locks first. Verbs with a key are batched, at most one a key; those without run alone. */
  readonly key?: (args: Args) => string
  /** Whether running it again after a commit of unknown outcome finds its own traces and answers the same. */
  readonly repeatable?: boolean
}

/** A verb that only reads. */
export function read<Args, Result>(run: (args: Args) => Run<Result>): Verb<Args, Result> {
  return { kind: 'read', run }
}

/** A verb that writes. */
export function write<Args, Result>(
  run: (args: Args) => Run<Result>,
  options: { key?: (args: Args) => string; repeatable?: boolean } = {},
): Verb<Args, Result> {
  return { kind: 'write', run, ...options }
}

/** What runs verbs: one database. */
export interface Driver {
  readonly dialect: 'sqlite' | 'postgres'
  run<Args, Result>(verb: Verb<Args, Result>, args: Args): Promise<Result>
  /** Runs work while no other process does the same; for migrations only. */
  exclusively<T>(work: (session: Session) => Promise<T>): Promise<T>
  /** Copies the database into a new file, as of one moment and beside its use; SQLite alone. */
  copyTo?(file: string): Promise<void>
  close(): Promise<void>
}

/** Plain SQL for migrations: a query, and a script in one transaction. */
export interface Session {
  query(text: string): Promise<Record<string, unknown>[]>
  transaction(text: string): Promise<void>
}

/** The database cannot answer now, or the outcome of a commit is unknown. Callers answer 503. */
export class StoreUnavailable extends Error {
  readonly outcome: 'not committed' | 'unknown'

  constructor(message: string, outcome: 'not committed' | 'unknown', cause?: unknown) {
    super(message, { cause })
    this.name = 'StoreUnavailable'
    this.outcome = outcome
  }
}
