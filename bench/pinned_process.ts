import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** What a process of the benchmark can be asked, by name. */
export type Answers = Readonly<Record<string, (question: never) => unknown>>

interface Reply {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** Whether processes can be bound to one core each. */
export const CAN_PIN = spawnSync('taskset', ['-c', '0', 'true']).status === 0

/** The memory that a process holds, in MB, or NaN where the system does not tell. */
export function residentMemory(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
  } catch {
    return Number.NaN
  }
}

/** A child process bound to one core, which answers questions one by one. */
export class PinnedProcess {
  /** From the start of the process to its first word: it listens. */
  readonly ready_ms: number
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  #asked = 0

  private constructor(child: ChildProcess, ready_ms: number) {
    this.#child = child
    this.ready_ms = ready_ms
    child.on('message', ({ id, value, error }: Reply) => {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(value as never)
      else waiting?.reject(new Error(error))
    })
    child.on('exit', (code, signal) => {
      const error = new Error(`a process of the benchmark ended: ${code ?? signal}`)
      for (const { reject } of this.#waiting.values()) reject(error)
      this.#waiting.clear()
    })
  }

  /** Starts a file with the Node that runs this one. */
  static async start(file: string, args: readonly string[], core: number, flags: readonly string[] = []) {
    const started = performance.now()
    const node = [process.execPath, ...process.execArgv, ...flags, file, ...args]
    const [command, ...rest] = CAN_PIN ? ['taskset', '-c', String(core), ...node] : node
    const child = spawn(command!, rest, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
    })
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error(`${file} did not start`))),
    ])
    return new PinnedProcess(child, performance.now() - started)
  }

  /** Asks the process and waits for its answer. */
  ask<Answer>(name: string, question: unknown = null): Promise<Answer> {
    const id = ++this.#asked
    return new Promise<Answer>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ id, name, question })
    })
  }

  /** The memory it holds, in MB. */
  residentMemory(): number {
    return residentMemory(this.#child.pid!)
  }

  /** The processor time it has used, in seconds. */
  async cpuSeconds(): Promise<number> {
    const { user, system } = await this.ask<NodeJS.CpuUsage>('cpu')
    return (user + system) / 1e6
  }

  /** Lets the process end in order. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.disconnect()
    await exited
  }
}

/** Says that this process is ready, answers its parent's questions, and cleans up when the parent is gone. */
export function answerParent(answers: Answers, end: () => Promise<void> | void = () => {}): void {
  process.on('message', async ({ id, name, question }: { id: number; name: string; question: never }) => {
    try {
      process.send!({ id, value: name === 'cpu' ? process.cpuUsage() : await answers[name]!(question) })
    } catch (error) {
      process.send!({ id, error: String((error as Error).stack ?? error) })
    }
  })
  process.once('disconnect', async () => {
    await end()
    process.exit(0)
  })
  process.send!({ id: 0 })
}
