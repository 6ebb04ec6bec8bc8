import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { ConfigError } from '../config/config_error.ts'
import { isLoopback } from '../config/issuer.ts'
import type { MetricsConfig } from '../config/metrics.ts'
import { equalBytes, sha256 } from '../crypto/hash.ts'

// Not by an import statement, for the reason that node_server.ts gives.
const { createServer } = process.getBuiltinModule('node:http')

/** Serves metrics at an address of their own, to whoever shows the token or is on this machine. */
export async function serveMetrics(
  config: MetricsConfig,
  write: () => Promise<{ readonly text: string; readonly type: string }>,
): Promise<Server> {
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5_000, maxHeaderSize: 8192 },
    (request, response) => {
      void answer(config, write, request, response)
    },
  )
  server.maxConnections = 32
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      reject(new ConfigError([`Metrics cannot be served at ${config.host}:${config.port} (${code})`]))
    })
    server.listen(config.port, config.host, resolve)
  })
  return server
}

async function answer(
  config: MetricsConfig,
  write: () => Promise<{ readonly text: string; readonly type: string }>,
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const send = (status: number, text: string, more: Readonly<Record<string, string>> = {}) => {
    const type = { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' }
    response.writeHead(status, { 'Cache-Control': 'no-store', ...type, ...more })
    response.end(method === 'HEAD' ? undefined : text)
  }
  if (url !== '/metrics') return send(404, 'There is nothing but /metrics\n')
  if (method !== 'GET' && method !== 'HEAD') return send(405, 'This takes GET\n', { Allow: 'GET, HEAD' })
  const refusal = refuse(config, headers)
  if (refusal === 401) return send(401, 'The token is missing or wrong\n', { 'WWW-Authenticate': 'Bearer' })
  if (refusal === 403) return send(403, 'Ask by the address of this machine\n')
  try {
    const { text, type } = await write()
    send(200, text, { 'Content-Type': type })
  } catch {
    send(500, 'The metrics could not be written\n')
  }
}

function refuse(
  { token }: MetricsConfig,
  { authorization = '', host = '' }: IncomingMessage['headers'],
): 401 | 403 | null {
  if (token !== undefined) {
    // By their hashes, which are of one length.
    return equalBytes(sha256(authorization), sha256(`Bearer ${token}`)) ? null : 401
  }
  // A page in a browser of this machine may have its own host's name lead here, and would then read the answer.
  return isLoopback(URL.parse(`http://${host}`)?.hostname ?? '') ? null : 403
}
