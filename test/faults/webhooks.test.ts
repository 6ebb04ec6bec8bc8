import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { verifyWebhook } from '@sallyport/sdk/webhook'
import { freePort, startProgram } from '../parts/program.ts'

const ADMIN = { client_id: 'admin', client_secret: 'secret-of-the-administration' }
const SCOPE = 'admin:write'

test('what was answered is told after kill -9, although nobody had looked at it and another message was being sent', async (t) => {
  const cwd = await mkdtemp(path.join(tmpdir(), 'sallyport-webhooks-'))
  t.after(() => rm(cwd, { recursive: true, force: true }))
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  let hangs = true
  const sending = Promise.withResolvers<void>()
  const told = Promise.withResolvers<unknown>()
  const receiver = createServer(async (request, response) => {
    const { headers } = request
    const { data } = await verifyWebhook({ headers, body: await text(request) }, { secret })
    sending.resolve()
    // Over the first call the server dies; to send that again it waits until it is known to be lost.
    if (hangs) return
    told.resolve(data['user_id'])
    response.writeHead(204).end()
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    receiver.closeAllConnections()
    receiver.close()
  })
  const { port: at } = receiver.address() as { port: number }
  const port = await freePort()
  const issuer = `http://127.0.0.1:${port}`
  const platform = {
    server: { egress_allow: [`127.0.0.1:${at}`], issuer, port },
    clients: [
      { ...ADMIN, client_secret: { value: ADMIN.client_secret }, grant_types: ['client_credentials'], scope: SCOPE },
    ],
    webhooks: [
      { webhook: 'crm', url: `http://127.0.0.1:${at}/`, event_types: ['user.created'], secret: { value: secret } },
    ],
  }
  await writeFile(path.join(cwd, 'platform.json'), JSON.stringify(platform))
  const start = async () => {
    const server = startProgram(['serve', '--config', 'platform.json'], { cwd })
    t.after(() => server.stop('SIGKILL'))
    await server.waitFor(/listening/)
    return server
  }

  const first = await start()
  const form = new URLSearchParams({ grant_type: 'client_credentials', scope: SCOPE, resource: `${issuer}/api` })
  const authorization = `Basic ${Buffer.from(`${ADMIN.client_id}:${ADMIN.client_secret}`).toString('base64')}`
  const granted = await fetch(`${issuer}/token`, { method: 'POST', headers: { authorization }, body: form })
  const { access_token } = (await granted.json()) as { access_token: string }
  const create = async (username: string) => {
    const headers = { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' }
    const answer = await fetch(`${issuer}/api/users`, { method: 'POST', headers, body: JSON.stringify({ username }) })
    assert.equal(answer.status, 201)
    return ((await answer.json()) as { user_id: string }).user_id
  }
  await create('sent')
  await sending.promise
  const unseen = await create('unseen')
  assert.equal(await first.stop('SIGKILL'), 137)

  hangs = false
  const second = await start()
  assert.equal(await told.promise, unseen)
  assert.equal(await second.stop(), 0)
})
