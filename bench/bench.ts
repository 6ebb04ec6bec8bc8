// Sallyport against oidc-provider, in interleaved rounds on one machine: npm run bench -- [--quick] [--only work,...]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import pg from 'pg'
import { createDatabase, startPostgres } from '../test/parts/postgres.ts'
import { freePort } from '../test/parts/sallyport.ts'
import type { Load, Result } from './load.ts'
import { PinnedProcess } from './pinned_process.ts'
import { describeMachine, printMemory, printTable, type Round, type Row } from './report.ts'
import { buildServer, measureStart, type Start } from './start.ts'
import { type Side, type Target, WORKS, type Work } from './works.ts'
import { basic, type ClientId, type CodeOrder, OPAQUE_RESOURCE, SCOPE } from './world.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    sides: { type: 'string', default: 'sallyport_sqlite,sallyport_postgres,peer_memory,peer_postgres,floor' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    /** Another checkout, whose Sallyport takes part as `before`. */
    before: { type: 'string' },
    /** A folder for CPU profiles of the servers. */
    profile: { type: 'string' },
  },
})
const ROUNDS = Number(options.rounds ?? (options.quick ? 3 : 7))
const SECONDS = Number(options.seconds ?? (options.quick ? 0.4 : 3))
const WARM_UP_SECONDS = options.quick ? 0.3 : 2
const CONNECTIONS = 32
/** Grants that are there before anything is measured. */
const GRANTS = 2000
const CODES_AT_ONCE = 128
const STARTS = options.quick ? 1 : 5
const [SERVER_CORE, LOAD_CORE] = [1, 0]

/** A server of the comparison, running. */
interface Contestant {
  readonly side: Side
  readonly process: PinnedProcess
  readonly target: Target
  readonly idle_mb: number
  loaded_mb: number
}

const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-bench-'))
const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true })]
try {
  process.exitCode = await run()
} finally {
  for (const end of ends.reverse()) await end()
}

async function run(): Promise<number> {
  const works = WORKS.filter(({ name }) => options.only === '' || options.only.split(',').includes(name))
  console.log(describeMachine({ rounds: ROUNDS, seconds: SECONDS, connections: CONNECTIONS }))
  const postgres = await startPostgres({ own: true, fsync: true })
  ends.push(() => postgres.stop())
  const contestants: Contestant[] = []
  const sides = options.sides.split(',') as Side[]
  const ours = options.before === undefined ? [] : sides.filter((side) => side.startsWith('sallyport'))
  const before = ours.map((side) => side.replace('sallyport', 'before') as Side)
  for (const side of [...sides, ...before]) contestants.push(await start(side, postgres.url))
  await buildServer()
  const starts: Start[] = []
  for (let i = 0; i < STARTS; i++) starts.push(await measureStart(folder, SERVER_CORE))
  const rows = await compare(works, contestants)
  printTable(rows)
  printMemory(contestants, starts)
  const wrong = rows.flatMap(({ complaints }) => complaints)
  for (const complaint of wrong) console.error(complaint)
  return wrong.length > 0 ? 1 : 0
}

async function start(side: Side, postgres_url: string): Promise<Contestant> {
  const port = await freePort()
  let database = side === 'peer_memory' ? 'memory' : 'sqlite'
  if (side.endsWith('postgres')) {
    const made = await createDatabase(postgres_url)
    ends.push(() => made.drop())
    database = made.url
  }
  const script =
    side === 'floor' ? 'floor_server.ts' : `${side.startsWith('peer') ? 'oidc_provider' : 'sallyport'}_server.ts`
  const flags = options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}/${side}`]
  const server = await PinnedProcess.start(
    file(script, side),
    [String(port), database, await mkdtemp(path.join(folder, side))],
    SERVER_CORE,
    flags,
  )
  ends.push(() => server.stop())
  const idle_mb = server.residentMemory()
  await server.ask('fill')
  const makeCodes = async (count: number, scope: string, resource: string) => {
    const codes: string[] = []
    while (codes.length < count) {
      const order: CodeOrder = { count: Math.min(CODES_AT_ONCE, count - codes.length), scope, resource }
      codes.push(...(await server.ask<string[]>('codes', order)))
    }
    return codes
  }
  if (side !== 'floor') await makeCodes(GRANTS, SCOPE, OPAQUE_RESOURCE)
  if (side.endsWith('postgres')) await analyze(database)
  const ask = (path: string, client: ClientId, form: string) => askOnce(port, path, client, form)
  const target: Target = {
    port,
    introspection_path: side.startsWith('peer') ? '/token/introspection' : '/introspect',
    makeCodes,
    ask,
  }
  return { side, process: server, target, idle_mb, loaded_mb: idle_mb }
}

/** What PostgreSQL's own upkeep would do within a minute of the filling. */
async function analyze(url: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query('vacuum analyze')
  await client.end()
}

/** Every work on every server in turn, round after round; the first round warms up and is not looked at. */
async function compare(works: readonly Work[], contestants: readonly Contestant[]): Promise<Row[]> {
  const generator = await PinnedProcess.start(file('load.ts'), [], LOAD_CORE)
  ends.push(() => generator.stop())
  const rows = works.map((work) => ({ work, rounds: new Map<Side, Round[]>(), complaints: [] as string[] }))
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { work, rounds, complaints } of rows) {
      for (const contestant of contestants) {
        const { side } = contestant
        if (side === 'floor' && !work.floor) continue
        const earlier = rounds.get(side) ?? []
        const measured = await measure(work, contestant, generator, earlier.at(-1)?.rate)
        if (measured.complaint !== null) complaints.push(`${work.name}, ${side}: ${measured.complaint}`)
        rounds.set(side, [...earlier, measured])
      }
    }
  }
  return rows.map(({ work, rounds, complaints }) => {
    return { work, rounds: new Map([...rounds].map(([side, all]) => [side, all.slice(1)])), complaints }
  })
}

/** One work on one server: for a shorter time when its rate is not known yet. */
async function measure(work: Work, contestant: Contestant, generator: PinnedProcess, known_rate: number | undefined) {
  const { side, target, process: server } = contestant
  const seconds = known_rate === undefined ? WARM_UP_SECONDS : SECONDS
  // Codes are used up: a round gets a few more than the one before says that it needs.
  const count = Math.ceil((known_rate ?? 3000) * seconds * 1.3) + CONNECTIONS
  const forms = await work.prepare(target, count, side)
  const cpu = await server.cpuSeconds()
  const result = await generator.ask<Result>('load', order(work, target, forms, seconds))
  const cpu_us = (((await server.cpuSeconds()) - cpu) / result.answered) * 1e6
  contestant.loaded_mb = Math.max(contestant.loaded_mb, server.residentMemory())
  const wrong = result.wrong > 0 ? `${result.wrong} wrong answers, one of them ${result.complaint}` : null
  const complaint = wrong ?? (await lookCloser(target, result.samples))
  return { ...result, complaint, rate: result.answered / result.seconds, cpu_us }
}

function order(work: Work, target: Target, forms: readonly string[], seconds: number): Load {
  const path = work.path === 'token' ? '/token' : target.introspection_path
  const { port } = target
  const authorization = basic(work.client)
  return { port, path, authorization, forms, seconds, use: work.use, check: work.check, connections: CONNECTIONS }
}

/** Verifies the signatures of a few answers: every one would keep the load generator from its work. */
async function lookCloser(target: Target, samples: readonly string[]): Promise<string | null> {
  const issuer = `http://127.0.0.1:${target.port}`
  const jwks = createRemoteJWKSet(new URL(`${issuer}/jwks`))
  for (const sample of samples) {
    const { access_token, id_token } = JSON.parse(sample) as Record<string, string | undefined>
    for (const token of [access_token, id_token]) {
      if (token === undefined || token.split('.').length !== 3) continue
      try {
        await jwtVerify(token, jwks, { algorithms: ['ES256'], issuer })
      } catch (error) {
        return `a token that does not verify: ${error}`
      }
    }
  }
  return null
}

async function askOnce(port: number, path: string, client: ClientId, form: string): Promise<Record<string, string>> {
  const headers = { authorization: basic(client), 'content-type': 'application/x-www-form-urlencoded' }
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body: form })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`)
  return JSON.parse(text) as Record<string, string>
}

function file(name: string, side?: Side): string {
  if (side?.startsWith('before')) return path.resolve(options.before!, 'bench', name)
  return fileURLToPath(new URL(name, import.meta.url))
}
