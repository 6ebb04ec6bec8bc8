import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('../..', import.meta.url))
const ENTRY = `
export * from '@openid/appauth'
export { NodeBasedHandler, NodeCrypto, NodeRequestor } from '@openid/appauth/built/src/node_support/index.js'
`

/**
 * AppAuth for JavaScript, unmodified but for the program that opens the system's browser: `openBrowser` is called
 * instead. It is bundled because its modules import each other in a way that only bundlers follow.
 */
// biome-ignore lint/suspicious/noExplicitAny: its types are those of another module system
export async function loadAppAuth(openBrowser: (url: string) => void): Promise<any> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-appauth-'))
  try {
    const [input, opener, output] = ['entry.js', 'opener.js', 'appauth.mjs'].map((file) => path.join(folder, file)) as [
      string,
      string,
      string,
    ]
    await writeFile(input, ENTRY)
    await writeFile(opener, 'export default (url) => globalThis.openForAppAuth(url)')
    const resolve = { modules: [path.join(root, 'node_modules')], alias: { opener } }
    const bundle = await rolldown({ input, platform: 'node', logLevel: 'silent', resolve })
    await bundle.write({ file: output, format: 'esm', codeSplitting: false })
    await bundle.close()
    Object.assign(globalThis, { openForAppAuth: openBrowser })
    return await import(pathToFileURL(output).href)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
