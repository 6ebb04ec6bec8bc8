import { existsSync } from 'node:fs'
import { type App, createApp, VERSION } from '../app.ts'
import { ConfigError } from '../config/config_error.ts'
import type { Config } from '../config/read_config.ts'
import { randomBytes } from '../crypto/random.ts'
import { SealError } from '../crypto/seal.ts'
import { RootKey } from '../crypto/tenant_keys.ts'
import { createEgress } from '../egress/egress.ts'
import { createHttpClaimsHook } from '../inbound/http_claims_hook.ts'
import { createMailer } from '../mail/mailer.ts'
import type { Metrics } from '../metrics.ts'
import { readMigrations } from '../store/migrate.ts'
import { listPendingMigrations } from '../store/pending_migrations.ts'
import { openStore, type Store } from '../store/store.ts'
import type { Log } from '../web/log.ts'
import { adminSocketPath, findAdministration } from './admin_socket.ts'
import { type Administration, createAdministration } from './administration.ts'
import { readCertificateForwarding } from './certificate_forwarding.ts'
import { dataFiles, readLanguages, readRootKey, readVaultKey } from './data_folder.ts'
import { CommandError, EXIT } from './exit_codes.ts'
import { askDatabase, openAsItIs, openDatabase } from './open_store.ts'

/** An app over its database. */
export interface OpenApp {
  readonly app: App
  readonly store: Store
  /** Issuers that the database knows besides this one, which it has just met. */
  readonly other_issuers: readonly string[]
  /** Where they are wanted. */
  readonly metrics: Metrics | undefined
  /** Stores what is still under way, and closes the database. */
  close(): Promise<void>
}

/** Opens the database of a configuration and builds the app on it, or refuses with a sentence. */
export async function openApp(
  config: Config,
  log: Log,
  options: { known_issuer?: boolean; metrics?: boolean } = {},
): Promise<OpenApp> {
  const root = readRootKey(config)
  const store = await openDatabase(config)
  try {
    const issuers = (await store.listTenants({})).map(({ issuer }) => issuer)
    const is_new = issuers.length > 0 && !issuers.includes(config.issuer)
    if (is_new && options.known_issuer) {
      throw new ConfigError([`The database is that of ${issuers.join(', ')}, not of ${config.issuer}`])
    }
    const metrics = options.metrics && config.metrics ? await loadMetrics() : undefined
    const built = await buildApp(config, metrics?.watchStore(store) ?? store, root, log, metrics)
    return { ...built, metrics, other_issuers: is_new ? issuers : [] }
  } catch (error) {
    await store.close()
    if (!(error instanceof SealError)) throw error
    throw new ConfigError([
      'The root key is not the one with which this database was sealed: give that one, no other can open it',
    ])
  }
}

// The library of metrics is loaded where somebody reads them.
async function loadMetrics(): Promise<Metrics> {
  const { createMetrics } = await import('../metrics.ts')
  return createMetrics(VERSION)
}

async function buildApp(
  config: Config,
  store: Store,
  root: RootKey,
  log: Log,
  metrics?: Metrics,
): Promise<Omit<OpenApp, 'other_issuers' | 'metrics'>> {
  const egress = createEgress({ allow: config.egress_allow, headerBytes: config.proxy_limits.largest_header })
  const certificate_forwarding = readCertificateForwarding(config)
  const forwarded = certificate_forwarding && { certificate_forwarding }
  const mailer = config.mail && createMailer(config.mail)
  const claims_hook = config.claims_hook && createHttpClaimsHook(config.claims_hook)
  const vault_root = config.vault_key && { vault_root: readVaultKey(config.vault_key, log)?.wrappers ?? [] }
  const app = await createApp({
    issuer: config.issuer,
    store,
    root,
    log,
    egress,
    endpoint_aliases: config.endpoint_aliases,
    playground: config.playground,
    languages: readLanguages(config, log),
    proxy_limits: config.proxy_limits,
    ...(metrics && { observer: metrics.web }),
    ...vault_root,
    ...forwarded,
    ...(mailer && { mailer }),
    ...(claims_hook && { claims_hook: claims_hook.ask }),
  })
  const close = async () => {
    await app.close()
    mailer?.close()
    await claims_hook?.close()
    await egress.close()
    await store.close()
  }
  return { app, store, close }
}

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * Does work at the running server of the data folder, or, where none runs, at its database. Work that only reads finds
 * an empty database where there is none, and leaves none behind.
 */
export async function withAdministration<Result>(
  config: Config,
  work: (administration: Administration, place: string) => Promise<Result>,
  options: { read_only?: boolean } = {},
): Promise<Result> {
  const running = await findAdministration(adminSocketPath(config))
  if (running) return work(running, 'at the running server')
  const open =
    options.read_only && !(await isMade(config))
      ? await buildApp(config, await openStore({ sqlite: ':memory:' }), new RootKey(randomBytes(32)), SILENT)
      : await openApp(config, SILENT, { known_issuer: true })
  try {
    const place = config.database_url === undefined ? dataFiles(config).database : 'PostgreSQL'
    return await work(createAdministration(open.app), `in ${place}`)
  } finally {
    await open.close()
  }
}

/** Whether a server has been started on the database of a configuration before. */
export async function isMade(config: Config): Promise<boolean> {
  if (config.database_url === undefined) return existsSync(dataFiles(config).database)
  const store = await openAsItIs(config)
  try {
    const pending = await askDatabase(() => listPendingMigrations(store.driver))
    return pending.length < readMigrations('postgres').length && (await store.listTenants({})).length > 0
  } finally {
    await store.close()
  }
}

/** Refuses where no server has been started on the database before: a command that reads or changes it makes none. */
export async function requireMade(config: Config): Promise<void> {
  if (await isMade(config)) return
  const place = config.database_url === undefined ? config.data_dir : 'PostgreSQL'
  throw new CommandError(`There is no database of Sallyport in ${place}`, EXIT.not_there)
}
