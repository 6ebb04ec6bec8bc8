import { lookup } from 'node:dns/promises'
import { isIP, type Socket } from 'node:net'
import { buildConnector } from 'undici'
import type { ClientIdentity } from './call.ts'
import { EgressError } from './egress_error.ts'
import { type Destination, type Policy, refuseDestination } from './policy.ts'

/** Turns a name into addresses; replaceable so that tests can play a hostile name server. */
export type Resolve = (hostname: string) => Promise<readonly string[]>

/** What the connector needs besides the policy. */
export interface ConnectorOptions {
  resolve: Resolve
  onConnect: (address: string) => void
  connectTimeoutMs: number
  ca: string | readonly string[] | undefined
  identity?: ClientIdentity | undefined
}

// Resolving and three attempts together end before a token call does: a provider that cannot be reached is then known
// not to have got the request.
const MOST_ATTEMPTS = 3

/** Resolves through the operating system, in the order it prefers. */
export const resolveBySystem: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true, order: 'verbatim' })).map((entry) => entry.address)

// RFC 9325 sections 3.1.1 and 4.2: forward secrecy and authenticated encryption, whatever the process was started with.
const TLS = {
  minVersion: 'TLSv1.2',
  ciphers: [
    ...['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'],
    ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
    ...['ECDHE-RSA-CHACHA20-POLY1305', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ].join(':'),
} as const

/**
 * The connector of the guard: resolves the name once, refuses unless every address may be reached, then connects to
 * one of those very addresses, so that no second resolution can lead elsewhere. TLS still names and verifies the host.
 */
export function createConnector(policy: Policy, options: ConnectorOptions): buildConnector.connector {
  const open = buildConnector({
    timeout: options.connectTimeoutMs,
    ...TLS,
    ...(options.ca === undefined ? {} : { ca: options.ca as string | string[] }),
    ...options.identity,
  })

  async function connect(to: Destination, request: buildConnector.Options) {
    const addresses = isIP(to.hostname) ? [to.hostname] : await resolveOnce(to)
    for (const address of addresses) {
      const refusal = refuseDestination(policy, to, address)
      if (refusal) throw new EgressError(refusal, to.hostname)
    }
    let failure: unknown
    for (const address of addresses.slice(0, MOST_ATTEMPTS)) {
      options.onConnect(address)
      try {
        return await openTo(address, to, request)
      } catch (cause) {
        failure = cause
      }
    }
    throw new EgressError(isTlsFailure(failure) ? 'tls' : 'connect', to.hostname, { cause: failure })
  }

  async function resolveOnce(to: Destination): Promise<readonly string[]> {
    let addresses: readonly string[]
    try {
      addresses = await withTimeout(options.resolve(to.hostname), options.connectTimeoutMs)
    } catch (cause) {
      throw new EgressError('dns', to.hostname, { cause })
    }
    if (addresses.length === 0) throw new EgressError('dns', to.hostname)
    return addresses
  }

  function openTo(address: string, to: Destination, request: buildConnector.Options) {
    const servername = request.servername || (isIP(to.hostname) ? undefined : to.hostname)
    return new Promise<Socket>((resolve, reject) => {
      open({ ...request, hostname: address, ...(servername ? { servername } : {}) }, (error, socket) => {
        if (error) reject(error)
        else resolve(socket as Socket)
      })
    })
  }

  return (request, callback) => {
    const to = {
      protocol: request.protocol,
      hostname: request.hostname,
      port: Number(request.port || (request.protocol === 'https:' ? 443 : 80)),
    }
    connect(to, request).then(
      (socket) => callback(null, socket),
      (error) => callback(error, null),
    )
  }
}

async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('Name resolution took too long')), ms)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function isTlsFailure(failure: unknown): boolean {
  const code = failure instanceof Error && 'code' in failure ? String(failure.code) : ''
  return code !== '' && !/^(ECONN|EHOST|ENET|ETIMEDOUT|EADDR|EACCES|EPERM|EINVAL|EMFILE|UND_ERR)/.test(code)
}
