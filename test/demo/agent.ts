// The bridge in one go: an agent that has never seen the server calls a tool that needs the user's calendar.
import assert from 'node:assert/strict'
import { refreshAuthorization } from '@modelcontextprotocol/sdk/client/auth.js'
import { launchBrowser } from '../parts/chromium.ts'
import { startForeignProvider } from '../parts/foreign_provider.ts'
import { McpClient } from '../parts/mcp_client.ts'
import { freePort } from '../parts/sallyport.ts'
import { startAgentHome } from './agent_home.ts'
import { startCalendarApi, startPlanner } from './calendar.ts'
import { Person } from './person.ts'
import { startSallyportProcess } from './sallyport_process.ts'
import { Transcript } from './transcript.ts'

/** The provider's access tokens live 8 s, and are renewed at half their life. */
const PROVIDER_TOKEN_SECONDS = 8
/** And those of the MCP server so long. */
const TOKEN_SECONDS = 6
/** The audit log, and what tells servers that verify tokens by themselves of the one grant that was ended. */
const GROWING = ['events', 'revocations']

const started = Date.now()
const transcript = new Transcript()
const [sallyportPort, plannerPort] = [await freePort(), await freePort()]
const issuer = `http://127.0.0.1:${sallyportPort}`
const resource = `http://127.0.0.1:${plannerPort}/mcp`

const foreign = await startForeignProvider({
  clients: [
    {
      client_id: 'sallyport',
      client_secret: 'acme-secret-of-the-demo',
      redirect_uris: [`${issuer}/connect/calendar/callback`],
    },
  ],
  access_token_seconds: PROVIDER_TOKEN_SECONDS,
  auto_login: null,
})
const calendar = await startCalendarApi(foreign.issuer)
const home = await startAgentHome('Desk Agent')
const sallyport = await startSallyportProcess({
  port: sallyportPort,
  env: {
    ACME_SECRET: 'acme-secret-of-the-demo',
    SALLYPORT_EGRESS_ALLOW: [foreign.issuer, calendar.origin, `https://${home.host}`]
      .map((url) => new URL(url).host)
      .join(','),
    // Loopback only: an agent's document is published with a certificate that everybody trusts.
    NODE_EXTRA_CA_CERTS: home.ca_file,
  },
  platform: `
settings: { metadata_documents: any, dynamic_client_scopes: ["offline_access"] }
resources:
  - resource: ${resource}
    name: Planner
    scopes: { "planner:use": "Plan your day" }
    default_scopes: ["planner:use"]
    access_token: { format: opaque, lifetime_seconds: ${TOKEN_SECONDS} }
    introspection_clients: [planner]
roles:
  - { role: member, scopes: ["planner:use"] }
users:
  - { username: alice, name: Alice Example, password: { value: "correct horse battery" }, roles: [member] }
clients:
  - client_id: planner
    client_name: Planner
    client_secret: { value: planner-secret-of-the-demo }
    grant_types: ["urn:ietf:params:oauth:grant-type:token-exchange"]
    token_exchange: { resources: ["${issuer}/proxy/calendar"] }
  - client_id: auditor
    client_secret: { value: auditor-secret-of-the-demo }
    grant_types: [client_credentials]
    scope: admin:read
connectors:
  - connector: calendar
    provider: oidc
    issuer: ${foreign.issuer}
    client_id: sallyport
    client_secret: { env: ACME_SECRET }
    scope: openid email offline_access
    fields: { api_base_url: "${calendar.origin}" }
`,
})
const planner = await startPlanner({
  ...{ port: plannerPort, issuer, client_id: 'planner', client_secret: 'planner-secret-of-the-demo' },
  fetch: transcript.fetch('planner'),
})
transcript.name(issuer, 'sallyport')
transcript.name(resource, 'planner')
transcript.name(foreign.issuer, 'acme')
transcript.name(calendar.origin, 'acme-calendar')
transcript.name(home.callback, 'agent')
transcript.name(`https://${home.host}`, 'agent')
const { browser, close: closeBrowser } = await launchBrowser()
const person = (await Person.open(browser, transcript)).at(issuer)

const agent = new McpClient({
  redirectUrl: home.callback,
  clientMetadataUrl: home.client_id,
  fetch: (input, init) => (isRoutine(input, init) ? fetch(input, init) : transcript.fetch('agent')(input, init)),
  visit: async (url) => {
    transcript.say('the agent opens the browser: Alice signs in and allows it')
    await person.visit(url.href)
    await person.signIn('alice', 'correct horse battery')
    await person.decide('allow')
    return new URL(person.url())
  },
  elicit: async (url) => {
    transcript.say('the agent opens the page that the tool asks for')
    await person.visit(url)
    await person.connectOnConsent('calendar')
    await person.signInAtForeign('alice-at-acme')
    connected_at = Date.now()
    transcript.say(`the page: ${await person.read('h1')} ${await person.read('.lead')}`)
    transcript.say(`it offers: ${(await person.choices()).join(' · ')}`)
    await person.decide('allow')
    transcript.say(`and says: ${await person.read('h1')}`)
  },
})
let connected_at = 0

try {
  transcript.step('An agent calls a tool of a server that neither it nor Alice has seen before')
  assert.equal(await agent.call(resource, 'hello'), 'Hello.')
  assert.equal(agent.information!.client_id, home.client_id)
  transcript.check('it found the server by RFC 9728 and RFC 8414, and is known by its metadata document')

  transcript.step("It calls one that needs Alice's calendar: it is given a page, where she connects and allows it")
  assert.match(await agent.call(resource, 'next_meeting'), /Dentist.*alice-at-acme/)
  transcript.check('the tool works with the same grant, and the agent never saw a token of Acme')

  transcript.step('Its own token reaches nothing of Acme')
  const direct = await transcript.fetch('agent')(
    `${issuer}/proxy/calendar/next`,
    bearer(agent.kept_tokens!.access_token),
  )
  assert.equal(direct.status, 401)

  transcript.step('Both are refreshed, Acme has the one and the network the other, and Sallyport is killed: kill -9')
  await until(connected_at + PROVIDER_TOKEN_SECONDS * 500)
  foreign.faults.push({ when: 'before', do: 'delay', ms: 8_000 })
  await renew()
  const asked = foreign.ledger.length
  const hanging = agent.call(resource, 'next_meeting').catch((error: Error) => error)
  await waitFor(() => foreign.ledger.length > asked)
  const refresh_token = agent.kept_tokens!.refresh_token
  let lost = ''
  const renewing = renew(async (answer) => {
    lost = (await answer.json()).refresh_token
    throw new TypeError('the network is gone')
  })
  await assert.rejects(renewing, /the network is gone/)
  await sallyport.kill()
  assert.doesNotMatch(String(await hanging), /Dentist/)
  assert.equal(agent.kept_tokens!.refresh_token, refresh_token)
  transcript.check("Acme has not answered, and Sallyport's answer to the agent has not arrived")
  const rows = await sallyport.countRows()
  await sallyport.start()

  transcript.step('Sallyport is started again, and the next call works')
  await renew()
  assert.equal(agent.kept_tokens!.refresh_token, lost)
  transcript.check('the agent asked again with its old token, and got what had been lost')
  assert.match(await agent.call(resource, 'next_meeting'), /Dentist/)
  assert.equal(agent.opened.length, 1)
  transcript.check('nobody was asked anything')

  transcript.step("Acme's token ends; the next call renews it, with what was in flight when the power went")
  await until(connected_at + PROVIDER_TOKEN_SECONDS * 1000)
  assert.match(await agent.call(resource, 'next_meeting'), /Dentist/)
  assert.ok(foreign.ledger.at(-1)!.grant_type === 'refresh_token' && foreign.ledger.at(-1)!.status === 200)
  const [connection] = await person.connections()
  assert.doesNotMatch(connection!.state, /needs you/i)
  transcript.check('the connection is the same one, and Acme has rotated its refresh token')

  transcript.step('Many calls and refreshes later')
  transcript.muted = true
  for (let i = 0; i < 5; i++) {
    await renew()
    await Promise.all(Array.from({ length: 10 }, () => agent.call(resource, 'next_meeting')))
  }
  transcript.muted = false
  transcript.check('50 calls of the tool and 5 refreshes of the agent')

  transcript.step("Alice ends the agent's access on her account page: both directions stop")
  const { access_token } = agent.kept_tokens!
  await person.endApp(home.client_id)
  const seen = calendar.calls.length
  const tool = await transcript.fetch('agent')(resource, { method: 'POST', ...bearer(access_token), body: '{}' })
  assert.equal(tool.status, 401)
  await assert.rejects(renew(), { errorCode: 'invalid_grant' })
  assert.equal(calendar.calls.length, seen)
  transcript.check('the server refuses its token, Sallyport its refresh token, and nothing reached the calendar')

  transcript.step('The chain, from the audit log')
  for (const line of await readChain()) transcript.say(line)

  await sallyport.kill()
  transcript.step('The tables after all of this, and when it was killed for the first time')
  const now = await sallyport.countRows()
  for (const [table, n] of Object.entries(now)) if (rows[table] !== n) transcript.say(`${table}: ${rows[table]} → ${n}`)
  const grown = Object.keys(now).filter((table) => now[table]! > rows[table]!)
  assert.deepEqual(
    grown.filter((table) => !GROWING.includes(table)),
    [],
  )
  transcript.check(
    `what is said of the end has been added, and no row for any token: grants ${now['grants']}, connections ${now['connections']}`,
  )
  process.stdout.write(`\nDone in ${((Date.now() - started) / 1000).toFixed(1)} s: every answer was checked.\n`)
} catch (error) {
  process.stderr.write(`\n${sallyport.output().slice(-4000)}\n`)
  throw error
} finally {
  await closeBrowser()
  await planner.close()
  await sallyport.close()
  await home.close()
  await calendar.close()
  await foreign.close()
}

// How the two say hello is said at each call, and is the same each time.
function isRoutine(input: string | URL | Request, init: RequestInit | undefined): boolean {
  const listens = String(input) === resource && init?.method === 'GET'
  return listens || /"method":"(initialize|notifications)/.test(String(init?.body ?? ''))
}

function bearer(token: string): { headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } }
}

/** The agent's SDK refreshes its token; the answer may be lost on its way. */
async function renew(lose?: (answer: Response) => Promise<never>): Promise<void> {
  const ask = transcript.fetch('agent')
  agent.kept_tokens = await refreshAuthorization(issuer, {
    clientInformation: agent.information!,
    refreshToken: agent.kept_tokens!.refresh_token!,
    resource: new URL(resource),
    fetchFn: async (url, init) => {
      const answer = await ask(url, init)
      return lose ? lose(answer) : answer
    },
  })
}

function until(at: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, at - Date.now())))
}

async function waitFor(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000
  while (!isSo()) {
    assert.ok(Date.now() < deadline, 'it never happened')
    await until(Date.now() + 20)
  }
}

interface Event {
  readonly event_id: string
  readonly at: number
  readonly type: string
  readonly actor: string
  readonly client_id: string | null
  readonly grant_id: string | null
  readonly connection_id: string | null
  readonly detail: Readonly<Record<string, unknown>>
}

/** Who allowed which client what, through which connection, and when it was used: as an auditor reads it. */
async function readChain(): Promise<string[]> {
  const authorization = `Basic ${btoa('auditor:auditor-secret-of-the-demo')}`
  const form = { grant_type: 'client_credentials', scope: 'admin:read', resource: `${issuer}/api` }
  const body = new URLSearchParams(form)
  const granted = await fetch(`${issuer}/token`, { method: 'POST', headers: { authorization }, body })
  const { access_token } = (await granted.json()) as { access_token: string }
  const found = await transcript.fetch('auditor')(`${issuer}/api/events?limit=100`, bearer(access_token))
  const events = ((await found.json()) as { items: Event[] }).items.toReversed()
  const grant_id = events.find(
    ({ type, client_id }) => type === 'grant.created' && client_id === home.client_id,
  )!.grant_id
  const { connection_id } = events.find(({ type }) => type === 'connection.allowed')!
  const isOfIt = (event: Event) =>
    event.grant_id === grant_id || event.connection_id === connection_id || event.client_id === home.client_id
  const names = new Map([
    [home.client_id, 'Desk Agent'],
    [connection_id, 'alice-at-acme'],
  ])
  const show = (value: string | null) => (value === null ? '' : (names.get(value) ?? value))
  return events.filter(isOfIt).map(({ at, type, actor, client_id, connection_id: used, detail }) => {
    const who = actor.startsWith('user:') ? 'Alice' : show(actor.replace(/^client:/, ''))
    const { resource: place, actions, via, account } = detail
    const rest = Object.entries({ through: place, actions, via, account }).filter(([, value]) => value !== undefined)
    const said = rest.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(', ')
    return `${new Date(at).toISOString().slice(11, 19)}  ${type.padEnd(22)} ${who.padEnd(14)} ${show(client_id).padEnd(11)} ${show(used).padEnd(14)} ${said}`.trimEnd()
  })
}
