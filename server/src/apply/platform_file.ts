import { readFileSync } from 'node:fs'
import path from 'node:path'
import { isMap, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import { readPicture, sayWhyNoPicture, writePictureUrl } from '../inbound/picture.ts'
import { suggest } from './nearest.ts'
import { PlatformError } from './platform_error.ts'

/** A platform file as text became values: secrets are resolved, nothing else is checked yet. */
export interface PlatformFile {
  /** How the server runs; for whoever starts one. */
  readonly server: Readonly<Record<string, unknown>>
  /** What the server is to hold: see `readPlatform`. */
  readonly platform: Readonly<Record<string, unknown>>
}

/** Where a platform file may take secrets from. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder that relative paths start from: the file's own. */
  readonly folder: string
}

const LARGEST_FILE = 4 * 2 ** 20
const LARGEST_SECRET = 65_536

// Where secrets stand: in the server's section by name, and in each entry of a list.
const SECRETS = {
  server: ['root_key', 'vault_key', 'database_url', 'smtp_url', 'claims_hook_secret', 'metrics_token'],
  clients: ['client_secret'],
  users: ['password'],
  connectors: ['client_secret', 'private_key'],
  webhooks: ['secret'],
} as const

/** Reads a platform file: YAML or JSON, with secrets by value, environment or file. */
export function readPlatformFile(text: string, sources: SecretSources): PlatformFile {
  if (text.length > LARGEST_FILE) throw new PlatformError([`the file is larger than ${LARGEST_FILE} bytes`])
  const value = parseYaml(text) ?? {}
  if (!isObject(value)) throw new PlatformError(['the file must be a map of names to values'])
  const sentences: string[] = []
  for (const [section, names] of Object.entries(SECRETS)) {
    const entries = section === 'server' ? [value[section]] : Array.isArray(value[section]) ? value[section] : []
    for (const [i, entry] of entries.entries()) {
      for (const name of isObject(entry) ? names : []) {
        if (entry[name] === undefined) continue
        try {
          entry[name] = readSecret(entry[name], sources)
        } catch (error) {
          const place = section === 'server' ? section : `${section}[${i}]`
          sentences.push(`${place}.${name}${(error as Error).message}`)
        }
      }
    }
  }
  const { settings } = value
  if (isObject(settings) && isObject(settings['brand_logo'])) {
    try {
      settings['brand_logo'] = readLogo(settings['brand_logo'], sources)
    } catch (error) {
      sentences.push(`settings.brand_logo${(error as Error).message}`)
    }
  }
  if (sentences.length > 0) throw new PlatformError(sentences)
  const { server = {}, ...platform } = value
  if (!isObject(server)) throw new PlatformError(['server: must be a map of names to values'])
  return { server, platform }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseYaml(text: string): unknown {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: 'core' })
  const complaints = [...document.errors, ...document.warnings].map(({ pos, message }) => {
    const { line, col } = lines.linePos(pos[0])
    return `line ${line}, column ${col}: ${message}`
  })
  // A key that is no text would silently become one.
  visit(document, {
    Map(_, map) {
      for (const { key } of isMap(map) ? map.items : []) {
        if (isScalar(key) && typeof key.value === 'string') continue
        const { line } = lines.linePos((key as { range?: number[] }).range?.[0] ?? 0)
        complaints.push(`line ${line}: a name must be text`)
      }
    },
  })
  if (complaints.length > 0) throw new PlatformError(complaints)
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw new PlatformError([`the file is not usable: ${(error as Error).message}`])
  }
}

function readSecret(given: unknown, sources: SecretSources): string {
  const how = ' must be one of { value: ... }, { env: NAME } or { file: path }'
  if (!isObject(given) || Object.keys(given).length !== 1) throw new Error(how)
  const [kind, text] = Object.entries(given)[0]!
  if (!['value', 'env', 'file'].includes(kind)) {
    throw new Error(`: ${kind} is not known; ${suggest(kind, ['value', 'env', 'file'])}`)
  }
  if (typeof text !== 'string') throw new Error(`.${kind} must be text; put it in quotes`)
  const secret = kind === 'value' ? text : kind === 'env' ? fromEnvironment(text, sources) : fromFile(text, sources)
  if (secret === '') throw new Error(`.${kind} is empty`)
  return secret
}

/** Reads the picture that a setting refers to. */
function readLogo(given: Record<string, unknown>, { folder }: SecretSources): string {
  const { file } = given
  if (typeof file !== 'string' || Object.keys(given).length !== 1) {
    throw new Error(' must be a data URL or { file: path }')
  }
  let picture: ReturnType<typeof readPicture>
  try {
    picture = readPicture(readFileSync(path.resolve(folder, file)))
  } catch (error) {
    throw new Error(`.file: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  if (typeof picture === 'string') throw new Error(`.file: ${file} ${sayWhyNoPicture(picture)}`)
  return writePictureUrl(picture)
}

function fromEnvironment(name: string, { env }: SecretSources): string {
  const secret = env[name]
  if (secret === undefined) throw new Error(`.env: the environment has no ${name}`)
  return secret
}

function fromFile(file: string, { folder }: SecretSources): string {
  let text: string
  try {
    text = readFileSync(path.resolve(folder, file), 'utf8')
  } catch (error) {
    throw new Error(`.file: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  if (text.length > LARGEST_SECRET) throw new Error(`.file: ${file} is larger than ${LARGEST_SECRET} bytes`)
  return text.replace(/\r?\n$/, '')
}
