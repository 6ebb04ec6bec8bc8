import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ALICE, type Bridge, startBridge } from '../parts/bridge.ts'
import type { UserAgent } from '../parts/user_agent.ts'

const PASSWORD_PAGE = '/account/security/password'
let bridge: Bridge
let alice: UserAgent
let { password }: { password: string } = ALICE

before(async () => {
  bridge = await startBridge()
  alice = await bridge.signIn()
  await bridge.connect(alice)
})
after(() => bridge.stop())

/** Whether an app may still act: its refresh token, its access token, and the connection that it uses. */
async function mayAct(tokens: { access_token: string; refresh_token: string }) {
  const introspected = await bridge.post('/introspect', { token: tokens.access_token })
  const proxied = await bridge.get('/proxy/acme/me', tokens.access_token)
  const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }
  const refreshed = await bridge.post('/token', form)
  return { active: introspected.body.active, proxied: proxied.status, refreshed: refreshed.status }
}

const ALL = { active: true, proxied: 200, refreshed: 200 }
const NOTHING = { active: false, proxied: 401, refreshed: 400 }

async function changePassword(apps: 'keep' | 'end'): Promise<void> {
  const next = `${password}, and more`
  const values = { present_password: password, password: next, apps }
  const { response } = await bridge.press(alice, PASSWORD_PAGE, 'present_password', values)
  assert.equal(response.status, 200, await response.text())
  password = next
}

test('V9 a permission is removed, and the password stays as it is', async () => {
  const tokens = await bridge.obtain(alice)
  assert.deepEqual(await mayAct(tokens), ALL)
  const { response } = await bridge.press(alice, '/account', '/account/apps/revoke')
  assert.equal(response.status, 200)
  assert.deepEqual(await mayAct(tokens), NOTHING)
  const again = await bridge.signIn({ ...ALICE, password })
  assert.match(await (await again.follow(`${bridge.issuer}/account`)).response.text(), /alice-at-acme/)
})

test('V9 whoever changes a password is asked what becomes of the permissions, and they stay unless told otherwise', async () => {
  const tokens = await bridge.obtain(alice)
  const page = await (await alice.follow(bridge.issuer + PASSWORD_PAGE)).response.text()
  assert.match(page, /name="apps" value="keep"[^>]* checked/)
  assert.match(page, /name="apps" value="end"(?![^>]* checked)/)
  await changePassword('keep')
  assert.deepEqual(await mayAct(tokens), ALL)
  assert.equal((await bridge.connections())[0]?.state, 'ready')
})

test('V9 they end with the password where that is chosen: the apps, not the accounts that are connected', async () => {
  const tokens = await bridge.obtain(alice)
  await changePassword('end')
  assert.deepEqual(await mayAct(tokens), NOTHING)
  assert.equal((await bridge.connections())[0]?.state, 'ready')
  assert.equal((await mayAct(await bridge.obtain(alice))).proxied, 200, 'what is allowed from now on holds')
})
