// Whole pages of the console over a filled database: node run.mjs bench/console.ts [--grants 1000000, at least 5000] [--only sqlite]
// [--sqlite file] [--postgres url] keep the database of an earlier run; [--pages text] measures those that hold it; [--plans]
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os, { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { type App, createApp } from '../server/src/app.ts'
import { newId } from '../server/src/crypto/random.ts'
import { RootKey } from '../server/src/crypto/tenant_keys.ts'
import { event } from '../server/src/inbound/event.ts'
import { startSession } from '../server/src/inbound/sessions/sessions.ts'
import { prepareUser } from '../server/src/inbound/users/prepare_user.ts'
import { saveConnector } from '../server/src/outbound/administration/connectors.ts'
import { migrate } from '../server/src/store/migrate.ts'
import { openPostgres } from '../server/src/store/postgres.ts'
import type { Driver } from '../server/src/store/sql.ts'
import { openSqlite } from '../server/src/store/sqlite.ts'
import { createStore } from '../server/src/store/store.ts'
import * as verbs from '../server/src/store/verbs/index.ts'
import { saveWebhook } from '../server/src/webhooks/webhooks.ts'
import { createDatabase, startPostgres } from '../test/parts/postgres.ts'
import { findPlaces, listPages } from './console_pages.ts'
import { largeTenant, sizesAround } from './console_world.ts'
import { DatabaseProcesses } from './database_processes.ts'
import { fillPostgres, fillSqlite } from './fill_tables.ts'
import { describePlan, slowStatements } from './plans.ts'
import { TracedDriver } from './traced_driver.ts'

const { values: options } = parseArgs({
  options: {
    grants: { type: 'string', default: '1000000' },
    only: { type: 'string', default: '' },
    sqlite: { type: 'string' },
    postgres: { type: 'string' },
    pages: { type: 'string', default: '' },
    runs: { type: 'string', default: '40' },
    plans: { type: 'boolean', default: false },
  },
})
const ISSUER = 'https://as.example'
const CONNECTORS = ['google', 'github', 'slack', 'linear', 'notion', 'dropbox', 'figma', 'spotify', 'box', 'asana']
const GOAL_MS = 50
const PLAN_FROM_MS = 5
const RUNS = Number(options.runs)

const names = new Map<unknown, string>(Object.entries(verbs).map(([name, verb]) => [verb, name]))
const ends: (() => Promise<unknown>)[] = []
try {
  console.log(
    `${new Date().toISOString()}, Node ${process.version}, ${os.cpus().length} x ${os.cpus()[0]?.model.trim()}, ` +
      `load average ${os.loadavg()[0]!.toFixed(1)}, ${RUNS} runs of each page`,
  )
  if (options.only !== 'postgres') await onSqlite()
  if (options.only !== 'sqlite') await onPostgres()
} finally {
  for (const end of ends.reverse()) await end()
}

async function onSqlite(): Promise<void> {
  let file = options.sqlite
  if (file === undefined) {
    const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-bench-'))
    ends.push(() => rm(folder, { recursive: true }))
    file = path.join(folder, 'bench.db')
  }
  const is_new = !existsSync(file)
  const open = () => openSqlite({ path: file, clock: Date.now })
  if (is_new) fillSqlite(file, largeTenant(await found(open())))
  await measure('SQLite', open(), null, (statement, values) => describePlan.sqlite(file, statement, values))
}

async function onPostgres(): Promise<void> {
  let url = options.postgres
  if (url === undefined) {
    const server = await startPostgres({ own: true, fsync: true })
    ends.push(() => server.stop())
    url = (await createDatabase(server.url)).url
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query("select 1 from pg_tables where tablename = 'grants'")
  await client.end()
  const open = () => openPostgres({ url })
  if (rows.length === 0) await fillPostgres(url, largeTenant(await found(open())))
  const processes = await DatabaseProcesses.find(url)
  await measure('PostgreSQL', open(), processes, (statement, values) => describePlan.postgres(url, statement, values))
}

function startApp(driver: Driver): Promise<App> {
  const quiet = { debug() {}, info() {}, warn: console.error, error: console.error }
  return createApp({ issuer: ISSUER, store: createStore(driver), root: new RootKey(Buffer.alloc(32, 7)), log: quiet })
}

/** Makes what the rows refer to by the use cases that a person would; the store is closed afterwards. */
async function found(driver: Driver): Promise<Parameters<typeof largeTenant>[0]> {
  await migrate(driver)
  const app = await startApp(driver)
  const { tenant, web } = app
  const { tenant_id, store } = tenant
  const root = await prepareUser(newId(Date.now()), { username: 'root', name: 'Ada Admin', roles: ['administrator'] })
  await store.createUser({ tenant_id, user: root, event: event(tenant, 'user.created', 'cli') })
  for (const connector of CONNECTORS) {
    const input = { connector, provider: connector, client_id: 'registered', client_secret: 'secret of the benchmark' }
    await saveConnector(web.outbound, 'cli', input)
  }
  const failing = CONNECTORS.at(-1)!
  await store.setConnectorDisabled({
    tenant_id,
    connector: failing,
    disabled: true,
    event: event(tenant, 'connector.disabled', 'cli'),
  })
  for (const webhook of ['crm', 'warehouse']) {
    await saveWebhook(web.webhooks, 'cli', { webhook, url: `https://${webhook}.example/hooks`, event_types: [] })
  }
  for (let i = 0; i < 20; i++) {
    const resource = `https://api-${i}.example`
    const scopes = JSON.stringify(Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`r${i}:s${n}`, 'Read it'])))
    const described = { resource, name: `API ${i}`, scopes, default_scopes: '[]', access_token_format: 'jwt' as const }
    const saved = event(tenant, 'resource.saved', 'cli')
    await store.saveResource({
      tenant_id,
      resource: { ...described, access_token_lifetime_seconds: 600 },
      event: saved,
    })
    const role = { role: `role-${i}`, scopes: JSON.stringify([`r${i}:s0`]) }
    await store.saveRole({ tenant_id, role, event: event(tenant, 'role.saved', 'cli') })
  }
  await app.close()
  await driver.close()
  const sizes = sizesAround(Number(options.grants))
  const administrator = root.user_id
  return { tenant_id, now: Date.now(), sizes, connectors: CONNECTORS, webhook: 'crm', administrator }
}

type Explain = (statement: string[], values: readonly unknown[]) => Promise<string>

async function measure(
  name: string,
  inner: Driver,
  processes: DatabaseProcesses | null,
  explain: Explain,
): Promise<void> {
  await migrate(inner)
  const driver = new TracedDriver(inner, names)
  const app = await startApp(driver)
  const cookie = await signIn(app)
  const places = await driver.exclusively((session) => findPlaces(session))
  const slow = new Map<string, { ms: number; strings: string[]; values: readonly unknown[] }>()
  console.log(`\n${name}: ${await driver.exclusively((session) => describeSizes(session))}`)
  console.log('page | median ms | p99 ms | CPU ms | CPU ms of the database | kB')
  console.log('--- | ---: | ---: | ---: | ---: | ---:')
  for (const { title, url } of listPages(places).filter(({ title }) => title.includes(options.pages))) {
    const wall: number[] = []
    const cpu: number[] = []
    let database_cpu = 0
    let size = 0
    for (let run = 0; run < RUNS + 3; run++) {
      driver.traces = []
      const before = process.cpuUsage()
      const started = performance.now()
      const response = await app.fetch(new Request(ISSUER + url, { headers: { cookie, 'accept-language': 'en' } }))
      const html = await response.text()
      const elapsed = performance.now() - started
      const used = process.cpuUsage(before)
      if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${html.slice(0, 500)}`)
      size = html.length
      if (run < 3) {
        database_cpu = processes?.cpuMs() ?? 0
        continue
      }
      wall.push(elapsed)
      cpu.push((used.user + used.system) / 1000)
      slowStatements(driver.traces, PLAN_FROM_MS, slow)
    }
    database_cpu = ((processes?.cpuMs() ?? 0) - database_cpu) / RUNS
    const figures = [at(wall, 0.5), at(wall, 0.99), at(cpu, 0.5)].map((ms) => ms.toFixed(1))
    figures.push(processes ? database_cpu.toFixed(1) : 'within')
    const verdict = at(wall, 0.99) > GOAL_MS ? (at(wall, 0.5) > GOAL_MS ? ' | NOT under 50' : ' | p99 over 50') : ''
    console.log([title, ...figures, (size / 1000).toFixed(0)].join(' | ') + verdict)
  }
  await app.close()
  await driver.close()
  if (!options.plans) return
  for (const [title, { ms, strings, values }] of [...slow].sort(([, a], [, b]) => b.ms - a.ms)) {
    console.log(`\n${name}, ${title}, at most ${ms.toFixed(1)} ms\n${await explain(strings, values)}`)
  }
}

async function signIn({ tenant, web }: App): Promise<string> {
  const user = (await tenant.store.findUserByUsername({ tenant_id: tenant.tenant_id, username_key: 'root' }))!
  const proved = { user_id: user.user_id, user_epoch: 0, amr: ['pwd'], former: null, user_agent: null }
  const { cookie } = await startSession(tenant, proved)
  return `${web.cookies.session}=${cookie}`
}

async function describeSizes(session: { query(text: string): Promise<Record<string, unknown>[]> }): Promise<string> {
  const counts: string[] = []
  for (const table of ['grants', 'users', 'clients', 'sessions', 'connections', 'events', 'webhook_deliveries']) {
    const [row] = await session.query(`select count(*) as count from ${table}`)
    counts.push(`${Number(row!['count']).toLocaleString('en')} ${table.replace('_', ' ')}`)
  }
  return counts.join(', ')
}

function at(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
