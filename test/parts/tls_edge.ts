import { request as httpRequest } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { TLSSocket } from 'node:tls'

/** What stands in front of a server: it ends TLS, asks for a certificate, and always sets the header `client-cert` anew. */
export async function startTlsEdge(
  target: URL,
  { port, tls }: { readonly port: number; readonly tls: { readonly cert: string; readonly key: string } },
): Promise<Server> {
  const asking = { ...tls, requestCert: true, rejectUnauthorized: false }
  const edge = createServer(asking, (request, response) => {
    const { raw } = (request.socket as TLSSocket).getPeerCertificate()
    const { 'client-cert': _, ...headers } = request.headers
    const passed = raw ? { ...headers, 'client-cert': `:${raw.toString('base64')}:` } : headers
    const onward = {
      host: target.hostname,
      port: target.port,
      path: request.url,
      method: request.method,
      headers: passed,
    }
    const call = httpRequest(onward, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    request.pipe(call)
  })
  await new Promise<void>((resolve) => edge.listen(port, '127.0.0.1', resolve))
  return edge
}
