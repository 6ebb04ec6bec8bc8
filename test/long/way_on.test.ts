import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { askForReset, inviteUser } from '../../server/src/inbound/users/recovery.ts'
import { ALICE, BOB, type Bridge, CALLBACK, startBridge } from '../parts/bridge.ts'
import { DEVICE } from '../parts/device.ts'
import { newPersonWithApp, type WithApp } from '../parts/factors.ts'
import { type MailServer, startMailServer } from '../parts/mail_server.ts'
import type { Platform } from '../parts/platform.ts'
import { dumpRows } from '../parts/snapshot.ts'
import { decodeEntities, UserAgent } from '../parts/user_agent.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const NEW = 'a new one of my own'

let mail: MailServer
let bridge: Bridge
let dora: WithApp
before(async () => {
  mail = await startMailServer()
  bridge = await startBridge({ path: '/hub', app: { mailer: mail.mailer } })
  await bridge.server.saveSettings({ sign_up: 'open' })
  const tv = { client_id: 'tv', client_name: 'Big Television', token_endpoint_auth_method: 'none', redirect_uris: [] }
  await bridge.server.addClient({ ...tv, grant_types: [DEVICE], scope: 'openid api:read' })
  dora = await newPersonWithApp(asPlatform())
})
after(async () => {
  await bridge?.stop()
  await mail?.stop()
})

/** The same server, for parts that know it by its other harness. */
function asPlatform(): Platform {
  const pass = (seconds: number) => {
    bridge.clock.offset += seconds * 1000
  }
  const { server, issuer, clock } = bridge
  return { server, issuer, pass, now: () => Date.now() + clock.offset } as unknown as Platform
}

/** What somebody sees. */
interface Opened {
  readonly url: string
  readonly status: number
  readonly html: string
}

const read = async ({ url, response }: { url: string; response: Response }): Promise<Opened> => ({
  ...{ url, status: response.status },
  html: await response.text(),
})
const open = async (agent: UserAgent, path: string) =>
  read(await agent.follow(path.startsWith('http') ? path : bridge.issuer + path))
const fill = async (agent: UserAgent, page: Opened, values: Record<string, string>, holds = '') =>
  read(await agent.submit(page, values, holds))

async function signIn(agent: UserAgent, user: { username: string; password: string }): Promise<UserAgent> {
  const page = await fill(agent, await open(agent, '/login'), user, 'name="password"')
  assert.match(page.url, /\/account$/)
  return agent
}
const aliceIn = async (agent: UserAgent) => {
  if (!/alice/.test((await open(agent, '/account')).html)) await signIn(agent, ALICE)
}

/** Something that takes more than one page. */
interface Interaction {
  /** Comes to the page that waits for an answer. */
  begin(agent: UserAgent): Promise<Opened>
  /** Answers it as whoever began would. */
  answer(agent: UserAgent, page: Opened): Promise<Opened>
  /** When it is over by itself; null means never. */
  readonly lasts?: number | null
  /** The answer proves by itself whose it is: whoever else is signed in there does not matter. */
  readonly proves?: boolean
}

let people = 0
/** Somebody with a mailbox, at a page behind a link that was sent there. */
async function atLink(agent: UserAgent, password: string | undefined): Promise<Opened> {
  const { server } = bridge
  const username = `reader${people++}`
  const email = `${username}@example.test`
  const user_id = await server.addUser({ username, email, ...(password && { password }) })
  const { tenant, inbound } = server.app.web
  if (password) await askForReset(inbound, { username, address: undefined })
  else await inviteUser(inbound, (await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id }))!, 'cli')
  await inbound.outbox.settle()
  return open(agent, mail.linkTo(email))
}
const newPassword: Interaction['answer'] = (agent, page) => fill(agent, page, { password: NEW }, 'name="password"')

const INTERACTIONS: Record<string, Interaction> = {
  login: {
    begin: (agent) => open(agent, bridge.authorizeUrl({ prompt: 'login' })),
    answer: (agent, page) => fill(agent, page, ALICE, 'name="password"'),
    proves: true,
  },
  second_factor: {
    async begin(agent) {
      bridge.clock.offset += MINUTE
      return fill(agent, await open(agent, '/login'), dora.user, 'name="password"')
    },
    answer: (agent, page) => fill(agent, page, { code: dora.code() }, 'name="code"'),
    proves: true,
  },
  consent: {
    async begin(agent) {
      await aliceIn(agent)
      return open(agent, bridge.authorizeUrl({ prompt: 'consent' }))
    },
    answer: (agent, page) => fill(agent, page, { decision: 'allow' }, 'name="decision"'),
  },
  device: {
    async begin(agent) {
      await aliceIn(agent)
      const body = new URLSearchParams({ client_id: 'tv', scope: 'openid api:read' })
      const asked = await fetch(`${bridge.issuer}/device_authorization`, { method: 'POST', body })
      const { user_code } = (await asked.json()) as { user_code: string }
      return fill(agent, await open(agent, '/device'), { user_code }, 'name="user_code"')
    },
    answer: (agent, page) => fill(agent, page, { decision: 'allow' }, 'name="decision"'),
  },
  sign_up: {
    begin: (agent) => open(agent, '/sign_up'),
    answer: (agent, page) => fill(agent, page, { username: 'newcomer', password: NEW }, 'name="username"'),
    lasts: null,
    proves: true,
  },
  reset: { begin: (agent) => atLink(agent, ALICE.password), answer: newPassword, proves: true },
  invitation: { begin: (agent) => atLink(agent, undefined), answer: newPassword, proves: true, lasts: 30 * DAY },
  connect: {
    async begin(agent) {
      await aliceIn(agent)
      const back = await bridge.visitProvider(agent, '/connect/acme', `alice-at-acme-${people++}`)
      return { url: back.href, status: 302, html: '' }
    },
    answer: (agent, page) => open(agent, page.url),
  },
  logout: {
    async begin(agent) {
      await aliceIn(agent)
      return open(agent, '/logout')
    },
    answer: (agent, page) => fill(agent, page, { decision: 'sign_out' }, 'value="sign_out"'),
  },
  step_up: {
    async begin(agent) {
      await aliceIn(agent)
      bridge.clock.offset += 20 * MINUTE
      const page = await open(agent, '/account/security/totp')
      assert.match(page.html, /Confirm that it is you/)
      return page
    },
    answer: (agent, page) => fill(agent, page, { password: ALICE.password }, 'name="password"'),
    lasts: null,
    proves: true,
  },
}

/** Whoever the interactions are about; nobody else is bob. */
const NOBODY = /^$/
const RIGHTFUL = /^(alice|person\d+|newcomer|reader\d+) /

// Written by whatever a browser asks for, or by what was refused.
const PASSING = ['events', 'guesses', 'hourly_counts', 'leases', 'known_browsers']
const TIMES = /^(last_\w+|seen_at|updated_at|refusals)$/

/** What each user has, by username and table. */
async function possessions(): Promise<Map<string, string>> {
  const tables = await dumpRows(bridge.server.store)
  const names = new Map(tables.get('users')!.map(({ user_id, username }) => [user_id, String(username)]))
  const has = new Map<string, string>()
  for (const [table, rows] of tables) {
    if (PASSING.includes(table)) continue
    for (const row of rows) {
      const name = names.get(row['user_id'])
      if (name === undefined) continue
      const line = JSON.stringify(Object.entries(row).filter(([key]) => !TIMES.test(key)))
      has.set(`${name} ${table}`, `${has.get(`${name} ${table}`) ?? ''}${line}\n`)
    }
  }
  return has
}

/** Who has something else after it than before, and what. */
async function changedBy(step: () => Promise<unknown>): Promise<string[]> {
  const [before] = [await possessions(), await step()]
  const after = await possessions()
  return [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key)).sort()
}

/** Whoever sees this can go on: back at the application or the provider, or by a link or form that leads somewhere. */
async function assertWayOn(agent: UserAgent, page: Opened, what: string): Promise<void> {
  if (page.url.startsWith(CALLBACK) || page.url.startsWith(bridge.foreign.issuer)) return
  assert.ok(page.url.startsWith(bridge.issuer), `${what} ends at ${page.url}`)
  assert.ok(page.status < 500, `${what} is answered by ${page.status}`)
  const links = [...page.html.matchAll(/<a [^>]*href="((?:\/|http)[^"]*)"/g)].map(([, href]) => decodeEntities(href!))
  const forms = [...page.html.matchAll(/<form[^>]* action="([^"]*)"/g)].map(([, action]) => decodeEntities(action!))
  const ways = forms.filter((action) => !/\/(language|theme)$/.test(action))
  assert.ok(links.length + ways.length > 0, `${what} is a dead end: ${page.html}`)
  for (const link of links) {
    const next = await open(clone(agent), new URL(link, page.url).href)
    const elsewhere = !next.url.startsWith(bridge.issuer)
    assert.ok(elsewhere || next.status === 200, `${what}: ${link} leads to ${next.status}`)
  }
}

/** The same browser, so that what is tried in it does not happen to it. */
function clone(agent: UserAgent): UserAgent {
  const other = new UserAgent()
  for (const [name, value] of agent.cookies) other.cookies.set(name, value)
  return other
}

/** What goes wrong, and who may have something of it. */
const MISHAPS: Record<
  string,
  (one: Interaction, what: string) => Promise<{ agent: UserAgent; page: Opened; changed: string[]; may: RegExp }>
> = {
  async 'comes too late'(one) {
    const agent = new UserAgent()
    const begun = await one.begin(agent)
    bridge.clock.offset += one.lasts ?? 61 * MINUTE
    return follow(one, agent, begun, one.lasts === null ? RIGHTFUL : NOBODY)
  },
  async 'comes twice'(one, what) {
    const agent = new UserAgent()
    const begun = await one.begin(agent)
    await assertWayOn(agent, await one.answer(agent, begun), what)
    return follow(one, agent, begun, RIGHTFUL)
  },
  async 'comes from the browser of somebody else'(one) {
    const begun = await one.begin(new UserAgent())
    return follow(one, await signIn(new UserAgent(), BOB), begun, NOBODY)
  },
  async 'comes from a browser that has forgotten everything'(one) {
    const begun = await one.begin(new UserAgent())
    return follow(one, new UserAgent(), begun, NOBODY)
  },
  async 'is answered after somebody else has signed in there'(one) {
    const agent = new UserAgent()
    const begun = await one.begin(agent)
    const account = await open(agent, '/account')
    if (/action="[^"]*\/logout"/.test(account.html)) await fill(agent, account, {}, '/logout"')
    await signIn(agent, BOB)
    return follow(one, agent, begun, one.proves ? RIGHTFUL : NOBODY)
  },
  async 'is opened again after its answer'(one) {
    const agent = new UserAgent()
    const begun = await one.begin(agent)
    await one.answer(agent, begun)
    const opened: { page?: Opened } = {}
    const changed = await changedBy(async () => {
      opened.page = await open(agent, begun.url)
    })
    return { agent, page: opened.page!, changed, may: NOBODY }
  },
  async 'is left half way, and begun again'(one) {
    const agent = new UserAgent()
    await one.begin(agent)
    return follow(one, agent, await one.begin(agent), RIGHTFUL)
  },
  async 'is answered in two tabs'(one, what) {
    const agent = new UserAgent()
    const first = await one.begin(agent)
    const second = await one.begin(agent)
    await assertWayOn(agent, await one.answer(agent, second), what)
    return follow(one, agent, first, RIGHTFUL)
  },
}

async function follow(one: Interaction, agent: UserAgent, begun: Opened, may: RegExp) {
  const opened: { page?: Opened } = {}
  const changed = await changedBy(async () => {
    opened.page = await one.answer(agent, begun)
  })
  return { agent, page: opened.page!, changed, may }
}

for (const [name, interaction] of Object.entries(INTERACTIONS)) {
  for (const [mishap, happen] of Object.entries(MISHAPS)) {
    const what = `${name} that ${mishap}`
    test(`7.6.2 2.3.1 ${what} is nobody else's, and has a way on`, async () => {
      const { agent, page, changed, may } = await happen(interaction, what)
      assert.deepEqual(
        changed.filter((who) => !may.test(who)),
        [],
        what,
      )
      await assertWayOn(agent, page, what)
    })
  }
}
