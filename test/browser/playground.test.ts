import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import type { Step } from '../../server/src/web/playground/flow.ts'
import { findFlow } from '../../server/src/web/playground/flows/index.ts'
import { type Bridge, startBridge } from '../parts/bridge.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { expectedOf, ROOT, runStep, startFlow } from '../parts/playground_run.ts'
import { Visitor } from '../parts/visitor.ts'

// Together they do everything that a flow can: the others are in test/long/playground.test.ts, with these.
const FLOWS = ['authorization_code', 'dpop', 'token_exchange', 'device_code', 'connect_session', 'jwt_bearer']

let running: { browser: Browser; close(): Promise<void> }
let bridge: Bridge
let person: Visitor

before(async () => {
  running = await launchBrowser()
  bridge = await startBridge({ path: '/hub' })
  await bridge.server.addUser({ ...ROOT, name: 'Ada Admin', roles: ['administrator', 'member'] })
  person = await Visitor.open(running.browser)
  person.page.setDefaultTimeout(8000)
})
after(async () => {
  await bridge?.stop()
  await running?.close()
})

test('a step that lacks something names the step that brings it, and what the browser carried is shown as it was', async () => {
  const flow = findFlow('authorization_code')!
  const [secrets, authorize, token] = flow.steps as [Step, Step, Step]
  await startFlow(person, bridge.issuer, flow)
  assert.match(await runStep(person, bridge, token), /^Run step 1 first/)
  await runStep(person, bridge, secrets)
  assert.match(await runStep(person, bridge, token), /^Run step 2 first/)
  const broken = authorize.breaks!.find((one) => one.break === 'no_prompt')!
  await runStep(person, bridge, authorize, { broken })
  const shown = await person.page.locator('#authorize [data-outcome]').innerText()
  assert.match(shown, /^Request\s+GET \/hub\/authorize\?response_type=code\s+&client_id=playground-/)
  assert.match(shown, /&scope=openid\+profile\+email\+offline_access[\s\S]*&prompt=none\s+Host: /)
  assert.match(shown, /Answer\s+GET \/hub\/playground\/callback\?error=consent_required\s+&/)
})

test('who copies hears it, also where the browser forbids it, and on a phone the diagram moves in its place', async () => {
  const { page } = person
  await startFlow(person, bridge.issuer, findFlow('private_key_jwt')!)
  const place = page.locator('[data-step="token"]')
  await place.locator('summary').first().click()
  const said = place.locator('details [role=status]').first()
  await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true }))
  await place.getByRole('button', { name: 'Copy' }).first().click()
  assert.match(await said.innerText(), /^Selected/)
  assert.match(await page.evaluate(() => String(getSelection())), /^curl /)
  const copied = await page.evaluate(() => {
    const writeText = async (text: string) => void Object.assign(window, { copied: text })
    Object.defineProperty(navigator, 'clipboard', { value: { writeText } })
  })
  assert.equal(copied, undefined)
  await place.getByRole('button', { name: 'Copy' }).first().click()
  await place.getByText('Copied', { exact: true }).first().waitFor()
  await page.setViewportSize({ width: 320, height: 700 })
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320)
  const diagram = page.locator('.playground aside')
  assert.ok(await diagram.isVisible())
  const { own, seen } = await diagram.evaluate((one) => ({ own: one.scrollWidth, seen: one.clientWidth }))
  assert.ok(own > seen, 'its words are as large as elsewhere')
  await page.setViewportSize({ width: 1280, height: 720 })
})

test('RFC 8628 3.5 a device that is told to slow down asks five seconds later, from then on', async () => {
  const flow = findFlow('device_code')!
  await startFlow(person, bridge.issuer, flow)
  await runStep(person, bridge, flow.steps[0]!)
  const slow_down = { status: 400, json: { error: 'slow_down' } }
  await person.page.route('**/token', (route) => route.fulfill(slow_down))
  try {
    assert.match(await runStep(person, bridge, flow.steps[2]!), /in 10 s$/)
    await startFlow(person, bridge.issuer, flow)
  } finally {
    await person.page.unroute('**/token')
  }
})

for (const name of FLOWS) {
  test(`the playground runs ${name}, and each broken step is refused as it says`, async () => {
    const flow = findFlow(name)!
    await startFlow(person, bridge.issuer, flow)
    for (const step of flow.steps) {
      for (const broken of step.breaks ?? []) {
        if (broken.ends) continue
        assert.match(await runStep(person, bridge, step, { broken }), expectedOf(step, broken), broken.break)
      }
      assert.match(await runStep(person, bridge, step), expectedOf(step), step.step)
    }
    // Whoever has done it rightly can do it a second time, and not before.
    for (const step of flow.steps) {
      const twice = step.breaks?.find(({ ends }) => ends)
      if (twice) assert.match(await runStep(person, bridge, step, { broken: twice }), expectedOf(step, twice))
    }
    assert.deepEqual(person.complaints, [])
  })
}

test('what a tab has kept of a run is for who ran it: whoever signs in after them finds nothing of it', async () => {
  const eve = { username: 'eve', password: ROOT.password }
  await bridge.server.addUser({ ...eve, roles: ['administrator'] })
  const flow = findFlow('private_key_jwt')!
  await startFlow(person, bridge.issuer, flow)
  const { page, context } = person
  const told = page.locator('[data-client]')
  await page.reload()
  assert.match(await told.innerText(), /playground-/, 'their own is there again')
  await context.clearCookies()
  await person.visit(`${bridge.issuer}/playground/flow?flow=${flow.flow}`)
  await person.signIn(eve)
  await page.locator('[data-start]').waitFor()
  assert.equal(await told.innerText(), '')
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify({ ...sessionStorage })), /client_/)
})
