import { setTimeout as sleep } from 'node:timers/promises'
import type { Dialect } from '../parts/stores.ts'
import { LoadClient, runLoad } from './load.ts'
import { openStage, type Stage } from './stage.ts'
import { describeViolations, type Violation } from './violations.ts'
import { RESOURCES } from './world.ts'

/** How long a series is, and how hard. */
export interface SeriesOptions {
  readonly cycles: number
  readonly seed: number
  /** Every kill comes at random between the start of the load and this. */
  readonly longest_ms: number
  /** The checkout whose server runs; this one unless told otherwise. */
  readonly root?: string
}

/** What a series was, and what it found. */
export interface Series {
  cycles: number
  kills: number
  operations: number
  /** Calls under way at the moments of the kills. */
  in_flight: number
  /** Calls whose outcome nobody knows. */
  unknown: number
  introspected: number
  /** Calls without an answer beyond those that were under way at a killed server, while another one lived. */
  cut_beyond: number
  ready_ms: number[]
  violations: readonly Violation[]
}

const CLIENTS = 64
// How long a server that lives goes on alone before the database is looked at.
const ALONE_MS = 300

/**
 * Kills servers with signal 9 under load, again and again on the same data: after each kill the database is looked at
 * as the crash left it, then the servers start, whatever was left open is repeated, and every token of the cycle is
 * introspected. It ends with the first violation.
 */
export async function runKillSeries(dialect: Dialect, options: SeriesOptions): Promise<Series> {
  const stage = await openStage(dialect, options)
  const series: Series = {
    ...{ cycles: 0, kills: 0, operations: 0, in_flight: 0, unknown: 0, introspected: 0, cut_beyond: 0 },
    ...{ ready_ms: [], violations: [] },
  }
  const clients = Array.from({ length: CLIENTS }, (_, i) => makeClient(stage, i))
  try {
    while (series.cycles < options.cycles && series.violations.length === 0) {
      await runCycle(stage, clients, series, options.longest_ms)
      series.cycles++
    }
    if (series.violations.length === 0) {
      series.introspected += await stage.introspect(0)
      await stage.stop()
      series.violations = await stage.judge(true)
    }
  } finally {
    await stage.close()
  }
  const { operations } = stage.history
  series.operations = operations.length
  series.unknown = operations.filter(({ t_unknown }) => t_unknown !== undefined).length
  return series
}

function makeClient({ history, caller, random }: Stage, i: number): LoadClient {
  const confidential = i % 4 !== 0
  const client_id = confidential ? 'web' : 'spa'
  const base = { history, caller: caller.call, random, resources: RESOURCES, reader: 'reader' }
  return new LoadClient({ ...base, client_id, confidential })
}

async function runCycle(
  stage: Stage,
  clients: readonly LoadClient[],
  series: Series,
  longest_ms: number,
): Promise<void> {
  const { history, caller, random } = stage
  const from = history.operations.length
  const victims = chooseVictims(stage, series.cycles)
  const one_lives = victims.length < stage.servers
  const cut_before = caller.cut

  const over = new AbortController()
  const load = runLoad(clients, { signal: over.signal })
  await sleep(random() * longest_ms)
  const in_flight = victims.reduce((sum, index) => sum + caller.open(stage.portOf(index)), 0)
  const dying = stage.kill(victims)
  if (one_lives) await sleep(ALONE_MS)
  over.abort()
  await Promise.all([dying, load])
  series.kills += victims.length
  series.in_flight += in_flight
  if (one_lives) series.cut_beyond += Math.max(0, caller.cut - cut_before - in_flight)

  series.violations = await stage.judge(true)
  if (series.violations.length > 0) return
  series.ready_ms.push(...(await stage.restart()))
  await Promise.all(clients.map((client) => client.settle()))
  series.introspected += await stage.introspect(from)
  series.violations = await stage.judge(false)
}

/** Each server in turn, and every fifth time all of them at once. */
function chooseVictims({ servers }: Stage, cycle: number): number[] {
  return cycle % 5 === 4 ? [...Array(servers).keys()] : [cycle % servers]
}

/**
 * How long a start may take until the server is ready. On a machine that does nothing else this holds for 99 of 100;
 * beside other tests it is asked of the middle one.
 */
export const READY_WITHIN_MS = 3000

/** Within how many milliseconds that share of the starts was ready. */
export function readyWithin({ ready_ms }: Series, share: number): number {
  const sorted = ready_ms.toSorted((a, b) => a - b)
  return Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? 0)
}

/** The figures of a series, for people. */
export function describeSeries(series: Series): string {
  const { ready_ms: _, violations, ...counts } = series
  const ready = `ready after p50 ${readyWithin(series, 0.5)} ms, p99 ${readyWithin(series, 0.99)} ms`
  const figures = Object.entries(counts).map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`)
  return `${figures.join(', ')}, ${ready}; ${describeViolations(violations)}`
}
