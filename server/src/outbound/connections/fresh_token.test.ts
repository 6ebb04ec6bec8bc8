import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { ForeignProvider } from '../../../../test/parts/foreign_provider.ts'
import {
  addUser,
  type Bench,
  connectAs,
  connected,
  DATABASES,
  eventTypes,
  listEvents,
  openBench,
  openForeign,
} from '../../../../test/parts/vault.ts'
import { saveConnector, setConnectorDisabled } from '../administration/connectors.ts'
import { freshToken, type NoToken, type UsableToken } from './fresh_token.ts'

const MINUTE = 60_000

for (const kind of DATABASES) {
  describe(`a usable token, on ${kind}`, () => {
    let bench: Bench
    let foreign: ForeignProvider

    before(async () => {
      bench = await openBench(kind, kind === 'postgres' ? 2 : 1)
      foreign = await openForeign(bench)
    })
    after(async () => {
      await foreign.close()
      await bench.drop()
    })
    afterEach(() => {
      foreign.faults.length = 0
      bench.clock.offset = 0
    })

    const wish = (connection_id: string) => ({ connection_id, user_id: bench.user_id })
    const ask = (connection_id: string, more: object = {}) =>
      freshToken(bench.contexts[0], { ...wish(connection_id), ...more })
    const own = async () => connected(bench, await user())
    let users = 0
    async function user(): Promise<string> {
      foreign.auto_login = `user${++users}`
      return bench.user_id
    }
    function refreshes(): number {
      return foreign.ledger.filter(({ grant_type }) => grant_type === 'refresh_token').length
    }
    function tokenOf(answer: UsableToken | NoToken): UsableToken {
      assert.equal(answer.kind, 'token', JSON.stringify(answer))
      return answer as UsableToken
    }

    test('a token with enough life is served without a call', async () => {
      const id = await own()
      const before = refreshes()
      const token = tokenOf(await ask(id))
      assert.equal(token.token_type, 'Bearer')
      assert.equal(token.scope, 'openid email offline_access')
      assert.ok(token.expires_at! > bench.contexts[0].clock() + 59 * MINUTE)
      const userinfo = await fetch(`${foreign.issuer}/me`, {
        headers: { authorization: `Bearer ${token.access_token}` },
      })
      assert.equal(userinfo.status, 200)
      assert.equal(refreshes(), before)
    })

    test('a token that ends within 30 seconds is renewed', async () => {
      const id = await own()
      const first = tokenOf(await ask(id))
      bench.clock.offset = 59.4 * MINUTE
      assert.equal(tokenOf(await ask(id)).generation, 1)
      bench.clock.offset = 59.6 * MINUTE
      const second = tokenOf(await ask(id))
      assert.equal(second.generation, 2)
      assert.notEqual(second.access_token, first.access_token)
      assert.ok(second.issued_at > first.issued_at)
    })

    test('64 callers at once are one refresh, and all get its token', async () => {
      const id = await own()
      bench.clock.offset = 61 * MINUTE
      const before = refreshes()
      const { contexts } = bench
      const asked = Array.from({ length: 64 }, (_, i) => freshToken(contexts[i % contexts.length]!, wish(id)))
      const tokens = new Set((await Promise.all(asked)).map((answer) => tokenOf(answer).access_token))
      assert.equal(refreshes() - before, 1)
      assert.equal(tokens.size, 1)
    })

    test('CVE-2025-26620 of callers for two connections at once, each gets the token of its own, with its scope', async () => {
      const wide = await own()
      const less = { scope: 'openid offline_access' }
      const { connection_id: narrow } = await connectAs(bench.contexts[0], await user(), less)
      bench.clock.offset = 61 * MINUTE
      const ids = Array.from({ length: 32 }, (_, i) => (i % 2 ? wide : narrow!))
      const { contexts } = bench
      const answers = await Promise.all(ids.map((id, i) => freshToken(contexts[i % contexts.length]!, wish(id))))
      const tokens = answers.map(tokenOf)
      for (const [i, { connection_id }] of tokens.entries()) assert.equal(connection_id, ids[i])
      assert.equal(new Set(tokens.map(({ access_token }) => access_token)).size, 2)
      for (const { connection_id, scope } of tokens) assert.equal(scope.includes('email'), connection_id === wide)
    })

    test('each refresh goes with the refresh token that the one before brought', async () => {
      const id = await own()
      for (let generation = 2; generation < 7; generation++) {
        bench.clock.offset += 61 * MINUTE
        assert.equal(tokenOf(await ask(id)).generation, generation)
      }
    })

    test('a forced refresh names the generation that failed, and a late one gets the newer token', async () => {
      const id = await own()
      const before = refreshes()
      const forced = await Promise.all(Array.from({ length: 16 }, () => ask(id, { failed_generation: 1 })))
      assert.deepEqual([...new Set(forced.map((answer) => tokenOf(answer).generation))], [2])
      assert.equal(tokenOf(await ask(id, { failed_generation: 1 })).generation, 2)
      assert.equal(refreshes() - before, 1)
    })

    test('an API that always says 401 does not call the token endpoint each time', async () => {
      const id = await own()
      await ask(id, { failed_generation: 1 })
      const before = refreshes()
      assert.equal(tokenOf(await ask(id, { failed_generation: 2 })).generation, 2)
      assert.equal(refreshes(), before)
      bench.clock.offset = MINUTE
      assert.equal(tokenOf(await ask(id, { failed_generation: 2 })).generation, 3)
    })

    test('what the provider revoked says needs_reconsent at the first attempt, and consent repairs it in place', async () => {
      const id = await own()
      await foreign.revokeGrants(foreign.auto_login!)
      const before = refreshes()
      const answer = await ask(id, { failed_generation: 1 })
      const connect_url = `http://localhost:9400/connect/acme?connection_id=${id}`
      assert.deepEqual(answer, { kind: 'needs_reconsent', reason: 'revoked', connect_url })
      assert.deepEqual(await ask(id), answer)
      assert.equal(refreshes() - before, 1)
      assert.ok((await eventTypes(bench.tenant)).includes('connection.needs_reconsent'))

      const again = await connectAs(bench.contexts[0], bench.user_id, { connection_id: id })
      assert.equal(again.outcome, 'reconnected')
      assert.equal(again.connection_id, id)
      assert.equal(tokenOf(await ask(id)).connection_id, id)
    })

    test('a provider in trouble leaves the old token in use, and is asked again only after a while', async () => {
      const id = await own()
      const first = tokenOf(await ask(id))
      foreign.faults.push({ when: 'before', do: 'status', status: 503 }, { when: 'before', do: 'status', status: 503 })
      bench.clock.offset = 59.7 * MINUTE
      const calls = foreign.ledger.length
      assert.equal(tokenOf(await ask(id)).access_token, first.access_token)
      assert.equal(tokenOf(await ask(id)).access_token, first.access_token)
      bench.clock.offset = 61 * MINUTE
      const answer = await ask(id)
      assert.ok(answer.kind === 'unavailable' && answer.reason === 'provider' && answer.retry_after_seconds >= 1)
      assert.equal((await ask(id)).kind, 'unavailable')
      assert.equal(foreign.ledger.length - calls, 2)
      bench.clock.offset = 62 * MINUTE
      assert.equal(tokenOf(await ask(id)).generation, 2)
      const types = await eventTypes(bench.tenant)
      assert.ok(types.includes('connection.refresh_failed') && types.includes('connection.recovered'))
    })

    test('O-06 a connection gives nothing to another user, and nothing while its owner or connector is disabled', async () => {
      const id = await own()
      const { tenant_id, store } = bench.tenant
      const mallory = await addUser(bench.tenant, `mallory${users}`)
      const [context] = bench.contexts
      assert.deepEqual(await freshToken(context, { connection_id: id, user_id: mallory }), {
        kind: 'refused',
        reason: 'unknown',
      })
      const disable = (disabled: boolean) =>
        store.setUserDisabled({
          ...{ tenant_id, user_id: bench.user_id, disabled },
          event: { tenant_id, event_id: `e${disabled}${kind}`, at: 0, type: 'test', actor: 'test' },
        })
      await disable(true)
      assert.deepEqual(await ask(id), { kind: 'refused', reason: 'disabled' })
      await disable(false)
      await setConnectorDisabled(context, 'test', 'acme', true)
      assert.deepEqual(await ask(id), { kind: 'refused', reason: 'disabled' })
      await setConnectorDisabled(context, 'test', 'acme', false)
      assert.equal((await ask(id)).kind, 'token')
    })

    test('a token is told to end with its connection, where that ends first', async () => {
      const id = await own()
      const { access_expires_at } = await bench.load(id)
      const endingAt = (ends_at: number) =>
        bench.another({
          spoil: (store) => ({
            ...store,
            async loadConnection(args) {
              const found = await store.loadConnection(args)
              return found && { ...found, connection: { ...found.connection, ends_at } }
            },
          }),
        })
      const told = async (ends_at: number) => tokenOf(await freshToken(endingAt(ends_at), wish(id))).expires_at
      assert.equal(await told(access_expires_at! - 1000), access_expires_at! - 1000)
      assert.equal(await told(access_expires_at! + 1000), access_expires_at)
    })

    test('O-06 what belongs to a user of one platform is nothing to another platform, nor to whoever names none', async () => {
      const id = await own()
      const context = bench.another({
        spoil: (store) => ({
          ...store,
          async loadConnection(args) {
            const found = await store.loadConnection(args)
            const owner = { user_id: null, client_id: 'platform', end_user_id: 'u-81' }
            return found && { ...found, connection: { ...found.connection, ...owner } }
          },
        }),
      })
      const askAs = (user_id: string | null, client_id?: string | null) =>
        freshToken(context, { connection_id: id, user_id, ...(client_id !== undefined && { client_id }) })
      assert.equal((await askAs(null, 'platform')).kind, 'token')
      for (const answer of [askAs(null, 'rival'), askAs(null, null), askAs(null), askAs(bench.user_id, 'platform')]) {
        assert.deepEqual(await answer, { kind: 'refused', reason: 'unknown' })
      }
    })

    test("a connector that the provider refuses is at fault, not the user's connection", async () => {
      const id = await own()
      const input = { connector: 'acme', provider: 'oidc', issuer: foreign.issuer, client_id: 'web' }
      const scope = 'openid email offline_access'
      const [context] = bench.contexts
      await saveConnector(context, 'test', { ...input, scope, client_secret: 'wrong' })
      bench.clock.offset = 61 * MINUTE
      const answer = await ask(id)
      assert.ok(answer.kind === 'unavailable' && answer.reason === 'connector')
      assert.equal((await ask(id)).kind, 'unavailable')
      assert.equal((await bench.load(id)).state, 'ready')
      const { tenant_id, store } = bench.tenant
      assert.equal((await store.findConnector({ tenant_id, connector: 'acme' }))!.error, 'invalid_client')
      await saveConnector(context, 'test', { ...input, scope, client_secret: 'foreign-secret' })
      assert.equal(tokenOf(await ask(id)).generation, 2)
      assert.equal((await store.findConnector({ tenant_id, connector: 'acme' }))!.error, null)
    })

    test('an answer that was lost under strict rotation leaves the old token in use, then asks for consent', async () => {
      const id = await own()
      const first = tokenOf(await ask(id))
      foreign.faults.push({ when: 'after', do: 'cut' })
      bench.clock.offset = 59.7 * MINUTE
      const calls = foreign.ledger.length
      assert.equal(tokenOf(await ask(id)).access_token, first.access_token)
      bench.clock.offset = 59.9 * MINUTE
      assert.equal(tokenOf(await ask(id)).access_token, first.access_token)
      assert.equal(foreign.ledger.length - calls, 1, 'a second try could end the grant')
      bench.clock.offset = 61 * MINUTE
      const answer = await ask(id)
      assert.ok(answer.kind === 'needs_reconsent' && answer.reason === 'unknown', JSON.stringify(answer))
      assert.equal(foreign.ledger.length - calls, 2)
    })

    test('no token and no secret is ever in an event', async () => {
      const id = await own()
      const { access_token } = tokenOf(await ask(id))
      const events = JSON.stringify(await listEvents(bench.tenant))
      for (const secret of [access_token, 'foreign-secret']) assert.equal(events.includes(secret), false)
    })
  })
}
