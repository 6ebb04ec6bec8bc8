import { BlockList, isIP } from 'node:net'

/** Where a request comes from, as the listener or an embedder knows it. */
export interface Sender {
  /** The client's address; undefined where nobody could say it, and then nothing is counted by address. */
  readonly address?: string | undefined
  /** The request came from a proxy that the operator trusts, so that headers which only it may set can be believed. */
  readonly through_proxy?: boolean | undefined
}

/** Reads the client's address from what a connection and its request say. */
export type ReadSender = (peer: string | undefined, forwarded_for: string | undefined) => Sender

/** An address in its one normal form, an IPv4 address in IPv6 clothes as what it is; undefined when it is none. */
export function canonicalAddress(text: string): string | undefined {
  const bare = text.split('%', 1)[0]!
  if (isIP(bare) === 4) return bare
  if (isIP(bare) !== 6) return undefined
  const groups = groupsOf(bare)
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (mapped) return [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join('.')
  return normalAddress(bare)
}

/** What is counted as one place: an IPv4 address, or the /64 that an IPv6 subscriber has (CVE-2026-45364). */
export function networkOf(address: string): string {
  const canonical = canonicalAddress(address)
  if (canonical === undefined) return 'unreadable'
  if (isIP(canonical) === 4) return canonical
  const [a, b, c, d] = groupsOf(canonical).map((group) => group.toString(16))
  return `${a}:${b}:${c}:${d}::/64`
}

// The URL parser writes an IPv6 address in the form of RFC 5952.
function normalAddress(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}

function groupsOf(address: string): number[] {
  const [head = '', tail] = normalAddress(address).split('::')
  const read = (part: string | undefined) => (part ? part.split(':').map((group) => Number.parseInt(group, 16)) : [])
  const [before, after] = [read(head), read(tail)]
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
}

/** Reads the operator's list of proxies, addresses and CIDR ranges; throws a sentence for what is neither. */
export function readTrustedProxies(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [network = '', prefix, ...more] = entry.trim().split('/')
    const family = isIP(network)
    const most = family === 4 ? 32 : 128
    const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1
    if (family === 0 || more.length > 0 || bits < 0 || bits > most) {
      throw new Error(`"${entry}" is not an address or a CIDR range such as 10.0.0.0/8`)
    }
    list.addSubnet(network, bits, family === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}

/**
 * Who asks: the socket's own peer, or what a trusted proxy says of it in X-Forwarded-For, read from the right up to the
 * first address that is no such proxy (ASVS 4.1.3, B-17). Everything else that claims an address is ignored.
 */
export function createSenderReader(options: { trusted_proxies: readonly string[]; production: boolean }): ReadSender {
  const list = readTrustedProxies(options.trusted_proxies)
  const trusts = (address: string) => list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
  // Production is behind a proxy that ends TLS: unless it is named, its own address is the only one there is to see.
  if (options.production && options.trusted_proxies.length === 0) return () => ({})
  return (peer, forwarded_for) => {
    const address = peer === undefined ? undefined : canonicalAddress(peer)
    if (address === undefined) return {}
    if (!trusts(address)) return { address }
    let seen = address
    for (const hop of (forwarded_for ?? '').split(',').reverse()) {
      const before = canonicalAddress(withoutPort(hop.trim()))
      if (before === undefined) break
      seen = before
      if (!trusts(before)) break
    }
    return { address: seen, through_proxy: true }
  }
}

// Some proxies write the port as well.
function withoutPort(hop: string): string {
  const match = /^\[([^\]]+)\](?::\d+)?$|^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)
  return match?.[1] ?? match?.[2] ?? hop
}
