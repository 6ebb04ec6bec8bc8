import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { isIP, Socket } from 'node:net'

type Target = { readonly host?: string; readonly path?: string | null } | number | string
type Connect = (this: Socket, ...args: unknown[]) => Socket

/**
 * From now on this process connects to loopback alone: whatever it runs that others wrote is refused any other address,
 * and any name but `localhost`. Answers what was asked for all the same, a list that grows.
 */
export function refuseOuterAddresses(): string[] {
  const asked: string[] = []
  const connect = Socket.prototype.connect as unknown as Connect
  const guarded: Connect = function (...args) {
    // Node passes its own calls as one list of arguments.
    const [to, next] = args.flat()
    const host = readHost(to as Target, next)
    if (host === null || isLoopback(host)) return connect.apply(this, args)
    asked.push(host)
    // Whoever connects still has to put its listeners on.
    process.nextTick(() => this.destroy(refusal(host)))
    return this
  }
  Socket.prototype.connect = guarded as unknown as Socket['connect']
  const { lookup } = dns
  const guardedLookup = (name: string, ...more: unknown[]) => {
    if (isLoopback(name)) return (lookup as (...args: unknown[]) => void)(name, ...more)
    asked.push(name)
    const told = more.at(-1) as (error: Error) => void
    process.nextTick(told, refusal(name))
  }
  dns.lookup = guardedLookup as unknown as typeof dns.lookup
  const { lookup: promised } = dns.promises
  dns.promises.lookup = (async (name: string, ...more: []) => {
    if (isLoopback(name)) return promised(name, ...more)
    asked.push(name)
    throw refusal(name)
  }) as unknown as typeof promised
  syncBuiltinESMExports()
  return asked
}

/** Null for a socket of the file system. */
function readHost(to: Target, next: unknown): string | null {
  if (typeof to === 'object') return typeof to.path === 'string' ? null : (to.host ?? 'localhost')
  if (Number.isNaN(Number(to))) return null
  return typeof next === 'string' ? next : 'localhost'
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function refusal(host: string): Error {
  return Object.assign(new Error(`Only loopback is reached from here, not ${host}`), { code: 'ENETUNREACH' })
}
