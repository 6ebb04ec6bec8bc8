import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { findFlow } from '../../server/src/web/playground/flows/index.ts'
import { type Bridge, startBridge } from '../parts/bridge.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { expectedOf, ROOT, runStep, startFlow } from '../parts/playground_run.ts'
import { Visitor } from '../parts/visitor.ts'

// Together they do everything that a flow can: the others are in test/long/playground.test.ts, with these.
const FLOWS = ['authorization_code', 'dpop', 'token_exchange', 'device_code', 'connect_session']

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
    assert.deepEqual(person.complaints, [])
  })
}
