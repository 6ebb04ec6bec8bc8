import { isIP } from 'node:net'
import { isPublicAddress } from './address.ts'
import type { AllowList } from './allow_list.ts'
import { EgressError, type EgressErrorCode } from './egress_error.ts'

/** Where one connection is to go: the parts of a URL that the guard judges. */
export interface Destination {
  protocol: string
  /** Without brackets around an IPv6 literal. */
  hostname: string
  port: number
}

/** The rules that decide about destinations. */
export interface Policy {
  allow: AllowList
  /** Ports open to everybody over https. */
  ports: ReadonlySet<number>
}

/**
 * Why a connection must not be opened, or null (OWASP ASVS 1.3.6: allow-lists of protocol, port and address). The
 * address is null while a name is unresolved: then only what no address could mend is refused.
 */
export function refuseDestination(policy: Policy, to: Destination, address: string | null): EgressErrorCode | null {
  const { allow, ports } = policy
  if (allow.hasHost(to.hostname, to.port)) return null
  if (address === null ? allow.mayHaveAddress(to.port) : allow.hasAddress(address, to.port)) return null
  if (to.protocol !== 'https:') return 'blocked_scheme'
  if (!ports.has(to.port)) return 'blocked_port'
  return address === null || isPublicAddress(address) ? null : 'blocked_address'
}

/** Reads a URL and refuses what can be refused before its name is resolved. */
export function readDestination(policy: Policy, input: string | URL): URL {
  const url = URL.parse(input)
  if (!url) throw new EgressError('blocked_url', '')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new EgressError('blocked_scheme', url.host)
  if (url.username !== '' || url.password !== '') throw new EgressError('blocked_url', url.host)
  const refusal = refuseUnresolved(policy, url)
  if (refusal) throw new EgressError(refusal, url.host)
  return url
}

/** True where plain http may be tried: an allow entry names the host, or a range may turn out to cover its address. */
export function mayUseHttp(policy: Policy, input: string | URL): boolean {
  const url = URL.parse(input)
  return url?.protocol === 'http:' && refuseUnresolved(policy, url) === null
}

function refuseUnresolved(policy: Policy, url: URL): EgressErrorCode | null {
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  return refuseDestination(policy, { protocol: url.protocol, hostname, port }, isIP(hostname) ? hostname : null)
}
