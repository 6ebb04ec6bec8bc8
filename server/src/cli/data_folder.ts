import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ConfigError } from '../config/config_error.ts'
import type { Config } from '../config/read_config.ts'
import { decodeRootKey, type VaultKeySource } from '../config/root_key.ts'
import type { RootKey } from '../crypto/tenant_keys.ts'
import { syncPath } from '../store/backup/durable.ts'
import type { Log } from '../web/log.ts'

/** The files of a data folder. */
export const dataFiles = (config: Pick<Config, 'data_dir'>) => ({
  database: path.join(config.data_dir, 'sallyport.db'),
  setup_link: path.join(config.data_dir, 'setup-link'),
  admin_socket: path.join(config.data_dir, 'admin.sock'),
  languages: path.join(config.data_dir, 'languages'),
})

/** Makes the data folder, for its owner alone, unless it is there. */
export function makeDataFolder(config: Pick<Config, 'data_dir'>): void {
  try {
    mkdirSync(config.data_dir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new ConfigError([`The data folder ${config.data_dir} cannot be made (${codeOf(error)})`])
  }
}

/** Languages and wording of the operator's own, one file each (docs/translate.md); what cannot be read is told and left out. */
export function readLanguages(config: Pick<Config, 'data_dir'>, log: Log): Record<string, unknown> {
  const { languages } = dataFiles(config)
  if (!existsSync(languages)) return {}
  const read = (file: string): [string, unknown][] => {
    const place = path.join(languages, file)
    try {
      const text = readFileSync(place, 'utf8')
      if (text.length > LARGEST_LANGUAGE) throw new Error(`it has more than ${LARGEST_LANGUAGE} characters`)
      // A shell makes the file empty before the command that is to fill it runs.
      return [[path.parse(file).name, text === '' ? {} : JSON.parse(text)]]
    } catch (error) {
      log.warn({ path: place, reason: String(error) }, 'a file of a language cannot be read')
      return []
    }
  }
  const files = readdirSync(languages).filter((file) => file.endsWith('.json'))
  return Object.fromEntries(files.sort().flatMap(read))
}

const LARGEST_LANGUAGE = 1_000_000

/** The root key: as given, from its file, or, in development, made at first start. */
export function readRootKey(config: Config): RootKey {
  const { root_key } = config
  if (root_key.kind === 'given') return root_key.key
  const { kind, file } = root_key
  if (kind === 'made' && !existsSync(file)) makeRootKey(config, file)
  return readKeyFile(file, 'root key')
}

/** The vault's own root key; null where a file does not give it, which closes the vault and nothing else. */
export function readVaultKey(source: VaultKeySource, log: Log): RootKey | null {
  if (source.kind === 'given') return source.key
  try {
    return readKeyFile(source.file, 'root key of the vault')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    log.error({ reason: error.sentences.join('; ') }, 'the vault has no root key')
    return null
  }
}

function readKeyFile(file: string, what: string): RootKey {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    throw new ConfigError([`The ${what} cannot be read from ${file} (${codeOf(error)})`])
  }
  // 32 bytes of text are no encoding of a key, so that the two cannot be confused.
  return decodeRootKey(
    bytes.length === 32 ? bytes.toString('base64') : bytes.toString('latin1'),
    `The ${what} in ${file}`,
  )
}

function makeRootKey(config: Config, file: string): void {
  if (config.database_url === undefined && existsSync(dataFiles(config).database)) {
    throw new ConfigError([
      `${file} is missing, but its database is there: put the root key back, for no other opens what is sealed in it`,
    ])
  }
  makeDataFolder(config)
  // Written aside and linked into place: another process finds the whole key, its own or ours, or none.
  const aside = `${file}.${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(aside, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true })
    linkSync(aside, file)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw new ConfigError([`${file} cannot be written (${codeOf(error)})`])
  } finally {
    rmSync(aside, { force: true })
  }
  // A file whose name is lost in a power cut is lost.
  syncPath(config.data_dir)
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}
