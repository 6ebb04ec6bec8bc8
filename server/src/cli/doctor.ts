import { accessSync, constants, type Stats, statSync } from 'node:fs'
import { isLoopback } from '../config/issuer.ts'
import type { Config } from '../config/read_config.ts'
import { createEgress } from '../egress/egress.ts'
import { greetSmtp } from '../mail/mailer.ts'
import { adminSocketPath, findAdministration, sentencesOf } from './admin_socket.ts'
import type { Administration, Facts } from './administration.ts'
import { isMade, withAdministration } from './open_app.ts'

/** One thing that was looked at. */
export interface Check {
  readonly name: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly says: string
}

const ok = (name: string, says: string): Check => ({ name, status: 'ok', says })
const warn = (name: string, says: string): Check => ({ name, status: 'warn', says })
const fail = (name: string, says: string): Check => ({ name, status: 'fail', says })

const NODE = [24, 15]
const SQLITE = [3, 51, 3]
const SKEW_MS = { warn: 2_000, fail: 30_000 }

/** Looks at everything that keeps a server from running well, running or not. */
export async function examine(config: Config): Promise<Check[]> {
  const running = await findAdministration(adminSocketPath(config)).catch(() => null)
  return [
    checkVersion('node', process.versions.node, NODE),
    checkVersion('sqlite', process.versions['sqlite'] ?? '0', SQLITE),
    checkMode(config),
    checkAddress(config),
    checkProxies(config),
    await checkMail(config),
    ...checkFiles(config),
    ...(await checkInside(config, running !== null)),
    ...(running ? await checkRunning(config, running) : [warn('server', 'no server of this data folder runs')]),
  ]
}

function checkVersion(name: string, version: string, least: readonly number[]): Check {
  const numbers = version.split('.').map(Number)
  const first = least.findIndex((number, i) => numbers[i] !== number)
  const enough = first < 0 || (numbers[first] ?? 0) > least[first]!
  return enough ? ok(name, version) : fail(name, `${version} is older than ${least.join('.')}, which is needed`)
}

function checkMode({ issuer, production }: Config): Check {
  if (production) return ok('mode', `production, issuer ${issuer}`)
  return warn('mode', `development, issuer ${issuer}: people and machines elsewhere need an https issuer`)
}

function checkAddress({ issuer, host, port, production }: Config): Check {
  const url = new URL(issuer)
  const listening = `listens on ${host}, port ${port}`
  if (production) return ok('address', `${listening}; ${url.host} must lead there, with TLS`)
  if (!isLoopback(host)) return warn('address', `${listening}: without TLS, and others can reach it`)
  if (Number(url.port || 80) !== port)
    return warn('address', `${listening}, but the issuer names port ${url.port || 80}`)
  return ok('address', listening)
}

function checkProxies({ production, trusted_proxies }: Config): Check {
  if (trusted_proxies.length > 0) return ok('proxies', trusted_proxies.join(', '))
  if (!production) return ok('proxies', 'none: clients come to this server directly')
  const says = 'none: the address of a client is not known behind a proxy, so nothing is limited by address'
  return warn('proxies', `${says}; name the proxy in SALLYPORT_TRUSTED_PROXIES`)
}

async function checkMail({ mail }: Config): Promise<Check> {
  if (!mail) return ok('e-mail', 'off: nobody resets a password by themselves, or is told of changes')
  const { host } = new URL(mail.url)
  try {
    await greetSmtp(mail)
    return ok('e-mail', `${host} takes it, from ${mail.from}`)
  } catch (error) {
    return fail('e-mail', `${host} does not take it: ${(error as Error).message}`)
  }
}

function checkFiles(config: Config): Check[] {
  const folder = checkPrivate('data folder', config.data_dir, 0o077)
  const { root_key } = config
  if (root_key.kind === 'given') return [folder, ok('root key', 'given by the environment or the file')]
  const key = checkPrivate('root key', root_key.file, 0o077)
  // At first start the key is made by the server itself.
  const to_come = root_key.kind === 'made' && key.status === 'fail' && folder.status === 'warn'
  return [folder, to_come ? warn('root key', 'is made at first start') : key]
}

function checkPrivate(name: string, path: string, others: number): Check {
  let stats: Stats
  try {
    stats = statSync(path)
    accessSync(path, stats.isDirectory() ? constants.R_OK | constants.W_OK | constants.X_OK : constants.R_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && name === 'data folder') return warn(name, `${path} is made at first start`)
    return fail(name, `${path} cannot be used (${code})`)
  }
  const mode = stats.mode & 0o777
  if (process.platform === 'win32' || (mode & others) === 0) return ok(name, path)
  return warn(name, `${path} is open to other users (mode ${mode.toString(8).padStart(4, '0')})`)
}

async function checkInside(config: Config, runs: boolean): Promise<Check[]> {
  try {
    if (!runs && !(await isMade(config))) return [warn('database', 'is made at first start')]
    return readFacts(await withAdministration(config, (administration) => administration.examine()))
  } catch (error) {
    const sentences = sentencesOf(error)
    if (!sentences) throw error
    return [fail('database', sentences.join('; '))]
  }
}

function readFacts(facts: Facts): Check[] {
  const { pending_migrations, other_issuers, signing_key } = facts
  const skew = Math.abs(facts.database_now - facts.process_now)
  const clock = `the clocks of server and database differ by ${skew} ms`
  return [
    ok('database', `${facts.database} answers`),
    pending_migrations.length === 0
      ? ok('schema', 'up to date')
      : fail('schema', `lacks ${pending_migrations.join(', ')}: run \`sallyport migrate\``),
    ...checkKeys(facts.keys),
    ok('signing key', `${signing_key.alg}, ${signing_key.kid}`),
    skew > SKEW_MS.fail ? fail('clock', clock) : skew > SKEW_MS.warn ? warn('clock', clock) : ok('clock', clock),
    facts.needs_setup
      ? warn('administrator', 'nobody yet: `sallyport setup-link`')
      : ok('administrator', 'there is one'),
    ...(other_issuers.length > 0 ? [warn('issuers', `the database also has ${other_issuers.join(', ')}`)] : []),
  ]
}

function checkKeys(keys: Facts['keys']): Check[] {
  const { root_key, vault_root_key, under_former_roots, under_former_vault_keys, vault_closed } = keys
  const opens = `root key ${root_key} opens the keys of the tenant`
  const open = `open, ${keys.data_keys} data keys, root key ${vault_root_key}`
  return [
    under_former_roots === 0
      ? ok('keys', opens)
      : warn('keys', `${opens}; ${under_former_roots} keys are not under the present root key: \`sallyport rekey\``),
    vault_closed !== null
      ? fail('vault', `closed: ${vault_closed}`)
      : under_former_vault_keys > 0
        ? warn('vault', `${open}, ${under_former_vault_keys} of them under a former key: \`sallyport rekey\``)
        : ok('vault', open),
  ]
}

async function checkRunning(config: Config, running: Administration): Promise<Check[]> {
  const { issuer, version, pid } = await running.examine()
  const server = ok('server', `version ${version} runs as process ${pid}`)
  if (issuer !== config.issuer) {
    return [server, fail('issuer', `the running server is ${issuer}, the configuration says ${config.issuer}`)]
  }
  return [server, await checkDiscovery(config)]
}

async function checkDiscovery({ issuer }: Config): Promise<Check> {
  const url = `${issuer}/.well-known/openid-configuration`
  const egress = createEgress({ allow: [new URL(issuer).host] })
  try {
    const response = await egress.fetch(url, { purpose: 'discovery' })
    const said = response.status === 200 ? ((await response.json()) as { issuer?: unknown }).issuer : undefined
    if (said === issuer) return ok('discovery', url)
    return fail('discovery', `${url} answers ${response.status}, ${said ? `as ${said}` : 'without this issuer'}`)
  } catch (error) {
    return fail('discovery', `${url} does not answer: ${(error as Error).message}`)
  } finally {
    await egress.close()
  }
}

/** The checks as lines for people. */
export function describeChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length))
  return checks.map(({ name, status, says }) => `${status.padEnd(4)}  ${name.padEnd(width)}  ${says}\n`).join('')
}
