import { readFileSync } from 'node:fs'
import path from 'node:path'
import { suggest } from '../apply/nearest.ts'
import type { PlatformFile } from '../apply/platform_file.ts'
import { ConfigError } from '../config/config_error.ts'
import { readIssuer } from '../config/issuer.ts'
import { type Config, DEFAULT_PORT, readConfig } from '../config/read_config.ts'
import { CONFIG_VARIABLE, SETTINGS, type SettingName } from '../config/settings.ts'
import { type ConfigSources, findSetting } from '../config/sources.ts'
import { readPort } from '../config/values.ts'

/** What a command was given: the flags of settings by their names, and the files. */
export interface CommandOptions {
  readonly flags: Readonly<Partial<Record<SettingName, string>>>
  /** The file of `--config`. */
  readonly config_file: string | undefined
  /** The file of `-f`: also the configuration where there is no other. `-` is the standard input. */
  readonly platform_file?: string | undefined
}

/** Where a command runs. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

/** A command's configuration, and the platform of its file, still to be checked. */
export interface CommandConfig {
  readonly config: Config
  readonly platform: unknown
  /** The connectors that every tenant has, still to be checked; undefined where no file says so. */
  readonly connectors: unknown
}

/** Reads the files that a command names, and its configuration. YAML is loaded only where there is a file. */
export async function readCommandConfig(options: CommandOptions, at: Surroundings): Promise<CommandConfig> {
  const { sources, platform } = await readSources(options, at)
  const config = readConfig(sources)
  const { connectors_file: file } = config
  return { config, platform, connectors: file === undefined ? undefined : await readConnectors(file, at) }
}

async function readConnectors(file: string, at: Surroundings): Promise<unknown> {
  const { server, platform } = await readFile(file, at)
  const others = [...Object.keys(platform), ...(Object.keys(server).length > 0 ? ['server'] : [])]
  const [other] = others.filter((name) => name !== 'connectors')
  if (other !== undefined) throw new ConfigError([`${file} holds ${other}: connectors_file is for connectors alone`])
  return platform['connectors'] ?? []
}

/** Which server a command is about. */
export interface ServerOfCommand {
  readonly issuer: string
  /** Whether somebody said so, or it is only where a server would be by itself. */
  readonly named: boolean
  /** Where the server of this machine would keep its data. */
  readonly data_dir: string
}

/** The server that a command is about, where nothing but that is needed of the configuration: no key, no database. */
export async function readServerOfCommand(options: CommandOptions, at: Surroundings): Promise<ServerOfCommand> {
  const { sources } = await readSources(options, at)
  const read = <T>(setting: SettingName, by: (text: string, name: string) => T, otherwise: T): T => {
    const found = findSetting(sources, setting)
    return found ? by(found.text, found.name) : otherwise
  }
  const port = read('port', readPort, DEFAULT_PORT)
  return {
    issuer: read('issuer', readIssuer, `http://localhost:${port}`),
    named: (['issuer', 'port'] as const).some((setting) => findSetting(sources, setting) !== undefined),
    data_dir: path.resolve(
      at.cwd,
      read('data_dir', (text) => text, '.sallyport'),
    ),
  }
}

async function readSources(
  options: CommandOptions,
  at: Surroundings,
): Promise<{ sources: ConfigSources; platform: unknown }> {
  const config_file = options.config_file ?? (at.env[CONFIG_VARIABLE] || undefined)
  const configuring = config_file === undefined ? undefined : await readFile(config_file, at)
  const described = options.platform_file === undefined ? undefined : await readFile(options.platform_file, at)
  const { server = {}, folder = at.cwd } = configuring ?? described ?? {}
  const file = serverSection(server, folder)
  const platform = (described ?? configuring)?.platform
  return { sources: { flags: options.flags, env: at.env, file, cwd: at.cwd }, platform }
}

async function readFile(file: string, { cwd, env }: Surroundings): Promise<PlatformFile & { folder: string }> {
  const { readPlatformFile } = await import('../apply/platform_file.ts')
  const full = file === '-' ? 0 : path.resolve(cwd, file)
  const folder = full === 0 ? cwd : path.dirname(full)
  let text: string
  try {
    text = readFileSync(full, 'utf8')
  } catch (error) {
    throw new ConfigError([`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`])
  }
  return { ...readPlatformFile(text, { env, folder }), folder }
}

const PATHS: readonly string[] = [
  'data_dir',
  'root_key_file',
  'vault_key_file',
  'client_certificate_authorities',
  'connectors_file',
  'log_file',
] satisfies SettingName[]

/** The settings of a file as text, its paths read from the file's own folder. */
function serverSection(
  server: Readonly<Record<string, unknown>>,
  folder: string,
): Partial<Record<SettingName, string>> {
  const sentences: string[] = []
  const settings: Partial<Record<SettingName, string>> = {}
  for (const [name, value] of Object.entries(server)) {
    if (!Object.hasOwn(SETTINGS, name)) {
      sentences.push(`server.${name} is not a setting; ${suggest(name, Object.keys(SETTINGS))}`)
      continue
    }
    const text = Array.isArray(value) && value.every((item) => typeof item === 'string') ? value.join(',') : value
    if (text === null || text === undefined) continue
    if (typeof text !== 'string' && typeof text !== 'number') sentences.push(`server.${name} must be text`)
    else settings[name as SettingName] = PATHS.includes(name) ? path.resolve(folder, String(text)) : String(text)
  }
  if (sentences.length > 0) throw new ConfigError(sentences)
  return settings
}
