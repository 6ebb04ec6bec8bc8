import os from 'node:os'
import type { Result } from './load.ts'
import { CAN_PIN, type PinnedProcess } from './pinned_process.ts'
import type { Start } from './start.ts'
import type { Goal, Side, Work } from './works.ts'

/** What came of one round on one server. */
export interface Round extends Result {
  /** Right answers per second. */
  readonly rate: number
  /** Processor time of the server per answer: what other work on the machine changes least. */
  readonly cpu_us: number
}

/** What was measured of one work. */
export interface Row {
  readonly work: Work
  readonly rounds: ReadonlyMap<Side, readonly Round[]>
  readonly complaints: readonly string[]
}

/** What the figures depend on. */
export function describeMachine(run: { rounds: number; seconds: number; connections: number }): string {
  const [cpu] = os.cpus()
  const pinned = CAN_PIN ? 'server on one core, load on another' : 'NOT pinned to cores: taskset is missing'
  return [
    `${new Date().toISOString()}, Node ${process.version}, ${os.cpus().length} x ${cpu?.model.trim()}, load average ${os.loadavg()[0]!.toFixed(1)}`,
    `${run.rounds} interleaved rounds of ${run.seconds} s, ${run.connections} connections, ${pinned}; ` +
      'durable databases, audit on, info log to a file (the peer logs nothing)',
  ].join('\n')
}

/**
 * Prints the requests per second of each server beside the goals. Ratios are medians of those within one round; the one
 * by processor time of the server's own process is what is left of it on a machine that is busy with other things.
 */
export function printTable(rows: readonly Row[]): void {
  const head = [
    ...['work', 'server', 'req/s', 'CPU us', 'p50 ms', 'p99 ms', 'x memory', 'x postgres', 'goal', '', 'x by CPU'],
    ...['x before', 'by CPU'],
  ]
  const lines = rows.flatMap((row) => [
    ...(['sallyport_sqlite', 'sallyport_postgres'] as const)
      .filter((side) => row.rounds.has(side))
      .map((side) => {
        const goal = row.work.goals[side]
        const reached = ratio(row, side, goal.peer)
        return [
          ...figures(row, side),
          ...(['peer_memory', 'peer_postgres'] as const).map((peer) => times(ratio(row, side, peer))),
          describeGoal(goal),
          Number.isNaN(reached) ? '' : reached >= goal.ratio ? 'met' : 'NOT met',
          times(1 / ratio(row, side, goal.peer, 'cpu_us')),
          times(ratio(row, side, BEFORE[side])),
          times(1 / ratio(row, side, BEFORE[side], 'cpu_us')),
        ]
      }),
    ...(['peer_memory', 'peer_postgres', 'floor', 'before_sqlite', 'before_postgres'] as const)
      .filter((side) => row.rounds.has(side))
      .map((side) => figures(row, side)),
  ])
  printColumns([head, ...lines])
}

/** Prints how fast servers start and how much memory they hold. Those under load run from source, with its compiler. */
export function printMemory(
  servers: readonly { side: Side; process: PinnedProcess; idle_mb: number; loaded_mb: number }[],
  starts: readonly Start[],
): void {
  const lines = servers.map(({ side, process, idle_mb, loaded_mb }) => [
    NAMES[side],
    ...[process.ready_ms, idle_mb, loaded_mb].map((value) => value.toFixed(0)),
  ])
  const serve = ['sallyport serve, published build (goals: 250 ms, 90 MB)']
  serve.push(median(starts.map(({ ms }) => ms)).toFixed(0), median(starts.map(({ idle_mb }) => idle_mb)).toFixed(0), '')
  printColumns([['server', 'start ms', 'idle MB', 'most MB'], ...lines, serve])
}

const NAMES: Readonly<Record<Side, string>> = {
  sallyport_sqlite: 'sallyport, SQLite',
  sallyport_postgres: 'sallyport, PostgreSQL',
  peer_memory: 'oidc-provider, memory',
  peer_postgres: 'oidc-provider, PostgreSQL',
  before_sqlite: 'before, SQLite',
  before_postgres: 'before, PostgreSQL',
  floor: 'bare server that signs',
}
const BEFORE = { sallyport_sqlite: 'before_sqlite', sallyport_postgres: 'before_postgres' } as const

function figures(row: Row, side: Side): string[] {
  const rounds = row.rounds.get(side)!
  return [
    row.work.title,
    NAMES[side],
    median(rounds.map(({ rate }) => rate)).toFixed(0),
    median(rounds.map(({ cpu_us }) => cpu_us)).toFixed(0),
    median(rounds.map(({ p50_ms }) => p50_ms)).toFixed(2),
    median(rounds.map(({ p99_ms }) => p99_ms)).toFixed(2),
  ]
}

function describeGoal({ ratio, peer }: Goal): string {
  return `>= ${ratio} x ${peer.slice(5)}`
}

function times(value: number): string {
  return Number.isNaN(value) ? '' : value.toFixed(2)
}

function ratio(row: Row, side: Side, peer: Side, of: 'rate' | 'cpu_us' = 'rate'): number {
  const ours = row.rounds.get(side) ?? []
  const theirs = row.rounds.get(peer) ?? []
  if (theirs.length === 0) return Number.NaN
  return median(ours.map((round, i) => round[of] / theirs[i]![of]))
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function printColumns(lines: readonly (readonly string[])[]): void {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const isNumber = (text: string) => /^[\d.]+$/.test(text)
  console.log()
  for (const line of lines) {
    const cells = line.map((text, column) =>
      isNumber(text) ? text.padStart(widths[column]!) : text.padEnd(widths[column]!),
    )
    console.log(cells.join('  ').trimEnd())
  }
}
