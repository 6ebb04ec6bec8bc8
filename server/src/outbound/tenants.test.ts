import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addUser, connected, openBench, openForeign, openTestTenant } from '../../../test/parts/vault.ts'
import { handOutToken } from './bridge.ts'
import { pageConnections } from './connections.ts'
import { deleteConnector, findConnector, saveConnector, setConnectorDisabled } from './connectors.ts'
import { createOutboundContext } from './context.ts'
import { disconnect, finishDisconnects } from './disconnect.ts'
import { finishConnect } from './finish_connect.ts'
import { freshToken } from './fresh_token.ts'
import { startConnect } from './start_connect.ts'

test('O-06 8.4.1 with the ids of another tenant every use case finds nothing', async () => {
  const bench = await openBench()
  const foreign = await openForeign(bench)
  const [ours] = bench.contexts
  try {
    const tenant = await openTestTenant(bench.tenant.store, 'http://localhost:9401')
    const theirs = createOutboundContext({ ...ours, tenant, owner: 'other' })
    const connection_id = await connected(bench)
    const { user_id } = bench
    const before = await bench.load(connection_id)

    const unknown = { kind: 'refused', reason: 'unknown' }
    assert.deepEqual(await freshToken(theirs, { connection_id, user_id }), unknown)
    assert.deepEqual(await freshToken(theirs, { connection_id, user_id, failed_generation: 1 }), unknown)
    assert.equal((await handOutToken(theirs, { connection_id, user_id, connector: 'acme' })).kind, 'bridge_refused')
    assert.equal(await disconnect(theirs, { connection_id, actor: 'test' }), 'unknown')
    assert.equal(await findConnector(theirs, 'acme'), null)
    assert.equal(await deleteConnector(theirs, 'test', 'acme', { disconnect: true }), 'unknown')
    assert.equal(await setConnectorDisabled(theirs, 'test', 'acme', true), false)
    assert.deepEqual(await pageConnections(theirs, { connector: 'acme', after_connection_id: '', most: 9 }), [])
    await assert.rejects(startConnect(theirs, { user_id, connector: 'acme' }), { status: 404 })

    const client = { client_id: 'web', client_secret: 'foreign-secret' }
    const scope = 'openid email offline_access'
    await saveConnector(theirs, 'test', {
      connector: 'acme',
      provider: 'oidc',
      issuer: foreign.issuer,
      ...client,
      scope,
    })
    const own = await addUser(tenant, 'alice')
    await assert.rejects(startConnect(theirs, { user_id: own, connector: 'acme', connection_id }), { status: 404 })
    const { authorization_url, browser_secret } = await startConnect(ours, { user_id, connector: 'acme' })
    const state = new URL(authorization_url).searchParams.get('state')!
    const params = new URLSearchParams({ state, code: 'x' })
    const finished = await finishConnect(theirs, { connector: 'acme', params, browser_secret, user_id })
    assert.deepEqual([finished.outcome, finished.reason], ['failed', 'unknown'])
    bench.clock.offset = 3_600_000
    assert.equal(await finishDisconnects(theirs), 0)
    bench.clock.offset = 0
    assert.deepEqual(await bench.load(connection_id), before)
    assert.equal((await freshToken(ours, { connection_id, user_id })).kind, 'token')
  } finally {
    await foreign.close()
    await bench.drop()
  }
})
