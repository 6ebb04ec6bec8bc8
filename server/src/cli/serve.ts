import { rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { App } from '../app.ts'
import { ConfigError } from '../config/config_error.ts'
import { isLoopback } from '../config/issuer.ts'
import type { Config } from '../config/read_config.ts'
import { createSetupLink, needsSetup, type SetupLink } from '../inbound/users/setup_link.ts'
import { type Listening, listen, type Served } from '../node_server.ts'
import { giveConnectors } from '../outbound/administration/connectors_for_everyone.ts'
import { startUpkeep } from '../upkeep.ts'
import { paths } from '../web/ui/paths.ts'
import { adminSocketPath, serveAdministration } from './admin_socket.ts'
import { createAdministration } from './administration.ts'
import type { CommandConfig } from './command_config.ts'
import { dataFiles, makeDataFolder } from './data_folder.ts'
import { createLog, type ServerLog } from './log.ts'
import { openApp } from './open_app.ts'

/** A server that runs. */
export interface Running {
  /** The link to the first administrator, while there is none. */
  readonly setup_link: SetupLink | null
  /** Stops accepting, answers what is in flight, writes what is still to be written, and closes everything. */
  stop(): Promise<void>
}

const GRACE_MS = 10_000
const LONGEST_STOP_MS = 20_000

/** Starts a server: opens the database, applies what its files describe, and listens only then. */
async function startServer(
  config: Config,
  { platform, connectors }: Pick<CommandConfig, 'platform' | 'connectors'>,
  log: ServerLog,
): Promise<Running> {
  const { app, other_issuers, metrics, close } = await openApp(config, log, { metrics: true })
  const closing: (() => unknown)[] = [close]
  const stop = async () => {
    for (const end of closing.reverse()) await end()
  }
  try {
    if (other_issuers.length > 0) {
      log.warn({ issuer: config.issuer, reason: other_issuers.join(', ') }, 'the database is that of another issuer')
    }
    if (!config.production && !isLoopback(config.host)) {
      log.warn({ host: config.host }, 'development without TLS is open to other machines')
    }
    if (config.production && config.trusted_proxies.length === 0) {
      log.warn(
        {},
        'no trusted_proxies are named: the address of a client is not known, so nothing is limited by address',
      )
    }
    if (platform !== undefined) await applyFile(app, platform, log)
    // After those of the tenant's own file, whose names stay the tenant's.
    if (connectors !== undefined) await giveToEveryone(app, connectors, log)
    const upkeep = startUpkeep(app, metrics ? { noteRound: metrics.noteRound } : {})
    closing.push(() => upkeep.stop())
    const socket = await openAdminSocket(config, app, log)
    closing.push(() => socket?.close())
    if (metrics && config.metrics) {
      const { serveMetrics } = await import('./metrics_server.ts')
      const served = await serveMetrics(config.metrics, () => metrics.write(app.tenant))
      closing.push(() => served.close())
      log.info({ host: config.metrics.host, port: config.metrics.port }, 'metrics are served')
    }
    const setup_link = await offerSetup(config, app, log)
    const server = await listenOrSay(app, config, log)
    closing.push(() => server.stop(GRACE_MS))
    return { setup_link, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function giveToEveryone(app: App, connectors: unknown, log: ServerLog): Promise<void> {
  const { readPlatform } = await import('../apply/platform.ts')
  const { connectors: inputs } = readPlatform({ connectors }, { grant_types: [] })
  for (const reason of await giveConnectors(app.web.outbound, inputs)) log.warn({ reason }, 'a connector for everyone')
}

async function applyFile(app: App, platform: unknown, log: ServerLog): Promise<void> {
  const { changes, warnings } = await createAdministration(app, 'system').apply(platform)
  const count = (action: string) => changes.filter((change) => change.action === action).length
  log.info({ created: count('create'), changed: count('change') }, 'platform applied')
  for (const reason of warnings) log.warn({ reason }, 'the platform looks wrong')
}

async function openAdminSocket(config: Config, app: App, log: ServerLog): Promise<Server | null> {
  const database = config.database_url === undefined ? dataFiles(config).database : undefined
  const administration = createAdministration(app, 'cli', database)
  const createSetupLink = async () => {
    const link = await administration.createSetupLink()
    keepSetupLink(config, link, log)
    return link
  }
  try {
    makeDataFolder(config)
    const server = await serveAdministration(adminSocketPath(config), { ...administration, createSetupLink }, log)
    if (!server) log.warn({}, 'another server of this data folder takes the commands of the terminal')
    return server
  } catch (error) {
    // Over PostgreSQL the commands can open the database themselves.
    log.warn({ err: error }, 'commands of the terminal cannot reach this server')
    return null
  }
}

async function offerSetup(config: Config, app: App, log: ServerLog): Promise<SetupLink | null> {
  const link = (await needsSetup(app.tenant)) ? await createSetupLink(app.tenant, 'system') : null
  keepSetupLink(config, link, log)
  return link
}

/** Keeps the link that works in a file that its owner alone can read, and no other. */
function keepSetupLink(config: Config, link: SetupLink | null, log: ServerLog): void {
  const file = dataFiles(config).setup_link
  try {
    rmSync(file, { force: true })
    if (!link) return
    writeFileSync(file, `${link.url}\n`, { mode: 0o600, flag: 'wx' })
    log.info({ path: file, expires_at: link.expires_at }, 'no administrator yet: the setup link is in a file')
  } catch (error) {
    log.warn({ err: error }, 'the setup link could not be written; `sallyport setup-link` prints one')
  }
}

/** Listens where the configuration says, or says why not. */
export async function listenOrSay(
  served: Served,
  { host, port, issuer, trusted_proxies }: Pick<Config, 'host' | 'port' | 'issuer' | 'trusted_proxies'>,
  log: ServerLog,
): Promise<Listening> {
  try {
    const server = await listen(served, { host, port, trusted_proxies })
    log.info({ issuer, host, port: server.port }, 'listening')
    return server
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new ConfigError([
        `Port ${port} of ${host} is taken: stop what listens there, or choose another with --port`,
      ])
    if (code === 'EACCES')
      throw new ConfigError([`Port ${port} of ${host} may not be used by this user: choose one from 1024`])
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new ConfigError([`${host} is not an address of this machine`])
    throw error
  }
}

/** `serve` and `dev`: runs until a signal says otherwise; answers the exit code. */
export async function serve({ config, ...described }: CommandConfig, mode: 'serve' | 'dev'): Promise<number> {
  if (mode === 'dev' && config.production) {
    throw new ConfigError([`dev is for development: ${config.issuer} is https, so run \`sallyport serve\``])
  }
  const log = createLog(config)
  endOnDefect(log)
  const stopped = waitForSignal()
  try {
    // In development the playground and examples may call this very server.
    const own = mode === 'dev' ? [new URL(config.issuer).host] : []
    const running = await startServer({ ...config, egress_allow: [...config.egress_allow, ...own] }, described, log)
    welcome(config, running, mode)
    log.info({ signal: await stopped }, 'stopping')
    limitStop(log)
    await running.stop()
    log.info({}, 'stopped')
    return 0
  } finally {
    log.flush()
  }
}

/** A database that does not answer must not keep a process that was told to end. */
export function limitStop(log: ServerLog): void {
  const limit = setTimeout(() => {
    log.error({ reason: `more than ${LONGEST_STOP_MS / 1000} s` }, 'the server ends before everything is closed')
    log.flush()
    process.exit(1)
  }, LONGEST_STOP_MS)
  limit.unref()
}

/** The signal to stop: npm and the terminal may both pass on one wish, so that a second one changes nothing. */
export function waitForSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => resolve(name))
  })
}

/** Ends the process after a defect: nothing in memory can be trusted; what was answered is in the database. */
export function endOnDefect(log: ServerLog): void {
  const end = (error: unknown) => {
    log.error({ err: error instanceof Error ? error : new Error(String(error)) }, 'the server ends: it has a defect')
    log.flush()
    process.exit(1)
  }
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
}

/** Says where things are. A setup link is a secret: in production only a terminal sees it, never a collected log. */
function welcome({ issuer, production, data_dir }: Config, { setup_link }: Running, mode: 'serve' | 'dev'): void {
  const lines: string[] = []
  if (mode === 'dev') {
    lines.push(
      `Sallyport serves ${issuer} for development`,
      `  discovery  ${issuer}/.well-known/openid-configuration`,
      `  account    ${issuer}/account`,
      `  console    ${issuer}/admin`,
      `  playground ${issuer}${paths.playground}`,
      `  data       ${data_dir}`,
    )
  }
  if (setup_link && (!production || process.stdout.isTTY)) {
    const until = new Date(setup_link.expires_at).toTimeString().slice(0, 5)
    lines.push(
      `No administrator yet. This link makes the first one; it works once, until ${until}:`,
      `  ${setup_link.url}`,
    )
  }
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
}
