import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { KeyPlace, KeyWrapper } from '../../server/src/crypto/key_wrapper.ts'

/** A KMS as others run one: over HTTP, with a key that never leaves it; and it can fail. */
export interface Kms extends KeyWrapper {
  /** What it does when it is asked; `foreign` answers another key than it was given. */
  mood: 'good' | 'down' | 'silent' | 'foreign' | 'refuses'
  readonly asked: string[]
  stop(): Promise<void>
}

/** Starts one on loopback, and answers the wrapper that asks it. */
export async function startKms(name = 'kms/keys/1'): Promise<Kms> {
  const kept = new Map<string, { key: Buffer; place: string }>()
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    const body = JSON.parse((await buffer(request)).toString()) as { value: string; place: string }
    asked.push(`${request.url} ${body.place}`)
    if (kms.mood === 'silent') return
    if (kms.mood === 'down') return void response.writeHead(503).end()
    const answer = (bytes: Uint8Array) => response.end(Buffer.from(bytes).toString('base64'))
    if (request.url === '/wrap') {
      const handle = randomBytes(24)
      kept.set(handle.toString('base64'), { key: Buffer.from(body.value, 'base64'), place: body.place })
      return void answer(handle)
    }
    const found = kept.get(body.value)
    if (kms.mood === 'refuses' || found?.place !== body.place) return void response.writeHead(403).end()
    answer(kms.mood === 'foreign' ? randomBytes(32) : found.key)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const ask = async (operation: string, value: Uint8Array, { tenant_id, kid }: KeyPlace) => {
    const body = JSON.stringify({ value: Buffer.from(value).toString('base64'), place: `${tenant_id}/${kid}` })
    const answer = await fetch(`http://127.0.0.1:${port}/${operation}`, { method: 'POST', body })
    if (!answer.ok) throw new Error(`the KMS answers ${answer.status}`)
    return Buffer.from(await answer.text(), 'base64')
  }
  const kms: Kms = {
    name,
    mood: 'good',
    asked,
    wrap: (key, place) => ask('wrap', key, place),
    unwrap: (wrapped, place) => ask('unwrap', wrapped, place),
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return kms
}
