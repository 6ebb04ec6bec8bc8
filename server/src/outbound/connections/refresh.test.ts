import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  type Answer,
  answerCut,
  answerJson,
  answerText,
  type HostileProvider,
  startHostileProvider,
} from '../../../../test/parts/hostile_provider.ts'
import { type Bench, DATABASES, eventTypes, listEvents, openBench } from '../../../../test/parts/vault.ts'
import { StoreUnavailable } from '../../store/sql.ts'
import type { Store } from '../../store/store.ts'
import { saveConnector } from '../administration/connectors.ts'
import { finishConnect } from '../connect/finish_connect.ts'
import { startConnect } from '../connect/start_connect.ts'
import { type OutboundContext, settleOutbound } from '../context.ts'
import { disconnect } from './disconnect.ts'
import { freshToken } from './fresh_token.ts'
import { LEASE_MS } from './refresh.ts'

const HOUR = 3_600_000
const STRICT = 'oauth2'
const PATIENT = 'patient'

for (const kind of DATABASES) {
  describe(`intent, lease, call, store, on ${kind}`, () => {
    let bench: Bench
    let provider: HostileProvider
    let calls: string[]

    before(async () => {
      bench = await openBench(kind)
      provider = await startHostileProvider()
      for (const name of [STRICT, PATIENT]) {
        await saveConnector(bench.contexts[0], 'test', {
          ...{ connector: name, provider: name, issuer: provider.issuer, client_id: 'web', client_secret: 'hush' },
          scope: 'api',
        })
      }
    })
    after(async () => {
      await provider.close()
      await bench.drop()
    })
    beforeEach(() => {
      bench.clock.offset = 0
      bench.reports.length = 0
      calls = []
    })

    let names = 0
    /** Connects through a connector; the provider then plays the given answers to refreshes, one after the other. */
    async function connect(connector: string, ...answers: Answer[]): Promise<string> {
      const user = `${connector}${++names}`
      return connectWith(connector, user, answerTokens(`${user} R1`), answers)
    }

    async function connectWith(connector: string, user: string, first: Answer, answers: Answer[]): Promise<string> {
      const [context] = bench.contexts
      provider.answers.set('/token', first)
      provider.answers.set('/userinfo', answerJson({ sub: user }))
      const started = await startConnect(context, { user_id: bench.user_id, connector })
      const state = new URL(started.authorization_url).searchParams.get('state')!
      const params = new URLSearchParams({ state, code: 'code' })
      const finished = await finishConnect(context, { ...started, connector, params, user_id: bench.user_id })
      assert.equal(finished.outcome, 'connected', JSON.stringify(finished))
      provider.answers.set('/token', (response, request) => {
        calls.push(new URLSearchParams(request.body).get('refresh_token')!)
        const answer = answers.shift()
        if (!answer) throw new Error('the provider was called once too often')
        return answer(response, request)
      })
      return finished.connection_id!
    }

    const ask = (connection_id: string, context: OutboundContext = bench.contexts[0], more: object = {}) =>
      freshToken(context, { connection_id, user_id: bench.user_id, ...more })
    const expire = () => {
      bench.clock.offset += HOUR + 1000
    }

    test('R-19 an answer that is lost is asked for again at once where the provider allows it', async () => {
      const lost = [
        answerCut(),
        answerCut('{"access_token":"AT'),
        answerText('<html>', 502),
        answerJson('{"access_', 200),
      ]
      for (const answer of lost) {
        const id = await connect(PATIENT, answer, answerTokens('R2'))
        expire()
        const token = await ask(id)
        assert.ok(token.kind === 'token' && token.access_token === 'AT of R2', JSON.stringify(token))
        assert.equal(calls.length, 2)
        assert.equal((await bench.load(id)).uncertain_at, null)
        calls = []
      }
    })

    test('R-19 a process that dies between answer and commit: the next one asks again and gets the token', async () => {
      const id = await connect(PATIENT, answerTokens('R2'), answerTokens('R2'))
      expire()
      const dying = bench.another({ spoil: dieBeforeStoring, wait: forever })
      void ask(id, dying).catch(() => {})
      await until(() => calls.length === 1 && bench.reports.length > 0)
      const next = bench.another()
      if (kind === 'postgres') {
        // Another replica cannot know that it is dead before its lease is over.
        const wait = async () => {
          bench.clock.offset += 1000
        }
        assert.equal((await ask(id, bench.another({ wait }))).kind, 'token')
      }
      const token = await ask(id, next)
      assert.ok(token.kind === 'token' && token.access_token === 'AT of R2', JSON.stringify(token))
      assert.equal(calls.length, 2)
    })

    test('R-19 under strict rotation the same death costs one attempt, which says needs_reconsent', async () => {
      const id = await connect(STRICT, answerTokens('R2'), answerJson({ error: 'invalid_grant' }, 400))
      expire()
      void ask(id, bench.another({ spoil: dieBeforeStoring, wait: forever })).catch(() => {})
      await until(() => calls.length === 1 && bench.reports.length > 0)
      bench.clock.offset += 31_000
      const answer = await ask(id, bench.another())
      assert.ok(answer.kind === 'needs_reconsent' && answer.reason === 'unknown', JSON.stringify(answer))
      assert.equal(calls.length, 2)
      assert.ok((await eventTypes(bench.tenant)).includes('connection.needs_reconsent'))
    })

    test('a death before the call costs nothing', async () => {
      const id = await connect(STRICT, answerTokens('R2'))
      expire()
      const { tenant_id, store } = bench.tenant
      await store.leaseConnection({
        ...{ tenant_id, connection_id: id, generation: 1, intent_id: 'dead', owner: 'dead', sole_owner: false },
        lease_ms: 30_000,
      })
      bench.clock.offset += 31_000
      const token = await ask(id)
      assert.ok(token.kind === 'token' && token.access_token === 'AT of R2')
      assert.equal((await bench.load(id)).uncertain_at, null)
    })

    test('an answer waits for a database that is away, and no second call is made', async () => {
      const id = await connect(STRICT, answerTokens('R2'))
      expire()
      let away = 3
      const context = bench.another({
        wait: async () => {},
        spoil: (store) =>
          replace(store, 'storeRefreshed', async (args) => {
            if (away-- > 0) throw new StoreUnavailable('away', 'not committed')
            return store.storeRefreshed(args)
          }),
      })
      const token = await ask(id, context)
      assert.ok(token.kind === 'token' && token.access_token === 'AT of R2')
      assert.equal(calls.length, 1)
    })

    test('an answer that was stored although nobody said so is found', async () => {
      const id = await connect(STRICT, answerTokens('R2'))
      expire()
      let first = true
      const context = bench.another({
        wait: async () => {},
        spoil: (store) =>
          replace(store, 'storeRefreshed', async (args) => {
            const stored = await store.storeRefreshed(args)
            if (!first) return stored
            first = false
            throw new StoreUnavailable('cut', 'unknown')
          }),
      })
      const token = await ask(id, context)
      assert.ok(token.kind === 'token' && token.generation === 2)
      const row = await bench.load(id)
      assert.deepEqual([row.generation, row.sealed_candidate, row.intent_deadline_at], [2, null, null])
    })

    test('a caller who gives up cancels nothing', async () => {
      let answer = () => {}
      const id = await connect(STRICT, async (response, request) => {
        await new Promise<void>((resolve) => {
          answer = resolve
        })
        return answerTokens('R2')(response, request)
      })
      expire()
      const [context] = bench.contexts
      void ask(id)
      await until(() => calls.length === 1)
      const settled = context.refreshes.get(id)!
      answer()
      await settled
      await settleOutbound(context)
      assert.equal((await bench.load(id)).generation, 2)
    })

    test('I12 the late answer of a slow process is kept, and used once the stored token turns out dead', async () => {
      const slow = gate()
      const dead = answerJson({ error: 'invalid_grant' }, 400)
      const id = await connect(STRICT, slow.answer('R2slow'), answerTokens('R2'), dead, answerTokens('R3'))
      expire()
      const late = ask(id)
      await until(() => calls.length === 1)
      bench.clock.offset += 31_000
      const quick = await ask(id, bench.another())
      assert.ok(quick.kind === 'token' && quick.access_token === 'AT of R2')
      slow.open()
      const token = await late
      assert.ok(token.kind === 'token' && token.access_token === 'AT of R2', 'never an older one than the last stored')
      assert.notEqual((await bench.load(id)).sealed_candidate, null)

      expire()
      const saved = await ask(id)
      assert.ok(saved.kind === 'token' && saved.access_token === 'AT of R3', JSON.stringify(saved))
      assert.deepEqual(calls.slice(1), [calls[0], 'R2', 'R2slow'])
      const types = await eventTypes(bench.tenant)
      assert.ok(types.includes('connection.candidate_kept') && types.includes('connection.candidate_used'))
    })

    test('I12 the late answer of a slow process restores a connection that was already given up', async () => {
      const slow = gate()
      const id = await connect(STRICT, slow.answer('R2'), answerJson({ error: 'invalid_grant' }, 400))
      expire()
      const late = ask(id)
      await until(() => calls.length === 1)
      bench.clock.offset += 31_000
      assert.equal((await ask(id, bench.another())).kind, 'needs_reconsent')
      slow.open()
      const token = await late
      assert.ok(token.kind === 'token' && token.access_token === 'AT of R2', JSON.stringify(token))
      assert.equal((await bench.load(id)).state, 'ready')
    })

    test('R-19 a refresh token that comes without a token of use takes the place of the one that was sent', async () => {
      const half = { token_type: 'Bearer', expires_in: 60, refresh_token: 'R2', scope: 'less', realm: 'new' }
      const wrong = [half, { ...half, access_token: 'AT2', token_type: 'mac' }, { ...half, access_token: { a: 1 } }]
      for (const answer of wrong) {
        const id = await connect(
          STRICT,
          answerJson(answer),
          answerJson({ ...answer, refresh_token: 'R3' }),
          answerTokens('R4'),
        )
        const { issued_at, access_expires_at } = await bench.load(id)
        bench.clock.offset += HOUR - 10_000
        const still = await ask(id)
        assert.ok(still.kind === 'token' && still.generation === 2, 'what lives is served')
        assert.match(still.access_token, /^AT of oauth2\d+ R1$/)
        assert.deepEqual([still.scope, still.extra], ['api', {}])
        const row = await bench.load(id)
        assert.deepEqual([row.issued_at, row.access_expires_at], [issued_at, access_expires_at])
        assert.deepEqual([row.refresh_failures, row.uncertain_at, row.intent_deadline_at], [1, null, null])

        bench.clock.offset += 11_000
        assert.deepEqual(await ask(id), { kind: 'unavailable', reason: 'provider', retry_after_seconds: 2 })
        bench.clock.offset += 3000
        const token = await ask(id)
        assert.ok(token.kind === 'token' && token.access_token === 'AT of R4', JSON.stringify(token))
        assert.deepEqual(calls.slice(1), ['R2', 'R3'])
        assert.equal((await bench.load(id)).refresh_failures, 0)
        const told = (await listEvents(bench.tenant)).filter(({ connection_id }) => connection_id === id)
        const types = told.map(({ type }) => type)
        assert.deepEqual(types.slice(-2), ['connection.refresh_failed', 'connection.recovered'])
        calls = []
      }
    })

    test('a provider that sends the refresh token back, and no token of use, has lost nothing', async () => {
      const id = await connect(STRICT, (response, request) => {
        const refresh_token = new URLSearchParams(request.body).get('refresh_token')
        return answerJson({ token_type: 'Bearer', refresh_token })(response, request)
      })
      expire()
      assert.equal((await ask(id)).kind, 'unavailable')
      const { generation, refresh_failures, uncertain_at } = await bench.load(id)
      assert.deepEqual([generation, refresh_failures, uncertain_at], [1, 1, null])
    })

    // On SQLite no two processes live at once.
    if (kind !== 'sqlite')
      test('I12 the refusal of a slow process marks nothing that another has begun to renew since', async () => {
        const [slow, quick] = [gate(), gate()]
        const refused = slow.hold(answerJson({ error: 'invalid_grant' }, 400))
        const id = await connect(STRICT, refused, quick.answer('R2'))
        expire()
        const loser = ask(id)
        await until(() => calls.length === 1)
        bench.clock.offset += 31_000
        const winner = ask(id, bench.another())
        await until(() => calls.length === 2)
        const { refreshes } = bench.contexts[0]
        slow.open()
        await until(() => !refreshes.has(id))
        assert.equal((await bench.load(id)).state, 'ready')
        quick.open()
        for (const token of await Promise.all([loser, winner])) {
          assert.ok(token.kind === 'token' && token.access_token === 'AT of R2', JSON.stringify(token))
        }
      })

    test('what a slow provider answers after the end of the connection is revoked there', async () => {
      // Whose account nobody knows may rest on the consent of each other one of its owner.
      const { tenant_id, store } = bench.tenant
      for (const { connection_id } of await store.listConnectionsOfUser({ tenant_id, user_id: bench.user_id })) {
        await disconnect(bench.contexts[0], { connection_id, actor: 'test' })
      }
      const slow = gate()
      const id = await connect(STRICT, slow.answer('R2'))
      expire()
      const late = ask(id)
      await until(() => calls.length === 1)
      await disconnect(bench.contexts[0], { connection_id: id, actor: 'test' })
      slow.open()
      assert.deepEqual(await late, { kind: 'refused', reason: 'disconnected' })
      const revoked = provider.received.filter(({ url }) => url === '/revoke')
      const tokens = revoked.map(({ body }) => new URLSearchParams(body).get('token'))
      assert.deepEqual(tokens.slice(-2), [calls[0], 'R2'])
      assert.equal((await bench.load(id)).sealed_tokens, null)
    })

    test('I12 a process that comes to its turn too late lets it pass, so that no two calls overlap', async () => {
      const id = await connect(STRICT, answerTokens('R2'))
      expire()
      const stalled = bench.another({
        spoil: (store) =>
          replace(store, 'leaseConnection', async (args) => {
            const lease = await store.leaseConnection(args)
            bench.clock.offset += 5000
            return lease
          }),
      })
      const answer = await ask(id, stalled)
      assert.ok(answer.kind === 'unavailable' && answer.reason === 'busy')
      assert.equal(calls.length, 0)
      assert.equal((await bench.load(id)).intent_deadline_at, null)
      assert.equal((await ask(id)).kind, 'token')
    })

    test('I12 a call is over before its lease is, however late it began', async () => {
      const id = await connect(STRICT, answerTokens('R2'))
      expire()
      const given: (number | undefined)[] = []
      const { egress } = bench.contexts[0]
      const fetch: typeof egress.fetch = (input, init) => {
        if (init.purpose === 'token') given.push(init.timeoutMs)
        return egress.fetch(input, init)
      }
      assert.equal((await ask(id, bench.another({ egress: { ...egress, fetch } }))).kind, 'token')
      assert.equal(given.length, 1)
      // With room for a slow start and for storing the answer.
      assert.ok(given[0]! + 9_000 <= LEASE_MS, `${given[0]} of ${LEASE_MS}`)
    })

    test('an answer without a refresh token keeps the one that was sent', async () => {
      const answer = { access_token: 'AT2', token_type: 'bearer', expires_in: 3600, instance_url: 'https://a.example' }
      const id = await connect(STRICT, answerJson(answer), answerTokens('R3'))
      expire()
      const token = await ask(id)
      assert.ok(token.kind === 'token' && token.access_token === 'AT2')
      assert.equal(token.extra['instance_url'], 'https://a.example')
      assert.equal(token.scope, 'api')
      expire()
      await ask(id)
      assert.equal(calls[1], calls[0])
    })

    test('a token without any life is served when it is new, and renewed for the next caller', async () => {
      const answer = (n: number) => answerJson({ access_token: `AT${n}`, token_type: 'Bearer', expires_in: 0 })
      const id = await connect(STRICT, answer(2), answer(3))
      expire()
      const [second, third] = [await ask(id), await ask(id)]
      assert.deepEqual(
        [second, third].map((token) => token.kind === 'token' && token.access_token),
        ['AT2', 'AT3'],
      )
      assert.equal(calls.length, 2)
    })

    test('a process that stops waits for the call under way and its answer', async () => {
      const slow = gate()
      const id = await connect(STRICT, slow.answer('R2'))
      expire()
      void ask(id).catch(() => {})
      await until(() => calls.length === 1)
      let settled = false
      const stopping = settleOutbound(bench.contexts[0]).then(() => {
        settled = true
      })
      await new Promise((resolve) => setImmediate(resolve))
      assert.equal(settled, false)
      slow.open()
      await stopping
      assert.equal((await bench.load(id)).generation, 2)
    })

    test('a provider that asks for a pause gets it', async () => {
      const id = await connect(STRICT, answerJson({}, 429, { 'retry-after': '120' }), answerTokens('R2'))
      expire()
      assert.deepEqual(await ask(id), { kind: 'unavailable', reason: 'provider', retry_after_seconds: 120 })
      bench.clock.offset += 110_000
      assert.equal((await ask(id)).kind, 'unavailable')
      bench.clock.offset += 11_000
      assert.equal((await ask(id)).kind, 'token')
      assert.equal((await bench.load(id)).refresh_failures, 0)
    })

    test('a refusal that no standard names is believed only after it was heard often', async () => {
      const odd = answerJson({ error: 'try_again_some_day' }, 400)
      const id = await connect(STRICT, ...Array.from({ length: 9 }, () => odd))
      expire()
      for (let i = 0; i < 8; i++) {
        assert.equal((await ask(id)).kind, 'unavailable')
        bench.clock.offset += 400_000
      }
      const answer = await ask(id)
      assert.ok(answer.kind === 'needs_reconsent' && answer.reason === 'unknown', JSON.stringify(answer))
    })

    test('a provider that is in trouble has decided nothing, however often', async () => {
      const odd = answerJson({ error: 'try_again_some_day' }, 400)
      const down = [answerText('', 503), answerJson({}, 429)]
      const id = await connect(STRICT, ...Array.from({ length: 10 }, (_, i) => down[i % 2]!), odd, answerTokens('R2'))
      expire()
      for (let i = 0; i < 11; i++) {
        assert.equal((await ask(id)).kind, 'unavailable', String(i))
        bench.clock.offset += 400_000
      }
      assert.equal((await ask(id)).kind, 'token')
      assert.equal((await bench.load(id)).refresh_refusals, 0)
    })

    test('what a provider says is kept without the secrets that it repeats', async () => {
      const id = await connect(STRICT, (response, request) => {
        const sent = new URLSearchParams(request.body).get('refresh_token')
        const error_description = `bad ${sent}\u0007\u202e`
        return answerJson({ error: 'invalid_grant', error_description }, 400)(response, request)
      })
      expire()
      await ask(id)
      const events = JSON.stringify(
        (await listEvents(bench.tenant)).filter(({ connection_id }) => connection_id === id),
      )
      assert.ok(events.includes('bad [removed]'), events)
      assert.equal(events.includes(calls[0]!), false)
    })

    test('a token that nothing renews ends with its life', async () => {
      const first = answerJson({ access_token: 'AT', token_type: 'bearer', expires_in: 3600 })
      const id = await connectWith(PATIENT, 'short', first, [])
      bench.clock.offset = HOUR - 10_000
      assert.equal((await ask(id)).kind, 'token')
      expire()
      const answer = await ask(id)
      assert.ok(answer.kind === 'needs_reconsent' && answer.reason === 'expired')
    })

    test('a token that nothing renews is dead only when the provider itself says so', async () => {
      const first = answerJson({ access_token: 'AT', token_type: 'bearer' })
      const id = await connectWith(PATIENT, 'lasting', first, [])
      for (const answer of [answerJson({ sub: 'lasting' }), answerText('', 500), answerText('', 403)]) {
        provider.answers.set('/userinfo', answer)
        assert.equal((await ask(id, bench.contexts[0], { failed_generation: 1 })).kind, 'token')
      }
      provider.answers.set('/userinfo', answerText('', 401))
      const answer = await ask(id, bench.contexts[0], { failed_generation: 1 })
      assert.ok(answer.kind === 'needs_reconsent' && answer.reason === 'revoked')
    })
  })
}

function answerTokens(refresh_token: string): Answer {
  const access_token = `AT of ${refresh_token}`
  return answerJson({ access_token, token_type: 'Bearer', expires_in: 3600, refresh_token })
}

/** An answer that waits until it is let through. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const hold =
    (answer: Answer): Answer =>
    async (response, request) => {
      await promise
      return answer(response, request)
    }
  return { open: () => resolve(), hold, answer: (refresh_token: string) => hold(answerTokens(refresh_token)) }
}

function replace<Name extends keyof Store>(store: Store, name: Name, verb: Store[Name]): Store {
  return { ...store, [name]: verb }
}

// What a kill -9 between the answer and its commit leaves behind.
function dieBeforeStoring(store: Store): Store {
  return replace(store, 'storeRefreshed', async () => {
    throw new StoreUnavailable('dead', 'not committed')
  })
}

const forever = () => new Promise<void>(() => {})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
