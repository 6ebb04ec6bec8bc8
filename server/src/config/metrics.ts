import { refuse } from './config_error.ts'
import { isLoopback } from './issuer.ts'
import { readHost, readPort } from './values.ts'

/** Where metrics are served: an address of their own, never that of the clients. */
export interface MetricsConfig {
  readonly host: string
  readonly port: number
  /** What whoever scrapes shows as a bearer token; undefined only on this machine. */
  readonly token: string | undefined
}

const SHORTEST_TOKEN = 16

/** An address and a port, such as 127.0.0.1:9464 or [::1]:9464. */
export function readMetricsListen(text: string, name: string): Pick<MetricsConfig, 'host' | 'port'> {
  const found = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d+)$/.exec(text)
  if (!found) throw refuse(`${name} must be an address and a port, such as 127.0.0.1:9464`)
  return { host: readHost(found[1] ?? found[2]!, name), port: readPort(found[3]!, `The port of ${name}`) }
}

/** What is shown in `Authorization: Bearer` (RFC 6750 section 2.1). */
export function readMetricsToken(text: string, name: string): string {
  if (/^[A-Za-z0-9._~+/-]+=*$/.test(text) && text.length >= SHORTEST_TOKEN) return text
  throw refuse(`${name} must have at least ${SHORTEST_TOKEN} letters, digits or . _ ~ + / - (openssl rand -hex 32)`)
}

/** Why an address needs a token: other machines may reach it. */
export function refuseOpenMetrics({ host, token }: MetricsConfig): string[] {
  if (token !== undefined || isLoopback(host)) return []
  return [`metrics_listen is open to other machines at ${host}: give metrics_token, or listen on 127.0.0.1`]
}
