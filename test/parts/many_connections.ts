import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { newId } from '../../server/src/crypto/random.ts'
import { sealedHeader, sealedKid } from '../../server/src/crypto/seal.ts'
import { RootKey } from '../../server/src/crypto/tenant_keys.ts'
import { createEgress } from '../../server/src/egress/egress.ts'
import { openOrCreateTenant } from '../../server/src/inbound/tenants.ts'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { createOutboundContext, type OutboundContext } from '../../server/src/outbound/context.ts'
import { newVault, openVault } from '../../server/src/outbound/vault/vault.ts'
import { createCatalogue } from '../../server/src/providers/catalogue.ts'
import { openStore, type StoreLocation } from '../../server/src/store/store.ts'
import { addUser, testEvent } from './vault.ts'

const AT_ONCE = 200

/** 32 bytes as a setting has them, and as a root key. */
export function makeRootText(): string {
  return randomBytes(32).toString('base64')
}

/** The outbound half alone over a database, with root keys as a setting lists them. */
export async function openOutbound(
  location: StoreLocation,
  root_text: string,
  issuer = 'http://localhost:9400',
): Promise<OutboundContext & { close(): Promise<void> }> {
  const [first, ...former] = root_text.split(' ').map((text) => Buffer.from(text, 'base64'))
  const store = await openStore(location)
  const egress = createEgress()
  const tenant = await openOrCreateTenant({ issuer, store, root: new RootKey(first!, ...former), clock: Date.now })
  const context = createOutboundContext({
    ...{ tenant, egress, catalogue: createCatalogue(), owner: newId(Date.now()), clock: Date.now },
  })
  return Object.assign(context, {
    async close() {
      await egress.close()
      await store.close()
    },
  })
}

/** Makes so many connections without any provider, each with an access token of its own. */
export async function makeConnections(context: OutboundContext, count: number): Promise<void> {
  const { tenant_id, store } = context.tenant
  const connector = { connector: 'many', provider: 'github', client_id: 'us', client_secret: 'secret' }
  await saveConnector(context, 'test', connector)
  const { version } = (await store.findConnector({ tenant_id, connector: 'many' }))!
  const user_id = await addUser(context.tenant, 'owner')
  const times = { issued_at: Date.now(), access_expires_at: null, refresh_expires_at: null }
  const make = async () => {
    const connection_id = newId(Date.now())
    const vault = await newVault(context, connection_id)
    const tokens = { access_token: tokenOf(connection_id), token_type: 'bearer', extra: {} }
    const stored = await store.connectAccount({
      ...{ tenant_id, connection_id, connector: 'many', connector_version: version, user_id, account: connection_id },
      ...{ account_name: null, generation: null, data_key: vault.data_key },
      answer: vault.seal({ tokens, scope: 'repo', ...times }, 1),
      event: testEvent(tenant_id),
    })
    assert.equal(stored, 'connected')
  }
  for (let made = 0; made < count; made += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - made) }, make))
  }
  // As a database that lives does by itself: its plans go by what it has counted.
  await store.driver.exclusively((session) => session.query('analyze'))
}

const tokenOf = (connection_id: string) => `token-of-${connection_id}`

/** Opens every connection and finds its own token in it; answers how many there are. */
export async function openAll(context: OutboundContext): Promise<number> {
  const { tenant_id, store } = context.tenant
  let opened = 0
  for (let after = { header: sealedHeader(0), connection_id: '' }; ; ) {
    const page = await store.pageDataKeys({ tenant_id, header: sealedHeader(2 ** 32 - 1), after, most: AT_ONCE })
    if (page.length === 0) return opened
    await Promise.all(
      page.map(async ({ connection_id }) => {
        const { connection } = (await store.loadConnection({ tenant_id, connection_id }))!
        const vault = await openVault(context, connection_id, connection.data_key!)
        assert.equal(vault.open(connection.sealed_tokens!, 1).access_token, tokenOf(connection_id))
      }),
    )
    opened += page.length
    const { connection_id, data_key } = page.at(-1)!
    after = { header: sealedHeader(sealedKid(data_key)), connection_id }
  }
}
