import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { connect } from 'node:net'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from '../test/parts/sallyport.ts'
import { CAN_PIN, residentMemory } from './pinned_process.ts'

/** How long a server takes from nothing to its first answer, and what it holds when nothing has been asked of it. */
export interface Start {
  readonly ms: number
  readonly idle_mb: number
}

const BUILT = fileURLToPath(new URL('../server/dist/main.js', import.meta.url))
const BUILD = fileURLToPath(new URL('../test/build.ts', import.meta.url))

/** Makes the published build of this checkout, so that none of an earlier one is measured. */
export async function buildServer(): Promise<void> {
  await promisify(execFile)(process.execPath, [...process.execArgv, BUILD, 'server'])
}

/** Starts `sallyport serve`, the published build, on a new SQLite database, on one core, and ends it. */
export async function measureStart(folder: string, core: number): Promise<Start> {
  const port = await freePort()
  const data_dir = await mkdtemp(path.join(folder, 'start-'))
  const serve = [BUILT, 'serve', '--port', String(port), '--data-dir', data_dir]
  const [command, ...args] = [...(CAN_PIN ? ['taskset', '-c', String(core)] : []), process.execPath, ...serve]
  const env = { PATH: process.env['PATH'], SALLYPORT_ROOT_KEY: randomBytes(32).toString('base64') }
  const started = performance.now()
  const child = spawn(command!, [...args, '--log-file', path.join(data_dir, 'log')], { stdio: 'ignore', env })
  const exited = once(child, 'exit')
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`sallyport serve ended with ${child.exitCode}`)
    await wait(2)
  }
  const ms = performance.now() - started
  await wait(500)
  const idle_mb = residentMemory(child.pid!)
  child.kill('SIGTERM')
  await exited
  return { ms, idle_mb }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
