import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'

/** A request as it stood on the wire. */
export interface WireRequest {
  readonly request_line: string
  /** Name in lower case, value as it came. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
  /** All of it, byte by byte as latin1. */
  readonly raw: string
}

/** An API that reads the wire by itself, so that nothing that reached it is hidden by a parser. */
export interface WireLedger {
  readonly origin: string
  /** What came, request by request. */
  readonly requests: WireRequest[]
  /** Beginnings of requests whose connection was closed before their end. */
  readonly cut: string[]
  /** Bytes on open connections that are no whole request. */
  rest(): string
  /** The bytes of the next answers; a plain one otherwise. */
  readonly answers: string[]
  close(): Promise<void>
}

const PLAIN = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'

/** Starts the API on 127.0.0.1. */
export async function startWireLedger(): Promise<WireLedger> {
  const requests: WireRequest[] = []
  const cut: string[] = []
  const answers: string[] = []
  const rests = new Map<Socket, string>()
  const server = createServer((socket) => {
    rests.set(socket, '')
    socket.on('error', () => {})
    socket.on('close', () => {
      const rest = rests.get(socket)
      if (rest) cut.push(rest)
      rests.delete(socket)
    })
    socket.on('data', (chunk: Buffer) => {
      let text = rests.get(socket)! + chunk.toString('latin1')
      for (let read = readRequest(text); read; read = readRequest(text)) {
        requests.push(read.request)
        text = read.rest
        socket.write(answers.shift() ?? PLAIN, 'latin1')
      }
      rests.set(socket, text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    cut,
    rest: () => [...rests.values()].join(''),
    answers,
    async close() {
      for (const socket of rests.keys()) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The first whole request of a text, and what follows it. */
function readRequest(text: string): { request: WireRequest; rest: string } | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [request_line = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  const value = (name: string) => headers.find(([known]) => known === name)?.[1]
  const read = value('transfer-encoding')
    ? readChunks(text, end + 4)
    : readLength(text, end + 4, value('content-length'))
  if (!read) return undefined
  return {
    request: { request_line, headers, body: read.body, raw: text.slice(0, read.end) },
    rest: text.slice(read.end),
  }
}

function readLength(text: string, start: number, length = '0') {
  const end = start + Number(length)
  return text.length < end ? undefined : { body: text.slice(start, end), end }
}

function readChunks(text: string, start: number) {
  let body = ''
  for (let at = start; ; ) {
    const line = text.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(text.slice(at, line), 16)
    const end = line + 2 + size + 2
    if (text.length < end) return undefined
    if (size === 0) return { body, end }
    body += text.slice(line + 2, end - 2)
    at = end
  }
}
