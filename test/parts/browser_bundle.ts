import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** One script for a browser from ES module source; packages come from this repository's node_modules, as published. */
export async function bundleForBrowser(source: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-bundle-'))
  try {
    const input = path.join(folder, 'entry.js')
    await writeFile(input, source)
    const bundle = await rolldown({
      ...{ input, platform: 'browser', logLevel: 'silent', resolve: { modules: [path.join(root, 'node_modules')] } },
      // Styles are not needed where nothing is drawn.
      moduleTypes: { '.css': 'empty', '.svg': 'text' },
      transform: { define: { 'process.env.NODE_ENV': '"production"' } },
    })
    const { output } = await bundle.generate({ format: 'iife', codeSplitting: false })
    await bundle.close()
    return output[0].code
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
