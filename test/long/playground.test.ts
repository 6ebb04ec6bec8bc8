import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import axe from 'axe-core'
import type { Browser } from 'playwright-core'
import type { Flow, Step } from '../../server/src/web/playground/flow.ts'
import { FLOWS, findFlow } from '../../server/src/web/playground/flows/index.ts'
import { type Bridge, startBridge } from '../parts/bridge.ts'
import { createCertificate } from '../parts/certificate.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { type DocumentHost, startDocumentHost } from '../parts/document_host.ts'
import { type By, expectedOf, ROOT, runStep, startFlow, type Terminal } from '../parts/playground_run.ts'
import { freePort } from '../parts/sallyport.ts'
import { startTlsEdge } from '../parts/tls_edge.ts'
import { Visitor } from '../parts/visitor.ts'

let running: { browser: Browser; close(): Promise<void> }
let bridge: Bridge
let host: DocumentHost
let edge: Server
let terminal: Terminal
let person: Visitor

before(async () => {
  running = await launchBrowser()
  host = await startDocumentHost({}, ['127.0.0.1'])
  const port = await freePort()
  const tls = createCertificate(['localhost', '127.0.0.1'])
  const certificate_forwarding = { header: 'client-cert', authorities: [], origin: `https://127.0.0.1:${port}` }
  const trusted_proxies = ['127.0.0.1']
  bridge = await startBridge({ path: '/hub', app: { egress: host.egress, certificate_forwarding }, trusted_proxies })
  edge = await startTlsEdge(new URL(bridge.issuer), { port, tls })
  const folder = await mkdtemp(path.join(tmpdir(), 'playground-'))
  const ca = path.join(folder, 'edge.pem')
  await writeFile(ca, tls.cert)
  terminal = { folder, env: { CURL_CA_BUNDLE: ca, NODE_EXTRA_CA_CERTS: ca } }
  await bridge.server.addUser({ ...ROOT, name: 'Ada Admin', roles: ['administrator', 'member'] })
  const dynamic_client_scopes = ['openid', 'profile', 'email', 'offline_access']
  await bridge.server.saveSettings({ registration: 'open', metadata_documents: 'any', dynamic_client_scopes })
  person = await Visitor.open(running.browser)
  person.page.setDefaultTimeout(15_000)
})
after(async () => {
  await bridge?.stop()
  await host?.stop()
  edge?.closeAllConnections()
  edge?.close()
  if (terminal) await rm(terminal.folder, { recursive: true })
  await running?.close()
})

/** What a person does elsewhere: publishes the document, or makes the certificate at their terminal. */
async function doAsShown(value: string, text: string): Promise<void> {
  if (value === 'document') host.pages.set('/playground.json', text)
  else await promisify(execFile)('bash', ['-c', text], { cwd: terminal.folder })
}

/** Starts a flow at its first step. */
const start = (flow: Flow) => startFlow(person, bridge.issuer, flow, { document: `${host.origin}/playground.json` })

/** Takes a step as it must be, and does elsewhere what it shows. */
async function take(step: Step, by: By = 'page'): Promise<string> {
  const said = await runStep(person, bridge, step, { by, terminal })
  if (step.kind === 'show') await doAsShown(step.value, await person.page.locator(`#${step.step} pre`).innerText())
  return said
}

/** Walks through a flow; whoever walks by what the page writes for a shell or a program sends nothing by the page itself. */
async function walk(flow: Flow, by: By, breaks = false): Promise<void> {
  await start(flow)
  for (const step of flow.steps) {
    for (const broken of breaks ? (step.breaks ?? []) : []) {
      if (broken.ends) continue
      assert.match(await runStep(person, bridge, step, { broken, terminal }), expectedOf(step, broken), broken.break)
    }
    assert.match(await take(step, by), expectedOf(step), step.step)
  }
  assert.deepEqual(person.complaints, [])
}

test('a flow runs by the keyboard alone, and whoever returns from another page is where they were', async () => {
  const flow = findFlow('client_credentials')!
  const { page } = person
  await startFlow(person, bridge.issuer, flow)
  await page.locator('[data-start]').focus()
  for (const step of flow.steps) {
    const at = () => page.evaluate(() => document.activeElement?.closest('[data-step]')?.id)
    const button = () => page.evaluate(() => document.activeElement?.hasAttribute('data-run') === true)
    for (let stops = 0; (await at()) !== step.step || !(await button()); stops++) {
      assert.ok(stops < 20, `${step.step} is not reached`)
      await page.keyboard.press('Tab')
    }
    await page.keyboard.press('Enter')
    await page.locator(`#${step.step} .outcome:not(:empty)`).waitFor()
    assert.equal(await at(), step.step, 'the keyboard stays where it was')
  }
  const code = findFlow('authorization_code')!
  await startFlow(person, bridge.issuer, code)
  for (const step of code.steps.slice(0, 2)) await runStep(person, bridge, step)
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'authorize')
})

test('axe finds nothing on a flow that has run, with all that it shows open, in both themes and from right to left', async () => {
  const seen = await Visitor.open(running.browser, { bypassCSP: true })
  const { page } = seen
  page.setDefaultTimeout(15_000)
  const flow = findFlow('dpop')!
  await startFlow(seen, bridge.issuer, flow)
  for (const step of flow.steps) await runStep(seen, bridge, step)
  for (const summary of await page.locator('main summary:visible').all()) await summary.click()
  await page.evaluate(axe.source)
  for (const dir of ['ltr', 'rtl']) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await page.evaluate((value) => {
        document.documentElement.dir = value
      }, dir)
      const found = await page.evaluate(async () => {
        const { violations } = await (window as unknown as { axe: typeof import('axe-core') }).axe.run('html')
        return violations.map(({ id, nodes }) => `${id} at ${nodes.map(({ target }) => target).join(', ')}`)
      })
      assert.deepEqual(found, [], `${dir} ${colorScheme}`)
    }
  }
  await page.setViewportSize({ width: 320, height: 700 })
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320)
  await seen.close()
})

for (const flow of FLOWS) {
  test(`the playground runs ${flow.flow}, and each broken step is refused as it says`, () => walk(flow, 'page', true))

  test(`what the playground writes of ${flow.flow} for a shell does the same`, () => walk(flow, 'curl'))

  test(`what the playground writes of ${flow.flow} as code does the same`, () => walk(flow, 'code'))

  for (const [index, step] of flow.steps.entries()) {
    for (const broken of step.breaks?.filter(({ ends }) => ends) ?? []) {
      test(`${broken.break} in ${flow.flow} ends what the flow has got`, async () => {
        await start(flow)
        for (const before of flow.steps.slice(0, index)) await take(before)
        assert.match(await runStep(person, bridge, step, { broken }), expectedOf(step, broken))
        const ended = flow.steps.find((one) => one.step === 'ended')!
        assert.match(await runStep(person, bridge, ended), expectedOf(ended))
      })
    }
  }
}
