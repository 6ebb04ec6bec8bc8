// npm run screenshots    makes docs/images: the main pages with sample data, light and dark
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { servePreview } from './pages/preview.ts'
import { ROOT } from './parts/checks.ts'
import { launchBrowser } from './parts/chromium.ts'

/** The main pages in windows of such a size; what is narrow is shown to its end. */
const SHOWN = {
  login: { width: 640, height: 640 },
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
  flow: { width: 1200, height: 900 },
}

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
} finally {
  await close()
  preview.close()
}
