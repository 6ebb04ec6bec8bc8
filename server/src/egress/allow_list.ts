import { BlockList, isIP } from 'node:net'

/** What the operator lets through although the guard would refuse it: any scheme, any address, the named port or all. */
export interface AllowList {
  /** An entry names this host (and this port, where it names one). */
  hasHost(hostname: string, port: number): boolean
  /** A CIDR or address entry covers this address. */
  hasAddress(address: string, port: number): boolean
  /** Some address or range is open at this port, so that only the resolved address can decide about a name. */
  mayHaveAddress(port: number): boolean
}

/** Reads the entries of SALLYPORT_EGRESS_ALLOW: `host`, `host:port`, an address, `[v6]:port`, or a CIDR range. */
export function readAllowList(entries: readonly string[]): AllowList {
  const names = new Set<string>()
  const addresses = new Set<string>()
  const addressPorts = new Set<number | null>()
  const ranges = new BlockList()
  for (const entry of entries) {
    const text = entry.trim().toLowerCase()
    if (text === '') continue
    if (text.includes('/')) {
      addRange(ranges, text)
      addressPorts.add(null)
      continue
    }
    const { hostname, port } = readHostEntry(text)
    const isAddress = isIP(hostname) !== 0
    const list = isAddress ? addresses : names
    list.add(port === null ? hostname : keyOf(hostname, port))
    if (isAddress) addressPorts.add(port)
  }
  const has = (list: Set<string>, hostname: string, port: number) =>
    list.has(hostname) || list.has(keyOf(hostname, port))
  return {
    mayHaveAddress: (port) => addressPorts.has(null) || addressPorts.has(port),
    hasHost: (hostname, port) => has(names, hostname.replace(/\.$/, ''), port),
    hasAddress(address, port) {
      const family = isIP(address)
      if (family === 0 || address.includes('%')) return false
      return has(addresses, address, port) || ranges.check(address, family === 4 ? 'ipv4' : 'ipv6')
    },
  }
}

function keyOf(hostname: string, port: number): string {
  return `${hostname}|${port}`
}

function addRange(ranges: BlockList, text: string): void {
  const [network = '', prefix = ''] = text.split('/')
  const family = isIP(network)
  const bits = Number(prefix)
  const most = family === 4 ? 32 : 128
  if (family === 0 || text.split('/').length !== 2 || !/^\d{1,3}$/.test(prefix) || bits > most) {
    throw new Error(`Egress allow entry "${text}" is not a CIDR range such as 10.0.0.0/8`)
  }
  ranges.addSubnet(network, bits, family === 4 ? 'ipv4' : 'ipv6')
}

function readHostEntry(text: string): { hostname: string; port: number | null } {
  if (isIP(text)) return { hostname: canonicalHost(text), port: null }
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]@?#\s*]+)(?::(\d{1,5}))?$/.exec(text)
  const hostname = match && canonicalHost(match[1]!.replace(/^\[|\]$/g, ''))
  const port = match?.[2] === undefined ? null : Number(match[2])
  if (!hostname || (port !== null && (port < 1 || port > 65_535))) {
    throw new Error(`Egress allow entry "${text}" is not a host, host:port or CIDR range`)
  }
  return { hostname, port }
}

// The form in which the URL parser writes a host, so that entries and URLs compare as strings.
function canonicalHost(host: string): string {
  const url = URL.parse(isIP(host) === 6 ? `http://[${host}]` : `http://${host}`)
  return url ? url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '') : ''
}
