import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { findAsset } from '../../server/src/web/ui/assets.ts'
import { pageHeaders } from '../../server/src/web/ui/headers.ts'
import { html } from '../../server/src/web/ui/html.ts'
import type { View } from '../../server/src/web/ui/view.ts'
import { hostile } from './hostile.ts'
import { LANGUAGES, SAMPLE_LOGO, SAMPLE_LOGO_PNG, sampleView } from './sample_view.ts'
import { samplePages } from './samples.ts'

/**
 * Serves every page with sample data on loopback, under the headers of production pages. In the query: `theme=dark`,
 * `lang=ar`, `accent=0a7f5a`, and `data=` with a name of `hostile.ts` to put that text into every field.
 */
export async function servePreview(port = 0): Promise<{ origin: string; close(): void }> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const found = findAsset(url.pathname)
    if (found) return response.writeHead(200, found.headers).end(found.body)
    if (url.pathname === SAMPLE_LOGO)
      return response.writeHead(200, { 'content-type': 'image/png' }).end(SAMPLE_LOGO_PNG)
    const page = renderPreview(url)
    response.writeHead(page === undefined ? 404 : 200, pageHeaders({ production: false, script: true })).end(page)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const { port: actual } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${actual}`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

function renderPreview(url: URL): string | undefined {
  const query = url.searchParams
  const theme = query.get('theme')
  const accent = query.get('accent')
  const { tag: lang, dir, text: words } = LANGUAGES.find(query.get('lang') ?? 'en')!
  const text = hostile[query.get('data') ?? '']
  const view: View = sampleView({
    ...{ lang, dir, text: words },
    theme: theme === 'light' || theme === 'dark' ? theme : undefined,
    tenant: { name: text ?? 'Northwind Cloud', accent: accent === null ? undefined : `#${accent}` },
  })
  const pages = samplePages(view, text === undefined ? undefined : () => text)
  if (url.pathname !== '/') return pages[url.pathname.slice(1)] && String(pages[url.pathname.slice(1)]!())
  const items = Object.keys(pages).map((page) => html`<li><a href="/${page}${url.search}">${page}</a></li>`)
  return String(html`<!doctype html><html lang="en"><title>Preview</title><ul>${items}</ul></html>`)
}

if (import.meta.main) {
  const { origin } = await servePreview(Number(process.env['PORT'] ?? 9401))
  process.stdout.write(`${origin}\n`)
}
