import { Buffer } from 'node:buffer'
import path from 'node:path'
import { nearestName } from './apply/nearest.ts'
import { RootKey } from './crypto/tenant_keys.ts'
import { readAllowList } from './egress/allow_list.ts'
import { readTrustedProxies } from './inbound/client_address.ts'
import { type EndpointAliases, readEndpointAliases } from './web/endpoint_paths.ts'

/** How a server runs: read once at start, from flags, environment and file. */
export interface Config {
  readonly host: string
  readonly port: number
  readonly issuer: string
  /** An https issuer means production; an http one is for development on this machine. */
  readonly production: boolean
  /** The folder of the SQLite database, the admin socket and, in development, the root key. Absolute. */
  readonly data_dir: string
  /** PostgreSQL, or undefined for SQLite in the data folder. */
  readonly database_url: string | undefined
  readonly root_key: RootKeySource
  /** The proxies in front, addresses and CIDR ranges: what they say of where a request comes from is believed. */
  readonly trusted_proxies: readonly string[]
  readonly endpoint_aliases: EndpointAliases
  /** How a trusted proxy passes on the TLS certificates of clients; undefined where none does. */
  readonly client_certificates: ClientCertificateConfig | undefined
  readonly egress_allow: readonly string[]
  /** The operator's SMTP server and the sender's address; without them no e-mail is sent. */
  readonly mail: { readonly url: string; readonly from: string } | undefined
  readonly log_level: string
  readonly log_format: 'text' | 'json'
  readonly log_file: string | undefined
}

/** How certificates of clients come past the proxy (RFC 8705). */
export interface ClientCertificateConfig {
  readonly header: string
  /** A PEM file. Absolute. */
  readonly authorities_file: string | undefined
  readonly origin: string | undefined
}

/** Where the root key comes from: given, in a file that the operator keeps, or made at first start in development. */
export type RootKeySource =
  | { readonly kind: 'given'; readonly key: RootKey }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'made'; readonly file: string }

/** Refuses to run, with every reason as a sentence for the person who configures the server. */
export class ConfigError extends Error {
  readonly sentences: readonly string[]

  constructor(sentences: readonly string[]) {
    super(sentences.join('\n'))
    this.name = 'ConfigError'
    this.sentences = sentences
  }
}

/** One setting: its names, and the text of its help. What is secret has no flag: arguments can be read by others. */
export interface Setting {
  readonly env: string
  readonly flag?: string
  readonly about: string
}

/** Every setting of the server by its name in the file's `server` section. */
export const SETTINGS = {
  host: { env: 'HOST', flag: '--host <address>', about: 'address to listen on (default: 127.0.0.1)' },
  port: { env: 'PORT', flag: '--port <number>', about: 'port to listen on (default: 9400)' },
  issuer: {
    env: 'SALLYPORT_ISSUER',
    flag: '--issuer <url>',
    about: 'URL at which clients reach this server (default: http://localhost:<port>)',
  },
  data_dir: {
    env: 'SALLYPORT_DATA_DIR',
    flag: '--data-dir <folder>',
    about: 'folder of the embedded database and the admin socket (default: .sallyport)',
  },
  database_url: { env: 'DATABASE_URL', about: 'PostgreSQL instead of the embedded database' },
  root_key: { env: 'SALLYPORT_ROOT_KEY', about: 'the key that seals every other: 32 bytes as base64 or hex' },
  root_key_file: {
    env: 'SALLYPORT_ROOT_KEY_FILE',
    flag: '--root-key-file <file>',
    about: 'file with the root key',
  },
  trusted_proxies: {
    env: 'SALLYPORT_TRUSTED_PROXIES',
    flag: '--trusted-proxies <list>',
    about: 'addresses or CIDR ranges, by comma, of proxies whose X-Forwarded-For is believed (default: none)',
  },
  endpoint_aliases: {
    env: 'SALLYPORT_ENDPOINT_ALIASES',
    flag: '--endpoint-aliases <list>',
    about: 'further paths of the common endpoints, by comma, such as token_endpoint=/v2/oauth2/token (default: none)',
  },
  client_certificate_header: {
    env: 'SALLYPORT_CLIENT_CERTIFICATE_HEADER',
    flag: '--client-certificate-header <name>',
    about: 'header in which a trusted proxy passes on the TLS certificate of a client, such as Client-Cert (RFC 9440)',
  },
  client_certificate_authorities: {
    env: 'SALLYPORT_CLIENT_CERTIFICATE_AUTHORITIES',
    flag: '--client-certificate-authorities <file>',
    about: 'PEM file of the authorities that issue the certificates of clients (tls_client_auth)',
  },
  client_certificate_origin: {
    env: 'SALLYPORT_CLIENT_CERTIFICATE_ORIGIN',
    flag: '--client-certificate-origin <url>',
    about: 'https origin at which the proxy asks for certificates (default: that of the issuer)',
  },
  egress_allow: {
    env: 'SALLYPORT_EGRESS_ALLOW',
    flag: '--egress-allow <list>',
    about: 'hosts, host:port or CIDR, by comma, that may be called although they are internal or plain http',
  },
  smtp_url: { env: 'SALLYPORT_SMTP_URL', about: 'SMTP server for e-mail: smtp[s]://user:password@host:port' },
  mail_from: {
    env: 'SALLYPORT_MAIL_FROM',
    flag: '--mail-from <address>',
    about: 'sender of e-mail: an address, or Name <address>',
  },
  log_level: {
    env: 'SALLYPORT_LOG_LEVEL',
    flag: '--log-level <level>',
    about: 'debug, info, warn, error or silent (default: info)',
  },
  log_format: {
    env: 'SALLYPORT_LOG_FORMAT',
    flag: '--log-format <format>',
    about: 'text or json (default: text in development, json in production and in a file)',
  },
  log_file: { env: 'SALLYPORT_LOG_FILE', flag: '--log-file <file>', about: 'file for the log (default: stdout)' },
} as const satisfies Record<string, Setting>

/** The name of a setting. */
export type SettingName = keyof typeof SETTINGS

/** The variable that names the platform file, beside the flag `--config`. */
export const CONFIG_VARIABLE = 'SALLYPORT_CONFIG'

/** Where settings are looked for, in this order; all values are text by then. */
export interface ConfigSources {
  readonly flags: Readonly<Partial<Record<SettingName, string>>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** The `server` section of the platform file. */
  readonly file?: Readonly<Partial<Record<SettingName, string>>>
  /** The folder that relative paths of flags and environment start from. */
  readonly cwd: string
}

interface Found {
  readonly text: string
  /** How the person who set it calls it. */
  readonly name: string
  readonly level: number
}

/** Reads the configuration: flag before environment before file before default; refuses with all reasons at once. */
export function readConfig(sources: ConfigSources): Config {
  const sentences = unknownVariables(sources.env)
  const read = <T>(setting: SettingName, by: (text: string, name: string) => T, otherwise: T): T => {
    const found = find(sources, setting)
    if (!found) return otherwise
    try {
      return by(found.text, found.name)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      sentences.push(...error.sentences)
      return otherwise
    }
  }
  const port = read('port', readPort, 9400)
  const issuer = read('issuer', readIssuer, `http://localhost:${port}`)
  const production = issuer.startsWith('https:')
  const data_dir = read('data_dir', (text) => path.resolve(sources.cwd, text), path.resolve(sources.cwd, '.sallyport'))
  const log_file = read('log_file', (text) => path.resolve(sources.cwd, text), undefined)
  const header = read('client_certificate_header', readHeaderName, undefined)
  const origin = read('client_certificate_origin', readOrigin, undefined)
  const authorities_file = read('client_certificate_authorities', (text) => path.resolve(sources.cwd, text), undefined)
  if (header !== undefined && find(sources, 'trusted_proxies') === undefined) {
    sentences.push('client_certificate_header needs trusted_proxies: from anybody else the header is not believed')
  }
  const config: Omit<Config, 'root_key'> = {
    host: read('host', readHost, '127.0.0.1'),
    port,
    issuer,
    production,
    data_dir,
    database_url: read('database_url', readDatabaseUrl, undefined),
    trusted_proxies: read('trusted_proxies', readProxies, []),
    endpoint_aliases: read('endpoint_aliases', readAliases, {}),
    client_certificates: header === undefined ? undefined : { header, authorities_file, origin },
    egress_allow: read('egress_allow', readEgressAllow, []),
    mail: readMail(
      sources,
      read('smtp_url', readSmtpUrl, undefined),
      read('mail_from', readMailFrom, undefined),
      sentences,
    ),
    log_level: read('log_level', oneOf('debug', 'info', 'warn', 'error', 'silent'), 'info'),
    log_format: read('log_format', oneOf('text', 'json'), production || log_file !== undefined ? 'json' : 'text'),
    log_file,
  }
  try {
    const root_key = findRootKey(sources, production, data_dir)
    if (sentences.length === 0) return { ...config, root_key }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    sentences.push(...error.sentences)
  }
  throw new ConfigError(sentences)
}

function find(sources: ConfigSources, setting: SettingName): Found | undefined {
  const { env, flag }: Setting = SETTINGS[setting]
  const levels = [
    { text: sources.flags[setting], name: flag?.split(' ')[0] ?? setting },
    // Compose files and the like hand on variables that nobody has set as empty ones.
    { text: sources.env[env] || undefined, name: env },
    { text: sources.file?.[setting], name: `server.${setting}` },
  ]
  const level = levels.findIndex(({ text }) => text !== undefined)
  if (level < 0) return undefined
  return { text: levels[level]!.text!, name: levels[level]!.name, level }
}

// Kubernetes and Docker describe a neighbour called sallyport by variables like these.
const OF_NEIGHBOURS = /^SALLYPORT_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP))(_|$)|^SALLYPORT_(PORT|NAME|ENV_.*)$/

function unknownVariables(env: ConfigSources['env']): string[] {
  const known: string[] = [CONFIG_VARIABLE, ...Object.values(SETTINGS).map((setting) => setting.env)]
  const short = (name: string) => name.replace(/^SALLYPORT_/, '')
  return Object.entries(env).flatMap(([name, value]) => {
    if (!name.startsWith('SALLYPORT_') || known.includes(name)) return []
    if (OF_NEIGHBOURS.test(name) && (name !== 'SALLYPORT_PORT' || /^(tcp|udp):/.test(value ?? ''))) return []
    const nearest = nearestName(short(name), known.map(short))
    const meant = known.find((candidate) => nearest !== undefined && short(candidate) === nearest)
    return [`${name} is not a setting${meant === undefined ? '' : `; did you mean ${meant}?`}`]
  })
}

function refusal(sentence: string): ConfigError {
  return new ConfigError([sentence])
}

function readPort(text: string, name: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw refusal(`${name} must be a whole number from 1 to 65535`)
  return port
}

function readHost(text: string, name: string): string {
  if (!/^[A-Za-z0-9.:_-]+$/.test(text)) throw refusal(`${name} must be an address or a host name, without port`)
  return text
}

function readHeaderName(text: string, name: string): string {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(text)) throw refusal(`${name} must be the name of a header`)
  return text.toLowerCase()
}

function readOrigin(text: string, name: string): string {
  const url = URL.parse(text)
  if (url?.protocol !== 'https:' || url.origin !== text.replace(/\/$/, '')) {
    throw refusal(`${name} must be an https origin such as https://mtls.example.com`)
  }
  return url.origin
}

function readDatabaseUrl(text: string, name: string): string {
  // The URL may hold a password, so it is never repeated.
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) {
    throw refusal(`${name} must be a URL that begins with postgres:// or postgresql://`)
  }
  return text
}

function readProxies(text: string, name: string): string[] {
  const entries = text.split(',').flatMap((entry) => entry.trim() || [])
  try {
    readTrustedProxies(entries)
  } catch (error) {
    throw refusal(`${name}: ${(error as Error).message}`)
  }
  return entries
}

function readAliases(text: string, name: string): EndpointAliases {
  try {
    return readEndpointAliases(text)
  } catch (error) {
    throw refusal(`${name}: ${(error as Error).message}`)
  }
}

function readEgressAllow(text: string, name: string): string[] {
  const entries = text.split(',').flatMap((entry) => entry.trim() || [])
  try {
    readAllowList(entries)
  } catch (error) {
    throw refusal(`${name}: ${(error as Error).message}`)
  }
  return entries
}

function readSmtpUrl(text: string, name: string): string {
  // The URL may hold a password, so it is never repeated.
  const url = URL.parse(text)
  if (
    !url ||
    !/^smtps?:$/.test(url.protocol) ||
    url.hostname === '' ||
    !/^\/?$/.test(url.pathname + url.search + url.hash)
  ) {
    throw refusal(`${name} must be a URL such as smtps://user:password@mail.example.com`)
  }
  return text
}

function readMailFrom(text: string, name: string): string {
  const address = /^(?:[^<>"\p{Cc}]{1,100} )?<([^<>]+)>$/u.exec(text)?.[1] ?? text
  if (!/^[^\s@<>"(),:;[\]\\]{1,64}@[A-Za-z0-9.-]{1,189}$/.test(address)) {
    throw refusal(`${name} must be an address such as login@example.com, or Name <login@example.com>`)
  }
  return text
}

function readMail(
  sources: ConfigSources,
  url: string | undefined,
  from: string | undefined,
  sentences: string[],
): Config['mail'] {
  if (url !== undefined && from !== undefined) return { url, from }
  const isSet = (setting: SettingName) => find(sources, setting) !== undefined
  for (const [one, other] of [
    ['smtp_url', 'mail_from'],
    ['mail_from', 'smtp_url'],
  ] as const) {
    if (isSet(one) && !isSet(other)) sentences.push(`${SETTINGS[one].env} needs ${SETTINGS[other].env} beside it`)
  }
  return undefined
}

function oneOf<const T extends string>(...known: T[]): (text: string, name: string) => T {
  return (text, name) => {
    const value = known.find((candidate) => candidate === text)
    if (value === undefined) throw refusal(`${name} must be ${known.slice(0, -1).join(', ')} or ${known.at(-1)}`)
    return value
  }
}

/**
 * Reads an issuer (RFC 8414 section 2): https, or http where the host is this machine itself; no query, no fragment.
 * Clients compare it as a string, so only its one normal form, without a slash at the end, is taken.
 */
export function readIssuer(text: string, name: string): string {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) throw refusal(`${name} must be a URL such as https://login.example.com`)
  if (url.username !== '' || url.password !== '') throw refusal(`${name} must not have a user name or password`)
  if (/[?#]/.test(text)) throw refusal(`${name} must not have a query or a fragment`)
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw refusal(
      `${name} may be http only at localhost, 127.0.0.1 or [::1], which means development; elsewhere it must be https`,
    )
  }
  const normal = url.href.replace(/\/+$/, '')
  if (text !== normal) throw refusal(`${name} must be written as ${normal}`)
  if (!/^(\/[A-Za-z0-9._~-]+)*\/?$/.test(url.pathname) || /\/\.well-known(\/|$)/.test(url.pathname)) {
    throw refusal(`${name} may have a path of letters, digits and - . _ ~ only, and none called .well-known`)
  }
  return text
}

/** Whether a host name can only mean this machine (RFC 6761 section 6.3, RFC 8252 section 8.3). */
export function isLoopback(hostname: string): boolean {
  return /^(.+\.)?localhost$|^127(\.\d{1,3}){3}$|^(\[::1\]|::1)$/.test(hostname)
}

function findRootKey(sources: ConfigSources, production: boolean, data_dir: string): RootKeySource {
  const given = find(sources, 'root_key')
  const file = find(sources, 'root_key_file')
  if (given && given.level === file?.level) throw refusal(`Give ${given.name} or ${file.name}, not both`)
  if (given && given.level < (file?.level ?? 9)) return { kind: 'given', key: decodeRootKey(given.text, given.name) }
  if (file) return { kind: 'file', file: path.resolve(sources.cwd, file.text) }
  if (!production) return { kind: 'made', file: path.join(data_dir, 'root_key') }
  throw refusal(
    'An https issuer means production, which needs a root key: 32 random bytes as base64 or hex, in ' +
      'SALLYPORT_ROOT_KEY or in the file that SALLYPORT_ROOT_KEY_FILE names; `openssl rand -base64 32` makes one',
  )
}

/** Reads a root key from text: 32 bytes as base64, base64url or hex. The text is never repeated. */
export function decodeRootKey(text: string, name: string): RootKey {
  const trimmed = text.trim()
  const hex = /^[0-9a-f]{64}$/i.test(trimmed)
  if (!hex && !/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) {
    throw refusal(`${name} must be 32 bytes as base64, base64url or hex`)
  }
  const bytes = Buffer.from(trimmed, hex ? 'hex' : 'base64')
  if (new Set(bytes).size < 8) throw refusal(`${name} is not random: make one with \`openssl rand -base64 32\``)
  return new RootKey(bytes)
}
