import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { createEgress, type Egress } from '../../server/src/egress/egress.ts'
import type { FakeProvider } from './fake_provider.ts'

/** One server on loopback for all fake providers, and a way out that leads every host to it. */
export interface FakeInternet {
  readonly egress: Egress
  /** Who answers from now on. */
  serve(provider: FakeProvider): void
  close(): Promise<void>
}

const MEANT = 'x-meant-for'

/** Starts the server; calls name in a header where they were meant to go. */
export async function startFakeInternet(): Promise<FakeInternet> {
  let provider: FakeProvider | undefined
  const server = createServer(async (request, response) => {
    const { method = '', headers } = request
    const call = { method, headers, url: new URL(String(headers[MEANT])), body: await text(request) }
    const answer = provider?.answer(call)
    if (!answer) return void response.socket?.destroy()
    response.writeHead(answer.status, answer.type === '' ? {} : { 'content-type': answer.type }).end(answer.text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const inner = createEgress({ allow: ['127.0.0.1'] })
  return {
    egress: {
      fetch(input, init) {
        const headers = new Headers(init.headers)
        headers.set(MEANT, input instanceof Request ? input.url : String(input))
        return inner.fetch(`${origin}/`, { ...init, headers })
      },
      mayUseHttp: () => false,
      close: () => inner.close(),
    },
    serve(next) {
      provider = next
    },
    async close() {
      await inner.close()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
