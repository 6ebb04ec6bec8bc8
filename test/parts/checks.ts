import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root, where every command runs. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Runs the type check and the linter, prints a line for each and what they found; false when one found something. */
export async function runChecks(): Promise<boolean> {
  const results = await Promise.all([
    runCheck('types', 'typescript', 'bin/tsc', ['-p', '.', '--noEmit']),
    runCheck('style', '@biomejs/biome', 'bin/biome', ['check', '--error-on-warnings', '.']),
  ])
  return results.every(Boolean)
}

async function runCheck(name: string, module: string, program: string, args: string[]): Promise<boolean> {
  const started = performance.now()
  const folder = path.dirname(createRequire(import.meta.url).resolve(`${module}/package.json`))
  const { ok, output } = await new Promise<{ ok: boolean; output: string }>((resolve) => {
    const options = { cwd: ROOT, maxBuffer: 64 * 2 ** 20 }
    execFile(process.execPath, [path.join(folder, program), ...args], options, (error, stdout, stderr) => {
      resolve({ ok: error === null, output: `${stdout}${stderr}`.trim() || String(error ?? '') })
    })
  })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stdout.write(
    `${ok ? '✔' : '✖'} ${name} (${path.basename(program)}, ${seconds} s)\n${ok ? '' : `${output}\n`}`,
  )
  return ok
}
