import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serveMetrics } from './cli/metrics_server.ts'
import type { ConfigError } from './config/config_error.ts'
import { readConfig } from './config/read_config.ts'
import { createMetrics, MOST_COUNTED } from './metrics.ts'
import type { Store } from './store/store.ts'
import type { Tenant } from './store/tenant.ts'

/** The values of one metric by its labels. */
function read(text: string, name: string): Record<string, number> {
  const lines = [...text.matchAll(new RegExp(`^sallyport_${name}(?:{([^}]*)})? (\\S+)$`, 'gm'))]
  return Object.fromEntries(lines.map(([, labels = '', value]) => [labels, Number(value)]))
}

/** A store whose verbs answer what they are told. */
function fakeStore(answers: Record<string, (args: never) => unknown>): Store {
  const members = Object.entries(answers).map(([name, answer]) => [name, async (args: never) => answer(args)])
  return { driver: { dialect: 'sqlite' }, ...Object.fromEntries(members) } as unknown as Store
}

const tenantOf = (store: Store) => ({ tenant_id: 't', store }) as unknown as Tenant

test('tokens, refusals, rotations, refreshes and deliveries are counted by words of our own', async () => {
  const metrics = createMetrics('1.2.3')
  const outcomes = ['rotated', 'rotated', 'stale']
  const stored = ['moved', 'stored', 'kept']
  const store = metrics.watchStore(
    fakeStore({
      rotateRefreshToken: () => outcomes.shift(),
      storeRefreshed: () => ({ kind: stored.shift() }),
      failRefresh: () => undefined,
      needReconsent: ({ marked }: { marked: boolean }) => marked,
      settleDelivery: () => undefined,
      countConnections: () => [{ state: 'ready', count: 7 }],
    }),
  )
  for (const _ of [1, 2, 3]) await store.rotateRefreshToken({} as never)
  for (const _ of [1, 2, 3]) await store.storeRefreshed({} as never)
  await store.failRefresh({ refused: true } as never)
  await store.failRefresh({ uncertain: true } as never)
  await store.needReconsent({ marked: true } as never)
  await store.needReconsent({ marked: false } as never)
  for (const outcome of ['delivered', 'retry', 'delivered']) await store.settleDelivery({ outcome } as never)
  metrics.web.issued('client_credentials')
  metrics.web.refused('/token', 'invalid_client')
  metrics.noteRound({ task: 'seal', late_ms: 1500, ms: 20, failed: true })
  const { text, type } = await metrics.write(tenantOf(store))
  assert.match(type, /^text\/plain; version=0\.0\.4/)
  assert.deepEqual(read(text, 'refresh_token_rotations_total'), { 'outcome="rotated"': 2, 'outcome="stale"': 1 })
  assert.deepEqual(read(text, 'connection_refreshes_total'), {
    'outcome="stored"': 1,
    'outcome="kept"': 1,
    'outcome="refused"': 1,
    'outcome="unknown"': 1,
    'outcome="needs_reconsent"': 1,
  })
  assert.deepEqual(read(text, 'webhook_deliveries_total'), { 'outcome="delivered"': 2, 'outcome="retry"': 1 })
  assert.deepEqual(read(text, 'tokens_issued_total'), { 'grant_type="client_credentials"': 1 })
  assert.deepEqual(read(text, 'refusals_total'), { 'endpoint="/token",error="invalid_client"': 1 })
  assert.deepEqual(read(text, 'connections'), { 'state="ready"': 7 })
  assert.deepEqual(read(text, 'upkeep_lag_seconds'), { 'task="seal"': 1.5 })
  assert.deepEqual(read(text, 'upkeep_failures_total'), { 'task="seal"': 1 })
  assert.deepEqual(read(text, 'build_info'), { 'version="1.2.3"': 1 })
  assert.equal(read(text, 'store_seconds_count')['kind="write",outcome="done"'], 13)
  assert.match(text, /^nodejs_eventloop_lag_seconds /m)
})

test('a store that fails is counted, still throws, and its operator still sees what is counted', async () => {
  const metrics = createMetrics('1')
  const away = new Error('away')
  const asked: unknown[] = []
  const store = metrics.watchStore(
    fakeStore({
      redeemCode: () => {
        throw away
      },
      countConnections: (args) => {
        asked.push(args)
        throw away
      },
    }),
  )
  await assert.rejects(store.redeemCode({} as never), away)
  const { text } = await metrics.write(tenantOf(store))
  assert.deepEqual(asked, [{ tenant_id: 't', most: MOST_COUNTED }])
  assert.equal(read(text, 'store_seconds_count')['kind="write",outcome="failed"'], 1)
  assert.deepEqual(read(text, 'connections'), {})
})

test('two servers of one process count for themselves', async () => {
  const [one, other] = [createMetrics('1'), createMetrics('1')]
  one.web.issued('refresh_token')
  const store = fakeStore({ countConnections: () => [] })
  assert.deepEqual(read((await other.write(tenantOf(store))).text, 'tokens_issued_total'), {})
})

test('13.4.5 metrics are read by whoever has the token, or on this machine by its own name, and nothing else is there', async (t) => {
  const token = 'a-token-of-enough-characters'
  const start = async (given: string | undefined, write = async () => ({ text: 'up 1\n', type: 'text/plain' })) => {
    const server = await serveMetrics({ host: '127.0.0.1', port: 0, token: given }, write)
    t.after(() => server.close())
    const { port } = server.address() as { port: number }
    return (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}${path}`, init)
  }
  const guarded = await start(token)
  const ask = async (authorization?: string) =>
    (await guarded('/metrics', { headers: authorization === undefined ? {} : { authorization } })).status
  assert.deepEqual(
    [await ask(), await ask('Bearer x'), await ask(token), await ask(`Bearer ${token}`)],
    [401, 401, 401, 200],
  )
  const local = await start(undefined)
  const answer = await local('/metrics')
  assert.deepEqual(
    [answer.status, await answer.text(), answer.headers.get('cache-control')],
    [200, 'up 1\n', 'no-store'],
  )
  assert.equal((await local('/metrics', { method: 'POST' })).status, 405)
  assert.equal((await local('/')).status, 404)
  const broken = await start(undefined, async () => {
    throw new Error('secret')
  })
  const failed = await broken('/metrics')
  assert.deepEqual([failed.status, await failed.text()], [500, 'The metrics could not be written\n'])

  // A page that has its own name lead to this machine.
  const { request } = process.getBuiltinModule('node:http')
  const { port } = new URL(answer.url)
  const rebound = await new Promise<number | undefined>((resolve) => {
    request({ port, host: '127.0.0.1', path: '/metrics', headers: { host: 'evil.example' } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).end()
  })
  assert.equal(rebound, 403)
})

test('13.4.5 metrics are off unless asked for, and refused where other machines reach them without a token', () => {
  const config = (env: Record<string, string>) => readConfig({ flags: {}, env, cwd: '/' }).metrics
  assert.equal(config({}), undefined)
  assert.deepEqual(config({ SALLYPORT_METRICS_LISTEN: '[::1]:9464' }), { host: '::1', port: 9464, token: undefined })
  const token = 'a'.repeat(32)
  const open = { SALLYPORT_METRICS_LISTEN: '0.0.0.0:9464' }
  assert.deepEqual(config({ ...open, SALLYPORT_METRICS_TOKEN: token }), { host: '0.0.0.0', port: 9464, token })
  for (const [env, sentence] of [
    [open, /^metrics_listen is open to other machines at 0\.0\.0\.0/],
    [{ SALLYPORT_METRICS_LISTEN: '9464' }, /must be an address and a port/],
    [{ SALLYPORT_METRICS_LISTEN: 'localhost:0' }, /port of SALLYPORT_METRICS_LISTEN must be/],
    [{ ...open, SALLYPORT_METRICS_TOKEN: 'short' }, /must have at least 16/],
    [{ SALLYPORT_METRICS_TOKEN: token }, /^metrics_token needs metrics_listen/],
  ] as const) {
    assert.throws(
      () => config(env),
      (error: ConfigError) => sentence.test(error.sentences.join('\n')),
    )
  }
})
