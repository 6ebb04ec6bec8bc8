import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openVault } from '../../server/src/outbound/vault/vault.ts'
import { VaultKeys } from '../../server/src/outbound/vault/vault_keys.ts'
import { type Bridge, startBridge } from '../parts/bridge.ts'
import { dumpRows, printRow, snapshotRows } from '../parts/snapshot.ts'
import { DIALECTS } from '../parts/stores.ts'
import type { UserAgent } from '../parts/user_agent.ts'

for (const dialect of DIALECTS) {
  describe(`a vault without its root key, on ${dialect}`, () => {
    let bridge: Bridge
    let alice: UserAgent
    let open: VaultKeys
    const give = (vault_keys: VaultKeys) => Object.assign(bridge.server.app.web.outbound, { vault_keys })
    before(async () => {
      bridge = await startBridge({ dialect, access_token_seconds: 300 })
      alice = await bridge.signIn()
      await bridge.connect(alice)
      open = bridge.server.app.web.outbound.vault_keys
    })
    after(() => bridge.stop())

    test('13.3.1 5.4 T-01 no row holds a token of a provider, a secret there or a data key, in any spelling', async () => {
      const { web, tenant } = bridge.server.app
      const [{ connection_id } = { connection_id: '' }] = await bridge.connections()
      const { connection } = (await tenant.store.loadConnection({ tenant_id: tenant.tenant_id, connection_id }))!
      const vault = await openVault(web.outbound, connection_id, connection.data_key!)
      const tokens = vault.open(connection.sealed_tokens!, connection.generation)
      const place = { table: 'connections', row: connection_id, column: 'data_key', version: 1 }
      const data_key = (await open.find(connection.data_key!)).open(connection.data_key!, place)
      const secrets = { ...tokens, data_key: data_key.toString('latin1'), secret: 'secret-at-acme' }
      const dump = [...(await dumpRows(bridge.server.store))].flatMap(([, rows]) => rows.map((row) => printRow(row)))
      const text = dump.join('\n')
      assert.match(text, /alice-at-acme/)
      assert.ok(tokens.refresh_token && tokens.id_token)
      for (const name of ['access_token', 'refresh_token', 'id_token', 'data_key', 'secret'] as const) {
        const bytes = Buffer.from(secrets[name]!, 'latin1')
        for (const spelling of ['latin1', 'hex', 'base64', 'base64url'] as const) {
          assert.equal(text.includes(bytes.toString(spelling)), false, `${name} is in the database`)
        }
      }
    })

    test('R-20 16.5.2 it gives nothing out, asks no provider, changes nothing, and opens again with its key', async () => {
      const { access_token } = await bridge.obtain(alice)
      const proxied = () => bridge.get('/proxy/acme/me', access_token)
      assert.equal((await proxied()).status, 200)
      bridge.clock.offset += 301_000
      const before = { calls: bridge.foreign.ledger.length, connections: await rowsOf('connections') }
      give(new VaultKeys(bridge.server.app.tenant, []))
      const refused = await proxied()
      assert.equal(refused.status, 503)
      assert.doesNotMatch(refused.text, /root key|[0-9a-f]{16}/, 'why is for the operator')
      const left = await alice.follow(`${bridge.issuer}/connect/acme`)
      assert.deepEqual([left.response.status, new URL(left.url).origin], [503, new URL(bridge.issuer).origin])
      assert.deepEqual({ calls: bridge.foreign.ledger.length, connections: await rowsOf('connections') }, before)
      give(open)
      assert.equal((await proxied()).status, 200)
    })

    test('R-20 meanwhile readiness says why, and the inbound half signs in, issues, refreshes and verifies', async () => {
      give(new VaultKeys(bridge.server.app.tenant, []))
      try {
        const ready = await bridge.get('/readyz')
        assert.deepEqual([ready.status, ready.body.status], [503, 'not ready'])
        assert.match(
          ready.body.reason,
          /^The vault is closed: its keys are wrapped by root key \w+, and none was given$/,
        )
        for (const path of ['/readyz?half=inbound', '/healthz', '/jwks', '/.well-known/openid-configuration']) {
          assert.equal((await bridge.get(path)).status, 200, path)
        }
        const person = await bridge.signIn()
        const asked = { scope: 'openid offline_access api:read', resource: `${bridge.issuer}/notes` }
        const tokens = await bridge.obtain(person, asked)
        const next = await bridge.post('/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token })
        assert.equal(next.status, 200, next.text)
        const userinfo = await bridge.obtain(person, { scope: 'openid', resource: [] })
        assert.equal((await bridge.get('/userinfo', userinfo.access_token)).status, 200)
      } finally {
        give(open)
      }
      assert.equal((await bridge.get('/readyz')).status, 200)
    })

    async function rowsOf(table: string): Promise<string> {
      return (await snapshotRows(bridge.server.store))[table]!
    }
  })
}
