import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import type { Break, Flow, Step } from '../../server/src/web/playground/flow.ts'
import { FLOWS } from '../../server/src/web/playground/flows/index.ts'
import { type Bridge, startBridge } from '../parts/bridge.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { Visitor } from '../parts/visitor.ts'

const ROOT = { username: 'root', password: 'correct horse battery' }

let running: { browser: Browser; close(): Promise<void> }
let bridge: Bridge

before(async () => {
  running = await launchBrowser()
  bridge = await startBridge({ path: '/hub' })
  await bridge.server.addUser({ ...ROOT, name: 'Ada Admin', roles: ['administrator', 'member'] })
})
after(async () => {
  await bridge?.stop()
  await running?.close()
})

async function open(flow: Flow): Promise<Visitor> {
  const person = await Visitor.open(running.browser)
  person.page.setDefaultTimeout(8000)
  await person.visit(`${bridge.issuer}/playground/flow?flow=${flow.flow}`)
  await person.signIn(ROOT)
  await person.press('Start anew')
  await person.page.getByText('The client of this run is').waitFor()
  return person
}

/** Connects an account at the other provider from the consent page, and comes back to it. */
async function connectOnTheWay({ page }: Visitor): Promise<void> {
  bridge.foreign.auto_login = 'ada-at-acme'
  await page
    .getByRole('link', { name: 'Connect your acme account' })
    .or(page.getByRole('button', { name: 'Connect your acme account' }))
    .click()
  await page.locator('input[type=radio]:checked:not([value=""])').waitFor({ state: 'attached' })
}

/** Runs one step as it must be, or in a wrong way; answers what the page says of it. */
async function run(person: Visitor, step: Step, broken?: Break): Promise<string> {
  const { page } = person
  const place = page.locator(`[data-step="${step.step}"]`)
  if (step.breaks) await place.locator('select').selectOption(broken?.break ?? '')
  if (step.kind === 'person') {
    const [opened] = await Promise.all([page.context().waitForEvent('page'), place.locator('[data-run]').click()])
    await opened.getByRole('button', { name: 'Continue' }).click()
    await opened.getByRole('button', { name: 'Allow' }).click()
    await opened.getByRole('heading').first().waitFor()
    await opened.close()
    return 'As it should be'
  }
  await place.locator('[data-outcome]').evaluate((outcome) => outcome.replaceChildren())
  await place.locator('[data-run]').click()
  if (step.kind === 'browser' && !broken) {
    if (step.says === 'authorize_connection') await connectOnTheWay(person)
    await page.getByRole('button', { name: 'Allow' }).click()
  }
  const outcome = place.locator('.outcome')
  await outcome.waitFor()
  return outcome.innerText()
}

for (const flow of FLOWS) {
  test(`the playground runs ${flow.flow}, and each broken step is refused as it says`, async () => {
    const person = await open(flow)
    for (const step of flow.steps) {
      for (const broken of step.breaks ?? []) {
        assert.equal(await run(person, step, broken), `Refused, as it must be: ${broken.error}`, broken.break)
      }
      assert.equal(await run(person, step), 'As it should be', step.step)
    }
    assert.deepEqual(person.complaints, [])
    await person.close()
  })
}
