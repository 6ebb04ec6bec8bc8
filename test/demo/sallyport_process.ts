import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../server/src/main.ts', import.meta.url))
const READY_WITHIN_MS = 15_000

/** `sallyport serve` as a process of its own, which can be killed and started again. */
export interface SallyportProcess {
  readonly issuer: string
  output(): string
  /** Ends it as a power cut would: by SIGKILL. */
  kill(): Promise<void>
  /** Starts it again on what is on the disk. */
  start(): Promise<void>
  /** How many rows each table has; for a process that is not running. */
  countRows(): Promise<Readonly<Record<string, number>>>
  close(): Promise<void>
}

/** Starts one on a fresh data folder, with a platform file applied before it listens. */
export async function startSallyportProcess(options: {
  port: number
  platform: string
  env?: Record<string, string>
}): Promise<SallyportProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-demo-'))
  const file = join(folder, 'platform.yaml')
  await writeFile(file, options.platform)
  const issuer = `http://127.0.0.1:${options.port}`
  const data = join(folder, 'data')
  const args = ['--conditions=sallyport-source', MAIN, 'serve', '--port', String(options.port), '--config', file]
  const env = { ...foreignEnvironment(), ...options.env, SALLYPORT_ISSUER: issuer, SALLYPORT_DATA_DIR: data }
  let output = ''
  let end = async (_signal: NodeJS.Signals): Promise<void> => {}
  const start = async () => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
    const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()))
    end = async (signal) => {
      child.kill(signal)
      await exited
    }
    const deadline = Date.now() + READY_WITHIN_MS
    while (!(await answers(`${issuer}/readyz`))) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`Sallyport did not start:\n${output}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  await start()
  return {
    issuer,
    output: () => output,
    start,
    kill: () => end('SIGKILL'),
    async countRows() {
      // A copy: what the dead process left in its log is not ours to put away.
      const copy = join(folder, 'copy')
      await mkdir(copy)
      const files = (await readdir(data)).filter((name) => name.startsWith('sallyport.db'))
      for (const name of files) await cp(join(data, name), join(copy, name))
      const database = new DatabaseSync(join(copy, 'sallyport.db'))
      const tables = database.prepare("select name from sqlite_master where type = 'table'").all()
      const counts = tables.map(({ name: table }) => [
        String(table),
        Number(database.prepare(`select count(*) as n from "${table}"`).get()!['n']),
      ])
      database.close()
      await rm(copy, { recursive: true })
      return Object.fromEntries(counts)
    },
    async close() {
      await end('SIGTERM')
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
