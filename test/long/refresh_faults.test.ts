import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { saveConnector } from '../../server/src/outbound/connectors.ts'
import type { OutboundContext } from '../../server/src/outbound/context.ts'
import { finishConnect } from '../../server/src/outbound/finish_connect.ts'
import { freshToken } from '../../server/src/outbound/fresh_token.ts'
import { startConnect } from '../../server/src/outbound/start_connect.ts'
import { StoreUnavailable } from '../../server/src/store/sql.ts'
import type { Store } from '../../server/src/store/store.ts'
import {
  answerCut,
  answerJson,
  answerText,
  type HostileProvider,
  startHostileProvider,
} from '../parts/hostile_provider.ts'
import { type Bench, DATABASES, openBench } from '../parts/vault.ts'

const ROUNDS = 100
const CALLERS = 16
const HOUR = 3_600_000

/** What goes wrong with the first refresh: what the provider sends instead, and whether it had rotated by then. */
interface Fault {
  readonly rotated: boolean
  readonly send: (response: ServerResponse) => unknown
  /** What breaks on our side, after the provider has answered as it should. */
  readonly ours?: 'death' | 'database'
}

const spoil = (answer: ReturnType<typeof answerJson>) => (response: ServerResponse) =>
  answer(response, undefined as never)
const SENT: Record<string, Fault['send']> = {
  'a cut before the head': spoil(answerCut()),
  'a cut in the body': spoil(answerCut('{"access_token":"AT')),
  'an error 500': spoil(answerText('oops', 500)),
  'an error 503 with JSON': spoil(answerJson({ error: 'invalid_grant' }, 503)),
  'a page of HTML': spoil(answerText('<html>')),
  'an empty answer': spoil(answerText('')),
  'half of the JSON': spoil(answerJson('{"access_token":"AT"')),
  'a redirect': spoil(answerText('', 302, { location: 'http://127.0.0.1:1/' })),
  'an answer without a token': spoil(answerJson({ token_type: 'Bearer' })),
}
const FAULTS: Record<string, Fault> = {
  ...Object.fromEntries(
    Object.entries(SENT).map(([name, send]) => [`${name}, nothing rotated`, { rotated: false, send }]),
  ),
  ...Object.fromEntries(Object.entries(SENT).map(([name, send]) => [`${name}, rotated`, { rotated: true, send }])),
  'a pause': { rotated: false, send: spoil(answerJson({}, 429, { 'retry-after': '3' })) },
  'our death before the commit': { rotated: true, send: () => {}, ours: 'death' },
  'our database away for a while': { rotated: true, send: () => {}, ours: 'database' },
}

for (const kind of DATABASES) {
  for (const replay of ['refused', 'accepted'] as const) {
    test(`R-19 ${Object.keys(FAULTS).length} faults, ${ROUNDS} rounds, replay ${replay}, ${kind}`, async () => {
      const bench = await openBench(kind)
      const provider = await startHostileProvider()
      const connector = replay === 'accepted' ? 'patient' : 'oauth2'
      await saveConnector(bench.contexts[0], 'test', {
        ...{ connector: 'acme', provider: connector, issuer: provider.issuer, client_id: 'web', client_secret: 'x' },
        scope: 'api',
      })
      try {
        for (let round = 0; round < ROUNDS; round++) {
          for (const [name, fault] of Object.entries(FAULTS)) await play(bench, provider, replay, name, fault)
        }
        assert.ok(!bench.reports.some((report) => /unhandled/i.test(report)))
      } finally {
        await provider.close()
        await bench.drop()
      }
    })
  }
}

let users = 0

async function play(
  bench: Bench,
  provider: HostileProvider,
  replay: string,
  name: string,
  fault: Fault,
): Promise<void> {
  const ledger = playProvider(provider, replay, fault)
  const connection_id = await connect(bench)
  const context = bench.another({
    wait: fault.ours === 'death' ? () => new Promise<void>(() => {}) : async () => {},
    ...(fault.ours === undefined ? {} : { spoil: (store: Store) => spoilStore(store, fault.ours!) }),
  })
  bench.clock.offset += HOUR + 1000
  ledger.armed = true
  const ask = (from: OutboundContext) => freshToken(from, { connection_id, user_id: bench.user_id })
  const asked = Array.from({ length: CALLERS }, () => ask(context))
  if (fault.ours === 'death') {
    for (const one of asked) one.catch(() => {})
    while (ledger.calls === 0) await new Promise((resolve) => setImmediate(resolve))
  } else await Promise.all(asked)
  const calls = ledger.calls
  bench.clock.offset += 31_000
  let answer = await ask(bench.another({ wait: async () => {} }))
  for (let tries = 0; answer.kind === 'unavailable' && tries < 3; tries++) {
    bench.clock.offset += 400_000
    answer = await ask(bench.another({ wait: async () => {} }))
  }
  assert.equal(ledger.overlapped, false, `${name}: two calls at once`)
  assert.ok(ledger.calls - calls <= 1, `${name}: ${ledger.calls - calls} calls after the fault`)
  const lost = fault.rotated && fault.ours !== 'database' && replay === 'refused'
  if (lost) {
    assert.ok(answer.kind === 'needs_reconsent', `${name}: ${JSON.stringify(answer)}`)
    return
  }
  assert.ok(answer.kind === 'token', `${name}: ${JSON.stringify(answer)}`)
  assert.equal(answer.access_token, ledger.current, `${name}: not the provider's last token`)
  assert.equal((await bench.load(connection_id)).state, 'ready')
}

/** A provider that rotates with each refresh, and keeps a ledger of its own. */
function playProvider(provider: HostileProvider, replay: string, fault: Fault) {
  const user = ++users
  let generation = 1
  let under_way = 0
  const ledger = { armed: false, calls: 0, overlapped: false, current: '' }
  provider.answers.set('/userinfo', answerJson({ sub: `user${user}` }))
  provider.answers.set('/token', async (response, request) => {
    const params = new URLSearchParams(request.body)
    const token = (n: number) => {
      ledger.current = `AT ${user} ${n}`
      return { access_token: ledger.current, token_type: 'Bearer', expires_in: 3600, refresh_token: `RT ${user} ${n}` }
    }
    if (params.get('grant_type') !== 'refresh_token') return answerJson(token(1))(response, request)
    ledger.calls++
    under_way++
    if (under_way > 1) ledger.overlapped = true
    await new Promise((resolve) => setImmediate(resolve))
    under_way--
    const sent = Number(params.get('refresh_token')!.split(' ')[2])
    const spoilt = ledger.armed && fault.ours === undefined
    ledger.armed = false
    if (spoilt && !fault.rotated) return void fault.send(response)
    if (sent !== generation && !(replay === 'accepted' && sent === generation - 1)) {
      return answerJson({ error: 'invalid_grant' }, 400)(response, request)
    }
    generation = sent + 1
    const answer = token(generation)
    return spoilt ? void fault.send(response) : answerJson(answer)(response, request)
  })
  return ledger
}

async function connect(bench: Bench): Promise<string> {
  const [context] = bench.contexts
  const started = await startConnect(context, { user_id: bench.user_id, connector: 'acme' })
  const state = new URL(started.authorization_url).searchParams.get('state')!
  const params = new URLSearchParams({ state, code: 'code' })
  const finished = await finishConnect(context, { ...started, connector: 'acme', params, user_id: bench.user_id })
  assert.equal(finished.outcome, 'connected', JSON.stringify(finished))
  return finished.connection_id!
}

function spoilStore(store: Store, ours: 'death' | 'database'): Store {
  let away = ours === 'death' ? Number.POSITIVE_INFINITY : 2
  return {
    ...store,
    storeRefreshed: async (args) => {
      if (away-- > 0) throw new StoreUnavailable('away', 'not committed')
      return store.storeRefreshed(args)
    },
  }
}
