import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { DEVICE, type DevicePlatform, PEOPLE, startDevicePlatform } from '../parts/device.ts'
import { open } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

let p: DevicePlatform
let started: Awaited<ReturnType<DevicePlatform['start']>>
before(async () => {
  p = await startDevicePlatform({ path: '/hub' })
})
after(() => p.server.stop())
beforeEach(async () => {
  p.clock.now += 3_600_000
  started = await p.start()
})
const waitFor = (seconds: number) => {
  p.clock.now += seconds * 1000
}

test('a device shows a code, its user allows it, and the device gets tokens that it can refresh', async () => {
  const { device_code, user_code, verification_uri } = await p.start({ scope: 'films:watch offline_access' })
  assert.equal(verification_uri, `${p.server.issuer}/device`)
  assert.deepEqual((await p.poll(device_code)).body.error, 'authorization_pending')
  await p.allow(await p.signIn('alice'), user_code)
  waitFor(5)
  const { status, body } = await p.poll(device_code)
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(body.scope, 'films:watch offline_access')
  assert.equal(body.token_type, 'Bearer')
  const refreshed = await p.ask('/token', { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) })
  assert.equal(refreshed.status, 200, JSON.stringify(refreshed.body))
})

test('D-09 CVE-2026-123542 a device that asks for openid gets an ID token, and PKCE binds the code to it', async () => {
  const code_verifier = 'v'.repeat(43)
  const code_challenge = Buffer.from(
    await crypto.subtle.digest('SHA-256', new TextEncoder().encode(code_verifier)),
  ).toString('base64url')
  const challenge = { code_challenge, code_challenge_method: 'S256' }
  const { device_code, user_code } = await p.start({ scope: 'openid films:watch', ...challenge }, 'box')
  await p.allow(await p.signIn('alice'), user_code)
  for (const verifier of [{}, { code_verifier: 'w'.repeat(43) }]) {
    waitFor(5)
    const wrong = await p.poll(device_code, verifier as Record<string, string>, 'box')
    assert.deepEqual([wrong.status, wrong.body.error], [400, 'invalid_grant'], 'CVE-2026-123542')
  }
  waitFor(5)
  const { body } = await p.poll(device_code, { code_verifier }, 'box')
  assert.match(String(body.id_token), /^ey/)
})

test('D-06 the complete URI fills in the code, and still asks twice', async () => {
  const agent = await p.signIn('alice')
  const page = await open(agent, String(started.verification_uri_complete))
  assert.match(page.html, new RegExp(`name="user_code"[^>]*value="${started.user_code}"`))
  assert.doesNotMatch(page.html, /name="decision"/)
  const question = await p.enter(agent, started.user_code)
  for (const part of ['Big Television', String(started.user_code), 'BigTelevision', 'Watch your films', 'unverified']) {
    if (part !== 'unverified') assert.ok(question.html.includes(part), part)
  }
  assert.equal((await p.poll(started.device_code)).body.error, 'authorization_pending')
})

test('T-04 10.7.2 the user leaves out optional scopes, and chooses when the access of a device ends', async () => {
  await p.server.addClient({
    ...{ client_id: 'modest-tv', token_endpoint_auth_method: 'none', response_types: [] },
    ...{ grant_types: [DEVICE, 'refresh_token'], default_resource: 'https://api.example/films' },
    ...{ scope: 'openid email offline_access films:watch', optional_scope: 'email films:watch' },
    grant_lifetime_seconds: 2 * 86_400,
  })
  const ask = async (scope: string, chosen: Record<string, string>) => {
    const agent = await p.signIn('alice')
    const { device_code, user_code } = await p.start({ scope }, 'modest-tv')
    const { html, url } = await p.enter(agent, user_code)
    const answered = await agent.submit({ html, url }, { decision: 'allow', ...chosen }, 'name="shown"')
    return { html, answered, poll: () => p.poll(device_code, {}, 'modest-tv') }
  }
  const all = 'openid email offline_access films:watch'
  const first = await ask(all, { expires_in: '3600' })
  const boxes = [...first.html.matchAll(/<input type="checkbox" name="(scope\.\d+)" value="([^"]+)"([^>]*)>/g)]
  assert.deepEqual(boxes.map(([, , scope, more]) => [scope, more!.includes('checked')]).sort(), [
    ['email', false],
    ['films:watch', false],
  ])
  assert.match(first.html, /After 2 days/)
  const { body } = await first.poll()
  assert.equal(body.scope, 'openid offline_access')
  waitFor(3601)
  const form = { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) }
  assert.equal((await p.ask('/token', form, 'modest-tv')).body.error, 'invalid_grant')
  const [, name] = boxes.find(([, , scope]) => scope === 'films:watch')!
  const second = await ask(all, { [name!]: 'films:watch', 'scope.9': 'films:buy', expires_in: '999999999' })
  const kept = (await second.poll()).body
  assert.equal(kept.scope, 'openid offline_access films:watch', 'what was not offered cannot be ticked')
  waitFor(2 * 86_400 + 1)
  const late = { grant_type: 'refresh_token', refresh_token: String(kept.refresh_token) }
  assert.equal((await p.ask('/token', late, 'modest-tv')).body.error, 'invalid_grant', 'nor chosen')
  const nothing = await ask('films:watch', {})
  assert.equal(nothing.answered.response.status, 400)
  assert.equal((await nothing.poll()).body.error, 'authorization_pending')
})

test('D-07 both answers are of one look', async () => {
  const question = await p.enter(await p.signIn('alice'), started.user_code)
  const looks = [...question.html.matchAll(/<button class="([^"]+)" name="decision"/g)].map(([, look]) => look)
  assert.deepEqual(looks, ['button ink', 'button ink'])
})

test('whoever is not signed in signs in first, and finds the code filled in', async () => {
  const agent = new UserAgent()
  const login = await open(agent, String(started.verification_uri_complete))
  assert.match(login.url, /\/hub\/login\?/)
  const { url, response } = await agent.submit(login, PEOPLE.alice, 'name="password"')
  assert.equal(new URL(url).pathname, '/hub/device')
  assert.ok((await response.text()).includes(String(started.user_code)))
})

test('"not you?" signs out and comes back to the same code', async () => {
  const agent = await p.signIn('bob')
  const question = await p.enter(agent, started.user_code)
  const { url } = await agent.submit(question, {}, 'Not you')
  assert.match(decodeURIComponent(decodeURIComponent(url)), new RegExp(`/hub/login\\?return_to=.*${started.user_code}`))
})

test('a device whose user refuses is told so', async () => {
  const agent = await p.signIn('alice')
  const done = await p.answer(agent, await p.enter(agent, started.user_code), 'deny')
  assert.match(done.html, /Nothing was allowed/)
  waitFor(5)
  assert.equal((await p.poll(started.device_code)).body.error, 'access_denied')
  assert.match((await p.enter(agent, started.user_code)).html, /answered already/)
})

test('D-03 who polls too soon waits five seconds longer from then on, and a code ends after ten minutes', async () => {
  const polls: [wait: number, error: string][] = [
    [0, 'authorization_pending'],
    [4, 'slow_down'],
    [9, 'slow_down'],
    [14, 'slow_down'],
    [20, 'authorization_pending'],
    [553, 'expired_token'],
  ]
  for (const [wait, error] of polls) {
    waitFor(wait)
    assert.equal((await p.poll(started.device_code)).body.error, error, `after ${wait} s`)
  }
  assert.match((await p.enter(await p.signIn('alice'), started.user_code)).html, /No device waits/)
})

test('the grant of a device stands in the account, and ends there', async () => {
  const { device_code, user_code } = await p.start({ scope: 'films:watch offline_access' })
  const agent = await p.signIn('carol')
  await p.allow(agent, user_code)
  const { body } = await p.poll(device_code)
  const account = await open(agent, `${p.server.issuer}/account`)
  assert.match(account.html, /Big Television/)
  await agent.submit(account, {}, 'apps/revoke')
  const refreshed = await p.ask('/token', { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) })
  assert.equal(refreshed.body.error, 'invalid_grant')
})

test('discovery names the endpoint and the grant type', async () => {
  const metadata = await (await fetch(`${p.server.issuer}/.well-known/openid-configuration`)).json()
  assert.equal(metadata.device_authorization_endpoint, `${p.server.issuer}/device_authorization`)
  assert.ok(metadata.grant_types_supported.includes('urn:ietf:params:oauth:grant-type:device_code'))
})
