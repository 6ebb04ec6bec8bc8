import { NOW, type SqlValue, type Statement } from './sql.ts'

/** A statement as PostgreSQL takes it. */
export interface Query {
  readonly name: string
  readonly text: string
  readonly values: unknown[]
}

type PostgresType = 'text' | 'bigint' | 'bytea'
interface Rendered {
  readonly name: string
  readonly text: string
}

const DATABASE_TIME = '(extract(epoch from statement_timestamp()) * 1000)::bigint'
/** The column by which a row of a batch finds its caller. */
export const ORDINAL = '#'
const CALLER = `b.ordinal::int as "${ORDINAL}"`

let templates = 0
const singles = new WeakMap<TemplateStringsArray, Rendered>()
const batches = new WeakMap<TemplateStringsArray, Rendered | null>()

/** Renders a statement for one caller. A given clock replaces the database's, for tests. */
export function renderOne(statement: Statement<unknown>, clock: (() => number) | undefined): Query {
  const values: unknown[] = []
  const known = singles.get(statement.strings)
  for (const value of statement.values) {
    if (value !== NOW) values.push(plain(value))
    else if (clock) values.push(clock())
  }
  if (known) return { ...known, values }
  let position = 0
  const text = join(statement, (value) => (value === NOW && !clock ? DATABASE_TIME : `$${++position}`))
  const rendered = { name: `s${++templates}`, text }
  singles.set(statement.strings, rendered)
  return { ...rendered, values }
}

/**
 * Renders one statement for many callers: their values become columns of `unnest`, rows carry their caller's ordinal.
 * Null when the statement's form cannot be batched; it is then run for one caller after the other.
 */
export function renderMany(statements: readonly Statement<unknown>[], clock: (() => number) | undefined): Query | null {
  const first = statements[0]!
  let rendered = batches.get(first.strings)
  if (rendered === undefined) {
    const text = rewrite(first, clock)
    rendered = text === null ? null : { name: `b${++templates}`, text }
    batches.set(first.strings, rendered)
  }
  if (!rendered) return null
  const values: unknown[] = []
  for (const [i, value] of first.values.entries()) {
    if (value === NOW) continue
    values.push(statements.map((statement) => plain(statement.values[i]!)))
  }
  if (clock && first.values.includes(NOW)) values.push(clock())
  return { ...rendered, values }
}

function rewrite(statement: Statement<unknown>, clock: (() => number) | undefined): string | null {
  const types = statement.values.filter((value) => value !== NOW).map(typeOf)
  if (types.length === 0) return null
  let column = 0
  const now = clock ? `$${types.length + 1}::bigint` : DATABASE_TIME
  const body = join(statement, (value) => (value === NOW ? now : `b.p${++column}`)).trim()
  const names = types.map((_, i) => `p${i + 1}`).join(', ')
  const arrays = types.map((type, i) => `$${i + 1}::${type}[]`).join(', ')
  const callers = `unnest(${arrays}) with ordinality as b(${names}, ordinal)`
  if (/^select\b/i.test(body)) return `select r.*, ${CALLER} from ${callers} cross join lateral (${body}) r`
  if (/^update\b/i.test(body)) return rewriteChange(body, `from ${callers}`)
  if (/^delete\b/i.test(body)) return rewriteChange(body, `using ${callers}`)
  if (/^insert\b/i.test(body)) return rewriteInsert(body, callers)
  return null
}

// `update t set ... where ... [returning ...]` has exactly one place for the callers: before its only where.
function rewriteChange(body: string, callers: string): string | null {
  const parts = body.split(/\bwhere\b/i)
  if (parts.length !== 2 || /\b(select|with)\b/i.test(body) || /\bset\b[\s\S]*\bfrom\b/i.test(parts[0]!)) return null
  const [condition, returning, more] = parts[1]!.split(/\breturning\b/i)
  if (more !== undefined) return null
  const columns = returning === undefined ? '' : `${returning.trim()}, `
  return `${parts[0]}${callers} where ${condition!.trim()} returning ${columns}${CALLER}`
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

function join(statement: Statement<unknown>, place: (value: SqlValue) => string): string {
  let text = statement.strings[0]!
  for (const [i, value] of statement.values.entries()) text += place(value) + statement.strings[i + 1]!
  return text
}

function typeOf(value: SqlValue): PostgresType {
  if (typeof value === 'string') return 'text'
  if (typeof value === 'number') return 'bigint'
  if (value instanceof Uint8Array) return 'bytea'
  if (typeof value === 'symbol') throw new Error('the clock has no column')
  return value.type
}

function plain(value: SqlValue): unknown {
  if (typeof value === 'object' && 'type' in value) return asBuffer(value.value)
  return asBuffer(value)
}

// The driver writes Buffers, and only Buffers, as bytea inside arrays.
function asBuffer(value: unknown): unknown {
  return value instanceof Uint8Array && !Buffer.isBuffer(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : value
}
