import { encodeArray, type PostgresType } from './postgres_array.ts'
import { NOW, type SqlValue, type Statement } from './sql.ts'

/** A statement as PostgreSQL takes it; the name is that of its prepared form. */
export interface Query {
  readonly name: string
  readonly text: string
  readonly values: unknown[]
}

interface Rendered {
  readonly name: string
  readonly text: string
  readonly types: readonly (PostgresType | typeof NOW)[]
}

// No `from` in it: the rewriting below looks for that word.
const DATABASE_TIME = "(date_part('epoch', statement_timestamp()) * 1000)::bigint"
/** Rows of a batch say whose they are in their first column. */
const CALLER = 'b.ordinal::int as "#"'

/** Renders the statements of one database. A given clock replaces the database's, for tests. */
export class Renderer {
  readonly #clock: (() => number) | undefined
  readonly #singles = new WeakMap<TemplateStringsArray, Rendered>()
  readonly #batches = new WeakMap<TemplateStringsArray, Rendered | null>()
  #count = 0

  constructor(clock: (() => number) | undefined) {
    this.#clock = clock
  }

  /** A statement for one caller. */
  one(statement: Statement<unknown>): Query {
    let rendered = this.#singles.get(statement.strings)
    if (!rendered) {
      const types = statement.values.map(typeOf)
      let position = 0
      const text = join(statement, (i) =>
        types[i] === NOW ? this.#now(() => ++position) : `$${++position}::${String(types[i])}`,
      )
      rendered = { name: `s${++this.#count}`, text, types }
      this.#singles.set(statement.strings, rendered)
    }
    const values: unknown[] = []
    for (const value of statement.values) {
      if (value !== NOW) values.push(plain(value))
      else if (this.#clock) values.push(this.#clock())
    }
    return { name: rendered.name, text: rendered.text, values }
  }

  /**
   * One statement for many callers: their values become columns of `unnest`, rows carry their caller's ordinal. Null
   * when the statement's form cannot be batched; it is then run once for each caller.
   */
  many(statements: readonly Statement<unknown>[]): Query | null {
    const first = statements[0]!
    let rendered = this.#batches.get(first.strings)
    if (rendered === undefined) {
      const types = first.values.map(typeOf)
      const text = this.#rewrite(first, types)
      rendered = text === null ? null : { name: `b${++this.#count}`, text, types }
      this.#batches.set(first.strings, rendered)
    }
    if (!rendered) return null
    const values: unknown[] = []
    for (const [i, type] of rendered.types.entries()) {
      if (type === NOW) continue
      const column = statements.map((statement) => plain(statement.values[i]!))
      values.push(encodeArray(type, column))
    }
    if (this.#clock && rendered.types.includes(NOW)) values.push(this.#clock())
    return { name: rendered.name, text: rendered.text, values }
  }

  #now(position: () => number): string {
    return this.#clock ? `$${position()}::bigint` : DATABASE_TIME
  }

  #rewrite(statement: Statement<unknown>, all: readonly (PostgresType | typeof NOW)[]): string | null {
    const types = all.filter((type) => type !== NOW)
    if (types.length === 0) return null
    let column = 0
    const now = this.#now(() => types.length + 1)
    const body = join(statement, (i) => (all[i] === NOW ? now : `b.p${++column}`)).trim()
    const names = types.map((_, i) => `p${i + 1}`).join(', ')
    const arrays = types.map((type, i) => `$${i + 1}::${type}[]`).join(', ')
    const callers = `unnest(${arrays}) with ordinality as b(${names}, ordinal)`
    if (/^select\b/i.test(body)) return `select ${CALLER}, r.* from ${callers} cross join lateral (${body}) r`
    if (/^update\b/i.test(body)) return rewriteChange(body, `from ${callers}`)
    if (/^delete\b/i.test(body)) return rewriteChange(body, `using ${callers}`)
    if (/^insert\b/i.test(body)) return rewriteInsert(body, callers)
    return null
  }
}

// `update t set ... where ... [returning ...]` has exactly one place for the callers: before its only where.
function rewriteChange(body: string, callers: string): string | null {
  const parts = body.split(/\bwhere\b/i)
  if (parts.length !== 2 || /\b(select|with|using)\b/i.test(body) || /\bset\b[\s\S]*\bfrom\b/i.test(parts[0]!)) {
    return null
  }
  const [condition, returning, more] = parts[1]!.split(/\breturning\b/i)
  if (more !== undefined) return null
  const columns = returning === undefined ? '' : `, ${returning.trim()}`
  return `${parts[0]}${callers} where (${condition!.trim()}) returning ${CALLER}${columns}`
}

// Rows that an insert returns cannot say whose they are, so only inserts that return nothing are batched.
function rewriteInsert(body: string, callers: string): string | null {
  if (/\b(returning|select)\b/i.test(body)) return null
  const values = /\bvalues\s*\(/i.exec(body)
  if (!values) return null
  const start = values.index + values[0].length
  let depth = 1
  let end = start
  while (depth > 0 && end < body.length) {
    if (body[end] === '(') depth++
    else if (body[end] === ')') depth--
    end++
  }
  const rest = body.slice(end).trim()
  if (depth > 0 || rest.startsWith(',')) return null
  return `${body.slice(0, values.index)}select ${body.slice(start, end - 1)} from ${callers} ${rest}`.trim()
}

function join(statement: Statement<unknown>, place: (index: number) => string): string {
  let text = statement.strings[0]!
  for (let i = 0; i < statement.values.length; i++) text += place(i) + statement.strings[i + 1]!
  return text
}

function typeOf(value: SqlValue): PostgresType | typeof NOW {
  if (value === NOW) return NOW
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number') return 'bigint'
  if (value instanceof Uint8Array) return 'bytea'
  return value.type
}

function plain(value: Exclude<SqlValue, typeof NOW> | SqlValue): unknown {
  return typeof value === 'object' && 'type' in value ? value.value : value
}
