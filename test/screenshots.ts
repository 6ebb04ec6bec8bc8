// npm run screenshots    makes docs/images: the main pages with sample data, light and dark
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Browser } from 'playwright-core'
import { findFlow } from '../server/src/web/playground/flows/index.ts'
import { servePreview } from './pages/preview.ts'
import { startBridge } from './parts/bridge.ts'
import { ROOT } from './parts/checks.ts'
import { launchBrowser } from './parts/chromium.ts'
import { ROOT as ADMINISTRATOR, runStep, startFlow } from './parts/playground_run.ts'
import { Visitor } from './parts/visitor.ts'

/** A flow of the playground that runs: against a server of its own, since nothing of it is a sample. */
async function showRunFlow(browser: Browser): Promise<void> {
  const bridge = await startBridge()
  try {
    await bridge.server.addUser({ ...ADMINISTRATOR, name: 'Ada Admin', roles: ['administrator'] })
    const person = await Visitor.open(browser, { viewport: RUN_FLOW, reducedMotion: 'reduce' })
    const flow = findFlow('authorization_code')!
    await startFlow(person, bridge.issuer, flow)
    for (const step of flow.steps.slice(0, 3)) await runStep(person, bridge, step)
    await person.page.locator('#token [data-run]').evaluate((button) => button.scrollIntoView())
    for (const colorScheme of ['light', 'dark'] as const) {
      await person.page.emulateMedia({ colorScheme })
      await person.page.screenshot({ path: path.join(images, `flow-${colorScheme}.png`) })
    }
    await person.close()
  } finally {
    await bridge.stop()
  }
}

/** The main pages in windows of such a size; what is narrow is shown to its end. */
const SHOWN = {
  login_every_way: { width: 640, height: 640 },
  consent: { width: 640, height: 640 },
  device_question: { width: 640, height: 640 },
  account: { width: 1200, height: 900 },
  overview: { width: 1200, height: 860 },
  client: { width: 1200, height: 900 },
  connectors: { width: 1200, height: 720 },
  connections: { width: 1200, height: 720 },
  grant: { width: 1200, height: 900 },
  events: { width: 1200, height: 760 },
  event: { width: 1200, height: 900 },
  keys: { width: 1200, height: 720 },
}
const RUN_FLOW = { width: 1200, height: 900 }

const images = path.join(ROOT, 'docs/images')
await mkdir(images, { recursive: true })
const preview = await servePreview()
const { browser, close } = await launchBrowser()
try {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [name, viewport] of Object.entries(SHOWN)) {
      const page = await browser.newPage({ viewport, colorScheme, reducedMotion: 'reduce' })
      const answer = await page.goto(`${preview.origin}/${name}`)
      if (answer?.status() !== 200) throw new Error(`There is no page ${name} to show`)
      await writeFile(
        path.join(images, `${name}-${colorScheme}.png`),
        await page.screenshot({ fullPage: viewport.width < 1000 }),
      )
      await page.close()
    }
  }
  await showRunFlow(browser)
} finally {
  await close()
  preview.close()
}
