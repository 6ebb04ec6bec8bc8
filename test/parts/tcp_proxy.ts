import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** What a proxy does with bytes on their way: lets them through, perhaps changed; null swallows them. */
export type Handling = (bytes: Buffer, wire: { cut(): void }) => Buffer | null

/** A TCP proxy on loopback for fault tests: it may change, swallow or cut what passes. */
export interface TcpProxy {
  /** The target's URL, through the proxy. */
  readonly url: string
  /** Replaces what is done from now on. */
  handle(handling: { toServer?: Handling; toClient?: Handling }): void
  close(): Promise<void>
}

/** Starts a proxy before the host and port of a URL. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  let handling: { toServer?: Handling; toClient?: Handling } = {}
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    const cut = () => {
      client.destroy()
      upstream.destroy()
    }
    const relay = (from: Socket, to: Socket, side: 'toServer' | 'toClient') => {
      open.add(from)
      from.on('data', (bytes: Buffer) => {
        const passed = handling[side] ? handling[side](bytes, { cut }) : bytes
        if (passed && !to.destroyed) to.write(passed)
      })
      from.on('error', cut)
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
    }
    relay(client, upstream, 'toServer')
    relay(upstream, client, 'toClient')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as { port: number }).port)
  return {
    url: url.href,
    handle(next) {
      handling = next
    },
    async close() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Replaces bytes by others of the same length; null when they are not there. */
export function replaceBytes(bytes: Buffer, from: string, to: string): Buffer | null {
  const at = bytes.indexOf(from)
  if (at < 0) return null
  if (to.length !== from.length) throw new Error('A message of PostgreSQL names its length: keep it')
  const changed = Buffer.from(bytes)
  changed.write(to, at, 'latin1')
  return changed
}
