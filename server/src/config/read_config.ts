import type { KeyObject } from 'node:crypto'
import path from 'node:path'
import { PROXY_LIMITS, type ProxyLimits } from '../outbound/proxy_limits.ts'
import type { EndpointAliases } from '../web/endpoint_paths.ts'
import { readClaimsHookSecret, readClaimsHookUrl } from './claims_hook.ts'
import { ConfigError } from './config_error.ts'
import { portOfIssuer, readIssuer } from './issuer.ts'
import { readMailFrom, readSmtpUrl } from './mail.ts'
import { type MetricsConfig, readMetricsListen, readMetricsToken, refuseOpenMetrics } from './metrics.ts'
import { findRootKey, findVaultKey, type RootKeySource, type VaultKeySource } from './root_key.ts'
import type { SettingName } from './settings.ts'
import { type ConfigSources, findSetting, refuseHalf, refuseUnknownVariables } from './sources.ts'
import {
  oneOf,
  readAliases,
  readDatabaseUrl,
  readEgressAllow,
  readHeaderName,
  readHost,
  readOrigin,
  readPort,
  readProxies,
  wholeNumber,
} from './values.ts'

/** Where a server listens of which nobody says it, and whose issuer does not either. */
export const DEFAULT_PORT = 9400

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
  /** The root key of the vault alone; undefined where the one above serves for it too. */
  readonly vault_key: VaultKeySource | undefined
  /** The proxies in front, addresses and CIDR ranges: what they say of where a request comes from is believed. */
  readonly trusted_proxies: readonly string[]
  readonly endpoint_aliases: EndpointAliases
  /** How a trusted proxy passes on the TLS certificates of clients; undefined where none does. */
  readonly client_certificates: ClientCertificateConfig | undefined
  readonly egress_allow: readonly string[]
  /** What bounds calls through the proxy. */
  readonly proxy_limits: ProxyLimits
  /** A file of connectors that every tenant has. Absolute. */
  readonly connectors_file: string | undefined
  /** The operator's SMTP server and the sender's address; without them no e-mail is sent. */
  readonly mail: { readonly url: string; readonly from: string } | undefined
  /** The operator's own service of claims, asked for each token; undefined where there is none. */
  readonly claims_hook: { readonly url: string; readonly secret: KeyObject } | undefined
  /** Where metrics are served; undefined where they are not. */
  readonly metrics: MetricsConfig | undefined
  readonly log_level: string
  readonly log_format: 'text' | 'json'
  readonly log_file: string | undefined
  /** When administrators have the playground. */
  readonly playground: 'development' | 'always'
}

/** How certificates of clients come past the proxy (RFC 8705). */
export interface ClientCertificateConfig {
  readonly header: string
  /** A PEM file. Absolute. */
  readonly authorities_file: string | undefined
  readonly origin: string | undefined
}

/** Reads the configuration: flag before environment before file before default; refuses with all reasons at once. */
export function readConfig(sources: ConfigSources): Config {
  const sentences = refuseUnknownVariables(sources.env)
  const read = <T>(setting: SettingName, by: (text: string, name: string) => T, otherwise: T): T => {
    const found = findSetting(sources, setting)
    if (!found) return otherwise
    try {
      return by(found.text, found.name)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      sentences.push(...error.sentences)
      return otherwise
    }
  }
  const named = read<string | undefined>('issuer', readIssuer, undefined)
  const port = read('port', readPort, portOfIssuer(named) ?? DEFAULT_PORT)
  const issuer = named ?? `http://localhost:${port}`
  const production = issuer.startsWith('https:')
  const data_dir = read('data_dir', (text) => path.resolve(sources.cwd, text), path.resolve(sources.cwd, '.sallyport'))
  const log_file = read('log_file', (text) => path.resolve(sources.cwd, text), undefined)
  const header = read('client_certificate_header', readHeaderName, undefined)
  const origin = read('client_certificate_origin', readOrigin, undefined)
  const authorities_file = read('client_certificate_authorities', (text) => path.resolve(sources.cwd, text), undefined)
  const smtp_url = read('smtp_url', readSmtpUrl, undefined)
  const mail_from = read('mail_from', readMailFrom, undefined)
  const egress_allow = read('egress_allow', readEgressAllow, [])
  const hook_url = read('claims_hook_url', (text, name) => readClaimsHookUrl(text, name, egress_allow), undefined)
  const secret = read('claims_hook_secret', readClaimsHookSecret, undefined)
  const metrics_listen = read('metrics_listen', readMetricsListen, undefined)
  const token = read('metrics_token', readMetricsToken, undefined)
  const metrics = metrics_listen && { ...metrics_listen, token }
  if (metrics) sentences.push(...refuseOpenMetrics(metrics))
  else if (token !== undefined) sentences.push('metrics_token needs metrics_listen: without it no metrics are served')
  sentences.push(...refuseHalf(sources, 'smtp_url', 'mail_from'))
  sentences.push(...refuseHalf(sources, 'claims_hook_url', 'claims_hook_secret'))
  if (header !== undefined && findSetting(sources, 'trusted_proxies') === undefined) {
    sentences.push('client_certificate_header needs trusted_proxies: from anybody else the header is not believed')
  }
  const config: Omit<Config, 'root_key' | 'vault_key'> = {
    host: read('host', readHost, '127.0.0.1'),
    port,
    issuer,
    production,
    data_dir,
    database_url: read('database_url', readDatabaseUrl, undefined),
    trusted_proxies: read('trusted_proxies', readProxies, []),
    endpoint_aliases: read('endpoint_aliases', readAliases, {}),
    client_certificates: header === undefined ? undefined : { header, authorities_file, origin },
    egress_allow,
    proxy_limits: {
      timeout_ms: read('proxy_timeout_seconds', wholeNumber(1, 86_400), PROXY_LIMITS.timeout_ms / 1000) * 1000,
      idle_ms: read('proxy_idle_seconds', wholeNumber(1, 86_400), PROXY_LIMITS.idle_ms / 1000) * 1000,
      largest_body: read('proxy_body_bytes', wholeNumber(0, 2 ** 40), PROXY_LIMITS.largest_body),
      largest_header: read('proxy_header_bytes', wholeNumber(1024, 1_048_576), PROXY_LIMITS.largest_header),
    },
    connectors_file: read('connectors_file', (text) => path.resolve(sources.cwd, text), undefined),
    mail: smtp_url === undefined || mail_from === undefined ? undefined : { url: smtp_url, from: mail_from },
    claims_hook: hook_url === undefined || secret === undefined ? undefined : { url: hook_url, secret },
    metrics,
    log_level: read('log_level', oneOf('debug', 'info', 'warn', 'error', 'silent'), 'info'),
    log_format: read('log_format', oneOf('text', 'json'), production || log_file !== undefined ? 'json' : 'text'),
    log_file,
    playground: read('playground', oneOf('development', 'always'), 'development'),
  }
  try {
    const root_key = findRootKey(sources, production, data_dir)
    const vault_key = findVaultKey(sources)
    if (sentences.length === 0) return { ...config, root_key, vault_key }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    sentences.push(...error.sentences)
  }
  throw new ConfigError(sentences)
}
