import assert from 'node:assert/strict'
import { ADMINISTRATOR } from '../../server/src/inbound/tenants.ts'
import { createSetupLink } from '../../server/src/inbound/users/setup_link.ts'
import { onBothDatabases } from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()

testOnBoth('6.3.2 the setup link makes the first administrator, and nobody once there is one', async (p) => {
  const { tenant } = p.server.app
  const first = await createSetupLink(tenant, 'test')
  const agent = new UserAgent()
  const page = async () => ({ url: first.url, html: await (await agent.follow(first.url)).response.text() })
  const shown = await page()
  await p.server.addUser({ username: 'Ivan', password: 'password of ivan' })
  const taken = await agent.submit(shown, { username: 'ivan', password: 'a long password' }, 'setup_token')
  assert.equal(taken.response.status, 400)
  assert.match(await taken.response.text(), /username is taken/)
  // An applied file was faster.
  const judy = { username: 'judy', password: 'password of judy' }
  await p.server.addUser({ ...judy, roles: [ADMINISTRATOR] })
  assert.equal((await agent.follow(first.url)).response.status, 403)
  const late = await agent.submit(shown, { username: 'mallory', password: 'a long password' }, 'setup_token')
  assert.equal(late.response.status, 403)
  const { tenant_id, store } = tenant
  assert.equal(await store.findUserByUsername({ tenant_id, username_key: 'mallory' }), null)
})
