import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { ForeignProvider } from '../../../../test/parts/foreign_provider.ts'
import {
  type Answer,
  answerCut,
  answerJson,
  answerText,
  type HostileProvider,
  startHostileProvider,
} from '../../../../test/parts/hostile_provider.ts'
import {
  addUser,
  type Bench,
  connectAs,
  eventTypes,
  openBench,
  openForeign,
  walk,
} from '../../../../test/parts/vault.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { BUILT_IN } from '../../providers/catalogue.ts'
import type { Provider } from '../../providers/provider.ts'
import { readFields } from '../../providers/resolve.ts'
import { deleteConnector, saveConnector, setConnectorDisabled } from '../administration/connectors.ts'
import { listConnections } from '../connections/connections.ts'
import { disconnect } from '../connections/disconnect.ts'
import { freshToken, lapse } from '../connections/fresh_token.ts'
import { refreshConnection } from '../connections/refresh.ts'
import type { OutboundContext } from '../context.ts'
import { askToConnect, findConnected } from './connect_from_terminal.ts'
import { type ConnectFinish, finishConnect } from './finish_connect.ts'
import { type ConnectStart, startConnect } from './start_connect.ts'

describe('a consent flow at a real provider', () => {
  let bench: Bench
  let context: OutboundContext
  let foreign: ForeignProvider
  let users = 0
  let user_id: string

  before(async () => {
    bench = await openBench()
    context = bench.contexts[0]
    foreign = await openForeign(bench)
  })
  after(async () => {
    await foreign.close()
    await bench.drop()
  })
  beforeEach(async () => {
    bench.clock.offset = 0
    user_id = await addUser(bench.tenant, `user${++users}`)
    foreign.auto_login = `account${users}`
    foreign.faults.length = 0
  })

  const start = (more: Partial<ConnectStart> = {}) => startConnect(context, { user_id, connector: 'acme', ...more })
  const stored = () => listConnections(context, user_id)
  async function finish(started: Awaited<ReturnType<typeof start>>, more: Partial<ConnectFinish> = {}) {
    const { browser_secret } = started
    const params = more.params ?? (await walk(started.authorization_url))
    return finishConnect(context, { connector: 'acme', params, browser_secret, user_id, ...more })
  }

  test('a connection is made, and says whose account it is', async () => {
    const finished = await finish(await start({ return_to: '/account?tab=1' }))
    assert.equal(finished.outcome, 'connected')
    assert.equal(finished.return_to, '/account?tab=1')
    assert.equal(finished.account_name, `account${users}@foreign.example`)
    const [connection, ...more] = await stored()
    assert.equal(more.length, 0)
    assert.equal(connection!.connection_id, finished.connection_id)
    assert.deepEqual(
      [connection!.state, connection!.account, connection!.scope, connection!.provider_name],
      ['ready', `account${users}`, 'openid email offline_access', 'acme'],
    )
  })

  test('10.2.1 10.2.3 the request carries S256, state and exactly the scope of the connector', async () => {
    const { searchParams } = new URL((await start()).authorization_url)
    assert.equal(searchParams.get('code_challenge_method'), 'S256')
    assert.match(searchParams.get('code_challenge')!, /^[\w-]{43}$/)
    assert.equal(searchParams.get('scope'), 'openid email offline_access')
    assert.equal(searchParams.get('redirect_uri'), 'http://localhost:9400/connect/acme/callback')
    assert.equal(new URL((await start({ scope: 'openid' })).authorization_url).searchParams.get('scope'), 'openid')
    await assert.rejects(start({ scope: 'openid admin' }), { error: 'invalid_scope' })
    await saveConnector(context, 'test', {
      ...{ connector: 'plain', provider: 'oidc', issuer: foreign.issuer, client_id: 'web', client_secret: 'x' },
      ...{ scope: 'openid', fields: { pkce: 'refused' } },
    })
    const url = new URL((await start({ connector: 'plain' })).authorization_url)
    assert.equal(url.searchParams.has('code_challenge'), false)
  })

  test('10.1.2 states, verifiers and browser secrets are long and never repeat', async () => {
    const seen = new Set<string>()
    for (let i = 0; i < 200; i++) {
      const { authorization_url, browser_secret } = await start()
      const { searchParams } = new URL(authorization_url)
      const secrets = [searchParams.get('state')!, searchParams.get('nonce')!, searchParams.get('code_challenge')!]
      for (const secret of [...secrets, browser_secret]) {
        assert.ok(secret.length >= 43)
        seen.add(secret)
      }
    }
    assert.equal(seen.size, 800)
  })

  test('10.1.2 another browser, or none, ends nothing and breaks nothing', async () => {
    const started = await start()
    const params = await walk(started.authorization_url)
    const other = (await start()).browser_secret
    for (const browser_secret of [other, undefined, '']) {
      assert.equal((await finish(started, { params, browser_secret })).outcome, 'other_browser')
    }
    assert.deepEqual(await stored(), [])
    assert.ok((await eventTypes(bench.tenant)).includes('connect.refused'))
    assert.equal((await finish(started, { params })).outcome, 'connected')
  })

  test('O-04 the one who finishes must be the one who started', async () => {
    const started = await start()
    const params = await walk(started.authorization_url)
    const mallory = await addUser(bench.tenant, `mallory${users}`)
    assert.equal((await finish(started, { params, user_id: mallory })).outcome, 'other_browser')
    assert.deepEqual(await listConnections(context, mallory), [])
    assert.equal((await finish(started, { params })).outcome, 'connected')
  })

  test('10.1.2 10.2.1 B-09 a state that is missing, empty, doubled, unknown, used or too old is refused', async () => {
    const started = await start()
    const params = await walk(started.authorization_url)
    const state = params.get('state')!
    const reason = async (change: (params: URLSearchParams) => void) => {
      const changed = new URLSearchParams(params)
      change(changed)
      const finished = await finish(started, { params: changed })
      assert.equal(finished.outcome, 'failed')
      return finished.reason
    }
    assert.equal(await reason((changed) => changed.delete('state')), 'unknown')
    assert.equal(await reason((changed) => changed.set('state', '')), 'unknown')
    assert.equal(await reason((changed) => changed.append('state', state)), 'unknown')
    assert.equal(await reason((changed) => changed.set('state', `${state.slice(0, -1)}?`)), 'unknown')
    assert.equal(await reason((changed) => changed.set('state', state.split('').reverse().join(''))), 'unknown')
    bench.clock.offset = 601_000
    assert.equal(await reason(() => {}), 'expired')
    assert.deepEqual(await stored(), [])
    bench.clock.offset = 0
    assert.equal((await finish(started, { params })).outcome, 'connected')
    assert.equal(await reason(() => {}), 'used')
  })

  test('a state is taken up once, however many callbacks arrive at the same time', async () => {
    const started = await start()
    const params = await walk(started.authorization_url)
    const finished = await Promise.all(Array.from({ length: 16 }, () => finish(started, { params })))
    const outcomes = finished.map(({ outcome, reason }) => reason ?? outcome).sort()
    assert.deepEqual(outcomes, ['connected', ...Array.from({ length: 15 }, () => 'used')])
  })

  test('10.2.1 the code of another flow of the same user is refused', async () => {
    const [one, two] = [await start(), await start()]
    const [first, second] = [await walk(one.authorization_url), await walk(two.authorization_url)]
    first.set('code', second.get('code')!)
    const finished = await finish(one, { params: first })
    assert.deepEqual([finished.outcome, finished.reason, finished.error], ['failed', 'code_refused', 'invalid_grant'])
    assert.deepEqual(await stored(), [])
  })

  test('a person who says no is told so, in clean words', async () => {
    const started = await start()
    const state = new URL(started.authorization_url).searchParams.get('state')!
    const error_description = 'No\u0000\u202e<b>thanks</b>\r\n'
    const params = new URLSearchParams({ state, error: 'access_denied', error_description, iss: foreign.issuer })
    const finished = await finish(started, { params })
    assert.equal(finished.outcome, 'refused')
    assert.equal(finished.error_description, 'No <b>thanks</b>')
    assert.equal(finished.retry_url, 'http://localhost:9400/connect/acme')
  })

  test('a failed exchange stores nothing and leaves the connection as it was', async () => {
    const made = await connectAs(context, user_id)
    const before = await bench.load(made.connection_id!)
    for (const fault of [{ do: 'cut' }, { do: 'status', status: 500 }] as const) {
      const started = await start({ connection_id: made.connection_id })
      const params = await walk(started.authorization_url)
      foreign.faults.push({ when: 'after', ...fault })
      const finished = await finish(started, { params })
      assert.deepEqual([finished.outcome, finished.reason], ['failed', 'provider_unavailable'])
    }
    assert.deepEqual(await bench.load(made.connection_id!), before)
  })

  test('a flow under way does not survive a change of its connector', async () => {
    const input = { connector: 'acme', provider: 'oidc', issuer: foreign.issuer, client_id: 'web' }
    const scope = 'openid email offline_access'
    const started = await start()
    const params = await walk(started.authorization_url)
    assert.equal(await saveConnector(context, 'test', { ...input, scope: 'openid' }), 'changed')
    assert.equal((await finish(started, { params })).reason, 'connector_changed')
    await saveConnector(context, 'test', { ...input, scope })
    const again = await start()
    const brought = await walk(again.authorization_url)
    const redeemed = () => foreign.ledger.filter(({ grant_type }) => grant_type === 'authorization_code').length
    const before = redeemed()
    await setConnectorDisabled(context, 'test', 'acme', true)
    await assert.rejects(start(), OAuthError)
    assert.equal((await finish(again, { params: brought })).reason, 'connector_changed')
    assert.equal(redeemed(), before, 'what nobody may use is not fetched')
    await setConnectorDisabled(context, 'test', 'acme', false)
    assert.deepEqual(await stored(), [])
  })

  test("our own wrong secret is the connector's fault", async () => {
    const input = { connector: 'acme', provider: 'oidc', issuer: foreign.issuer, client_id: 'web' }
    const scope = 'openid email offline_access'
    await saveConnector(context, 'test', { ...input, scope, client_secret: 'wrong' })
    assert.equal((await finish(await start())).outcome, 'connector_fault')
    const { tenant_id, store } = bench.tenant
    assert.equal((await store.findConnector({ tenant_id, connector: 'acme' }))!.error, 'invalid_client')
    await saveConnector(context, 'test', { ...input, scope, client_secret: 'foreign-secret' })
  })

  test('to connect the same account again repairs the connection there is', async () => {
    const first = await connectAs(context, user_id)
    const again = await connectAs(context, user_id)
    assert.deepEqual([again.outcome, again.connection_id], ['reconnected', first.connection_id])
    foreign.auto_login = `second${users}`
    const second = await connectAs(context, user_id)
    assert.equal(second.outcome, 'connected')
    assert.equal((await stored()).length, 2)
  })

  test('re-consent by another account changes nothing', async () => {
    const made = await connectAs(context, user_id)
    const before = await bench.load(made.connection_id!)
    foreign.auto_login = `other${users}`
    const repaired = await connectAs(context, user_id, { connection_id: made.connection_id! })
    assert.equal(repaired.outcome, 'other_account')
    assert.deepEqual(await bench.load(made.connection_id!), before)
    assert.equal((await freshToken(context, { connection_id: made.connection_id!, user_id })).kind, 'token')
  })

  test('an account that has a connection of its own repairs no other one', async () => {
    const { connection_id } = await finish(await start())
    const started = await start({ connection_id: connection_id! })
    const params = await walk(started.authorization_url)
    // As if it had been connected elsewhere meanwhile.
    const there = bench.another({
      spoil: (store) => ({ ...store, findConnectionOfAccount: async () => 'another connection' }),
    })
    const { browser_secret } = started
    const finished = await finishConnect(there, { connector: 'acme', params, browser_secret, user_id })
    assert.equal(finished.outcome, 'other_account')
    const [connection] = await stored()
    assert.equal(connection!.state, 'ready')
  })

  test('a terminal that waits is told of what was consented to since, and of nothing else', async () => {
    const { connection_id } = await connectAs(context, user_id)
    const id = connection_id!
    const { tenant_id, store } = bench.tenant
    const authority = await store.loadConnection({ tenant_id, connection_id: id })
    await lapse(context, authority!)
    const asked = await askToConnect(context, { name: 'acme', user_id })
    const repair = await askToConnect(context, { name: 'acme', user_id, connection_id: id })
    assert.deepEqual([await findConnected(context, asked), await findConnected(context, repair)], [null, null])
    // The provider takes its refresh token after all: that is no consent.
    await refreshConnection(context, (await store.loadConnection({ tenant_id, connection_id: id }))!)
    assert.equal((await bench.load(id)).state, 'ready')
    assert.deepEqual([await findConnected(context, asked), await findConnected(context, repair)], [null, null])
    foreign.auto_login = `another${users}`
    const other = await connectAs(context, user_id)
    const made = { connection_id: other.connection_id, outcome: 'connected' }
    assert.deepEqual([await findConnected(context, asked), await findConnected(context, repair)], [made, null])
    foreign.auto_login = `account${users}`
    await connectAs(context, user_id)
    assert.deepEqual(await findConnected(context, repair), { connection_id: id, outcome: 'reconnected' })
  })

  test("O-06 nobody repairs another user's connection, or one that was ended", async () => {
    const { connection_id } = await connectAs(context, user_id)
    const mallory = await addUser(bench.tenant, `mallory${users}`)
    await assert.rejects(start({ user_id: mallory, connection_id }), OAuthError)
    await assert.rejects(start({ connection_id: 'unknown' }), OAuthError)
    const started = await start({ connection_id })
    const params = await walk(started.authorization_url)
    await disconnect(context, { connection_id: connection_id!, actor: 'test' })
    assert.equal((await finish(started, { params })).reason, 'disconnected')
    await assert.rejects(start({ connection_id }), OAuthError)
    assert.deepEqual(await stored(), [])
  })

  test('B-14 a flow leads only to places that are known', async () => {
    await assert.rejects(start({ return_to: 'https://evil.example/' }), { error: 'invalid_request' })
    await assert.rejects(start({ connector: 'nobody' }), { status: 404 })
  })
})

describe('a consent flow among hostile providers', () => {
  let bench: Bench
  let context: OutboundContext
  let honest: HostileProvider
  let evil: HostileProvider
  let flows = 0

  before(async () => {
    bench = await openBench()
    context = bench.contexts[0]
    honest = await startHostileProvider()
    evil = await startHostileProvider()
    await register('honest', honest.issuer)
    await register('evil', evil.issuer)
  })
  after(async () => {
    await Promise.all([honest.close(), evil.close()])
    await bench.drop()
  })

  const register = (connector: string, issuer: string) =>
    saveConnector(context, 'test', {
      ...{ connector, provider: 'oidc', issuer, client_id: 'web', client_secret: 'hush', scope: 'openid' },
    })
  const begin = async (connector: string) => {
    const started = await startConnect(context, { user_id: bench.user_id, connector })
    const { searchParams } = new URL(started.authorization_url)
    return { ...started, connector, state: searchParams.get('state')!, nonce: searchParams.get('nonce')! }
  }
  type Begun = Awaited<ReturnType<typeof begin>>
  const end = ({ connector, state, browser_secret }: Begun, more: Record<string, string> = {}) => {
    const params = new URLSearchParams({ state, code: `code${++flows}`, ...more })
    return finishConnect(context, { connector, params, browser_secret, user_id: bench.user_id })
  }
  const tokens = (provider: HostileProvider, nonce: string, claims: object = {}, more: object = {}): Answer => {
    const now = Math.floor(Date.now() / 1000)
    const id_token = provider.signJwt({
      ...{ iss: provider.issuer, sub: 'alice', aud: 'web', exp: now + 60, iat: now, nonce, ...claims },
    })
    return answerJson({
      access_token: 'at',
      token_type: 'Bearer',
      expires_in: 60,
      refresh_token: 'rt',
      id_token,
      ...more,
    })
  }
  const stored = async () => (await listConnections(context, bench.user_id)).length

  test('O-03 two connectors, one evil: no exchange of states, codes and callbacks connects anything', async () => {
    for (const provider of [honest, evil]) provider.answers.set('/token', tokens(provider, 'n'))
    let tried = 0
    for (const state_of of ['honest', 'evil']) {
      for (const callback_of of ['honest', 'evil']) {
        for (const issuer of [honest.issuer, evil.issuer, '']) {
          const flow = await begin(state_of)
          // In order but for the nonce, which an attacker cannot know.
          const finished = await end({ ...flow, connector: callback_of }, issuer === '' ? {} : { iss: issuer })
          assert.equal(finished.outcome, 'failed', `${state_of} ${callback_of} ${issuer}`)
          assert.equal(finished.reason === 'other_connector', state_of !== callback_of)
          tried++
        }
      }
    }
    assert.equal(tried, 12)
    assert.equal(await stored(), 0)
  })

  test('GHSA-xc49-mgwh-9pjv at each provider of the catalogue an answer without its state never reaches the token endpoint', async () => {
    const endpoints = { authorization_endpoint: `${honest.issuer}/authorize`, token_endpoint: `${honest.issuer}/token` }
    honest.answers.set('/token', answerJson({ error: 'invalid_grant' }, 400))
    for (const record of BUILT_IN) {
      const { provider } = record
      // No connector takes these: they need credentials of another form.
      const { grant_types = ['authorization_code'], client_secret_form = 'text' } = readFields(record)
      if (!grant_types.includes('authorization_code') || client_secret_form !== 'text') continue
      await saveConnector(context, 'test', {
        ...{ connector: provider, provider, client_id: 'web', client_secret: 'hush', scope: 'openid' },
        ...{ placeholders: fillPlaceholders(record), fields: { discovery: null, ...endpoints } },
      })
      const flow = await begin(provider)
      const calls = honest.received.length
      const beside = { user_id: bench.user_id, connector: 'honest', browser_secret: flow.browser_secret }
      const other = new URL((await startConnect(context, beside)).authorization_url).searchParams.get('state')!
      for (const state of ['', 'state', other, flow.state.toLowerCase()]) {
        assert.equal((await end({ ...flow, state })).outcome, 'failed', `${provider} ${state}`)
      }
      const stateless = new URLSearchParams({ code: 'code' })
      const { browser_secret } = flow
      const finish = { connector: provider, params: stateless, browser_secret, user_id: bench.user_id }
      assert.equal((await finishConnect(context, finish)).reason, 'unknown')
      assert.equal(honest.received.length, calls, provider)
      if ((await end(flow)).reason === 'signature') continue
      assert.equal(honest.received[calls]?.url.split('?')[0], '/token', `${provider} with its state`)
    }
  })

  test('O-02 10.2.2 an answer with another issuer never reaches the token endpoint', async () => {
    const flow = await begin('honest')
    const calls = honest.received.length
    const finished = await end(flow, { iss: evil.issuer })
    assert.deepEqual([finished.outcome, finished.reason], ['failed', 'iss'])
    assert.equal(
      honest.received.slice(calls).some(({ url }) => url === '/token'),
      false,
    )
  })

  test('O-02 10.2.2 an answer without issuer is refused where the provider promises one', async () => {
    const careful = await startHostileProvider()
    careful.metadata['authorization_response_iss_parameter_supported'] = true
    await register('careful', careful.issuer)
    assert.equal((await end(await begin('careful'))).reason, 'iss')
    const flow = await begin('careful')
    careful.answers.set('/token', tokens(careful, flow.nonce))
    assert.equal((await end(flow, { iss: careful.issuer })).outcome, 'connected')
    await deleteConnector(context, 'test', 'careful', { disconnect: true })
    await careful.close()
  })

  test('an ID token that does not hold stores nothing', async () => {
    const now = Math.floor(Date.now() / 1000)
    const wrong = [
      { nonce: 'other' },
      { iss: evil.issuer },
      { aud: 'other' },
      { exp: now - 3600 },
      { sub: undefined },
      { azp: 'other', aud: ['web', 'other'] },
    ]
    for (const claims of wrong) {
      const flow = await begin('honest')
      honest.answers.set('/token', tokens(honest, flow.nonce, claims))
      assert.equal((await end(flow)).reason, 'id_token', JSON.stringify(claims))
    }
    const flow = await begin('honest')
    honest.answers.set('/token', tokens(honest, flow.nonce, {}, { id_token: undefined }))
    assert.equal((await end(flow)).reason, 'id_token')
    assert.equal(await stored(), 0)
  })

  test('10.4.9 tokens of which nothing came are taken back, unless their person is on the way beside them', async () => {
    const spare = await startHostileProvider()
    const input = { connector: 'spare', provider: 'oidc', issuer: spare.issuer, client_secret: 'hush', scope: 'openid' }
    await saveConnector(context, 'test', { ...input, client_id: 'spare' })
    const revoked = () => spare.received.filter(({ url }) => url === '/revoke').length
    const endWrong = async () => {
      const flow = await begin('spare')
      spare.answers.set('/token', tokens(spare, flow.nonce, { nonce: 'other' }))
      assert.equal((await end(flow)).reason, 'id_token')
    }
    await endWrong()
    const once = revoked()
    assert.ok(once > 0)
    // One that was taken up a moment ago may be storing its tokens; later it is known not to.
    await endWrong()
    assert.equal(revoked(), once)
    bench.clock.offset += 61_000
    await endWrong()
    assert.ok(revoked() > once)
    bench.clock.offset += 61_000
    const before = revoked()
    await begin('spare')
    await endWrong()
    assert.equal(revoked(), before)
    bench.clock.offset = 0
    await spare.close()
  })

  test('a token answer that cannot be read stores nothing', async () => {
    const spoilt = [
      answerCut(),
      answerCut('{"access_token":'),
      answerText('<html>'),
      answerText('', 302, { location: `${evil.issuer}/token` }),
      answerJson({ token_type: 'Bearer' }),
      answerJson({ access_token: 'a\r\nb', token_type: 'Bearer' }),
      answerJson({ access_token: 'at', token_type: 'mac' }),
      answerJson(`{"access_token":${'['.repeat(100)}`),
      answerText('x'.repeat(100_000)),
    ]
    const calls = evil.received.length
    for (const answer of spoilt) {
      const flow = await begin('honest')
      honest.answers.set('/token', answer)
      assert.equal((await end(flow)).outcome, 'failed')
    }
    assert.equal(evil.received.length, calls, 'no redirect is followed')
    assert.equal(await stored(), 0)
  })

  test('a provider without ID tokens names the account by its userinfo, or the consent is not taken', async () => {
    const plain = await startHostileProvider()
    await saveConnector(context, 'test', {
      ...{ connector: 'plain', provider: 'oidc', issuer: plain.issuer, client_id: 'web', client_secret: 'hush' },
      scope: 'api',
    })
    plain.answers.set('/userinfo', answerJson({ sub: 'alice', email: 'a\u202elice@example' }))
    const made = await end(await begin('plain'))
    assert.deepEqual([made.outcome, made.account_name], ['connected', 'a lice@example'])
    for (const answer of [answerJson({}), answerJson({ sub: '' }), answerText('{'), answerCut(), answerText('', 500)]) {
      plain.answers.set('/userinfo', answer)
      assert.equal((await end(await begin('plain'))).reason, 'account_unknown')
    }
    await deleteConnector(context, 'test', 'plain', { disconnect: true })
    await plain.close()
  })
})

/** A value that fits, for every placeholder of a record. */
function fillPlaceholders({ placeholders }: Provider): Record<string, string> {
  const entries = Object.entries(placeholders).map(([name, { form, suffixes = [], choices = [], ...rest }]) => {
    const host = suffixes[0]?.replace(/^\./, 'north.') ?? 'id.example.org'
    const forms = { choice: choices[0] ?? '', host, base_url: `https://${host}`, label: 'north', segment: 'north' }
    return [name, rest.default ?? forms[form]]
  })
  return Object.fromEntries(entries)
}
