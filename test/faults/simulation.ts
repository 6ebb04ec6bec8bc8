import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { check } from './checker.ts'
import { History } from './history.ts'
import { introspectAll, LoadClient, runLoad, seededRandom } from './load.ts'
import { CODE_LIFETIME_MS, type Fault, SimulatedServer } from './simulated_server.ts'
import type { Violation } from './violations.ts'

/** A history to make up: of so many operations at least, on a server that keeps the rules or has a fault. */
export interface Simulation {
  readonly seed: number
  readonly operations: number
  readonly fault?: Fault
}

/** What the checker says of it. */
export interface Verdict {
  readonly operations: number
  readonly open: number
  readonly violations: readonly Violation[]
}

/** Makes it up in a thread, where no test runner tracks each promise, and has it judged. */
export async function runSimulation(simulation: Simulation): Promise<Verdict> {
  const worker = new Worker(new URL(import.meta.url), { workerData: simulation })
  const [verdict] = (await once(worker, 'message')) as [Verdict]
  return verdict
}

if (!isMainThread) parentPort!.postMessage(await simulate(workerData as Simulation))

/** The same load as on a real server, 64 clients, crashes in between; at the end every token is looked at. */
async function simulate({ seed, operations, fault }: Simulation): Promise<Verdict> {
  const random = seededRandom(seed)
  const server = new SimulatedServer(random, fault)
  const history = new History(() => server.now)
  const base = { history, caller: server.call, random, resources: ['api'], reader: 'reader' }
  const clients = Array.from({ length: 64 }, (_, i) => {
    const confidential = i % 4 !== 0
    return new LoadClient({ ...base, client_id: confidential ? 'web' : 'spa', confidential })
  })
  await server.run(runLoad(clients, { steps: operations / 2 }), 1000)
  const confidential = (client_id: string) => client_id === 'web'
  await server.run(introspectAll(history, server.call, { reader: 'reader', confidential }), Number.POSITIVE_INFINITY)
  const codes = history.operations.flatMap(({ t_ok, result }) => (t_ok === undefined ? [] : (result?.code ?? [])))
  const violations = check(history.operations, { code_lifetime_ms: CODE_LIFETIME_MS }, server.observe(new Set(codes)))
  return { operations: history.operations.length, open: history.open, violations }
}
