import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as an API received it, before its body. */
export interface ApiRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** Answers one request of an API in whatever way it likes; the request is a stream still. */
export type ApiAnswer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** Somebody's API on loopback: it writes down what reaches it, and answers as a test says. */
export interface RecordingApi {
  readonly origin: string
  readonly received: ApiRequest[]
  /** By path; anything else is 200 and `{"ok":true}`. */
  readonly answers: Map<string, ApiAnswer>
  close(): Promise<void>
}

/** Starts the API on 127.0.0.1. */
export async function startRecordingApi(): Promise<RecordingApi> {
  const received: ApiRequest[] = []
  const answers = new Map<string, ApiAnswer>()
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request
    received.push({ method, url, headers })
    const answer = answers.get(url.split('?')[0]!)
    if (answer) return void (await answer(request, response))
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answers,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
