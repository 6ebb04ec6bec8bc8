import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { deleteConnector, findConnector, saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { giveConnectors } from '../../server/src/outbound/administration/connectors_for_everyone.ts'
import { revokeUnchosen } from '../../server/src/outbound/connect/unchosen.ts'
import { disconnect } from '../../server/src/outbound/connections/disconnect.ts'
import { createCatalogue } from '../../server/src/providers/catalogue.ts'
import { startUpkeep } from '../../server/src/upkeep.ts'
import { BOB } from '../parts/bridge.ts'
import { CHOSEN } from '../parts/fake_authorization_server.ts'
import { type FakeInternet, startFakeInternet } from '../parts/fake_internet.ts'
import { FakeProvider } from '../parts/fake_provider.ts'
import { REGISTRATION } from '../parts/fake_record.ts'
import { handTimers } from '../parts/hand_timers.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'
import { listEvents } from '../parts/vault.ts'

const ALICE = { username: 'alice', password: 'correct horse battery', roles: ['administrator'] }
const clock = { offset: 0 }
const now = () => Date.now() + clock.offset
let server: TestServer
let internet: FakeInternet
/** How often the provider that was last asked was told to revoke a token. */
let revoked: () => number
let users: Record<'alice' | 'bob', string>

before(async () => {
  internet = await startFakeInternet()
  server = await startSallyport({ clock: now, app: { egress: internet.egress } })
  users = { alice: await server.addUser(ALICE), bob: await server.addUser(BOB) }
  for (const provider of ['atlassian', 'slack', 'xero']) {
    await saveConnector(server.app.web.outbound, 'test', {
      ...{ connector: provider, provider, ...REGISTRATION, scope: 'read' },
    })
  }
  const placeholders = { subdomain: 'acme' }
  await saveConnector(server.app.web.outbound, 'test', { connector: 'desk', provider: 'freshdesk', placeholders })
  await saveConnector(server.app.web.outbound, 'test', { connector: 'charts', provider: 'amplitude' })
})
after(async () => {
  await server.stop()
  await internet.close()
})

async function signIn(user: { username: string; password: string } = ALICE): Promise<UserAgent> {
  const person = new UserAgent()
  const { url, response } = await person.follow(`${server.issuer}/login`)
  await person.submit({ url, html: await response.text() }, user)
  return person
}

/** From our link to where the provider sends the browser back to. */
async function consent(person: UserAgent, connector: string, provider = connector): Promise<URL> {
  const redirect_uri = `${server.issuer}/connect/${connector}/callback`
  // Headers that name what was chosen are not there before that.
  const { fields, ...record } = createCatalogue().get(provider)!
  const { api_headers: _, ...others } = fields
  const there = new FakeProvider({ ...record, fields: others }, { redirect_uri, now })
  internet.serve(there)
  revoked = () => there.seen.filter((kind) => kind === 'revocation').length
  const left = await person.follow(`${server.issuer}/connect/${connector}`)
  return new URL(`${redirect_uri}?${there.authorize(left.url)}`)
}

async function connections(user: 'alice' | 'bob' = 'alice') {
  const { tenant_id, store } = server.app.tenant
  return store.listConnectionsOfUser({ tenant_id, user_id: users[user] })
}

test('a consent that reaches several sites asks for one, and nothing is connected before', async () => {
  const person = await signIn()
  const back = await consent(person, 'atlassian')
  const { url, response } = await person.follow(back.href)
  const html = await response.text()
  assert.equal(response.status, 200)
  assert.match(html, /Which one at <bdi>Atlassian<\/bdi>\?/)
  assert.match(html, /The first[\s\S]*The second/)
  assert.deepEqual(await connections(), [])
  const page = { url, html }

  const nobody = await person.submit(page, { option: 'somewhere-else' }, 'sp_ch_')
  assert.equal(nobody.response.status, 400)
  assert.deepEqual(await connections(), [], 'what was not offered is not chosen')
  // Nor was the choice used up by it, or by a change of the connector that leaves it where it is.
  await saveConnector(server.app.web.outbound, 'test', {
    ...{ connector: 'atlassian', provider: 'atlassian', ...REGISTRATION, scope: 'read write' },
  })
  assert.equal((await person.submit(page, { option: CHOSEN }, 'sp_ch_')).url, `${server.issuer}/account`)
  const [{ connection_id } = { connection_id: '' }] = await connections()
  await disconnect(server.app.web.outbound, { connection_id, actor: 'test' })
})

test('O-04 10.2.1 what was offered is chosen once, by the same user in the same browser', async () => {
  const person = await signIn()
  const { url, response } = await person.follow((await consent(person, 'atlassian')).href)
  const page = { url, html: await response.text() }
  const choice = /name="choice" value="(sp_ch_[\w-]{43})"/.exec(page.html)![1]!
  for (const other of [await signIn(BOB), await signIn()]) {
    const account = await other.follow(`${server.issuer}/account`)
    const csrf_token = /name="csrf_token" value="([^"]+)"/.exec(await account.response.text())![1]!
    const own = page.html.replace(/name="csrf_token" value="[^"]+"/, `name="csrf_token" value="${csrf_token}"`)
    const stolen = await other.submit({ url, html: own }, { option: CHOSEN }, 'sp_ch_')
    assert.equal(stolen.response.status, 400)
    assert.match(await stolen.response.text(), /started somewhere else/)
  }
  const asState = `${server.issuer}/connect/atlassian/callback?code=x&state=${choice}`
  assert.equal((await person.follow(asState)).response.status, 400)
  assert.deepEqual([await connections(), await connections('bob')], [[], []])

  const done = await person.submit(page, { option: CHOSEN }, 'sp_ch_')
  assert.equal(done.url, `${server.issuer}/account`)
  const [made, ...more] = await connections()
  assert.equal(more.length, 0)
  assert.equal(made!.account, `value of account_id ${CHOSEN}`)
  assert.equal(made!.account_name, 'value of email, The second')
  const again = await person.submit(page, { option: 'choice-1' }, 'sp_ch_')
  assert.equal(again.response.status, 400)
  assert.match(await again.response.text(), /came twice or too late/)
  assert.equal((await connections()).length, 1)
})

/** Lets the work behind the requests take back what nobody has chosen; answers what was said of it, so far. */
async function lapses(connector: string): Promise<string[]> {
  const timers = handTimers()
  const upkeep = startUpkeep(server.app, { timers })
  timers.pass(60_000)
  await upkeep.stop()
  const events = await listEvents(server.app.tenant)
  const said = events.filter(({ type }) => type === 'connect.choice_lapsed').map(({ detail }) => JSON.parse(detail!))
  return said.filter((one) => one.connector === connector).map(({ revocation }) => revocation)
}

/** Up to the page that asks which one. */
async function offered(person: UserAgent, connector: string, provider = connector) {
  const { url, response } = await person.follow((await consent(person, connector, provider)).href)
  return { url, html: await response.text() }
}

test('10.4.9 what nobody has chosen is taken back at the provider, once, and can be chosen no more', async () => {
  const person = await signIn()
  const page = await offered(person, 'xero')
  assert.deepEqual([await lapses('xero'), revoked()], [[], 0], 'there is time to choose')
  clock.offset += 700_000
  assert.deepEqual(await lapses('xero'), ['revoked'])
  assert.equal(revoked(), 1)
  const late = await person.submit(page, { option: CHOSEN }, 'sp_ch_')
  assert.equal(late.response.status, 400)
  assert.deepEqual([(await lapses('xero')).length, revoked()], [1, 1])
})

test('10.4.9 a process that dies over what nobody has chosen loses none of it', async () => {
  const before = (await lapses('xero')).length
  const person = await signIn()
  await offered(person, 'xero')
  clock.offset += 700_000
  const { outbound } = server.app.web
  const { tenant } = outbound
  // It dies when the token was revoked, and nobody has noted it.
  const dropChoice = () => Promise.reject(new Error('killed'))
  const dying: typeof tenant = Object.create(tenant, { store: { value: { ...tenant.store, dropChoice } } })
  await assert.rejects(revokeUnchosen({ ...outbound, tenant: dying }), /killed/)
  assert.equal(revoked(), 1)
  assert.deepEqual([(await lapses('xero')).slice(before), revoked()], [['revoked'], 2])
})

test('a connector is not deleted, nor moved, before what somebody has to choose of was taken back', async () => {
  const input = { connector: 'books', provider: 'xero', ...REGISTRATION, scope: 'read' }
  const { outbound } = server.app.web
  for (const go of [
    () => saveConnector(outbound, 'test', { ...input, client_id: 'another', client_secret: 'secret' }),
    () => deleteConnector(outbound, 'test', 'books'),
  ]) {
    await saveConnector(outbound, 'test', input)
    const before = (await lapses('books')).length
    const person = await signIn()
    const page = await offered(person, 'books', 'xero')
    assert.match(String(await go()), /changed|deleted/)
    assert.deepEqual([(await lapses('books')).slice(before), revoked()], [['revoked'], 1])
    assert.equal((await person.submit(page, { option: CHOSEN }, 'sp_ch_')).response.status, 400)
  }
})

test('a connector that goes takes nothing along that waits for a choice through another one of the same registration', async () => {
  const { outbound } = server.app.web
  const input = { provider: 'xero', ...REGISTRATION, scope: 'read' }
  for (const connector of ['left', 'right']) await saveConnector(outbound, 'test', { ...input, connector })
  const person = await signIn()
  await offered(person, 'left', 'xero')
  const page = await offered(person, 'right', 'xero')
  assert.equal(await deleteConnector(outbound, 'test', 'left'), 'deleted')
  assert.deepEqual([await lapses('left'), revoked()], [['spared'], 0])
  assert.equal((await person.submit(page, { option: CHOSEN }, 'sp_ch_')).url, `${server.issuer}/account`)
  await deleteConnector(outbound, 'test', 'right', { disconnect: true })
})

test('what is taken back ends nothing that rests on a consent of the same account, whoever has it and by whichever connector', async () => {
  const person = await signIn()
  const first = await offered(person, 'xero')
  clock.offset += 400_000
  // While another choice waits, it is not known whether that needs the same consent.
  const second = await offered(person, 'xero')
  const before = (await lapses('xero')).length
  clock.offset += 300_000
  assert.deepEqual([(await lapses('xero')).length, revoked()], [before, 0])
  assert.equal((await person.submit(first, { option: CHOSEN }, 'sp_ch_')).response.status, 400)
  assert.equal((await person.submit(second, { option: CHOSEN }, 'sp_ch_')).url, `${server.issuer}/account`)
  assert.deepEqual([(await lapses('xero')).slice(before), revoked()], [['spared'], 0])

  await saveConnector(server.app.web.outbound, 'test', {
    ...{ connector: 'xero-too', provider: 'xero', ...REGISTRATION, scope: 'read' },
  })
  await offered(await signIn(BOB), 'xero-too', 'xero')
  clock.offset += 700_000
  assert.deepEqual([await lapses('xero-too'), revoked()], [['spared'], 0])
})

test('10.4.9 what has to wait for another choice keeps nothing behind it from being taken back', async () => {
  const before = (await lapses('atlassian')).length
  const person = await signIn()
  await offered(person, 'xero')
  await offered(await signIn(BOB), 'atlassian')
  clock.offset += 400_000
  const last = await offered(person, 'xero')
  clock.offset += 300_000
  const { outbound } = server.app.web
  const { store } = outbound.tenant
  // As if very many had to wait.
  const listLapsedChoices: typeof store.listLapsedChoices = async (args) => {
    const [head, ...others] = await store.listLapsedChoices({ ...args, after: null })
    return args.after ? others : Array.from({ length: args.most ?? 50 }, () => head!)
  }
  const tenant = Object.create(outbound.tenant, { store: { value: { ...store, listLapsedChoices } } })
  assert.equal(await revokeUnchosen({ ...outbound, tenant }), 1)
  assert.equal((await lapses('atlassian')).length - before, 1)
  await person.submit(last, { option: CHOSEN }, 'sp_ch_')
})

test('Form Post Response Mode 2 an answer that is posted comes to the same end, without what belongs into no URL', async () => {
  const person = await signIn()
  const back = await consent(person, 'slack')
  const body = new URLSearchParams([...back.searchParams, ['user', '{"name":"Alice"}'], ['id_token', 'x']])
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' }
  const action = back.origin + back.pathname
  // The form of another site comes without cookies.
  const answer = await fetch(action, { method: 'POST', body: String(body), headers, redirect: 'manual' })
  assert.equal(answer.status, 303)
  assert.deepEqual(answer.headers.getSetCookie(), [])
  const next = new URL(answer.headers.get('location')!, action)
  assert.equal(next.pathname, back.pathname)
  assert.deepEqual([...next.searchParams.keys()].sort(), ['code', 'state'])
  assert.equal((await person.follow(next.href)).url, `${server.issuer}/account`)
  assert.ok((await connections()).some(({ connector }) => connector === 'slack'))
})

test('10.2.1 M-09 an answer that nobody here asked for is dropped, and a flow of ours begins, where people start at the provider', async () => {
  const person = await signIn(BOB)
  const installed = await person.follow(`${server.issuer}/connect/slack/callback?code=of-mallory`)
  const url = new URL(installed.url)
  assert.equal(url.origin + url.pathname, 'https://slack.com/oauth/v2/authorize')
  assert.match(url.searchParams.get('state')!, /^[\w-]{43}$/)
  const elsewhere = await person.follow(`${server.issuer}/connect/atlassian/callback?code=of-mallory`)
  assert.equal(elsewhere.response.status, 400)
  assert.deepEqual(await connections('bob'), [])
})

test('the console shows what the record of a provider says to people', async () => {
  const person = await signIn()
  const { response } = await person.follow(`${server.issuer}/admin/connector?connector=slack`)
  const html = await response.text()
  assert.match(html, /Rotation is a setting of the application/)
  assert.match(html, /Delete slack\?|Delete <bdi>slack/)
})

test('a connector for everyone is disabled in the console, and neither deleted nor changed there', async () => {
  const { outbound } = server.app.web
  await giveConnectors(outbound, [{ connector: 'given', provider: 'slack', ...REGISTRATION, scope: 'read' }])
  const person = await signIn()
  const url = `${server.issuer}/admin/connector?connector=given`
  const html = await (await person.follow(url)).response.text()
  assert.match(html, /for every tenant/)
  assert.match(html, /Disable/)
  assert.doesNotMatch(html, /Delete/)
  const csrf_token = /name="csrf_token" value="([^"]+)"/.exec(html)![1]!
  const body = new URLSearchParams({ csrf_token, connector: 'given' })
  const forced = await person.follow(`${server.issuer}/admin/connector/delete`, {
    method: 'POST',
    body: `${body}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(server.issuer).origin },
  })
  assert.equal(forced.response.status, 403)
  assert.match(await forced.response.text(), /cannot be answered/)
  assert.ok(await findConnector(outbound, 'given'))
})

async function keyPage(person: UserAgent, connector: string): Promise<{ url: string; html: string }> {
  const { url, response } = await person.follow(`${server.issuer}/connect/${connector}?return_to=/account/security`)
  const html = await response.text()
  assert.equal(response.status, 200, html)
  assert.match(url, new RegExp(`/connect/${connector}/key\\?state=[\\w-]{43}$`))
  return { url, html }
}

async function connectedBy(connector: string, user: 'alice' | 'bob' = 'alice'): Promise<number> {
  return (await connections(user)).filter((made) => made.connector === connector && made.state === 'ready').length
}

test('a key is typed on a page of ours, once, and is shown nowhere again', async () => {
  const person = await signIn()
  const page = await keyPage(person, 'desk')
  assert.match(page.html, /Connect <bdi>Freshdesk<\/bdi> by a key/)
  assert.match(page.html, /type="password"[^>]*autocomplete="off"/)
  assert.doesNotMatch(page.html, /name="username"/)
  const wrong = await person.submit(page, { secret: 'two words' })
  assert.equal(wrong.response.status, 400)
  const again = await wrong.response.text()
  assert.match(again, /That cannot be a key/)
  assert.ok(!again.includes('two words'))
  assert.equal(await connectedBy('desk'), 0)
  const done = await person.submit({ url: page.url, html: again }, { secret: 'hush-key' })
  assert.equal(done.url, `${server.issuer}/account/security`)
  assert.equal(await connectedBy('desk'), 1)
  const account = await (await person.follow(`${server.issuer}/account`)).response.text()
  assert.match(account, /Freshdesk/)
  assert.ok(!account.includes('hush-key'))
  assert.equal((await person.submit(page, { secret: 'hush-key' })).response.status, 400, 'a flow counts once')
  assert.equal(await connectedBy('desk'), 1)
})

test('a pair is asked for where the provider takes one, and a name with a colon is none', async () => {
  const person = await signIn()
  const page = await keyPage(person, 'charts')
  assert.match(page.html, /name="username"/)
  const wrong = await person.submit(page, { username: 'a:b', secret: 'c' })
  assert.equal(wrong.response.status, 400)
  assert.match(await wrong.response.text(), /value="a:b"/)
  assert.equal((await person.submit(page, { username: 'a', secret: 'b:c' })).url, `${server.issuer}/account/security`)
  assert.equal(await connectedBy('charts'), 1)
})

test('O-04 10.2.1 a key is taken from the user and browser that started, with the token of the form', async () => {
  const person = await signIn()
  const page = await keyPage(person, 'desk')
  const before = await connectedBy('desk')
  for (const other of [await signIn(BOB), await signIn()]) {
    const account = await other.follow(`${server.issuer}/account`)
    const csrf_token = /name="csrf_token" value="([^"]+)"/.exec(await account.response.text())![1]!
    const own = page.html.replace(/name="csrf_token" value="[^"]+"/, `name="csrf_token" value="${csrf_token}"`)
    const stolen = await other.submit({ url: page.url, html: own }, { secret: 'of the attacker'.replaceAll(' ', '-') })
    assert.equal(stolen.response.status, 400)
    assert.match(await stolen.response.text(), /started somewhere else/)
  }
  const forged = page.html.replace(/name="csrf_token" value="[^"]+"/, 'name="csrf_token" value="forged"')
  assert.equal((await person.submit({ url: page.url, html: forged }, { secret: 'k' })).response.status, 403)
  const stateless = page.html.replaceAll(/state=[\w-]+/g, 'state=none')
  assert.equal((await person.submit({ url: page.url, html: stateless }, { secret: 'k' })).response.status, 400)
  assert.deepEqual([await connectedBy('desk'), await connectedBy('desk', 'bob')], [before, 0])
  for (const connector of ['atlassian', 'nowhere']) {
    const { response } = await person.follow(`${server.issuer}/connect/${connector}/key?state=x`)
    assert.equal(response.status, 404)
  }
  assert.equal((await person.submit(page, { secret: 'k' })).url, `${server.issuer}/account/security`)
})

test('a connector without a key of its own publishes none', async () => {
  for (const connector of ['desk', 'atlassian', 'nowhere']) {
    assert.equal((await fetch(`${server.issuer}/jwks/${connector}`)).status, 404, connector)
  }
})
