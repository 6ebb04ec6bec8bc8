import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signJwt } from '../../server/src/crypto/jwt.ts'
import { saveSettings } from '../../server/src/inbound/administration/configure.ts'
import { ADMINISTRATOR } from '../../server/src/inbound/tenants.ts'
import { createSetupLink } from '../../server/src/inbound/users/setup_link.ts'
import { onBothDatabases } from '../parts/platform.ts'
import { startSallyport } from '../parts/sallyport.ts'
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
  assert.match(await taken.response.text(), /This username is taken/)
  // What a file has set before there is anybody holds for the first one too.
  const settings = { password_min_length_administrators: 20 }
  await saveSettings(tenant, settings, { actor: 'test', changed: [] })
  const short = await agent.submit(shown, { username: 'kim', password: 'a long password' }, 'setup_token')
  assert.deepEqual([short.response.status, / 20 /.test(await short.response.text())], [400, true])
  // An applied file was faster.
  const judy = { username: 'judy', password: 'a longer password of judy' }
  await p.server.addUser({ ...judy, roles: [ADMINISTRATOR] })
  assert.equal((await agent.follow(first.url)).response.status, 403)
  const late = await agent.submit(shown, { username: 'mallory', password: 'a long password' }, 'setup_token')
  assert.equal(late.response.status, 403)
  const { tenant_id, store } = tenant
  assert.equal(await store.findUserByUsername({ tenant_id, username_key: 'mallory' }), null)
})

test('the second step of a first run warns whoever came by another host than the issuer, and is for administrators', async () => {
  const server = await startSallyport()
  try {
    const link = await createSetupLink(server.app.tenant, 'test')
    const agent = new UserAgent()
    const page = { url: link.url, html: await (await agent.follow(link.url)).response.text() }
    const form = { username: 'root', password: 'a long password of mine' }
    const { url, response } = await agent.submit(page, form, 'setup_token')
    assert.equal(url, `${server.issuer}/admin/first_run`)
    const same = await response.text()
    assert.ok(same.includes('Your browser came to this address') && same.includes('/admin/clients/new?first=true'))
    const elsewhere = await (await agent.request(url.replace('127.0.0.1', 'localhost'))).text()
    assert.match(elsewhere, /Your browser came to [^<]*<[^>]*>localhost:\d+/)
    assert.match((await new UserAgent().follow(url)).url, /\/login\?/)
    const last = await (await agent.follow(`${server.issuer}/admin/clients/new?first=true`)).response.text()
    assert.match(last, /Step 3 of 3/)
  } finally {
    await server.stop()
  }
})

test('CVE-2026-1529 a setup link is a secret of chance, good once: nothing that somebody makes up is one', async () => {
  const server = await startSallyport()
  try {
    const { tenant } = server.app
    const { url } = await createSetupLink(tenant, 'test')
    const token = new URL(url).searchParams.get('token')!
    assert.match(token, /^sp_setup_[\w-]{43}$/)
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { iss: server.issuer, aud: server.issuer, sub: 'mallory', roles: [ADMINISTRATOR], exp: 9e9 }
    const key = (await tenant.currentConfiguration()).signing_key
    const agent = new UserAgent()
    const page = { url, html: await (await agent.follow(url)).response.text() }
    const redeem = async (setup_token: string, username: string) => {
      const form = { username, password: 'a long password of mine', setup_token }
      return (await agent.submit(page, form, 'setup_token')).response.status
    }
    for (const [what, forged] of [
      ['an unsigned JWT', `${encode({ alg: 'none' })}.${encode(claims)}.`],
      ['a JWT that we signed ourselves for something else', await signJwt(key, 'JWT', claims)],
      ['a JWT behind our prefix', `sp_setup_${encode({ alg: 'none' })}.${encode(claims)}.`],
      ['its hash', tenant.keys.hashSecret(token).toString('base64url')],
      ['a shorter one', token.slice(0, -1)],
      ['a longer one', `${token}A`],
      ['another case', token.toUpperCase()],
      ['another prefix', token.replace('setup', 'reset')],
      ['nothing', ''],
    ] as const) {
      assert.ok([400, 403].includes(await redeem(forged, 'mallory')), what)
    }
    assert.equal(await redeem(token, 'ada'), 200)
    assert.equal(await redeem(token, 'mallory'), 403, 'it was good once')
    const { tenant_id, store } = tenant
    assert.equal(await store.findUserByUsername({ tenant_id, username_key: 'mallory' }), null)
    assert.ok(await store.findUserByUsername({ tenant_id, username_key: 'ada' }))
  } finally {
    await server.stop()
  }
})
