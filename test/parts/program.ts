import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import path from 'node:path'
import { ROOT } from './checks.ts'

/** A `sallyport` command that runs as a process of its own. */
export interface Program {
  readonly pid: number
  /** What it has printed so far. */
  readonly stdout: string
  readonly stderr: string
  /** Resolves with the match as soon as its output has it; rejects when it ends without. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>
  /** Sends a signal; resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number>
  /** Resolves with the exit code. */
  readonly ended: Promise<number>
}

/** Where a command runs, and the variables that it gets beside those of the system. */
export interface ProgramOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  /** What is run instead of the sources, such as a built package. */
  readonly command?: readonly string[]
}

/** Where Node keeps what it has compiled: the suite starts hundreds of processes of the same sources. */
export const COMPILED = path.join(ROOT, 'node_modules/.cache/compile')
// As run.mjs does; without it in between, so that a signal reaches the server itself.
const FLAGS = ['--conditions=sallyport-source', '--disable-warning=ExperimentalWarning']
const SOURCES = [...FLAGS, path.join(ROOT, 'server/src/main.ts')]

/** Starts `sallyport` with arguments, in an environment that holds no setting of ours. */
export function startProgram(args: readonly string[], options: ProgramOptions): Program {
  const [command, ...before] = options.command ?? [process.execPath, ...SOURCES]
  const env = { ...ownEnvironment(), NODE_COMPILE_CACHE: COMPILED, ...options.env }
  const child = spawn(command!, [...before, ...args], { cwd: options.cwd, env, stdio: 'pipe' })
  child.stdin.on('error', () => {})
  child.stdin.end(options.stdin)
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  const ended = end(child)
  return {
    pid: child.pid!,
    get stdout() {
      return output.stdout
    },
    get stderr() {
      return output.stderr
    },
    ended,
    async waitFor(pattern) {
      for (let over = false; ; ) {
        const found = pattern.exec(output.stdout + output.stderr)
        if (found) return found
        if (over) throw new Error(`It ended without ${pattern}:\n${output.stdout}${output.stderr}`)
        const heard = Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data')])
        over = await Promise.race([heard.then(() => false), ended.then(() => true)])
      }
    },
    stop(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
}

async function end(child: ChildProcess): Promise<number> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return code ?? (signal === 'SIGKILL' ? 137 : 1)
}

/** Runs `sallyport` to its end. */
export async function runProgram(
  args: readonly string[],
  options: ProgramOptions,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const program = startProgram(args, options)
  const code = await program.ended
  return { code, stdout: program.stdout, stderr: program.stderr }
}

/** What came of a command line. */
export interface EndedLine {
  readonly line: string
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs command lines one after another in one process, which is started once for all of them. */
export async function runLines(
  lines: readonly (readonly string[])[],
  options: Omit<ProgramOptions, 'command'>,
): Promise<EndedLine[]> {
  const command = [process.execPath, ...FLAGS, path.join(ROOT, 'test/parts/command_lines.ts')]
  const { code, stdout, stderr } = await runProgram([JSON.stringify(lines)], { ...options, command })
  if (code !== 0) throw new Error(`The process of the command lines ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as EndedLine[]
}

function ownEnvironment(): NodeJS.ProcessEnv {
  const ours = /^SALLYPORT_|^(DATABASE_URL|HOST|PORT|NODE_OPTIONS)$|^NODE_TEST/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
}

/** A port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
