import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import type { Flow } from '../../server/src/web/playground/flow.ts'
import { FLOWS } from '../../server/src/web/playground/flows/index.ts'
import { type Bridge, startBridge } from '../parts/bridge.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { type By, expectedOf, ROOT, runStep, startFlow } from '../parts/playground_run.ts'
import { Visitor } from '../parts/visitor.ts'

let running: { browser: Browser; close(): Promise<void> }
let bridge: Bridge
let person: Visitor

before(async () => {
  running = await launchBrowser()
  bridge = await startBridge({ path: '/hub' })
  await bridge.server.addUser({ ...ROOT, name: 'Ada Admin', roles: ['administrator', 'member'] })
  await bridge.server.saveSettings({ registration: 'open' })
  person = await Visitor.open(running.browser)
  person.page.setDefaultTimeout(15_000)
})
after(async () => {
  await bridge?.stop()
  await running?.close()
})

/** Walks through a flow; whoever walks by what the page writes for a shell or a program sends nothing by the page itself. */
async function walk(flow: Flow, by: By, breaks = false): Promise<void> {
  await startFlow(person, bridge.issuer, flow)
  for (const step of flow.steps) {
    for (const broken of breaks ? (step.breaks ?? []) : []) {
      if (broken.ends) continue
      assert.match(await runStep(person, bridge, step, { broken }), expectedOf(step, broken), broken.break)
    }
    assert.match(await runStep(person, bridge, step, { by }), expectedOf(step), step.step)
  }
  assert.deepEqual(person.complaints, [])
}

for (const flow of FLOWS) {
  test(`the playground runs ${flow.flow}, and each broken step is refused as it says`, () => walk(flow, 'page', true))

  test(`what the playground writes of ${flow.flow} for a shell does the same`, () => walk(flow, 'curl'))

  test(`what the playground writes of ${flow.flow} as code does the same`, () => walk(flow, 'code'))

  for (const [index, step] of flow.steps.entries()) {
    for (const broken of step.breaks?.filter(({ ends }) => ends) ?? []) {
      test(`${broken.break} in ${flow.flow} ends what the flow has got`, async () => {
        await startFlow(person, bridge.issuer, flow)
        for (const before of flow.steps.slice(0, index)) await runStep(person, bridge, before)
        assert.match(await runStep(person, bridge, step, { broken }), expectedOf(step, broken))
        const ended = flow.steps.find((one) => one.step === 'ended')!
        assert.match(await runStep(person, bridge, ended), expectedOf(ended))
      })
    }
  }
}
