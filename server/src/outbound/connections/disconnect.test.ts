import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { type ForeignProvider, startForeignProvider } from '../../../../test/parts/foreign_provider.ts'
import {
  addUser,
  type Bench,
  connectAs,
  connected,
  DATABASES,
  listEvents,
  openBench,
  openForeign,
  testEvent,
} from '../../../../test/parts/vault.ts'
import { createCatalogue } from '../../providers/catalogue.ts'
import { verified } from '../../providers/fact.ts'
import type { Provider } from '../../providers/provider.ts'
import { oidc } from '../../providers/records/oidc.ts'
import { StoreUnavailable } from '../../store/sql.ts'
import { saveConnector } from '../administration/connectors.ts'
import { listConnections, pageConnections } from './connections.ts'
import { disconnect, finishDisconnects } from './disconnect.ts'
import { freshToken } from './fresh_token.ts'

/** Of which a token that is revoked takes nothing along. */
const LONE: Provider = {
  ...oidc,
  provider: 'lone',
  fields: { ...oidc.fields, revocation_ends: verified('token', 'this test') },
}

for (const kind of DATABASES) {
  describe(`the end of a connection, on ${kind}`, () => {
    let bench: Bench
    let foreign: ForeignProvider
    let users = 0

    before(async () => {
      bench = await openBench(kind)
      foreign = await openForeign(bench)
    })
    after(async () => {
      await foreign.close()
      await bench.drop()
    })
    beforeEach(() => {
      bench.clock.offset = 0
      foreign.auto_login = `user${++users}`
    })

    const ask = (connection_id: string, more: object = {}) =>
      freshToken(bench.contexts[0], { connection_id, user_id: bench.user_id, ...more })
    const revocationOf = async (connection_id: string) => {
      const events = await listEvents(bench.tenant)
      const found = events.filter((event) => event.connection_id === connection_id)
      const [destroyed] = found.filter(({ type }) => type === 'connection.destroyed')
      return destroyed && (JSON.parse(destroyed.detail) as { revocation: string }).revocation
    }

    test('the provider is told, the data key is destroyed, and nothing comes out any more', async () => {
      const id = await connected(bench)
      const token = await ask(id)
      assert.ok(token.kind === 'token')
      assert.equal(await disconnect(bench.contexts[0], { connection_id: id, actor: 'user:alice' }), 'disconnected')
      assert.deepEqual(await ask(id), { kind: 'refused', reason: 'disconnected' })
      const row = await bench.load(id)
      assert.deepEqual([row.data_key, row.sealed_tokens, row.sealed_candidate], [null, null, null])
      const headers = { authorization: `Bearer ${token.access_token}` }
      assert.equal((await fetch(`${foreign.issuer}/me`, { headers })).status, 401)
      assert.equal(await revocationOf(id), 'revoked')
      assert.equal(
        (await listConnections(bench.contexts[0], bench.user_id)).some((c) => c.connection_id === id),
        false,
      )
      const page = { connector: 'acme', after_connection_id: '', most: 100 }
      const ended = (await pageConnections(bench.contexts[0], page)).find((c) => c.connection_id === id)
      assert.equal(ended!.state, 'disconnected')
    })

    test('a second end changes nothing', async () => {
      const id = await connected(bench)
      const end = () => disconnect(bench.contexts[0], { connection_id: id, actor: 'test' })
      assert.deepEqual(await Promise.all([end(), end(), end()]), ['disconnected', 'disconnected', 'disconnected'])
      const types = (await listEvents(bench.tenant)).filter((e) => e.connection_id === id).map(({ type }) => type)
      assert.equal(types.filter((type) => type === 'connection.disconnected').length, 1)
      assert.equal(types.filter((type) => type === 'connection.destroyed').length, 1)
    })

    test("O-06 nobody ends another user's connection", async () => {
      const id = await connected(bench)
      const mallory = await addUser(bench.tenant, `mallory${users}`)
      const ended = await disconnect(bench.contexts[0], { connection_id: id, user_id: mallory, actor: 'test' })
      assert.equal(ended, 'unknown')
      assert.equal((await ask(id)).kind, 'token')
    })

    test('the answer of a refresh that was under way is neither kept nor left alive at the provider', async () => {
      const id = await connected(bench)
      foreign.faults.push({ when: 'after', do: 'delay', ms: 150 })
      bench.clock.offset = 3_601_000
      const calls = foreign.ledger.length
      const late = ask(id)
      while (foreign.ledger.length === calls) await new Promise((resolve) => setImmediate(resolve))
      await disconnect(bench.contexts[0], { connection_id: id, actor: 'test' })
      assert.deepEqual(await late, { kind: 'refused', reason: 'disconnected' })
      const row = await bench.load(id)
      assert.deepEqual([row.state, row.sealed_tokens, row.sealed_candidate], ['disconnected', null, null])
      assert.equal(await foreign.revokeGrants(foreign.auto_login!), 1, 'the grant record is there; its tokens are not')
    })

    test('an end ends no other connection that may rest on a consent of the same account, and the last one is told', async () => {
      const end = (connection_id: string) => disconnect(bench.contexts[0], { connection_id, actor: 'test' })
      const theirs = await addUser(bench.tenant, `other${users}`)
      const [first, second] = [await connected(bench), await connected(bench, theirs)]
      await end(first)
      assert.equal(await revocationOf(first), 'spared')
      assert.equal((await bench.load(first)).data_key, null)
      foreign.auto_login = `nobody${users}`
      const third = await connected(bench)
      await end(second)
      assert.deepEqual([await revocationOf(second), await revocationOf(third)], ['revoked', undefined])
      // What came too late for a connection that has ended may rest on the same as another.
      foreign.auto_login = `late${users}`
      const [ended, living] = [await connected(bench), await connected(bench, theirs)]
      foreign.faults.push({ when: 'after', do: 'delay', ms: 150 })
      bench.clock.offset = 3_601_000
      const calls = foreign.ledger.length
      const late = ask(ended)
      while (foreign.ledger.length === calls) await new Promise((resolve) => setImmediate(resolve))
      const before = foreign.revocations
      await end(ended)
      assert.equal((await late).kind, 'refused')
      assert.equal(foreign.revocations, before)
      assert.equal((await ask(living, { user_id: theirs })).kind, 'token')
    })

    test('an account that is connected anew after its chosen end loses nothing by that end', async () => {
      const { tenant_id, store } = bench.tenant
      const id = await connected(bench)
      const event = { tenant_id, event_id: `end${users}`, at: 0, type: 'test', actor: 'test' }
      await store.setConnectionEnd({ tenant_id, connection_id: id, user_id: bench.user_id, lifetime_ms: 1000, event })
      bench.clock.offset = 2000
      const again = await connectAs(bench.contexts[0], bench.user_id)
      assert.notEqual(again.connection_id, id)
      assert.deepEqual([(await bench.load(id)).state, await revocationOf(id)], ['disconnected', undefined])
      bench.clock.offset = 63_000
      await finishDisconnects(bench.contexts[0])
      assert.deepEqual([(await bench.load(id)).data_key, await revocationOf(id)], [null, 'spared'])
      assert.equal((await ask(again.connection_id!)).kind, 'token')
    })

    test('what comes by a connector for everyone may be the consent of another tenant, and is destroyed here alone', async () => {
      const context = bench.another({ catalogue: createCatalogue([LONE]) })
      for (const [provider, expected] of [
        ['oidc', 'spared'],
        ['lone', 'revoked'],
      ] as const) {
        const connector = `${provider}-for-everyone`
        const client = { client_id: `web-${provider}`, client_secret: 'foreign-secret' }
        const redirect_uris = [`${bench.tenant.issuer}/connect/${connector}/callback`]
        const grant_types = ['authorization_code', 'refresh_token']
        const there = await startForeignProvider({ clients: [{ ...client, redirect_uris, ...{ grant_types } }] })
        try {
          const input = { connector, provider, issuer: there.issuer, scope: 'openid offline_access', ...client }
          await saveConnector(context, 'test', input, { for_everyone: true })
          const { connection_id } = await connectAs(context, bench.user_id, { connector })
          await disconnect(context, { connection_id: connection_id!, actor: 'test' })
          assert.equal(await revocationOf(connection_id!), expected)
        } finally {
          await there.close()
        }
      }
    })

    test('a process that dies before the key is destroyed leaves it to the next one', async () => {
      const id = await connected(bench)
      const dying = bench.another({
        spoil: (store) => ({
          ...store,
          destroyDataKey: () => Promise.reject(new StoreUnavailable('dead', 'not committed')),
        }),
      })
      await assert.rejects(disconnect(dying, { connection_id: id, actor: 'test' }), StoreUnavailable)
      assert.deepEqual(await ask(id), { kind: 'refused', reason: 'disconnected' })
      assert.notEqual((await bench.load(id)).data_key, null)
      assert.equal(await finishDisconnects(bench.contexts[0]), 0, 'another process may still be at it')
      bench.clock.offset = 61_000
      assert.equal(await finishDisconnects(bench.contexts[0]), 1)
      assert.equal((await bench.load(id)).data_key, null)
    })

    test('a provider that hangs keeps no end elsewhere waiting, and a turn is over in time', {
      timeout: 20_000,
    }, async (t) => {
      const slow = await openForeign(bench, {}, { connector: 'slow' })
      const { promise: released, resolve: release } = Promise.withResolvers<void>()
      t.after(() => {
        release()
        return slow.close()
      })
      const hanging: string[] = []
      for (let i = 0; i < 9; i++) {
        slow.auto_login = `slow${i}`
        const { connection_id } = await connectAs(bench.contexts[0], bench.user_id, { connector: 'slow' })
        hanging.push(connection_id!)
      }
      const id = await connected(bench)
      const { tenant_id, store } = bench.tenant
      for (const connection_id of [...hanging, id]) {
        await store.disconnectConnection({ tenant_id, connection_id, reason: 'test', event: testEvent(tenant_id) })
      }
      bench.clock.offset = 61_000
      let under_way = 0
      // Where it is noted what the provider said, so that nothing has to be waited for.
      const context = bench.another({
        spoil: (all) => ({
          ...all,
          async destroyDataKey(args) {
            if (hanging.includes(args.connection_id)) under_way++
            if (hanging.includes(args.connection_id)) await released
            return all.destroyDataKey(args)
          },
        }),
      })
      const turn = finishDisconnects(context)
      while ((under_way < 4 || (await bench.load(id)).data_key !== null) && !t.signal.aborted) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      assert.equal(under_way, 4)
      bench.clock.offset += 8_000
      release()
      assert.equal(await turn, 5, 'what is left comes up in the next turn')
      assert.equal(await finishDisconnects(bench.contexts[0]), 5)
    })

    test('a provider that is away cannot keep a connection alive', async () => {
      const [id, other] = [await connected(bench), foreign]
      await other.close()
      assert.equal(await disconnect(bench.contexts[0], { connection_id: id, actor: 'test' }), 'disconnected')
      assert.equal((await bench.load(id)).data_key, null)
      assert.equal(await revocationOf(id), 'unknown')
      foreign = await openForeign(bench, {}, { connector: 'again' })
    })
  })
}
