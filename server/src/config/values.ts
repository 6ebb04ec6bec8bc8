import { readAllowList } from '../egress/allow_list.ts'
import { readTrustedProxies } from '../inbound/client_address.ts'
import { type EndpointAliases, readEndpointAliases } from '../web/endpoint_paths.ts'
import { refuse } from './config_error.ts'

/** A TCP port. */
export function readPort(text: string, name: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw refuse(`${name} must be a whole number from 1 to 65535`)
  return port
}

/** A whole number of something, within bounds. */
export function wholeNumber(least: number, most: number): (text: string, name: string) => number {
  return (text, name) => {
    const number = /^\d{1,12}$/.test(text) ? Number(text) : -1
    if (number < least || number > most) throw refuse(`${name} must be a whole number from ${least} to ${most}`)
    return number
  }
}

/** An address or host name to listen on. */
export function readHost(text: string, name: string): string {
  if (!/^[A-Za-z0-9.:_-]+$/.test(text)) throw refuse(`${name} must be an address or a host name, without port`)
  return text
}

/** The name of a header, in lower case. */
export function readHeaderName(text: string, name: string): string {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(text)) throw refuse(`${name} must be the name of a header`)
  return text.toLowerCase()
}

/** An https origin. */
export function readOrigin(text: string, name: string): string {
  const url = URL.parse(text)
  if (url?.protocol !== 'https:' || url.origin !== text.replace(/\/$/, '')) {
    throw refuse(`${name} must be an https origin such as https://mtls.example.com`)
  }
  return url.origin
}

/** The URL of a PostgreSQL. */
export function readDatabaseUrl(text: string, name: string): string {
  // The URL may hold a password, so it is never repeated.
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) {
    throw refuse(`${name} must be a URL that begins with postgres:// or postgresql://`)
  }
  return text
}

/** Addresses and CIDR ranges by comma. */
export function readProxies(text: string, name: string): string[] {
  const entries = text.split(',').flatMap((entry) => entry.trim() || [])
  try {
    readTrustedProxies(entries)
  } catch (error) {
    throw refuse(`${name}: ${(error as Error).message}`)
  }
  return entries
}

/** Further paths of endpoints. */
export function readAliases(text: string, name: string): EndpointAliases {
  try {
    return readEndpointAliases(text)
  } catch (error) {
    throw refuse(`${name}: ${(error as Error).message}`)
  }
}

/** Hosts, host:port and CIDR ranges by comma. */
export function readEgressAllow(text: string, name: string): string[] {
  const entries = text.split(',').flatMap((entry) => entry.trim() || [])
  try {
    readAllowList(entries)
  } catch (error) {
    throw refuse(`${name}: ${(error as Error).message}`)
  }
  return entries
}

/** One of the known words. */
export function oneOf<const T extends string>(...known: T[]): (text: string, name: string) => T {
  return (text, name) => {
    const value = known.find((candidate) => candidate === text)
    if (value === undefined) throw refuse(`${name} must be ${known.slice(0, -1).join(', ')} or ${known.at(-1)}`)
    return value
  }
}
