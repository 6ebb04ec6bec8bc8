import { readFileSync } from 'node:fs'
import path from 'node:path'
import { suggest } from '../apply/nearest.ts'
import type { PlatformFile } from '../apply/platform_file.ts'
import { ConfigError } from '../config/config_error.ts'
import { type Config, readConfig } from '../config/read_config.ts'
import { CONFIG_VARIABLE, SETTINGS, type SettingName } from '../config/settings.ts'

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
}

/** Reads the files that a command names, and its configuration. YAML is loaded only where there is a file. */
export async function readCommandConfig(options: CommandOptions, at: Surroundings): Promise<CommandConfig> {
  const config_file = options.config_file ?? (at.env[CONFIG_VARIABLE] || undefined)
  const configuring = config_file === undefined ? undefined : await readFile(config_file, at)
  const described = options.platform_file === undefined ? undefined : await readFile(options.platform_file, at)
  const { server = {}, folder = at.cwd } = configuring ?? described ?? {}
  const file = serverSection(server, folder)
  const config = readConfig({ flags: options.flags, env: at.env, file, cwd: at.cwd })
  return { config, platform: (described ?? configuring)?.platform }
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
