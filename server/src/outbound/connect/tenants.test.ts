import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addUser, connectAs, connected, openBench, openForeign, openTestTenant } from '../../../../test/parts/vault.ts'
import { deleteConnector, findConnector, saveConnector, setConnectorDisabled } from '../administration/connectors.ts'
import { giveConnectors } from '../administration/connectors_for_everyone.ts'
import { rotateConnectorKey } from '../administration/rotate_connector_key.ts'
import { pageConnections } from '../connections/connections.ts'
import { disconnect, finishDisconnects } from '../connections/disconnect.ts'
import { freshToken } from '../connections/fresh_token.ts'
import { createOutboundContext, type OutboundContext } from '../context.ts'
import { handOutToken } from '../proxy/bridge.ts'
import { finishConnect } from './finish_connect.ts'
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

test('E6 a connector for everyone is there for each tenant, which has its own connections and changes nothing of it', async () => {
  const bench = await openBench()
  const redirect_uris = ['acme', 'crm'].map((name) => `http://localhost:9400/connect/${name}/callback`)
  const client = { client_id: 'web', client_secret: 'foreign-secret', redirect_uris }
  const foreign = await openForeign(bench, {
    clients: [Object.assign(client, { grant_types: ['authorization_code', 'refresh_token'] })],
  })
  const [ours] = bench.contexts
  try {
    const tenant = await openTestTenant(bench.tenant.store, 'http://localhost:9401')
    const theirs = createOutboundContext({ ...ours, tenant, owner: 'other' })
    const described = {
      ...{ connector: 'crm', provider: 'oidc', issuer: foreign.issuer, client_id: 'web' },
      ...{ client_secret: 'foreign-secret', scope: 'openid email offline_access' },
    }
    for (const context of [ours, theirs]) assert.deepEqual(await giveConnectors(context, [described]), [])
    const [own, other] = await Promise.all([ours, theirs].map((context) => findConnector(context, 'crm')))
    assert.deepEqual(
      [own!.callback_url, other!.callback_url],
      ['http://localhost:9400/connect/crm/callback', 'http://localhost:9401/connect/crm/callback'],
    )
    assert.deepEqual([own!.settings.for_everyone, other!.settings.for_everyone], [true, true])
    const unchanged = async (context: OutboundContext) => (await findConnector(context, 'crm'))!.version
    assert.deepEqual(await giveConnectors(theirs, [described]), [])
    assert.equal(await unchanged(theirs), other!.version, 'a start that says the same disturbs no flow')

    const refused = { error: 'invalid_request', status: 403 }
    await assert.rejects(saveConnector(theirs, 'mallory', { ...described, scope: 'openid' }), refused)
    await assert.rejects(saveConnector(theirs, 'mallory', described, { dry_run: true }), refused)
    await assert.rejects(deleteConnector(theirs, 'mallory', 'crm', { disconnect: true }), refused)
    assert.equal(await rotateConnectorKey(theirs, 'mallory', 'crm'), 'not_ours')
    assert.equal(await unchanged(theirs), other!.version)
    // Whether its people may use it is the tenant's own affair.
    assert.equal(await setConnectorDisabled(theirs, 'admin', 'crm', true), true)
    assert.equal((await findConnector(ours, 'crm'))!.disabled_at, null)

    await saveConnector(theirs, 'admin', { ...described, connector: 'mine' })
    assert.match((await giveConnectors(theirs, [described, { ...described, connector: 'mine' }])).join(), /of its own/)
    assert.equal((await findConnector(theirs, 'mine'))!.settings.for_everyone, undefined)

    const { connection_id } = await connectAs(ours, bench.user_id, { connector: 'crm' })
    const moved = { ...described, client_id: 'another' }
    assert.match((await giveConnectors(ours, [moved])).join(), /client_id may not change while it has connections/)
    assert.match((await giveConnectors(ours, [])).join(), /goes when its connections have ended/)
    assert.equal((await freshToken(ours, { connection_id: connection_id!, user_id: bench.user_id })).kind, 'token')
    await disconnect(ours, { connection_id: connection_id!, actor: 'test' })
    for (const context of [ours, theirs]) {
      assert.deepEqual(await giveConnectors(context, []), [])
      assert.equal(await findConnector(context, 'crm'), null)
    }
    assert.ok(await findConnector(theirs, 'mine'))
  } finally {
    await foreign.close()
    await bench.drop()
  }
})
