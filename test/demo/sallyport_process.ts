import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../server/src/main.ts', import.meta.url))
const READY_WITHIN_MS = 15_000

/** `sallyport serve` as a process of its own, on a fresh data folder, with a platform file applied before it listens. */
export async function startSallyportProcess(options: {
  port: number
  platform: string
  env?: Record<string, string>
}): Promise<{ issuer: string; output(): string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-demo-'))
  const file = join(folder, 'platform.yaml')
  await writeFile(file, options.platform)
  const issuer = `http://127.0.0.1:${options.port}`
  const args = ['--conditions=sallyport-source', MAIN, 'serve', '--port', String(options.port), '--config', file]
  const child = spawn(process.execPath, args, {
    env: {
      ...foreignEnvironment(),
      ...options.env,
      SALLYPORT_ISSUER: issuer,
      SALLYPORT_DATA_DIR: join(folder, 'data'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  const deadline = Date.now() + READY_WITHIN_MS
  while (!(await answers(`${issuer}/readyz`))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`Sallyport did not start:\n${output}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    issuer,
    output: () => output,
    async close() {
      child.kill('SIGTERM')
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Our environment without what would configure another Sallyport. */
function foreignEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(SALLYPORT_|DATABASE_URL$|HOST$|PORT$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
}
