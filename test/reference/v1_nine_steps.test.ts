import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { type BrokerStory, OPERATOR, startBrokerStory } from '../parts/broker_story.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { Visitor } from '../parts/visitor.ts'

let running: { browser: Browser; close(): Promise<void> }
let story: BrokerStory
/** Whatever was secret on the way, as the browser saw it. */
const secrets = new Set<string>()

before(async () => {
  ;[running, story] = await Promise.all([launchBrowser(), startBrokerStory()])
})
after(async () => {
  await running?.close()
  await story?.stop()
})

type Mode = 'exchange' | 'relay'

/** Opens the application's browser at the way through a broker, signed in at the primary. */
async function openBrowser(): Promise<Visitor> {
  const person = await Visitor.open(running.browser)
  person.page.on('request', (request) => {
    for (const [name, value] of new URL(request.url()).searchParams) {
      if (['code', 'state', 'flow', 'receipt', 'nonce', 'code_challenge'].includes(name)) secrets.add(value)
    }
  })
  await person.visit(`${story.issuer}/login`)
  await person.fill('username', OPERATOR.username)
  await person.fill('password', OPERATOR.password)
  await person.press('Sign in')
  return person
}

const wayThrough = (mode: Mode) =>
  `${story.issuer}/connect/mailbox?${new URLSearchParams({ redirect_uri: story.brokers[mode].redirect_uri })}`

/** The places that the browser was led to, without their queries. */
function placesOf(person: Visitor): string[] {
  return person.answers
    .filter((answer) => answer.request().isNavigationRequest())
    .map((answer) => answer.url().split('?')[0]!)
}

/** Stops at the provider's sign-in page. */
async function stopAtProvider(mode: Mode): Promise<Visitor> {
  story.foreign.auto_login = null
  const person = await openBrowser()
  await person.visit(wayThrough(mode))
  assert.equal(await person.heading(), 'Sign in at the foreign provider')
  return person
}

async function signInAtProvider(person: Visitor, username: string): Promise<void> {
  await person.fill('username', username)
  story.foreign.auto_login = username
  await person.press('Sign in')
}

/** What the browser had to complain about, besides the second address and the outage that the story has. */
function complaintsOf(person: Visitor): string[] {
  return person.complaints.filter((text) => !/^request to http:\/\/127\.0\.0\.[23]:|status of 503/.test(text))
}

async function isConnected(person: Visitor, account: string): Promise<void> {
  assert.equal(person.page.url(), `${story.issuer}/account`)
  assert.match(await person.page.locator('main').innerText(), new RegExp(account))
  assert.deepEqual(complaintsOf(person), [])
}

for (const mode of ['exchange', 'relay'] as const) {
  test(`V1 the nine steps, through a redirect server in mode ${mode}`, async () => {
    const calls = story.foreign.ledger.length
    // 1 the application opens the browser; 2 to 4 it goes to the redirect server, and on to the provider.
    const person = await stopAtProvider(mode)
    const { url } = story.brokers[mode]
    const before = placesOf(person)
    assert.ok(before.indexOf(`${url}/start`) > before.lastIndexOf(`${story.issuer}/connect/mailbox`), String(before))
    assert.equal(new URL(person.page.url()).origin, story.foreign.issuer)
    // 5 the person consents; 6 the code comes to the redirect server; 7 and 8 it is exchanged, and the tokens passed on.
    await signInAtProvider(person, `alarms-${mode}`)
    await isConnected(person, `alarms-${mode}`)
    const places = placesOf(person)
    const order = [`${url}/callback`, `${url}/finish`, `${story.issuer}/connect/mailbox/finish`]
    assert.deepEqual(places.slice(-4, -1), order)
    assert.deepEqual(
      story.foreign.ledger.slice(calls).map(({ grant_type, status }) => [grant_type, status]),
      [['authorization_code', 200]],
    )
    await person.context.close()
  })

  test(`V1 while the primary is down, the person is told, no code is used, and trying again works (${mode})`, async () => {
    const person = await stopAtProvider(mode)
    const calls = story.foreign.ledger.length
    await story.killPrimary()
    await signInAtProvider(person, `patient-${mode}`)
    assert.match((await person.heading()) ?? '', /cannot be reached now$/)
    assert.match(await person.page.locator('main').innerText(), /nothing is lost/)
    await person.press('Try again')
    assert.match((await person.heading()) ?? '', /cannot be reached now$/)
    assert.equal(story.foreign.ledger.length, calls, 'the code is still good')
    await story.startPrimary()
    await person.press('Try again')
    await isConnected(person, `patient-${mode}`)
    await person.context.close()
  })
}

test('V1 when the primary dies after a code was redeemed, the browser carries the sealed tokens', async () => {
  const person = await stopAtProvider('exchange')
  story.foreign.faults.push({ when: 'after', do: 'delay', ms: 1_500 })
  const calls = story.foreign.ledger.length
  const signedIn = signInAtProvider(person, 'carried')
  while (story.foreign.ledger.length === calls) await new Promise((resolve) => setTimeout(resolve, 20))
  await story.killPrimary()
  await signedIn
  assert.equal(await person.heading(), 'One more step')
  // Whoever comes back to the page finds it again.
  await person.page.reload()
  assert.equal(await person.heading(), 'One more step')
  const carried = await person.page.locator('[name="message"]').inputValue()
  assert.deepEqual(complaintsOf(person), [])
  await story.startPrimary()
  await person.press('Continue')
  await isConnected(person, 'carried')
  // What was carried is over: it neither opens nor finishes anything a second time.
  const answer = await fetch(`${story.issuer}/connect/mailbox/finish`, {
    ...{ method: 'POST', redirect: 'manual', body: new URLSearchParams({ message: carried, receipt: 'x' }) },
  })
  assert.equal(answer.status, 400)
  await person.context.close()
})

test('V1 nothing secret stays on the redirect server: one key in its folder, and no secret in its log', async () => {
  assert.ok(secrets.size > 20, `${secrets.size} secrets were seen`)
  for (const { folder, program } of Object.values(story.brokers)) {
    const files = await readdir(folder, { recursive: true, withFileTypes: true })
    const written = files.filter((file) => file.isFile()).map(({ parentPath, name }) => path.join(parentPath, name))
    assert.deepEqual(
      written.map((file) => path.relative(folder, file)),
      [path.join('.sallyport', 'root_key')],
    )
    const kept = program.stdout + program.stderr + (await readFile(written[0]!, 'utf8'))
    for (const secret of secrets) assert.ok(!kept.includes(secret), 'a secret of a flow stays')
    // No token, whatever its form: nothing long and random but the public keys that are printed at the start.
    const log = program.stdout.split('\n').filter((line) => !line.includes('brokers: ['))
    assert.doesNotMatch(log.join('\n'), /[\w-]{30,}/)
  }
})
