// npm run build [-- server|sdk]    makes dist/ of the published packages; npm pack runs it for its own package
import { execFile } from 'node:child_process'
import { chmod, copyFile, cp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from './parts/checks.ts'

const SHEBANG = '#!/usr/bin/env node\n'

/** Compiles one package with tsc and puts beside the output what tsc leaves behind: SQL, styles, islands, data. */
async function buildPackage(name: string): Promise<void> {
  const folder = path.join(ROOT, name)
  const dist = path.join(folder, 'dist')
  await rm(dist, { recursive: true, force: true })
  const tsc = path.join(path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  await promisify(execFile)(process.execPath, [tsc, '-p', path.join(folder, 'tsconfig.json')]).catch((error) => {
    throw new Error(`${name} does not compile:\n${error.stdout || error}`)
  })
  await cp(path.join(folder, 'src'), dist, { recursive: true, filter: (file) => !file.endsWith('.ts') })
  await copyFile(path.join(ROOT, 'LICENSE'), path.join(folder, 'LICENSE'))
  const { bin = {} } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'))
  for (const file of Object.values<string>(bin)) {
    const program = path.join(folder, file)
    if (!(await readFile(program, 'utf8')).startsWith(SHEBANG)) throw new Error(`${file} must begin with ${SHEBANG}`)
    await chmod(program, 0o755)
  }
}

try {
  const wanted = process.argv.slice(2)
  await Promise.all((wanted.length > 0 ? wanted : ['server', 'sdk']).map(buildPackage))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
