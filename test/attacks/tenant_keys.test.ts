import assert from 'node:assert/strict'
import { inboundChores } from '../../server/src/inbound/administration/chores.ts'
import { addTenantKey, useAddedTenantKeys } from '../../server/src/inbound/keys/tenant_keys.ts'
import { JWT_API, OPAQUE_API, onBothDatabases } from '../parts/platform.ts'
import { open } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()

/** The tenant key that one of our opaque strings names. */
const kidOf = (text: string) => Buffer.from(text.replace(/^sp_[a-z]+_/, ''), 'base64url').readUInt32BE(0)

testOnBoth(
  '11.2.2 13.3.4 a tenant key that one replica added is known to all before it seals, and what was sealed before stays good',
  async (p) => {
    const replica = await p.openReplica()
    const tenants = [p.server.app.tenant, replica.tenant]
    const before = await p.getTokens('web', { scope: 'openid offline_access vault:open', resource: OPAQUE_API })
    const kid = kidOf(before.refresh_token)
    assert.equal((await p.introspect(before.access_token, 'api', replica)).active, true)
    await addTenantKey(tenants[0]!, 'cli')
    const meanwhile = await p.refresh('web', before.refresh_token)
    assert.equal(kidOf(meanwhile.body.refresh_token), kid, 'nothing is sealed with it yet')
    assert.equal(await useAddedTenantKeys(tenants[1]!), false)
    p.pass(60)
    assert.equal(await useAddedTenantKeys(tenants[0]!), true)
    const after = (await p.refresh('web', meanwhile.body.refresh_token)).body
    assert.equal(kidOf(after.refresh_token), kid + 1)
    assert.equal(kidOf(after.access_token), kid + 1)
    // The other replica has read nothing of it so far.
    assert.equal((await p.introspect(after.access_token, 'api', replica)).active, true)
    const late = await p.openReplica()
    assert.equal((await p.introspect(before.access_token, 'api', late)).active, true)
    assert.equal((await p.refresh('web', after.refresh_token, {}, replica)).status, 200)
  },
)

testOnBoth(
  '11.2.2 a refresh token by a key that came since is the first thing that an idle replica sees',
  async (p) => {
    const replica = await p.openReplica()
    const tokens = await p.getTokens('web', { scope: 'openid offline_access mcp:tools', resource: JWT_API })
    await replica.tenant.currentConfiguration()
    await addTenantKey(p.server.app.tenant, 'cli')
    p.pass(60)
    await inboundChores(p.server.app.web.inbound)
      .find(({ name }) => name === 'tenant_keys')!
      .run()
    const next = (await p.refresh('web', tokens.refresh_token)).body
    assert.equal((await p.refresh('web', next.refresh_token, {}, replica)).status, 200)
    const { tenant_id, store } = p.server.app.tenant
    const types = (
      await store.pageEvents({ tenant_id, before_event_id: '~', type: 'tenant_key.', actor: '', most: 9 })
    ).map(({ type }) => type)
    assert.deepEqual(new Set(types), new Set(['tenant_key.used', 'tenant_key.added']))
  },
)

testOnBoth('a page between that one replica sealed with a new key opens at the other', async (p) => {
  const replica = await p.openReplica()
  await replica.tenant.currentConfiguration()
  await addTenantKey(p.server.app.tenant, 'cli')
  p.pass(60)
  await useAddedTenantKeys(p.server.app.tenant)
  const agent = new UserAgent()
  const login = await open(agent, p.authorizeUrl('web'))
  const cookie = [...agent.cookies].map((pair) => pair.join('=')).join('; ')
  const answer = await replica.fetch(new Request(login.url, { headers: { cookie } }))
  assert.equal(answer.status, 200)
  assert.match(await answer.text(), /name="password"/)
})
