import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  type Answer,
  answerJson,
  answerText,
  type HostileProvider,
  startHostileProvider,
} from '../../../../test/parts/hostile_provider.ts'
import { type Bench, openBench } from '../../../../test/parts/vault.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { findConnector, saveConnector } from '../administration/connectors.ts'
import { disconnect } from '../connections/disconnect.ts'
import { pollDevice } from './connect_device.ts'
import { startConnect } from './start_connect.ts'

const CODES = {
  ...{ device_code: 'dc', user_code: 'ABCD-EFGH', expires_in: 900, interval: 5 },
  verification_uri: 'https://provider.example/device',
}

describe('consent by a code that a person types at the provider', () => {
  let bench: Bench
  let provider: HostileProvider
  before(async () => {
    bench = await openBench()
    provider = await startHostileProvider()
    provider.metadata['device_authorization_endpoint'] = `${provider.issuer}/device`
    await saveConnector(bench.contexts[0], 'test', {
      ...{ connector: 'tv', provider: 'oauth2', issuer: provider.issuer, client_id: 'web', client_secret: 'hush' },
      ...{ scope: 'a b', grant_type: 'urn:ietf:params:oauth:grant-type:device_code' },
    })
  })
  after(async () => {
    await provider.close()
    await bench.drop()
  })
  beforeEach(() => {
    provider.received.length = 0
    provider.answers.set('/device', answerJson(CODES))
  })

  const start = async (connector = 'tv') => {
    const started = await startConnect(bench.contexts[0], { user_id: bench.user_id, connector })
    const state = new URL(started.authorization_url).searchParams.get('state')!
    return { connector, state, browser_secret: started.browser_secret, user_id: bench.user_id }
  }
  const poll = (flow: Awaited<ReturnType<typeof start>>, context = bench.contexts[0]) => pollDevice(context, flow)
  const asked = () => provider.received.filter(({ url }) => url === '/token').length
  const pending = answerJson({ error: 'authorization_pending' }, 400)

  test('RFC 8628 3.1 the request names client and scope; the person is shown code and address', async () => {
    const flow = await start()
    const { body, headers } = provider.received.find(({ url }) => url === '/device')!
    assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), { scope: 'a b', client_id: 'web' })
    assert.equal(headers['authorization'], `Basic ${btoa('web:hush')}`)
    const shown = await poll(flow)
    assert.ok(shown.outcome === 'waiting', JSON.stringify(shown))
    const { user_code, verification_uri, verification_uri_complete, interval } = shown
    assert.deepEqual(
      [user_code, verification_uri, verification_uri_complete, interval],
      [...[CODES.user_code, CODES.verification_uri, null, 5]],
    )
    assert.ok(!JSON.stringify(shown).includes('"dc"'), 'what asks stays here')
  })

  test('RFC 8628 3.5 of all who look within an interval one asks; slow_down makes it longer for good', async () => {
    const flow = await start()
    provider.answers.set('/token', pending)
    await Promise.all(Array.from({ length: 8 }, () => poll(flow)))
    assert.equal(asked(), 0, 'not before the interval is over')
    bench.clock.offset += 5_000
    await Promise.all(Array.from({ length: 8 }, (_, i) => poll(flow, i % 2 === 0 ? bench.another() : undefined)))
    assert.equal(asked(), 1)
    provider.answers.set('/token', answerJson({ error: 'slow_down' }, 400))
    bench.clock.offset += 5_000
    const slowed = await poll(flow)
    assert.ok(slowed.outcome === 'waiting' && slowed.interval === 10)
    provider.answers.set('/token', pending)
    bench.clock.offset += 9_000
    await poll(flow)
    assert.equal(asked(), 2)
    bench.clock.offset += 1_000
    await poll(flow)
    assert.equal(asked(), 3)
    provider.answers.set('/token', answerText('<html>', 502))
    bench.clock.offset += 10_000
    const lost = await poll(flow)
    assert.ok(lost.outcome === 'waiting' && lost.interval === 15, 'no answer is no end')
    provider.answers.set('/token', answerJson({ access_token: 'at', token_type: 'Bearer', refresh_token: 'rt' }))
    bench.clock.offset += 15_000
    const both = await Promise.all([poll(flow), poll(flow)])
    assert.deepEqual(both.map(({ outcome }) => outcome).sort(), ['connected', 'waiting'])
    const { body } = provider.received.findLast(({ url }) => url === '/token')!
    const form = Object.fromEntries(new URLSearchParams(body))
    assert.deepEqual(form, { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: 'dc' })
    const over = await poll(flow)
    assert.ok(over.outcome === 'failed' && over.reason === 'used', JSON.stringify(over))
  })

  /** Answers of the token endpoint that wait until they are let go, in the order in which they were asked for. */
  const holdAnswers = () => {
    const held: ((answer: Answer) => Promise<void>)[] = []
    const arrivals: (() => void)[] = []
    provider.answers.set('/token', (response, request) => {
      const { promise, resolve } = Promise.withResolvers<Answer>()
      held.push(async (answer) => resolve(answer))
      arrivals.shift()?.()
      return promise.then((answer) => answer(response, request))
    })
    const arrived = () => new Promise<void>((resolve) => void arrivals.push(resolve))
    return { held, arrived }
  }
  const tokens = answerJson({ access_token: 'at', token_type: 'Bearer', refresh_token: 'rt' })

  test('while a question is under way nobody asks another, however long its answer takes', async () => {
    const flow = await start()
    const { held, arrived } = holdAnswers()
    bench.clock.offset += 5_000
    const first = poll(flow)
    await arrived()
    bench.clock.offset += 30_000
    const beside = await Promise.all([poll(flow), poll(flow, bench.another())])
    assert.deepEqual(
      beside.map(({ outcome }) => outcome),
      ['waiting', 'waiting'],
    )
    await held[0]!(tokens)
    assert.equal((await first).outcome, 'connected')
    assert.equal(held.length, 1)
  })

  test('whoever is refused late, because somebody else has asked since, ends nothing', async () => {
    const flow = await start()
    const { held, arrived } = holdAnswers()
    bench.clock.offset += 5_000
    const [late, there] = [poll(flow), arrived()]
    await there
    bench.clock.offset += 60_000
    const [next, here] = [poll(flow, bench.another()), arrived()]
    await here
    await held[0]!(answerJson({ error: 'invalid_grant' }, 400))
    assert.equal((await late).outcome, 'waiting')
    await held[1]!(tokens)
    assert.equal((await next).outcome, 'connected')
  })

  test('tokens that came too late to be kept are revoked, unless a connection could die with them', async () => {
    const { issuer } = provider
    const revoked = () =>
      provider.received.filter(({ url }) => url === '/revoke').map(({ body }) => new URLSearchParams(body).get('token'))
    for (const [connector, others] of [
      ['alone', false],
      ['tv', true],
    ] as const) {
      if (!others) {
        await saveConnector(bench.contexts[0], 'test', {
          ...{ connector, provider: 'oauth2', issuer, client_id: 'alone', client_secret: 'hush', scope: 'a' },
          ...{ grant_type: 'urn:ietf:params:oauth:grant-type:device_code' },
        })
      }
      const flow = await start(connector)
      provider.answers.set('/token', (response, request) => {
        bench.clock.offset += 900_000
        return tokens(response, request)
      })
      bench.clock.offset += 5_000
      const late = await poll(flow)
      assert.ok(late.outcome === 'failed' && late.reason === 'expired', JSON.stringify(late))
      assert.deepEqual(revoked(), ['rt'])
    }
  })

  test('what was consented to and cannot be kept is revoked', async () => {
    const [context] = bench.contexts
    const { user_id } = bench
    const revoked = () => provider.received.filter(({ url }) => url === '/revoke').length
    provider.answers.set('/token', tokens)
    const flow = await start('alone')
    bench.clock.offset += 5_000
    const made = await poll(flow)
    assert.ok(made.outcome === 'connected', JSON.stringify(made))
    const connection_id = made.connection_id!
    const started = await startConnect(context, { user_id, connector: 'alone', connection_id })
    const state = new URL(started.authorization_url).searchParams.get('state')!
    await disconnect(context, { connection_id, actor: 'test' })
    assert.equal(revoked(), 1)
    // What the first flow brought is stored by then.
    bench.clock.offset += 61_000
    const refused = await poll({ connector: 'alone', state, browser_secret: started.browser_secret, user_id })
    assert.ok(refused.outcome === 'failed' && refused.reason === 'disconnected', JSON.stringify(refused))
    assert.equal(revoked(), 2)
  })

  test('a definite refusal ends the flow, and says whose fault it is', async () => {
    const cases = [
      ['access_denied', 'refused'],
      ['expired_token', 'failed'],
      ['invalid_grant', 'failed'],
      ['invalid_client', 'connector_fault'],
    ] as const
    for (const [error, outcome] of cases) {
      const flow = await start()
      provider.answers.set('/token', answerJson({ error }, 400))
      bench.clock.offset += 5_000
      assert.equal((await poll(flow)).outcome, outcome, error)
      const after = await poll(flow)
      assert.ok(after.outcome === 'failed' && after.reason === 'used', error)
    }
  })

  test('a flow of another browser, user or connector, or of a connector that changed, asks nobody', async () => {
    provider.answers.set('/token', pending)
    const flow = await start()
    bench.clock.offset += 5_000
    const others = [
      { ...flow, browser_secret: 'another' },
      { ...flow, user_id: 'another' },
      { ...flow, connector: 'none' },
      { ...flow, state: 'x'.repeat(43) },
      { ...flow, state: 'short' },
    ]
    for (const other of others) assert.match((await poll(other)).outcome, /failed|other_browser/)
    assert.equal((await poll(flow)).outcome, 'waiting', 'none of them has ended it')
    bench.clock.offset += 900_000
    const late = await poll(flow)
    assert.ok(late.outcome === 'failed' && late.reason === 'expired')
    const changed = await start()
    await saveConnector(bench.contexts[0], 'test', {
      ...{ connector: 'tv', provider: 'oauth2', issuer: provider.issuer, client_id: 'web', client_secret: 'hush' },
      ...{ scope: 'a', grant_type: 'urn:ietf:params:oauth:grant-type:device_code' },
    })
    const before = asked()
    bench.clock.offset += 5_000
    assert.equal((await poll(changed)).outcome, 'failed')
    assert.equal(asked(), before)
  })

  test('16.5.2 what is no code, no address or no time is refused before anybody is shown it', async () => {
    const spoiled: object[] = [
      { ...CODES, device_code: 7 },
      { ...CODES, user_code: '' },
      { ...CODES, user_code: 'A\u202eB' },
      { ...CODES, user_code: 'x'.repeat(65) },
      { ...CODES, verification_uri: 'javascript:alert(1)' },
      { ...CODES, verification_uri: 'ftp://provider.example/' },
      { ...CODES, verification_uri_complete: 'data:text/html,x' },
      { ...CODES, expires_in: 'soon' },
      { ...CODES, expires_in: -1 },
      { ...CODES, interval: Number.MAX_VALUE * -1 },
    ]
    for (const body of spoiled) {
      provider.answers.set('/device', answerJson(body))
      await assert.rejects(
        start(),
        (error) => error instanceof OAuthError && error.status === 503,
        JSON.stringify(body),
      )
    }
    provider.answers.set('/device', answerJson({ error: 'invalid_client', error_description: 'no hush' }, 401))
    await assert.rejects(start(), (error) => error instanceof OAuthError && error.status === 500)
    const { error, error_description } = (await findConnector(bench.contexts[0], 'tv'))!
    assert.deepEqual([error, error_description], ['invalid_client', 'no [removed]'])
  })
})
