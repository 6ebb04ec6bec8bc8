// Commits and reads per second of the hot verbs, 32 at a time, durable on both databases: node run.mjs bench/store.ts
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { newId, randomBytes } from '../server/src/crypto/random.ts'
import type { NewEvent } from '../server/src/store/records.ts'
import { openStore, type Store } from '../server/src/store/store.ts'
import type { NewGrant } from '../server/src/store/verbs/grants.ts'
import { createDatabase, startPostgres } from '../test/parts/postgres.ts'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '2' },
    grants: { type: 'string', default: '20000' },
  },
})
const CONCURRENCY = 32
const CLIENTS = 100
const USERS = 1000
const GRANTS = Number(options.grants)
const tenant_id = 'bench'

const event = (type: string): NewEvent => ({
  tenant_id,
  event_id: newId(Date.now()),
  at: Date.now(),
  type,
  actor: 'cli',
})

interface Living {
  readonly grant_id: string
  readonly client_id: string
  readonly code_hash: Uint8Array
  hash: Uint8Array
  generation: number
}

function newGrant(i: number, code_hash: Uint8Array): NewGrant {
  const now = Date.now()
  return {
    tenant_id,
    grant: {
      grant_id: newId(now),
      client_id: `client-${i % CLIENTS}`,
      user_id: `user-${i % USERS}`,
      session_id: null,
      scope: 'openid profile offline_access',
      resource: '["https://api.example"]',
      authorization_details: null,
      connections: null,
      nonce: null,
      auth_time: now,
      acr: null,
      amr: '["pwd"]',
      tenant_epoch: 0,
      client_epoch: 0,
      user_epoch: 0,
      session_epoch: 0,
      offline: 1,
      code_hash,
      code_expires_at: now + 3_600_000,
      code_challenge: randomBytes(32).toString('base64url'),
      redirect_uri: 'https://app.example/callback',
      created_at: now,
      idle_expires_at: now + 86_400_000,
      expires_at: now + 90 * 86_400_000,
    },
    consent: { scope: 'openid profile', resource: '["https://api.example"]', connections: null },
    event: event('grant.approved'),
  }
}

async function fill(store: Store): Promise<Living[]> {
  await store.createTenant({
    tenant_id,
    issuer: 'https://as.example',
    name: 'Bench',
    settings: '{}',
    key: { kid: 1, wrapped: randomBytes(60) },
    signing_keys: [],
    resources: [],
    roles: [],
    event: event('tenant.created'),
  })
  const metadata = JSON.stringify({ redirect_uris: ['https://app.example/callback'], grant_types: ['refresh_token'] })
  const clients = Array.from({ length: CLIENTS }, (_, i) =>
    store.createClient({
      tenant_id,
      client: {
        client_id: `client-${i}`,
        client_name: `Client ${i}`,
        metadata,
        source: 'console',
        trusted: false,
        client_secret_hash: randomBytes(32),
      },
      event: event('client.created'),
    }),
  )
  const users = Array.from({ length: USERS }, (_, i) =>
    store.createUser({
      tenant_id,
      user: {
        user_id: `user-${i}`,
        username_key: `user${i}`,
        username: `User${i}`,
        name: `User ${i}`,
        email: `user${i}@example.test`,
        email_verified: true,
        claims: '{}',
        roles: '["member"]',
        password_hash: null,
      },
      event: event('user.created'),
    }),
  )
  await Promise.all([...clients, ...users])
  const living: Living[] = []
  for (let start = 0; start < GRANTS; start += 256) {
    await Promise.all(
      Array.from({ length: Math.min(256, GRANTS - start) }, async (_, j) => {
        const code_hash = randomBytes(32)
        const approval = newGrant(start + j, code_hash)
        await store.approveGrant(approval)
        const { grant_id, client_id } = approval.grant
        living.push({ grant_id, client_id, code_hash, hash: randomBytes(32), generation: 1 })
      }),
    )
  }
  return living
}

type Work = (i: number) => Promise<unknown>

function hotVerbs(store: Store, living: Living[]): [string, Work, number][] {
  const idle_expires_at = Date.now() + 86_400_000
  const redeemed: Living[] = []
  const redeem: Work = async (i) => {
    const { grant_id, code_hash, hash } = living[i]!
    const refresh = { hash, kid: 1 }
    const args = { tenant_id, grant_id, code_hash, attempt_id: newId(Date.now()), refresh, idle_expires_at }
    const word = await store.redeemCode({ ...args, replay_event: event('code.replayed') })
    if (word !== 'redeemed') throw new Error(word)
    redeemed.push(living[i]!)
  }
  const rotate: Work = async (i) => {
    const grant = redeemed[i % redeemed.length]!
    const successor_hash = randomBytes(32)
    const { grant_id, generation, hash } = grant
    const args = { tenant_id, grant_id, generation, hash, successor_hash, kid: 1, idle_expires_at }
    const word = await store.rotateRefreshToken(args)
    if (word !== 'rotated') throw new Error(word)
    grant.generation++
    grant.hash = successor_hash
  }
  return [
    ['redeemCode', redeem, living.length],
    ['rotateRefreshToken', rotate, Number.POSITIVE_INFINITY],
    ['approveGrant', (i) => store.approveGrant(newGrant(i, randomBytes(32))), Number.POSITIVE_INFINITY],
    [
      'loadClientAuthority',
      (i) => store.loadClientAuthority({ tenant_id, client_id: `client-${i % CLIENTS}` }),
      Number.POSITIVE_INFINITY,
    ],
    [
      'loadGrantAuthority',
      (i) => {
        const { grant_id, client_id } = living[(i * 7919) % living.length]!
        return store.loadGrantAuthority({ tenant_id, grant_id, client_id })
      },
      Number.POSITIVE_INFINITY,
    ],
  ]
}

interface Measured {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly cpu: number
}

async function measure(work: Work, most: number): Promise<Measured> {
  const latencies: number[] = []
  let next = 0
  const end = performance.now() + Number(options.seconds) * 1000
  const caller = async () => {
    while (next < most && performance.now() < end) {
      const started = performance.now()
      await work(next++)
      latencies.push(performance.now() - started)
    }
  }
  const cpu = process.cpuUsage()
  const started = performance.now()
  await Promise.all(Array.from({ length: CONCURRENCY }, caller))
  const elapsed = performance.now() - started
  const { user, system } = process.cpuUsage(cpu)
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0
  const count = latencies.length
  return { perSecond: count / (elapsed / 1000), p50: at(0.5), p99: at(0.99), cpu: (user + system) / count }
}

async function report(name: string, store: Store): Promise<void> {
  const living = await fill(store)
  for (const [verb, work, most] of hotVerbs(store, living)) {
    const { perSecond, p50, p99, cpu } = await measure(work, most)
    const columns = [perSecond.toFixed(0), p50.toFixed(2), p99.toFixed(2), cpu.toFixed(1)]
    console.log(`${name.padEnd(10)} ${verb.padEnd(22)} ${columns.map((text) => text.padStart(9)).join(' ')}`)
  }
}

console.log(`${CONCURRENCY} at a time, ${GRANTS} grants, Node ${process.version}, ${new Date().toISOString()}`)
console.log(`${'database'.padEnd(10)} ${'verb'.padEnd(22)}     per s    p50 ms    p99 ms  CPU us`)
if (options.only !== 'postgres') {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-bench-'))
  const store = await openStore({ sqlite: path.join(folder, 'bench.db') })
  await report('sqlite', store)
  await store.close()
  await rm(folder, { recursive: true })
}
if (options.only !== 'sqlite') {
  const server = await startPostgres({ own: true, fsync: true })
  try {
    const database = await createDatabase(server.url)
    const store = await openStore({ postgres: database.url })
    await report('postgres', store)
    await store.close()
  } finally {
    await server.stop()
  }
}
