import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { createEmulator, type ServiceName } from 'emulate'
import { freePort } from './sallyport.ts'

/** One service of emulate on loopback, behind a front that refuses tokens as the vendor does. */
export interface Emulated {
  readonly origin: string
  /** Methods and paths that came, in order. */
  readonly received: string[]
  /** Refresh tokens that it gave, in order. */
  readonly refresh_tokens: string[]
  /** Refuses every token that came so far, for a service that has no way to end one. */
  endTokens(): void
  close(): Promise<void>
}

/** What emulate is started with, and what it cannot do by itself. */
export interface EmulatedOptions {
  readonly service: ServiceName
  readonly seed: object
  /** In answers of APIs: the user whom emulate puts in for whoever brings a token that it does not know. */
  readonly stand_in: RegExp
  /** What the vendor answers to a token that it does not know. */
  readonly refusal: { readonly status: number; readonly body: object }
}

/** Starts a service. An unknown token is for emulate one of its first user, so the front is what refuses them. */
export async function startEmulated(options: EmulatedOptions): Promise<Emulated> {
  const { service, seed, stand_in, refusal } = options
  const front = createServer()
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  const origin = `http://127.0.0.1:${(front.address() as AddressInfo).port}`
  const port = await freePort()
  const emulator = await createEmulator({ service, port, baseUrl: origin, seed: { [service]: seed } })
  const [came, ended] = [new Set<string>(), new Set<string>()]
  const [received, refresh_tokens]: [string[], string[]] = [[], []]
  front.on('request', async (request, response) => {
    const { method = '', url = '', headers } = request
    received.push(`${method} ${url.split('?')[0]}`)
    const body = await buffer(request)
    const answer = await fetch(`http://127.0.0.1:${port}${url}`, {
      ...{ method, headers: passOn(Object.entries(headers).map(([name, value]) => [name, String(value)])) },
      ...{ redirect: 'manual', ...(method !== 'GET' && { body }) },
    })
    const text = await answer.text()
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1]
    if (token !== undefined) came.add(token)
    const given = /"refresh_token":"([^"]+)"/.exec(text)?.[1]
    if (given !== undefined) refresh_tokens.push(given)
    if (token !== undefined && (ended.has(token) || stand_in.test(text))) {
      response.writeHead(refusal.status, { 'content-type': 'application/json' }).end(JSON.stringify(refusal.body))
    } else response.writeHead(answer.status, passOn([...answer.headers])).end(text)
  })
  return {
    ...{ origin, received, refresh_tokens },
    endTokens() {
      for (const token of came) ended.add(token)
    },
    async close() {
      front.closeAllConnections()
      front.close()
      await emulator.close()
    },
  }
}

function passOn(headers: readonly (readonly [string, string])[]): [string, string][] {
  const own = ['connection', 'content-encoding', 'content-length', 'host', 'keep-alive', 'transfer-encoding']
  return headers.filter(([name]) => !own.includes(name)).map(([name, value]) => [name, value])
}
