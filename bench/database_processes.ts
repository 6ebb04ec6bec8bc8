import { existsSync, readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'

const TICK_MS = 10

/** The processes of a PostgreSQL on this machine: what work costs them, which waiting for a busy processor does not change. */
export class DatabaseProcesses {
  readonly #postmaster: number

  constructor(postmaster: number) {
    this.#postmaster = postmaster
  }

  /** Finds them by the process that serves a connection; null elsewhere than on Linux. */
  static async find(url: string): Promise<DatabaseProcesses | null> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    const stat = readStat(rows[0]!.pid)
    await client.end()
    return stat && new DatabaseProcesses(stat.parent)
  }

  /** Processor time of all that are running now, since each began. */
  cpuMs(): number {
    const all = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => readStat(Number(pid)))
    return all.reduce((sum, stat) => sum + (stat?.parent === this.#postmaster ? stat.ticks * TICK_MS : 0), 0)
  }
}

function readStat(pid: number): { parent: number; ticks: number } | null {
  const file = `/proc/${pid}/stat`
  if (!existsSync(file)) return null
  try {
    // After the name of the program, which may hold anything: state, parent, ..., user and system time.
    const fields = readFileSync(file, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }
  } catch {
    return null
  }
}
