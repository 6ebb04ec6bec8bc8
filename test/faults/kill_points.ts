import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import {
  environmentOf,
  type ServerProcess,
  type ServerProcessOptions,
  serveArguments,
  waitUntilReady,
} from '../parts/server_process.ts'
import type { Dialect } from '../parts/stores.ts'
import type { Call, Operation } from './history.ts'
import { openStage, type Stage } from './stage.ts'
import type { Violation } from './violations.ts'
import { RESOURCES } from './world.ts'

/** A call that is cut at each of its moments, and what must have been done before. */
export interface CutFlow {
  readonly title: string
  prepare(stage: Stage): Promise<Call>
}

/** What came of cutting one flow at each of its moments. */
export interface CutSeries {
  /** How many moments it has. */
  moments: number
  /** How often the answer had left the server when it was killed. */
  answered: number
  violations: readonly Violation[]
}

const args = { client_id: 'web', resource: RESOURCES[1] }

async function record({ history, caller }: Stage, call: Call): Promise<Operation> {
  return history.record(call, caller.call)
}

async function askForCode(stage: Stage): Promise<string> {
  return (await record(stage, { op: 'authorize', key: '', args })).result!.code!
}

async function redeem(stage: Stage): Promise<string> {
  return (await record(stage, { op: 'exchange', key: await askForCode(stage), args })).result!.refresh_token!
}

async function rotate(stage: Stage, key: string): Promise<string> {
  return (await record(stage, { op: 'refresh', key, args })).result!.refresh_token!
}

/** The flows whose every moment is a point to be killed at. */
export const CUT_FLOWS: readonly CutFlow[] = [
  { title: 'an approval', prepare: async () => ({ op: 'authorize', key: '', args }) },
  { title: 'an exchange', prepare: async (stage) => ({ op: 'exchange', key: await askForCode(stage), args }) },
  {
    title: 'an exchange of a used code',
    async prepare(stage) {
      const key = await askForCode(stage)
      await record(stage, { op: 'exchange', key, args })
      return { op: 'exchange', key, args }
    },
  },
  { title: 'a refresh', prepare: async (stage) => ({ op: 'refresh', key: await redeem(stage), args }) },
  {
    title: 'a refresh that is repeated',
    async prepare(stage) {
      const key = await redeem(stage)
      await rotate(stage, key)
      return { op: 'refresh', key, args }
    },
  },
  {
    title: 'a refresh with an old token',
    async prepare(stage) {
      const key = await redeem(stage)
      await rotate(stage, await rotate(stage, key))
      return { op: 'refresh', key, args }
    },
  },
  { title: 'a revocation', prepare: async (stage) => ({ op: 'revoke', key: await redeem(stage), args }) },
]

const MOST_MOMENTS = 100

/**
 * Kills the server at the first moment of a flow, then at the second, and so on until the flow has no further one. Each
 * time the database is looked at, the server starts again, the call is repeated, and all its tokens are introspected.
 */
export async function runKillPoints(dialect: Dialect, flow: CutFlow): Promise<CutSeries> {
  let server: KillPointProcess | undefined
  const start = async (options: ServerProcessOptions) => {
    server = await startKillPointProcess(options)
    return server
  }
  const stage = await openStage(dialect, { seed: 1, servers: 1, start })
  const series: CutSeries = { moments: 0, answered: 0, violations: [] }
  try {
    while (series.moments < MOST_MOMENTS && series.violations.length === 0) {
      const from = stage.history.operations.length
      const call = await flow.prepare(stage)
      await server!.arm(series.moments + 1)
      const operation = await record(stage, call)
      if (!(await server!.isDead())) return series
      series.moments++
      if (operation.t_unknown === undefined) series.answered++
      await stage.kill([0])
      series.violations = await stage.judge(true)
      await stage.restart()
      await record(stage, call)
      await stage.introspect(from)
      if (series.violations.length === 0) series.violations = await stage.judge(false)
    }
    return series
  } finally {
    await stage.close()
  }
}

interface KillPointProcess extends ServerProcess {
  /** Lets it die at the n-th moment from now on. */
  arm(moments: number): Promise<void>
  /** Whether it died; otherwise it is told to live. */
  isDead(): Promise<boolean>
}

const PROCESS = fileURLToPath(new URL('./kill_point_process.ts', import.meta.url))

async function startKillPointProcess(options: ServerProcessOptions): Promise<KillPointProcess> {
  const started = performance.now()
  const child = fork(PROCESS, serveArguments(options), { env: environmentOf(options), silent: true })
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (text) => (output += String(text)))
  const ended = once(child, 'close')
  await waitUntilReady(child, options.port, () => output)
  return {
    pid: child.pid!,
    port: options.port,
    ready_ms: performance.now() - started,
    async arm(moments) {
      child.send(moments)
      await once(child, 'message')
    },
    async isDead() {
      const answered = once(child, 'message').then(() => false)
      child.send(0, () => {})
      return Promise.race([answered, ended.then(() => true)])
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
      return output
    },
  }
}
