import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT } from './checks.ts'

/** How a server process runs. */
export interface ServerProcessOptions {
  readonly issuer: string
  readonly port: number
  readonly data_dir: string
  /** The platform file that is applied before it listens. */
  readonly platform?: string
  /** PostgreSQL instead of SQLite in the data folder. */
  readonly database_url?: string
  readonly root_key?: string
  /** The checkout whose server runs; this one unless told otherwise. */
  readonly root?: string
}

/** `sallyport serve` as a process that can be killed. */
export interface ServerProcess {
  readonly pid: number
  readonly port: number
  /** From its start until its database answered. */
  readonly ready_ms: number
  /** kill -9, at once; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with everything that it printed, and rejects unless it ended in order. */
  stop(): Promise<string>
}

// A shell in between outlives us by a moment, however we die: when its input closes, it kills the server.
const GUARDIAN = `"$@" </dev/null & server=$!
echo "pid=$server"
read -r word
[ "$word" = wait ] || kill -9 $server 2>/dev/null
wait $server`

const PATIENCE_MS = 30_000

/** Starts a server and waits until it is ready. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const { port } = options
  const main = path.join(options.root ?? ROOT, 'server/src/main.ts')
  const command = [process.execPath, '--conditions=sallyport-source', main, ...serveArguments(options)]
  const started = performance.now()
  const child = spawn('/bin/sh', ['-c', GUARDIAN, 'sh', ...command], {
    env: environmentOf(options),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {})
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = once(child, 'close').then(([code]) => code as number)
  await waitUntilReady(child, port, () => output)
  const pid = Number(/^pid=(\d+)$/m.exec(output)?.[1])
  return {
    pid,
    port,
    ready_ms: performance.now() - started,
    async kill() {
      process.kill(pid, 'SIGKILL')
      child.stdin.end()
      await ended
    },
    async stop() {
      process.kill(pid, 'SIGTERM')
      child.stdin.end('wait\n')
      const code = await ended
      if (code !== 0) throw new Error(`The server ended with ${code}:\n${output}`)
      return output
    },
  }
}

/** What follows `sallyport` on the command line of a server. */
export function serveArguments({ port, platform }: ServerProcessOptions): string[] {
  return ['serve', '--port', String(port), ...(platform === undefined ? [] : ['--config', platform])]
}

/** The whole environment of a server. */
export function environmentOf({ issuer, data_dir, database_url, root_key }: ServerProcessOptions): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    SALLYPORT_ISSUER: issuer,
    SALLYPORT_DATA_DIR: data_dir,
    SALLYPORT_LOG_LEVEL: 'warn',
    ...(database_url === undefined ? {} : { DATABASE_URL: database_url }),
    ...(root_key === undefined ? {} : { SALLYPORT_ROOT_KEY: root_key }),
  }
}

/** Waits until a server is ready; when it ends instead, its output is the reason. */
export async function waitUntilReady(child: ChildProcess, port: number, output: () => string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!(await isReady(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.stdin?.end()
      throw new Error(`The server did not start:\n${output()}`)
    }
    await sleep(10)
  }
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ port, host: '127.0.0.1', path: '/readyz', agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('error', () => resolve(false))
  })
}
