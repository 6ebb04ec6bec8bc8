import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { SMTPServer } from 'smtp-server'
import { createCertificate } from './certificate.ts'
import { freePort } from './sallyport.ts'
import { temporaryDirectory, unpackOnce } from './unpacked.ts'

/** Whom Dovecot asks about the tokens it is shown (RFC 7662). */
export interface DovecotOptions {
  readonly introspection_endpoint: string
  readonly client_id: string
  readonly client_secret: string
  /** What a token must be good for. */
  readonly scope: string
  /** Told to whoever is refused (RFC 7628 section 3.2.2). */
  readonly openid_configuration: string
  /** The user names that have a mailbox. */
  readonly mailboxes: readonly string[]
}

/** A Dovecot on loopback, for IMAP and for submission, with STARTTLS; it takes tokens and no passwords. */
export interface Dovecot {
  readonly imap_port: number
  readonly submission_port: number
  /** For whoever is to trust it. */
  readonly certificate: string
  /** What it let people in by: `imap OAUTHBEARER`. */
  readonly logins: ReadonlySet<string>
  /** kill -9; resolves when the last of its processes is gone. The mail stays. */
  crash(): Promise<void>
  /** Starts it again on the same mail and the same ports, after `crash`. */
  start(): Promise<void>
  /** Ends it and removes its mail. */
  stop(): Promise<void>
}

const run = promisify(execFile)
// Dovecot changes its user when root starts it, to one that a machine without it does not have: nobody runs it then.
const NOBODY = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
const PACKAGES = ['dovecot-core', 'dovecot-imapd', 'dovecot-submissiond']
const HOW_TO_GET_IT =
  `install Dovecot 2.3 (Debian 12, Ubuntu 24.04: apt install ${PACKAGES.slice(1).join(' ')}), ` +
  'or let apt-get of such a system reach a mirror: then nothing is installed, only unpacked.'

/** Starts one. */
export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const installation = await findDovecot()
  const home = await mkdtemp(path.join(await temporaryDirectory(), 'sallyport-dovecot-mail-'))
  const relay = await startRelay(path.join(home, 'mail'))
  const { key, cert } = createCertificate(['127.0.0.1'])
  const ports = { imap: await freePort(), submission: await freePort(), relay: relay.port }
  const files = {
    'key.pem': key,
    'cert.pem': cert,
    'oauth2.conf': describeIntrospection(options),
    'dovecot.conf': await describeServer(home, installation, ports),
  }
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(home, name), text)
  const boxes = options.mailboxes.flatMap((name) => ['cur', 'new', 'tmp'].map((part) => `mail/${name}/${part}`))
  for (const folder of ['run', ...boxes]) await mkdir(path.join(home, folder), { recursive: true })
  await giveToNobody(home)
  await symlink(path.join(installation.libexec, 'modules'), path.join(home, 'run/modules'))
  let running: ChildProcess | undefined
  const logins = new Set<string>()
  const hear = (line: string) => {
    const [, service, method] = /(\w+)-login: Info: Login: .*method=(\w+)/.exec(line) ?? []
    if (service !== undefined) logins.add(`${service} ${method}`)
  }
  const dovecot: Dovecot = {
    ...{ imap_port: ports.imap, submission_port: ports.submission, certificate: cert, logins },
    async crash() {
      process.kill(Number(await readFile(path.join(home, 'run/master.pid'), 'utf8')), 'SIGKILL')
      if (running) await end(running, 'keep\n')
      running = undefined
    },
    async start() {
      running = await launch(installation, home, hear)
    },
    async stop() {
      if (running) await end(running, '')
      running = undefined
      await relay.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
  try {
    await dovecot.start()
    return dovecot
  } catch (error) {
    await dovecot.stop()
    throw error
  }
}

/** Where its parts are, and what its programs need to find their libraries. */
interface Installation {
  readonly dovecot: string
  readonly doveconf: string
  readonly libexec: string
  readonly env: Readonly<Record<string, string>>
}

async function findDovecot(): Promise<Installation> {
  const PATH = '/usr/bin:/bin'
  const system = { dovecot: '/usr/sbin/dovecot', doveconf: '/usr/bin/doveconf', libexec: '/usr/lib/dovecot' }
  const installed = ['imap', 'submission'].every((name) => existsSync(path.join(system.libexec, name)))
  const found: Installation = installed ? { ...system, env: { PATH } } : await unpackDovecot(PATH)
  const { stdout } = await run(found.dovecot, ['--version'], { env: found.env })
  if (!stdout.startsWith('2.3.')) throw new Error(`This is Dovecot ${stdout.trim()}: ${HOW_TO_GET_IT}`)
  return found
}

async function unpackDovecot(PATH: string): Promise<Installation> {
  const folder = await unpackOnce('sallyport-dovecot', (draft) =>
    fetchPackages(draft).catch((cause) => {
      throw new Error(`The mail test needs Dovecot: ${HOW_TO_GET_IT}`, { cause })
    }),
  )
  const libexec = path.join(folder, 'usr/lib/dovecot')
  const libraries = new Set(globSync('{usr/,}lib/**/*.so*', { cwd: folder }).map((name) => path.dirname(name)))
  const LD_LIBRARY_PATH = [...libraries].map((name) => path.join(folder, name)).join(':')
  return {
    dovecot: path.join(folder, 'usr/sbin/dovecot'),
    doveconf: path.join(folder, 'usr/bin/doveconf'),
    ...{ libexec, env: { PATH, LD_LIBRARY_PATH } },
  }
}

/** Downloads Debian's packages, with the libraries that this system lacks, and unpacks them; no root, no installing. */
async function fetchPackages(folder: string): Promise<void> {
  const state = path.join(folder, 'apt')
  for (const part of ['lists/partial', 'archives/partial']) await mkdir(path.join(state, part), { recursive: true })
  await giveToNobody(state)
  // Lists of our own: the system's may be missing, or too old to name files that are still there.
  const places = ['-o', `Dir::State::Lists=${state}/lists`, '-o', `Dir::Cache=${state}`, '-o', 'Debug::NoLocking=true']
  const download = ['--download-only', '--reinstall', '--no-install-recommends', '-y', 'install', ...PACKAGES]
  for (const task of [['update'], download]) await run('apt-get', [...places, ...task], { ...NOBODY, cwd: '/' })
  for (const file of globSync(`${state}/archives/*.deb`)) await run('dpkg-deb', ['-x', file, folder])
  await rm(state, { recursive: true })
  // The one path that no setting changes: where the TLS module is looked for. Now below the folder of the sockets.
  const library = path.join(folder, 'usr/lib/dovecot/libdovecot.so.0')
  const bytes = await readFile(library, 'latin1')
  const compiled = '/usr/lib/dovecot/modules\0'
  await writeFile(library, bytes.replace(compiled, 'modules'.padEnd(compiled.length, '\0')), 'latin1')
}

async function giveToNobody(folder: string): Promise<void> {
  if (NOBODY.uid !== undefined) await run('chown', ['-R', `${NOBODY.uid}:${NOBODY.gid}`, folder])
}

function describeIntrospection(options: DovecotOptions): string {
  const url = new URL(options.introspection_endpoint)
  url.username = options.client_id
  url.password = options.client_secret
  return `introspection_url = ${url.href}
introspection_mode = post
force_introspection = yes
active_attribute = active
active_value = true
username_attribute = username
username_format = %u
scope = ${options.scope}
openid_configuration_url = ${options.openid_configuration}
`
}

async function describeServer(home: string, { libexec, env }: Installation, ports: Record<string, number>) {
  const ask = async (...args: string[]) => (await run('id', args, NOBODY)).stdout.trim()
  const [user, group, uid, gid] = [await ask('-un'), await ask('-gn'), await ask('-u'), await ask('-g')]
  const libraries = env['LD_LIBRARY_PATH']
  return `base_dir = ${home}/run
state_dir = ${home}/run
libexec_dir = ${libexec}
import_environment = TZ${libraries === undefined ? '' : ` LD_LIBRARY_PATH=${libraries}`}
log_path = /dev/stderr
default_internal_user = ${user}
default_internal_group = ${group}
default_login_user = ${user}
first_valid_uid = ${uid}
first_valid_gid = ${gid}
listen = 127.0.0.1
protocols = imap submission
ssl = required
ssl_cert = <${home}/cert.pem
ssl_key = <${home}/key.pem
mail_location = maildir:${home}/mail/%u
hostname = mail.example
submission_relay_host = 127.0.0.1
submission_relay_port = ${ports['relay']}
auth_mechanisms = oauthbearer xoauth2
# Whoever is refused is told at once, however often.
auth_failure_delay = 0
passdb {
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = ${home}/oauth2.conf
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${home}/mail/%u
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${ports['imap']}
  }
  inet_listener imaps {
    port = 0
  }
}
service submission-login {
  chroot =
  inet_listener submission {
    port = ${ports['submission']}
  }
}
`
}

// The shell in between outlives us by a moment, however we die: when its input closes it ends the server and, unless
// told to keep it, removes the mail.
const GUARDIAN = `home=$1; shift
"$@" </dev/null & server=$!
exec 2>/dev/null
read -r word
kill -TERM $server
wait $server
[ "$word" = keep ] || rm -rf "$home"`

async function launch(
  { dovecot, doveconf, env }: Installation,
  home: string,
  hear: (line: string) => void,
): Promise<ChildProcess> {
  const file = path.join(home, 'dovecot.conf')
  // The server would look for doveconf in /usr/bin; started by doveconf it has its settings already.
  const command = [doveconf, '-c', file, '-m', 'master', '-e', dovecot, '-F', '-c', file]
  const child = spawn('/bin/sh', ['-c', GUARDIAN, 'sh', home, ...command], {
    ...{ ...NOBODY, cwd: '/', env, stdio: ['pipe', 'ignore', 'pipe'], detached: true },
  })
  child.stdin!.on('error', () => {})
  let log = ''
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    createInterface(child.stderr!)
      .on('line', (line) => {
        log = `${log}${line}\n`.slice(-8192)
        if (line.includes('starting up for')) resolve()
        hear(line)
      })
      .on('close', () => {
        child.stdin!.end('keep\n')
        reject(new Error(`Dovecot did not start: ${log.trim()}`))
      })
  })
  return child
}

// 'close' follows the exit of the shell and the end of the log, which each of its processes holds open.
async function end(child: ChildProcess, word: string): Promise<void> {
  const closed = once(child, 'close')
  child.stdin?.end(word)
  await closed
}

/** Submission hands on what it took, as it would to the internet: here a letter goes into the mailbox it is for. */
async function startRelay(mail: string): Promise<{ port: number; stop(): Promise<void> }> {
  let letters = 0
  const server = new SMTPServer({
    ...{ disabledCommands: ['AUTH', 'STARTTLS'], logger: false },
    async onData(stream, { envelope }, callback) {
      const letter = await buffer(stream)
      try {
        for (const { address } of envelope.rcptTo) {
          const box = path.join(mail, address.slice(0, address.indexOf('@')))
          const name = `${Date.now()}.${++letters}.mail.example`
          await writeFile(path.join(box, 'tmp', name), letter)
          await rename(path.join(box, 'tmp', name), path.join(box, 'new', name))
        }
        callback()
      } catch (error) {
        callback(Object.assign(error as Error, { responseCode: 550 }))
      }
    },
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return { port, stop: () => new Promise<void>((resolve) => server.close(() => resolve())) }
}
