import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import pg from 'pg'
import { NOW } from '../server/src/store/sql.ts'
import type { Trace } from './traced_driver.ts'

/** Notes the slowest run of each statement that took longer than a time. */
export function slowStatements(
  traces: readonly Trace[],
  from_ms: number,
  noted: Map<string, { ms: number; strings: string[]; values: readonly unknown[] }>,
): void {
  for (const { verb, statement, ms, beside } of traces) {
    if (ms < from_ms) continue
    const strings = [...statement.strings]
    const title = `${verb}${beside > 1 ? ` (one of ${beside} together)` : ''}: ${strings.join('?').replace(/\s+/g, ' ').trim()}`
    const known = noted.get(title)
    if (!known || known.ms < ms) noted.set(title, { ms, strings, values: statement.values })
  }
}

/** How each database goes about a statement. */
export const describePlan = {
  async sqlite(file: string, strings: string[], values: readonly unknown[]): Promise<string> {
    const database = new DatabaseSync(file, { readOnly: true })
    try {
      const rows = database.prepare(`explain query plan ${strings.join('?')}`).all(...values.map(toSqlite))
      return rows.map(({ detail }) => `  ${detail}`).join('\n')
    } finally {
      database.close()
    }
  },

  async postgres(url: string, strings: string[], values: readonly unknown[]): Promise<string> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      const text = strings.map((part, i) => part + (i < values.length ? toLiteral(values[i]) : '')).join('')
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (analyze, buffers) ${text}`)
      return rows.map((row) => `  ${row['QUERY PLAN']}`).join('\n')
    } finally {
      await client.end()
    }
  },
}

function toSqlite(value: unknown): SQLInputValue {
  if (value === NOW) return Date.now()
  return (isTyped(value) ? value.value : value) as SQLInputValue
}

function toLiteral(value: unknown): string {
  if (value === NOW) return '(extract(epoch from now()) * 1000)::bigint'
  const plain = isTyped(value) ? value.value : value
  if (plain === null) return 'null'
  return typeof plain === 'number' ? String(plain) : pg.escapeLiteral(String(plain))
}

function isTyped(value: unknown): value is { type: string; value: unknown } {
  return typeof value === 'object' && value !== null && 'type' in value
}
