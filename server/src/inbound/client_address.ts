import { BlockList, isIP } from 'node:net'
import { LRUCache } from 'lru-cache'

/** Where a request comes from, as the listener or an embedder knows it. */
export interface Sender {
  /** The client's address; undefined where nobody could say it, and then nothing is counted by address. */
  readonly address?: string | undefined
  /** The request came from a proxy that the operator trusts, so that headers which only it may set can be believed. */
  readonly through_proxy?: boolean | undefined
  /** Ends the connection, where an answer cannot go on. */
  readonly cut?: () => void
}

/** Reads the client's address from what a connection and its request say. */
export type ReadSender = (peer: string | undefined, forwarded_for: string | undefined) => Sender

/** An address in its one normal form (RFC 5952), IPv4 in IPv6 clothes as what it is; undefined when it is none. */
export function canonicalAddress(text: string): string | undefined {
  return readAddress(text)?.canonical
}

/** What is counted as one place: an IPv4 address, or the /64 that an IPv6 subscriber has (CVE-2026-45364). */
export function networkOf(address: string): string {
  return readAddress(address)?.network ?? 'unreadable'
}

interface Address {
  readonly canonical: string
  readonly network: string
}

// The same few addresses come with each request; a zone can be of any length, and is not kept.
const LONGEST = 45
const read_before = new LRUCache<string, Address>({ max: 2000 })

function readAddress(text: string): Address | undefined {
  const before = read_before.get(text)
  if (before) return before
  const bare = text.split('%', 1)[0]!
  const family = isIP(bare)
  if (family === 0) return undefined
  const read = family === 4 ? { canonical: bare, network: bare } : readIpv6(bare)
  if (text.length <= LONGEST) read_before.set(text, read)
  return read
}

function readIpv6(bare: string): Address {
  const groups = readGroups(bare)
  const v4 = isMapped(groups) ? formatIpv4(groups) : undefined
  const network = v4 ?? `${groups.slice(0, 4).map(hex).join(':')}::/64`
  return { canonical: v4 ?? formatGroups(groups), network }
}

const hex = (group: number) => group.toString(16)

// Of what is known to be an IPv6 address its eight groups (RFC 4291 section 2.2).
function readGroups(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const read = (part = '') => (part === '' ? [] : part.split(':').flatMap(readGroup))
  const [before, after] = [read(head), read(tail)]
  while (before.length + after.length < 8) before.push(0)
  return [...before, ...after]
}

function readGroup(text: string): number[] {
  if (!text.includes('.')) return [Number.parseInt(text, 16)]
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number)
  return [(a << 8) | b, (c << 8) | d]
}

function isMapped(groups: readonly number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)
}

function formatIpv4([, , , , , , high = 0, low = 0]: readonly number[]): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

// The longest run of zeros is left out, the first of several (RFC 5952 section 4.2).
function formatGroups(groups: readonly number[]): string {
  const write = (part: readonly number[]) => part.map(hex).join(':')
  let run = { at: -1, length: 1 }
  for (let at = 0; at < groups.length; at++) {
    let end = at
    while (groups[end] === 0) end++
    if (end - at > run.length) run = { at, length: end - at }
  }
  if (run.at < 0) return write(groups)
  return `${write(groups.slice(0, run.at))}::${write(groups.slice(run.at + run.length))}`
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
  // Without a proxy this is asked with each request in vain.
  const none = options.trusted_proxies.length === 0
  const trusts = (address: string) => !none && list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
  // Production is behind a proxy that ends TLS: unless it is named, its own address is the only one there is to see.
  if (options.production && none) return () => ({})
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
