import { printable } from './terminal.ts'

type Row = Readonly<Record<string, unknown>>

const MOST_COLUMNS = 7
const LONGEST_CELL = 60

/** A value as one line: times for people, lists by commas, objects as JSON. */
export function describeValue(name: string, value: unknown): string {
  if (value === null || value === undefined) return '-'
  if (typeof value === 'number' && /_at$|^at$|_time$/.test(name) && value > 1e11) return new Date(value).toISOString()
  if (typeof value === 'string') return value === '' ? '-' : printable(value)
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
    return value.length === 0 ? '-' : printable(value.join(','))
  }
  return printable(JSON.stringify(value))
}

/** One thing as lines of name and value. */
export function describeThing(thing: Row): string {
  const flat = Object.entries(thing).flatMap(([name, value]): [string, unknown][] => {
    const nested = typeof value === 'object' && value !== null && !Array.isArray(value)
    return nested ? Object.entries(value).map(([inner, one]) => [`${name}.${inner}`, one]) : [[name, value]]
  })
  const width = Math.max(0, ...flat.map(([name]) => name.length))
  return flat.map(([name, value]) => `${printable(name).padEnd(width)}  ${describeValue(name, value)}\n`).join('')
}

/** A list as a table for a terminal `width` wide, or, without one, as lines whose cells are separated by tabs. */
export function describeList(rows: readonly Row[], width: number | undefined): string {
  const columns = chooseColumns(rows)
  const cells = rows.map((row) => columns.map((name) => describeValue(name, row[name])))
  if (width === undefined) return cells.map((line) => `${line.join('\t')}\n`).join('')
  if (rows.length === 0) return 'There is nothing\n'
  const table = [columns.map((name) => name.toUpperCase()), ...cells.map((line) => line.map(shorten))]
  const widths = columns.map((_, i) => Math.max(...table.map((line) => line[i]!.length)))
  const lines = table.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  )
  return lines.map((line) => `${line.length > width ? `${line.slice(0, Math.max(1, width - 1))}…` : line}\n`).join('')
}

/** The members that fit into a cell, in the order of the first thing that has them. */
function chooseColumns(rows: readonly Row[]): string[] {
  const names = new Set(rows.flatMap((row) => Object.keys(row)))
  const isObject = (value: unknown) =>
    typeof value === 'object' &&
    value !== null &&
    !(Array.isArray(value) && value.every((one) => typeof one === 'string'))
  return [...names].filter((name) => !rows.some((row) => isObject(row[name]))).slice(0, MOST_COLUMNS)
}

function shorten(cell: string): string {
  return cell.length > LONGEST_CELL ? `${cell.slice(0, LONGEST_CELL - 1)}…` : cell
}
