import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createDatabase, startPostgres } from '../parts/postgres.ts'
import { freePort } from '../parts/program.ts'
import { type ServerProcess, type ServerProcessOptions, startServerProcess } from '../parts/server_process.ts'
import type { Dialect } from '../parts/stores.ts'
import { check } from './checker.ts'
import { History } from './history.ts'
import { HttpCaller } from './http_caller.ts'
import { introspectAll, seededRandom } from './load.ts'
import type { Observation } from './observation.ts'
import { observePostgres, observeSqlite } from './observe.ts'
import type { Rules, Violation } from './violations.ts'
import { CLIENTS, CODE_LIFETIME_SECONDS, describePlatform, signInUsers } from './world.ts'

/** Server processes on one database: one over SQLite, two over PostgreSQL; and the history of all their clients. */
export interface Stage {
  readonly history: History
  readonly caller: HttpCaller
  readonly random: () => number
  /** How many servers there are. */
  readonly servers: number
  /** The port of a server. */
  portOf(index: number): number
  /** kill -9 of some servers in this very moment; calls go to the others from now on. Resolves when they are gone. */
  kill(indexes: readonly number[]): Promise<void>
  /** Starts those that are down; answers how long each took until it was ready. */
  restart(): Promise<number[]>
  /** Introspects every token that was presented or answered from one place of the history on. */
  introspect(from: number): Promise<number>
  /** Judges the whole history. With `observed` also the database: nobody may be writing to it. */
  judge(observed: boolean): Promise<Violation[]>
  /** Stops the servers in order, and leaves the database to be observed. */
  stop(): Promise<void>
  /** Ends and removes everything. */
  close(): Promise<void>
}

const RULES: Rules = { code_lifetime_ms: CODE_LIFETIME_SECONDS * 1000 }

/** What a stage may be told. */
export interface StageOptions {
  readonly seed: number
  /** The checkout whose server runs; this one unless told otherwise. */
  readonly root?: string
  /** How many servers there are; one over SQLite, two over PostgreSQL unless told otherwise. */
  readonly servers?: number
  /** How a server starts. */
  readonly start?: (options: ServerProcessOptions) => Promise<ServerProcess>
}

/** Starts the servers and signs the users in. */
export async function openStage(dialect: Dialect, options: StageOptions): Promise<Stage> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-faults-'))
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end()
  }
  try {
    return await fillStage(dialect, { ...options, folder, closing, close })
  } catch (error) {
    await close()
    throw error
  }
}

async function fillStage(
  dialect: Dialect,
  parts: StageOptions & { folder: string; closing: (() => Promise<unknown>)[]; close: () => Promise<void> },
): Promise<Stage> {
  const { folder, closing, close } = parts
  const database = dialect === 'postgres' ? await makeDatabase(closing) : undefined
  const platform = path.join(folder, 'platform.yaml')
  await writeFile(platform, describePlatform())
  const { servers = database ? 2 : 1 } = parts
  const ports: number[] = []
  while (ports.length < servers) ports.push(await freePort())
  const root_key = randomBytes(32).toString('base64')
  const data_dir = (index: number) => path.join(folder, `data${index}`)
  const issuer = `http://127.0.0.1:${ports[0]}`
  const running = new Map<number, ServerProcess>()
  closing.push(() => Promise.all([...running.values()].map((server) => server.kill())))
  const start = async (index: number) => {
    const where = { issuer, port: ports[index]!, data_dir: data_dir(index), platform, root_key }
    const more = { ...(database ? { database_url: database.url } : {}), ...(parts.root ? { root: parts.root } : {}) }
    const server = await (parts.start ?? startServerProcess)({ ...where, ...more })
    running.set(index, server)
    return server.ready_ms
  }
  for (const index of ports.keys()) await start(index)

  const random = seededRandom(parts.seed)
  const { cookies, codes } = await signInUsers(issuer)
  const history = new History(() => performance.timeOrigin + performance.now())
  const any = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]!
  // Where none runs, the calls of those who do not know yet go nowhere.
  const livingPorts = () => (running.size > 0 ? [...running.values()].map(({ port }) => port) : ports)
  const caller = new HttpCaller({ route: () => any(livingPorts()), cookies: () => any(cookies) })
  closing.push(async () => caller.close())
  const observe = (): Promise<Observation> =>
    database
      ? observePostgres(database.url, history, codes)
      : observeSqlite(path.join(data_dir(0), 'sallyport.db'), history, codes)

  return {
    ...{ history, caller, random, close, servers },
    portOf: (index) => ports[index]!,
    async kill(indexes) {
      const dying = indexes.map((index) => running.get(index)!.kill())
      for (const index of indexes) running.delete(index)
      await Promise.all(dying)
    },
    restart: () => Promise.all([...ports.keys()].filter((index) => !running.has(index)).map(start)),
    introspect: (from) =>
      introspectAll(history, caller.call, {
        ...{ reader: 'reader', from },
        confidential: (client_id) => CLIENTS[client_id]!.secret !== undefined,
      }),
    judge: async (observed) => check(history.operations, RULES, observed ? await observe() : undefined),
    async stop() {
      for (const [index, server] of running) {
        running.delete(index)
        await server.stop()
      }
    },
  }
}

async function makeDatabase(closing: (() => Promise<unknown>)[]): Promise<{ url: string }> {
  const server = await startPostgres()
  closing.push(() => server.stop())
  const database = await createDatabase(server.url)
  closing.push(() => database.drop())
  return database
}
