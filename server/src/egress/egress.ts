import type { Agents } from './agents.ts'
import { readAllowList } from './allow_list.ts'
import { guardBody } from './body.ts'
import { type Call, type EgressInit, startCall } from './call.ts'
import type { Resolve } from './connector.ts'
import { EgressError, toEgressError } from './egress_error.ts'
import { createHostSlots, type HostSlots } from './host_slots.ts'
import { mayUseHttp, type Policy, readDestination } from './policy.ts'

/** The only way out of this process to hosts that somebody else chose. */
export interface Egress {
  /** As fetch, within limits; rejects, and breaks a body off, with an EgressError alone. */
  fetch(input: string | URL | Request, init: EgressInit): Promise<Response>
  /** True where the operator's allow list may let plain http through to this URL. */
  mayUseHttp(url: string | URL): boolean
  /** Refuses new calls, waits a few seconds for those under way, then cuts them. */
  close(): Promise<void>
}

/** How the guard is set up; only the operator can, never a tenant. */
export interface EgressOptions {
  /** Entries of SALLYPORT_EGRESS_ALLOW: host, host:port or CIDR. */
  allow?: readonly string[]
  /** Ports open over https without an entry. */
  ports?: readonly number[]
  /** Calls at once to one host, and calls that may wait behind them. */
  perHost?: number
  perHostWaiting?: number
  connectTimeoutMs?: number
  /** The most bytes of an answer's headers. */
  headerBytes?: number
  /** Replaces the system's certificate authorities, for a private network or a test. */
  ca?: string | readonly string[]
  resolve?: Resolve
  /** Told of every address just before a connection to it is opened. */
  onConnect?: (address: string) => void
}

interface Guard {
  policy: Policy
  slots: HostSlots
  agents(): Promise<Agents>
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])
const NULL_BODY = new Set([204, 205, 304])
const CLOSE_GRACE_MS = 5_000

/** Creates the guard: https to public addresses on open ports, no proxies from the environment, limits on everything. */
export function createEgress(options: EgressOptions = {}): Egress {
  const policy: Policy = {
    allow: readAllowList(options.allow ?? []),
    ports: new Set(options.ports ?? [443, 8443]),
  }
  let agents: Promise<Agents> | undefined
  const guard: Guard = {
    policy,
    slots: createHostSlots(options.perHost ?? 64, options.perHostWaiting ?? 512),
    agents: () => {
      agents ??= loadAgents(policy, options)
      return agents
    },
  }
  return {
    async fetch(input, init) {
      const call = startCall(input, init)
      try {
        return await followRedirects(guard, call)
      } catch (thrown) {
        call.end()
        throw toEgressError(thrown, call.host)
      }
    },
    mayUseHttp: (url) => mayUseHttp(policy, url),
    async close() {
      if (!agents) {
        agents = Promise.reject(new EgressError('aborted', '', { sent: false }))
        agents.catch(() => {})
        return
      }
      const { pooled, unshared } = await agents
      const timer = setTimeout(() => [pooled, unshared].map((agent) => agent.destroy()), CLOSE_GRACE_MS)
      await Promise.all([pooled.close(), unshared.close()])
      clearTimeout(timer)
    },
  }
}

async function loadAgents(policy: Policy, options: EgressOptions): Promise<Agents> {
  const { createAgents } = await import('./agents.ts')
  const { resolveBySystem } = await import('./connector.ts')
  return createAgents(policy, {
    resolve: options.resolve ?? resolveBySystem,
    onConnect: options.onConnect ?? (() => {}),
    connectTimeoutMs: options.connectTimeoutMs ?? 4_000,
    headerBytes: options.headerBytes ?? 16_384,
    ca: options.ca,
  })
}

async function followRedirects(guard: Guard, call: Call): Promise<Response> {
  let url = readDestination(guard.policy, call.url)
  for (let hop = 0; ; hop++) {
    const { response, ended } = await callInSlot(guard, call, url)
    const location = response.headers.get('location')
    if (call.redirects === 0 || location === null || !REDIRECTS.has(response.status)) {
      ended.then(call.end)
      return response
    }
    await response.body?.cancel()
    if (hop === call.redirects) throw new EgressError('redirect', url.host)
    const next = readDestination(guard.policy, URL.parse(location, url.href)?.href ?? '')
    if (next.origin !== url.origin) for (const name of ['authorization', 'cookie']) call.headers.delete(name)
    url = next
  }
}

/** Calls once within the host's slots; `ended` resolves when the answer's body has ended, read or not. */
async function callInSlot(guard: Guard, call: Call, url: URL): Promise<{ response: Response; ended: Promise<void> }> {
  // Streams of an API must not keep a renewal of its tokens waiting, which may be of the same host.
  const line = call.purpose === 'proxy' ? `${url.host} (proxy)` : url.host
  const giveBack = await guard.slots.take(line, call.control.signal)
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const onEnd = () => {
    giveBack()
    resolve()
  }
  call.control.signal.addEventListener('abort', onEnd, { once: true })
  try {
    return { response: await callOnce(guard, call, url, onEnd), ended }
  } catch (thrown) {
    onEnd()
    throw toEgressError(thrown, url.host)
  }
}

async function callOnce(guard: Guard, call: Call, url: URL, onEnd: () => void): Promise<Response> {
  const repeatable =
    call.purpose === 'proxy' || call.purpose === 'claims' || call.method === 'GET' || call.method === 'HEAD'
  const agents = await guard.agents()
  const own = call.identity && agents.identified(call.identity)
  const finish = () => {
    onEnd()
    own?.close().catch(() => {})
  }
  const answer = await agents
    .fetch(url.href, {
      method: call.method,
      headers: [...call.headers],
      ...(call.body === null || call.body === undefined ? {} : { body: call.body, duplex: 'half' as const }),
      redirect: 'manual',
      signal: call.control.signal,
      dispatcher: own ?? (repeatable ? agents.pooled : agents.unshared),
    })
    .catch((cause: unknown) => {
      own?.destroy().catch(() => {})
      throw cause
    })
  const headers = new Headers([...answer.headers])
  // undici has already decompressed the body: these two would describe bytes that no longer exist.
  if (headers.has('content-encoding')) headers.delete('content-length')
  headers.delete('content-encoding')
  let body: ReadableStream<Uint8Array> | null = null
  if (answer.body === null || NULL_BODY.has(answer.status)) finish()
  else body = guardBody(answer.body as ReadableStream<Uint8Array>, { ...call, host: url.host, onEnd: finish })
  const response = new Response(body, { status: answer.status, statusText: answer.statusText, headers })
  return Object.defineProperty(response, 'url', { value: url.href })
}
