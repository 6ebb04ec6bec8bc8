import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createEgress, type Egress } from '../../server/src/egress/egress.ts'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { freePort, startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const OPERATOR = { username: 'operator', password: 'the operator of the plant' }
const ADMIN = { username: 'root', password: 'the administrator of it all' }
/** Whose mailbox it is, at the provider. */
const ALARMS = { username: 'alarms', password: 'the mailbox of the alarms' }
const PLANT = { client_id: 'plant', client_secret: 'secret-of-the-plant' }
const SENDER = { client_id: 'sender', client_secret: 'secret-of-the-sender' }
const MAIL = 'https://mail.example'
const MINUTE = 60_000
const DAY = 86_400_000

const clock = { offset: 0 }
const now = () => Date.now() + clock.offset
let plant: TestServer
let provider: TestServer
let egress: Egress
let operator: UserAgent
let admin: UserAgent
let connection_id: string
/** What the plant has sent to the provider's token endpoint. */
let calls = 0

before(async () => {
  const port = await freePort()
  provider = await startSallyport({ clock: now })
  const idle = { refresh_idle_seconds: 45 * 86_400, refresh_lifetime_seconds: 1000 * 86_400 }
  await provider.saveSettings(idle)
  await provider.addUser({ ...ALARMS, roles: [] })
  await provider.addResource({
    resource: MAIL,
    scopes: JSON.stringify({ mail: 'Read and send your mail' }),
    every_user: 1,
  })
  await provider.addClient({
    ...{ ...PLANT, redirect_uris: [`http://127.0.0.1:${port}/connect/mailbox/callback`] },
    ...{ grant_types: ['authorization_code', 'refresh_token'], scope: 'openid offline_access mail' },
  })
  egress = createEgress({ allow: ['127.0.0.1'] })
  const counted: Egress = {
    ...egress,
    fetch(url, init) {
      if (String(url).endsWith('/token')) calls++
      return egress.fetch(url, init)
    },
  }
  plant = await startSallyport({ port, clock: now, app: { egress: counted } })
  await plant.addUser({ ...OPERATOR, roles: [] })
  await plant.addUser({ ...ADMIN, roles: ['administrator'] })
  await plant.addClient({ ...SENDER, scope: 'vault:token', grant_types: ['client_credentials'] })
  await saveConnector(plant.app.web.outbound, 'test', {
    ...{
      connector: 'mailbox',
      provider: 'oidc',
      issuer: provider.issuer,
      scope: 'openid offline_access mail',
      ...PLANT,
    },
    fields: { authorization_params: { resource: MAIL }, refresh_token_seconds: 45 * 86_400 },
  })
})
after(async () => {
  await plant?.stop()
  await provider?.stop()
  await egress?.close()
})

async function signIn(server: TestServer, user: typeof OPERATOR): Promise<UserAgent> {
  const person = new UserAgent()
  const { url, response } = await person.follow(`${server.issuer}/login`)
  await person.submit({ url, html: await response.text() }, user)
  return person
}

/** The operator goes to the provider and back; the owner of the mailbox allows it there. */
async function connect(url = `${plant.issuer}/connect/mailbox`): Promise<void> {
  const left = await operator.follow(url)
  const back = await new UserAgent().authorize(left.url, ALARMS)
  const { response } = await operator.follow(back.href)
  assert.equal(response.status, 200, await response.text())
}

/** The program that nobody watches: it comes back for a token, with nothing but its own credentials. */
async function comeBack() {
  const form = { grant_type: 'client_credentials', scope: 'vault:token', resource: `${plant.issuer}/api` }
  const authorization = `Basic ${btoa(`${SENDER.client_id}:${SENDER.client_secret}`)}`
  const init = { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) }
  const { access_token } = await (await fetch(`${plant.issuer}/token`, init)).json()
  const headers = { authorization: `Bearer ${access_token}` }
  const response = await fetch(`${plant.issuer}/api/connections/${connection_id}/token`, { headers })
  return { status: response.status, body: await response.json() }
}

/** Whether the provider takes a token: it is asked by the client that it was issued to. */
async function isTakenThere(token: string): Promise<boolean> {
  const authorization = `Basic ${btoa(`${PLANT.client_id}:${PLANT.client_secret}`)}`
  const init = { method: 'POST', headers: { authorization }, body: new URLSearchParams({ token }) }
  return (await (await fetch(`${provider.issuer}/introspect`, init)).json()).active
}

async function read(person: UserAgent, path: string): Promise<string> {
  return (await person.follow(plant.issuer + path)).response.text()
}

/** A refresh token that the provider no longer takes is noticed, told in every place, and repaired under the same id. */
async function breakAndRepair(told: RegExp): Promise<void> {
  const before = calls
  const refused = await comeBack()
  assert.deepEqual([refused.status, refused.body.error], [403, 'connection_needs_reconsent'])
  assert.equal(calls, before + 1, 'noticed at the first try')
  assert.equal((await comeBack()).status, 403)
  assert.equal(calls, before + 1, 'and the provider is not asked again')
  // A session ends long before the months of this story do.
  operator = await signIn(plant, OPERATOR)
  admin = await signIn(plant, ADMIN)
  const events = await read(admin, '/admin/events?event=connection.needs_reconsent')
  assert.ok(events.includes(connection_id), 'the audit log says so')
  const row = await read(admin, '/admin/connections?state=needs_reconsent')
  assert.ok(row.includes(connection_id) || row.includes('mailbox'), 'so does the console')
  assert.match(row, told)
  const account = await read(operator, '/account')
  assert.match(account, told, 'and the account page, to whom it concerns')
  const repair = `/connect/mailbox?connection_id=${connection_id}`
  assert.ok(account.includes(`href="${repair}"`))
  assert.equal(refused.body.connect_url, plant.issuer + repair, 'where it is repaired is told the program as well')
  await connect(refused.body.connect_url)
  const again = await comeBack()
  assert.deepEqual([again.status, again.body.connection_id], [200, connection_id])
  assert.equal(await isTakenThere(again.body.access_token), true)
  const repaired = await read(operator, '/account')
  assert.doesNotMatch(repaired, told)
  assert.equal(repaired.match(/\/connect\/mailbox\?connection_id=/), null)
}

test('V4 after one consent tokens keep coming for seven months, each of a new refresh token, with nobody present', async () => {
  operator = await signIn(plant, OPERATOR)
  await connect()
  const account = await read(operator, '/account')
  connection_id = /name="connection_id" value="([^"]+)"/.exec(account)![1]!
  const before = calls
  const seen = new Set<string>()
  for (let days = 0; days < 210; days += 3) {
    clock.offset += 3 * DAY
    const { status, body } = await comeBack()
    assert.equal(status, 200, JSON.stringify(body))
    assert.ok(body.expires_in > 0)
    assert.equal(body.refresh_token, undefined, 'the refresh token stays here')
    seen.add(body.access_token)
  }
  // This provider rotates, and ends the whole grant where a refresh token of before is used.
  assert.deepEqual([seen.size, calls - before], [70, 70])
  assert.equal(await isTakenThere([...seen].at(-1)!), true)
})

test('V4 a refresh token that was revoked is noticed, reported and repaired by consent, under the same id', async () => {
  const owner = await signIn(provider, ALARMS)
  const { url, response } = await owner.follow(`${provider.issuer}/account`)
  await owner.submit({ url, html: await response.text() }, {}, '/account/apps/revoke')
  clock.offset += 30 * MINUTE
  await breakAndRepair(/Access was taken back at the other service/)
})

test('V4 one that has expired is too, and called so', async () => {
  clock.offset += 60 * DAY
  await breakAndRepair(/The access has expired/)
})
