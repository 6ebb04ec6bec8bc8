import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Bridge, startBridge } from '../parts/bridge.ts'
import { type ConnectPlatform, consentOverThere, startConnectPlatform } from '../parts/connect_platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

const MAILBOX = 'alarms-at-acme'
const MAILBOX_NAME = 'alarms-at-acme@foreign.example'

let bridge: Bridge
let scada: ConnectPlatform
before(async () => {
  bridge = await startBridge({ path: '/hub' })
  scada = await startConnectPlatform(bridge, 'scada')
})
after(() => bridge.stop())

const invite = (more: object = {}) =>
  scada.make({
    ...{ end_user_id: 'alarm-mailbox', origins: [], invitation: true, expected_account: MAILBOX_NAME },
    ...{ scope: 'openid email offline_access', ...more },
  })

/** What the owner of the mailbox does: opens the link, reads who asks, goes on, signs in over there as somebody. */
async function follow(url: string, as: string): Promise<{ said: string; ended: string; person: UserAgent }> {
  const person = new UserAgent()
  const { url: here, response } = await person.follow(url)
  const html = await response.text()
  assert.equal(response.status, 200, html)
  const left = await person.submit({ url: here, html }, {}, 'name="token"')
  assert.equal(new URL(left.url).origin, new URL(bridge.foreign.issuer).origin)
  const back = await consentOverThere(bridge, left.url, as)
  const done = await person.follow(back.href)
  return { said: html, ended: await done.response.text(), person }
}

test('V3 the owner is another person than the operator: a link, the expected account, and a look before it is live', async () => {
  const { session_id, invitation_url, expires_at } = await invite()
  assert.ok(expires_at - bridge.server.app.tenant.clock() > 2 * 86_400_000)
  const { said, ended } = await follow(invitation_url, MAILBOX)
  // Which program asks, for whom, for which account, and who keeps it.
  const { host, pathname } = new URL(bridge.issuer)
  for (const part of ['The scada platform', '>scada<', '>alarm-mailbox<', MAILBOX_NAME, `>${host}${pathname}<`]) {
    assert.ok(said.includes(part), part)
  }
  assert.match(said, /Go on only if you know/)
  assert.match(ended, /looks at .*alarms-at-acme@foreign\.example.* before it is used/)
  const seen = (await scada.status(session_id)).body
  assert.deepEqual([seen.status, seen.account, seen.account_name], ['unconfirmed', MAILBOX, MAILBOX_NAME])
  const { connection_id } = seen
  assert.equal((await scada.call('GET', `/connections/${connection_id}/token`)).body.error, 'connection_pending')
  const confirm = (body: object) => scada.call('POST', `/connect_sessions/${session_id}/confirm`, body)
  for (const wrong of [{}, { account: 'operator-at-acme' }, { confirmation_code: 'x' }]) {
    assert.equal((await confirm(wrong)).status, 400)
  }
  // The operator takes their time: longer than a signed-in user of a platform could.
  bridge.clock.offset += 2 * 86_400_000
  assert.equal((await confirm({ account: MAILBOX_NAME })).body.status, 'connected')
  const token = await scada.call('GET', `/connections/${connection_id}/token`)
  assert.deepEqual([token.status, token.body.scope], [200, 'openid email offline_access'])
  bridge.clock.offset = 0
})

test('V3 another account than the expected is not stored, the person reads why, and may try again', async () => {
  const { session_id, invitation_url } = await invite({ end_user_id: 'second-mailbox' })
  const { ended, person } = await follow(invitation_url, 'operator-at-acme')
  assert.match(ended, /That is another account[\s\S]*alarms-at-acme@foreign\.example/)
  const { body } = await scada.status(session_id)
  assert.deepEqual([body.status, body.reason, body.connection_id], ['failed', 'other_account', null])
  const again = /href="([^"]*session\/start[^"]*)"/.exec(ended)![1]!.replaceAll('&amp;', '&')
  const left = await person.follow(new URL(again, bridge.issuer).href)
  await person.follow((await consentOverThere(bridge, left.url, MAILBOX)).href)
  assert.equal((await scada.status(session_id)).body.status, 'unconfirmed')
})

test('V3 nOAuth a name that somebody gives themselves is not the expected account, nor is an address that nobody verified', async () => {
  const named = { name: MAILBOX_NAME, preferred_username: MAILBOX_NAME }
  const cases = [
    [{ ...named, email: MAILBOX_NAME, email_verified: false }, 'failed'],
    [{ ...named, email: MAILBOX_NAME, email_verified: undefined }, 'failed'],
    [{ ...named, email: MAILBOX_NAME, email_verified: 'false' }, 'failed'],
    [{ ...named, email: 'mallory@elsewhere.example', email_verified: true }, 'failed'],
    // Of which the lower case is the letter k of somebody else.
    [{ email: '\u212Aate@elsewhere.example', email_verified: true }, 'failed', 'kate@elsewhere.example'],
    [{ email: 'Alarms-at-Acme@foreign.example', email_verified: true }, 'unconfirmed'],
    [{ email: 'x@elsewhere.example', email_verified: 'true' }, 'unconfirmed', 'x@elsewhere.example'],
    [{ email: undefined, email_verified: undefined }, 'unconfirmed', 'id-at-acme'],
  ] as const
  for (const [i, [claims, status, expected_account]] of cases.entries()) {
    bridge.foreign.claims = claims
    const more = expected_account === undefined ? {} : { expected_account }
    const { session_id, invitation_url } = await invite({ end_user_id: `mailbox-${i}`, ...more })
    await follow(invitation_url, expected_account === 'id-at-acme' ? expected_account : `mallory-${i}`)
    const { body } = await scada.status(session_id)
    assert.deepEqual([body.status, body.reason], [status, status === 'failed' ? 'other_account' : null], `${i}`)
  }
  bridge.foreign.claims = {}
})

test('V3 a link works once: opened by a mail scanner it is still good, used it is not', async () => {
  const { invitation_url } = await invite({ end_user_id: 'third-mailbox' })
  for (let i = 0; i < 3; i++) assert.equal((await new UserAgent().follow(invitation_url)).response.status, 200)
  await follow(invitation_url, MAILBOX)
  const { response } = await new UserAgent().follow(invitation_url)
  assert.equal(response.status, 400)
  assert.match(await response.text(), /has been used or is too old/)
})

test('V3 what the operator does not want is ended, at the provider as well', async () => {
  const { session_id, invitation_url } = await invite({ end_user_id: 'fourth-mailbox', expected_account: undefined })
  await follow(invitation_url, 'somebody-at-acme')
  const { account_name } = (await scada.status(session_id)).body
  assert.equal(account_name, 'somebody-at-acme@foreign.example')
  assert.equal((await scada.call('POST', `/connect_sessions/${session_id}/end`)).body.status, 'ended')
  const { items } = (await scada.call('GET', '/connections?end_user_id=fourth-mailbox')).body
  assert.deepEqual(
    items.map(({ state, reason }: Record<string, string>) => [state, reason]),
    [['disconnected', 'not_confirmed']],
  )
})

test('V3 only the scopes that the owner allowed are asked for', async () => {
  const { status, body } = await scada.call('POST', '/connect_sessions', {
    ...{ end_user_id: 'fifth-mailbox', connectors: ['acme'], invitation: true, scope: 'openid mail.send' },
  })
  assert.equal(status, 400, JSON.stringify(body))
  assert.equal(body.error, 'invalid_scope')
})
