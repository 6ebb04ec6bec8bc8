import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { answerJson, answerText } from '../../../../test/parts/hostile_provider.ts'
import {
  accessToken,
  type Family,
  faultOf,
  type LedgerProvider,
  startLedgerProvider,
} from '../../../../test/parts/ledger_provider.ts'
import { type Bench, DATABASES, listEvents, openBench } from '../../../../test/parts/vault.ts'
import { StoreUnavailable } from '../../store/sql.ts'
import { finishConnect } from '../connect/finish_connect.ts'
import { startConnect } from '../connect/start_connect.ts'
import { freshToken } from '../connections/fresh_token.ts'
import { LEASE_MS } from '../connections/refresh.ts'
import { VaultClosed } from '../vault/vault_keys.ts'
import { saveConnector, setConnectorDisabled } from './connectors.ts'
import { keepConnections } from './keep_connections.ts'

const DAY = 86_400_000
const HOUR = DAY / 24
const IDLE = { refresh_token_rotation: 'always', refresh_token_replay: 'ends_grant', refresh_token_life: 'idle' }
const LIVES: Readonly<Record<string, object>> = {
  idle: { ...IDLE, refresh_token_seconds: (10 * DAY) / 1000 },
  unknown: { ...IDLE, refresh_token_life: 'unknown' },
  fixed: { ...IDLE, refresh_token_life: 'fixed', refresh_token_seconds: (40 * DAY) / 1000 },
  grace: { ...IDLE, refresh_token_life: 'unlimited', refresh_token_replay: 'within_grace', replay_grace_seconds: 60 },
}

for (const kind of DATABASES) {
  describe(`connections that nobody asks a token of, on ${kind}`, () => {
    let bench: Bench
    let provider: LedgerProvider

    before(async () => {
      bench = await openBench(kind, kind === 'postgres' ? 2 : 1)
      provider = await startLedgerProvider({ idle_ms: 10 * DAY })
      for (const [connector, fields] of Object.entries(LIVES)) await addConnector(connector, provider, fields)
    })
    function addConnector(connector: string, { issuer }: LedgerProvider, fields: object) {
      const input = { connector, provider: 'oauth2', issuer, client_id: 'web', client_secret: 'hush', scope: 'api' }
      return saveConnector(bench.contexts[0], 'test', { ...input, fields: { ...fields } })
    }
    after(async () => {
      await provider.close()
      await bench.drop()
    })

    const pass = (ms: number) => {
      bench.clock.offset += ms
      provider.clock.offset += ms
    }
    /** A turn of every process at the same time. */
    const turn = () => Promise.all(bench.contexts.map((context) => keepConnections(context)))
    const ask = (connection_id: string) => freshToken(bench.contexts[0], { connection_id, user_id: bench.user_id })
    const eventsOf = async (id: string, type: string) =>
      (await listEvents(bench.tenant)).filter((event) => event.connection_id === id && event.type === type)

    let names = 0
    async function connect(connector: string, by = provider): Promise<{ id: string; family: Family }> {
      const [context] = bench.contexts
      const code = `${connector}${++names}`
      const family = by.open(code, connector === 'grace' ? 'within_grace' : 'ends_grant')
      const started = await startConnect(context, { user_id: bench.user_id, connector })
      const state = new URL(started.authorization_url).searchParams.get('state')!
      const params = new URLSearchParams({ state, code })
      const finished = await finishConnect(context, { ...started, connector, params, user_id: bench.user_id })
      assert.equal(finished.outcome, 'connected', JSON.stringify(finished))
      return { id: finished.connection_id!, family }
    }

    test('an idle connection outlives its refresh token many times over, by one call in each life', async () => {
      const idle = await connect('idle')
      const unknown = await connect('unknown')
      for (let day = 0; day < 60; day++) {
        pass(DAY)
        await turn()
      }
      for (const { id, family } of [idle, unknown]) {
        assert.equal(family.dead || family.overlapped, false)
        assert.ok(family.calls.every(({ outcome }) => outcome === 'issued'))
        const token = await ask(id)
        assert.ok(token.kind === 'token' && token.access_token === accessToken(family), JSON.stringify(token))
      }
      const calls = [idle.family.calls.length, unknown.family.calls.length]
      assert.ok(calls[0]! >= 8 && calls[0]! <= 12, `${calls[0]} calls`)
      assert.ok(calls[1]! >= 12 && calls[1]! <= 17, `${calls[1]} calls`)
    })

    test('without that it is lost', async () => {
      const { id } = await connect('idle')
      pass(11 * DAY)
      const answer = await ask(id)
      assert.ok(answer.kind === 'needs_reconsent' && answer.reason === 'expired', JSON.stringify(answer))
    })

    test('processes share the work: each connection is refreshed once, however many look at the same moment', async () => {
      const made = []
      for (let i = 0; i < 30; i++) made.push(await connect('idle'))
      pass(8 * DAY)
      await Promise.all([turn(), turn(), turn()])
      for (const { id, family } of made) {
        assert.deepEqual([family.calls.length, family.overlapped], [1, false])
        assert.equal((await bench.load(id)).generation, 2)
      }
      await turn()
      assert.ok(made.every(({ family }) => family.calls.length === 1))
    })

    test('an owner is told once, ahead of an end that nothing puts off, and the end says so by itself', async () => {
      const { id, family } = await connect('fixed')
      pass(32 * DAY)
      await turn()
      assert.deepEqual(await eventsOf(id, 'connection.expires_soon'), [])
      pass(DAY + HOUR)
      await turn()
      await turn()
      const told = await eventsOf(id, 'connection.expires_soon')
      const { refresh_expires_at, warned_at } = await bench.load(id)
      assert.deepEqual(
        told.map(({ detail }) => JSON.parse(String(detail))),
        [{ connector: 'fixed', expires_at: refresh_expires_at }],
      )
      assert.notEqual(warned_at, null)
      assert.equal(family.calls.length, 0, 'a use would not help')
      pass(7 * DAY)
      await turn()
      const { state, reason } = await bench.load(id)
      assert.deepEqual([state, reason], ['needs_reconsent', 'expired'])
      assert.equal(family.calls.length, 1)
      pass(30 * DAY)
      await turn()
      assert.equal(family.calls.length, 1, 'what has expired is not asked about again')
      assert.equal((await eventsOf(id, 'connection.expires_soon')).length, 1)
    })

    test('R-19 what a dead process left open is asked for while the grace lasts, though nobody asks', async () => {
      const { id, family } = await connect('grace')
      family.faults.push(faultOf(answerText('', 502), true), faultOf(answerText('', 502), true))
      pass(HOUR + 1000)
      assert.equal((await ask(id)).kind, 'unavailable')
      pass(10_000)
      await turn()
      assert.ok(family.calls.some(({ outcome }) => outcome === 'in_grace'))
      assert.equal((await bench.load(id)).uncertain_at, null)

      pass(HOUR + 1000)
      const { tenant_id, store } = bench.tenant
      const { generation } = await bench.load(id)
      const dead = { intent_id: 'dead', owner: 'dead', sole_owner: false, lease_ms: LEASE_MS }
      assert.equal((await store.leaseConnection({ tenant_id, connection_id: id, generation, ...dead })).kind, 'leased')
      const calls = family.calls.length
      // On SQLite no other process can be alive: upkeep's first turn does not wait.
      if (kind === 'sqlite') await keepConnections(bench.contexts[0], LEASE_MS)
      else {
        await turn()
        assert.equal(family.calls.length, calls, 'the lease of one that may be alive is left alone')
        pass(LEASE_MS + 1000)
        await turn()
      }
      assert.equal(family.calls.length, calls + 1)
      assert.equal((await bench.load(id)).generation, generation + 1)
    })

    test('a provider that is wrong about a dead token gets a second look; what stays dead is not asked about for ever', async () => {
      const flapping = await connect('idle')
      const revoked = await connect('idle')
      flapping.family.faults.push(faultOf(answerJson({ error: 'invalid_grant' }, 400), false))
      revoked.family.dead = true
      pass(HOUR + 1000)
      for (const { id } of [flapping, revoked]) assert.equal((await ask(id)).kind, 'needs_reconsent')
      await turn()
      assert.equal(flapping.family.calls.length, 1, 'not at once')
      for (let hour = 0; hour < 24 * 9; hour++) {
        pass(HOUR)
        await turn()
      }
      assert.equal((await ask(flapping.id)).kind, 'token')
      assert.equal((await eventsOf(flapping.id, 'connection.recovered')).length, 1)
      assert.equal((await bench.load(revoked.id)).state, 'needs_reconsent')
      assert.equal(revoked.family.calls.length, 3)
    })

    test('whatever a provider refuses with, what is believed in the end gets its second look', async () => {
      const { id, family } = await connect('idle')
      const odd = faultOf(answerJson({ error: 'try_again_some_day' }, 400), false)
      family.faults.push(...Array.from({ length: 9 }, () => odd))
      pass(HOUR + 1000)
      for (let i = 0; i < 8; i++) {
        assert.equal((await ask(id)).kind, 'unavailable')
        pass(600_000)
      }
      assert.equal((await ask(id)).kind, 'needs_reconsent')
      assert.deepEqual([(await bench.load(id)).reason, family.calls.length], ['unknown', 9])
      pass(600_000)
      await turn()
      assert.equal((await ask(id)).kind, 'token')
    })

    test('what only an administrator can repair is left alone for half an hour', async () => {
      const { id, family } = await connect('idle')
      family.faults.push(faultOf(answerJson({ error: 'invalid_client' }, 401), false))
      pass(HOUR + 1000)
      assert.deepEqual([(await ask(id)).kind, family.calls.length], ['unavailable', 1])
      const { tenant_id, store } = bench.tenant
      const isDue = async (ahead_ms: number) => {
        const due = await store.listDueConnections({ tenant_id, ahead_ms, after: null, most: 1000 })
        return due.some(({ connection_id }) => connection_id === id)
      }
      assert.deepEqual([await isDue(20 * 60_000), await isDue(60 * 60_000)], [false, true])
    })

    test('R-26 a provider that is down for long is asked ever more seldom, and the connection lives on', async () => {
      const { id, family } = await connect('grace')
      const down = { replies: 0 }
      pass(HOUR + 1000)
      for (let i = 0; i < 400; i++) {
        family.faults.push({
          rotated: false,
          send(response) {
            down.replies++
            response.writeHead(503).end()
          },
        })
      }
      await ask(id)
      for (let minute = 0; minute < 24 * 60 * 3; minute += 10) {
        pass(600_000)
        await turn()
      }
      assert.ok(down.replies > 3 && down.replies < 60, `${down.replies} calls in three days`)
      family.faults.length = 0
      assert.equal((await bench.load(id)).state, 'ready')
      pass(6 * HOUR)
      assert.equal((await ask(id)).kind, 'token')
    })

    test('what never gets an answer is not tried for ever, and whoever asks for it still tries', async () => {
      const { id, family } = await connect('grace')
      const down = faultOf(answerText('', 503), false)
      family.faults.push(...Array.from({ length: 1000 }, () => down))
      pass(HOUR + 1000)
      await ask(id)
      const days = async (count: number) => {
        for (let day = 0; day < count; day++) {
          pass(DAY)
          await turn()
        }
      }
      await days(33)
      const calls = family.calls.length
      await days(10)
      assert.ok(calls > 30, `${calls} calls`)
      assert.equal(family.calls.length, calls)
      await ask(id)
      assert.ok(family.calls.length > calls)
    })

    test('O-06 a disabled connector is asked nothing, and goes on when it is enabled', async () => {
      const { family } = await connect('idle')
      await setConnectorDisabled(bench.contexts[0], 'test', 'idle', true)
      pass(6.5 * DAY)
      await turn()
      pass(DAY)
      await turn()
      assert.equal(family.calls.length, 0)
      await setConnectorDisabled(bench.contexts[0], 'test', 'idle', false)
      pass(2 * HOUR)
      await turn()
      assert.equal(family.calls.length, 1)
    })

    const timeout = 20_000
    test('what hangs keeps no other host waiting, through however many connectors', { timeout }, async (t) => {
      const hanging = await startLedgerProvider({ idle_ms: 10 * DAY })
      const { promise: released, resolve: release } = Promise.withResolvers<void>()
      t.after(() => {
        release()
        return hanging.close()
      })
      let [under_way, most] = [0, 0]
      const families: Family[] = []
      for (let i = 0; i < 18; i++) {
        await addConnector(`hanging${i}`, hanging, LIVES['idle']!)
        const { family } = await connect(`hanging${i}`, hanging)
        family.faults.push({
          rotated: false,
          async send(response) {
            most = Math.max(most, ++under_way)
            await released
            under_way--
            response.writeHead(503).end()
          },
        })
        families.push(family)
      }
      pass(1000)
      const others: Family[] = []
      while (others.length < 24) others.push((await connect('idle')).family)
      pass(8 * DAY)
      const turning = keepConnections(bench.contexts[0])
      const isQuiet = () => under_way > 0 && others.every(({ calls }) => calls.length > 0)
      while (!isQuiet() && !t.signal.aborted) await new Promise((resolve) => setImmediate(resolve))
      release()
      await turning
      assert.equal(most, 4)
      // The circuit of none of the connectors had any part in it.
      for (let i = 0; i < 10; i++) {
        pass(60_000)
        await turn()
      }
      assert.ok(families.every(({ calls }) => calls.length > 0))
    })

    test('what a fault of the store interrupts is taken up within seconds; what stays broken ever later', async () => {
      const { id, family } = await connect('idle')
      pass(8 * DAY)
      let fault: Error | null = new StoreUnavailable('away', 'not committed')
      const context = bench.another({
        spoil: (store) => ({
          ...store,
          loadConnection(args) {
            if (fault && args.connection_id === id) return Promise.reject(fault)
            return store.loadConnection(args)
          },
        }),
      })
      context.token_hosts.set('idle', 'known')
      await assert.rejects(keepConnections(context), StoreUnavailable)
      fault = new Error('broken')
      pass(15_000)
      const told = () => bench.reports.filter((report) => report === `connection ${id} was not kept up`).length
      await keepConnections(context)
      assert.equal(told(), 1)
      pass(1000)
      for (let second = 0; second < 3600; second += 10) {
        pass(10_000)
        await keepConnections(context)
      }
      assert.ok(told() > 10 && told() < 30, `told ${told()} times in an hour`)
      fault = null
      assert.equal(family.calls.length, 0)
      pass(300_000)
      await keepConnections(context)
      assert.equal(family.calls.length, 1)
    })

    test('a closed vault ends the turn with its reason, and costs no connection anything', async () => {
      const { id, family } = await connect('idle')
      pass(8 * DAY)
      const [context] = bench.contexts
      const closed = async () => {
        throw new VaultClosed('closed')
      }
      const vault_keys = Object.assign(Object.create(context.vault_keys), { find: closed })
      await assert.rejects(keepConnections({ ...context, vault_keys, refreshes: new Map() }), VaultClosed)
      assert.equal((await bench.load(id)).state, 'ready')
      pass(HOUR)
      await turn()
      assert.equal(family.calls.length, 1)
    })
  })
}
