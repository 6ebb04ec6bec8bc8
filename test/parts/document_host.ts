import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createEgress, type Egress } from '../../server/src/egress/egress.ts'
import { createCertificate } from './certificate.ts'

/** What the host answers at one path. */
export type HostAnswer =
  | string
  | { status?: number; headers?: Record<string, string>; body?: string }
  | ((request: IncomingMessage, response: ServerResponse) => void)

/** A web server of somebody's own, by https, at a name that only its own egress guard resolves. */
export interface DocumentHost {
  /** `https://app.example:<port>`. */
  readonly origin: string
  /** What is published, by path. */
  readonly pages: Map<string, HostAnswer>
  /** The paths that were asked for. */
  readonly asked: string[]
  /** Every address to which the guard opened a connection. */
  readonly connected: string[]
  /** The way out that knows the host: its name, its certificate, and the names of the tests. */
  readonly egress: Egress
  /** Publishes a metadata document at a path, and answers its URL, which is the client_id. */
  publish(path: string, metadata?: Record<string, unknown>, headers?: Record<string, string>): string
  stop(): Promise<void>
}

/** Starts one on loopback; `names` are further names, each with the address that the guard resolves it to; `allow` may be called besides. */
export async function startDocumentHost(
  names: Readonly<Record<string, string>> = {},
  allow: readonly string[] = [],
): Promise<DocumentHost> {
  const certificate = createCertificate(['app.example', ...Object.keys(names)])
  const pages = new Map<string, HostAnswer>()
  const asked: string[] = []
  const connected: string[] = []
  const server = createServer(certificate, (request, response) => {
    const path = request.url!
    asked.push(path)
    const page = pages.get(path)
    if (typeof page === 'function') return page(request, response)
    const { status, headers, body } = typeof page === 'string' ? { body: page } : (page ?? { status: 404 })
    response.writeHead(status ?? 200, { 'content-type': 'application/json', ...headers })
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const origin = `https://app.example:${port}`
  const egress = createEgress({
    allow: [`app.example:${port}`, ...allow],
    ca: certificate.cert,
    connectTimeoutMs: 1000,
    resolve: async (name) => {
      if (name === 'app.example') return ['127.0.0.1']
      const address = names[name]
      if (address === undefined) throw new Error(`${name} is not a name`)
      return [address]
    },
    onConnect: (address) => connected.push(address),
  })
  return {
    ...{ origin, pages, asked, connected, egress },
    publish(path, metadata = {}, headers = {}) {
      const client_id = origin + path
      const document = { client_id, client_name: 'App', redirect_uris: ['https://app.example/cb'], ...metadata }
      pages.set(path, { body: JSON.stringify(document), headers })
      return client_id
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await egress.close()
    },
  }
}
