// npm run build [-- server|sdk]    makes dist/ of the published packages; npm pack runs it for its own package
import { execFile } from 'node:child_process'
import { chmod, copyFile, cp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import { type Plugin, rolldown } from 'rolldown'
import { ROOT } from './parts/checks.ts'

const SHEBANG = '#!/usr/bin/env node\n'

/** Entries of a package whose modules are bundled, since a server of 500 files starts in twice the time of one of 40. */
const BUNDLED: Record<string, Record<string, string>> = { server: { main: 'main.ts', index: 'index.ts' } }

/** Compiles one package with tsc and puts beside the output what tsc leaves behind: SQL, styles, islands, data. */
async function buildPackage(name: string): Promise<void> {
  const folder = path.join(ROOT, name)
  const src = path.join(folder, 'src')
  const dist = path.join(folder, 'dist')
  await rm(dist, { recursive: true, force: true })
  const tsc = path.join(path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  await promisify(execFile)(process.execPath, [tsc, '-p', path.join(folder, 'tsconfig.json')]).catch((error) => {
    throw new Error(`${name} does not compile:\n${error.stdout || error}`)
  })
  await cp(src, dist, { recursive: true, filter: (file) => !file.endsWith('.ts') })
  await copyFile(path.join(ROOT, 'LICENSE'), path.join(folder, 'LICENSE'))
  const { bin = {}, dependencies } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'))
  if (BUNDLED[name]) await bundle({ src, dist, entries: BUNDLED[name], dependencies: Object.keys(dependencies) })
  for (const file of Object.values<string>(bin)) {
    const program = path.join(folder, file)
    if (!(await readFile(program, 'utf8')).startsWith(SHEBANG)) throw new Error(`${file} must begin with ${SHEBANG}`)
    await chmod(program, 0o755)
  }
}

interface Bundle {
  readonly src: string
  readonly dist: string
  readonly entries: Record<string, string>
  readonly dependencies: readonly string[]
}

/** Puts the modules of a package into few files; those of its dependencies stay where npm puts them. */
async function bundle({ src, dist, entries, dependencies }: Bundle): Promise<void> {
  const input = Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, path.join(src, file)]))
  const external = [/^node:/, ...dependencies.map((name) => new RegExp(`^${name}(/|$)`))]
  const built = await rolldown({ input, external, platform: 'node', plugins: [keepPlaces(src)] })
  await built.write({ dir: dist, format: 'esm', chunkFileNames: '[name].js' })
  await built.close()
}

/** What a module reads from beside itself still lies there, though the module itself is now part of another file. */
function keepPlaces(src: string): Plugin {
  return {
    name: 'keep-places',
    transform(code, id) {
      if (!code.includes('import.meta.url')) return null
      const place = JSON.stringify(`./${path.relative(src, id).replaceAll(path.sep, '/')}`)
      return code.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`)
    },
  }
}

try {
  const wanted = process.argv.slice(2)
  await Promise.all((wanted.length > 0 ? wanted : ['server', 'sdk']).map(buildPackage))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
