import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js'
import { createResource } from '@sallyport/sdk'
import { protect } from '@sallyport/sdk/express'
import { type Connection, createVault, VaultError, type VaultEvent, type VaultOptions } from '@sallyport/sdk/vault'
import express from 'express'
import { startUpkeep } from '../../server/src/index.ts'
import { type Bridge, PLATFORM, startBridge } from '../parts/bridge.ts'
import { handTimers } from '../parts/hand_timers.ts'
import type { UserAgent } from '../parts/user_agent.ts'

const WEB = { client_id: 'web', client_secret: 'secret-of-web' } as const
// A refresh that was forced is not forced again for so long, whoever asks.
const FORCED_AGAIN_MS = 30_000

let bridge: Bridge
let alice: UserAgent
let connection_id: string
let events: VaultEvent[]
const waits: number[] = []
before(async () => {
  bridge = await startBridge({ path: '/hub', access_token_seconds: 300 })
  const client = { ...PLATFORM, client_name: 'Platform', scope: 'vault:token vault:proxy' }
  await bridge.server.addClient({ ...client, grant_types: ['client_credentials'] })
  alice = await bridge.signIn()
  await bridge.connect(alice)
  connection_id = (await bridge.connections())[0]!.connection_id
})
after(() => bridge.stop())
beforeEach(() => {
  events = []
  waits.length = 0
  bridge.api.received.length = 0
  bridge.api.answers.clear()
})

const startVault = (options: Partial<VaultOptions> = {}) =>
  createVault({
    ...{ issuer: bridge.issuer, ...WEB, clock: () => Date.now() + bridge.clock.offset },
    onEvent: (event) => events.push(event),
    wait: async (ms) => {
      waits.push(ms)
      bridge.clock.offset += ms
    },
    ...options,
  })
const signedIn = async () => (await bridge.obtain(alice, { prompt: 'consent' })).access_token as string
const refreshes = () => bridge.foreign.ledger.filter(({ grant_type }) => grant_type === 'refresh_token').length

test('an MCP server asks by URL elicitation for what the user has to connect, and then its tool works', async () => {
  const app = express()
  const listening = app.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const resource = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/mcp`
  await bridge.server.addResource({ resource, scopes: '{"api:read":"Read"}', default_scopes: '["api:read"]' })
  const vault = startVault()
  const api = createResource({ resource, issuer: bridge.issuer, clock: () => Date.now() + bridge.clock.offset })

  app.all('/mcp', protect(api, { scope: 'api:read' }), express.json(), async (req, res) => {
    const access_token = req.get('authorization')!.replace(/^Bearer /i, '')
    const calendar = vault.connection({ connector: 'acme', access_token })
    const server = new McpServer({ name: 'planner', version: '1.0.0' })
    server.registerTool('next_meeting', { description: 'The next meeting' }, async () => {
      try {
        const answer = await calendar.fetch('/next')
        return { content: [{ type: 'text', text: await answer.text() }] }
      } catch (error) {
        if (!(error instanceof VaultError && error.connect_url)) throw error
        const { connect_url: url, error_description: message } = error
        throw new UrlElicitationRequiredError([{ mode: 'url', elicitationId: randomUUID(), url, message }])
      }
    })
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
    await server.connect(transport as Parameters<McpServer['connect']>[0])
    await transport.handleRequest(req, res, req.body)
  })
  bridge.api.answers.set('/v1/next', (_, response) => void response.end('Standup at nine'))

  const wish = { prompt: 'consent', scope: 'openid api:read', resource: [resource, `${bridge.issuer}/proxy/acme`] }
  try {
    const { access_token } = await bridge.obtain(alice, wish)
    const headers = { authorization: `Bearer ${access_token}` }
    const client = new Client({ name: 'agent', version: '1.0.0' }, { capabilities: { elicitation: { url: {} } } })
    const transport = new StreamableHTTPClientTransport(new URL(resource), { requestInit: { headers } })
    await client.connect(transport as Parameters<Client['connect']>[0])
    await bridge.foreign.revokeGrants()
    bridge.clock.offset += 300_000
    const thrown = await client.callTool({ name: 'next_meeting' }).catch((error: unknown) => error)
    assert(thrown instanceof UrlElicitationRequiredError, inspect(thrown))
    const [elicitation] = thrown.elicitations
    assert.equal(elicitation?.url, `${bridge.issuer}/connect/acme?connection_id=${connection_id}`)
    alice = await bridge.signIn()
    await bridge.connect(alice, elicitation.url)
    const { content } = await client.callTool({ name: 'next_meeting' })
    assert.deepEqual(content, [{ type: 'text', text: 'Standup at nine' }])
    await client.close()
  } finally {
    listening.close()
    listening.closeAllConnections()
  }
})

/** The same connection, used in each way that there is. */
const ways: Record<'proxy' | 'exchange' | 'platform' | 'platform token', () => Promise<Connection>> = {
  proxy: async () => startVault().connection({ connector: 'acme', access_token: await signedIn() }),
  exchange: async () =>
    startVault().connection({
      ...{ connector: 'acme', access_token: await signedIn(), via: 'token' },
      api_base_url: `${bridge.api.origin}/v1`,
    }),
  platform: async () => startVault(PLATFORM).connection({ connection_id }),
  'platform token': async () =>
    startVault(PLATFORM).connection({ connection_id, via: 'token', api_base_url: `${bridge.api.origin}/v1` }),
}

for (const [way, open] of Object.entries(ways)) {
  describe(`by ${way}`, () => {
    test('the API gets the request with the token of the provider', async () => {
      const acme = await open()
      const answer = await acme.fetch('/me?x=1', { method: 'PUT', body: '{}', headers: { 'x-mine': 'yes' } })
      assert.deepEqual([answer.status, await answer.json()], [200, { ok: true }])
      const [{ method, url, headers }] = bridge.api.received as [(typeof bridge.api.received)[0]]
      assert.deepEqual([method, url, headers['x-mine']], ['PUT', '/v1/me?x=1', 'yes'])
      const userinfo = { headers: { authorization: String(headers['authorization']) } }
      assert.equal((await fetch(`${bridge.foreign.issuer}/me`, userinfo)).status, 200)
    })

    test('64 callers whose token is due are one refresh', async () => {
      bridge.clock.offset += 280_000
      const [acme, before] = [await open(), refreshes()]
      const answers = await Promise.all(Array.from({ length: 64 }, () => acme.fetch('/me')))
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
      assert.equal(refreshes(), before + 1)
      assert.equal(new Set(bridge.api.received.map(({ headers }) => headers['authorization'])).size, 1)
    })

    test('64 callers whose token the API refuses are one refresh, and each gets its answer', async () => {
      bridge.clock.offset += FORCED_AGAIN_MS
      let refused: string | undefined
      bridge.api.answers.set('/v1/strict', async (request, response) => {
        refused ??= request.headers.authorization
        const chunks = await request.toArray()
        response.writeHead(request.headers.authorization === refused ? 401 : 200).end(Buffer.concat(chunks))
      })
      const [acme, before] = [await open(), refreshes()]
      const send = (_: unknown, i: number) => acme.fetch('/strict', { method: 'POST', body: `body ${i}` })
      const answers = await Promise.all(Array.from({ length: 64 }, send))
      assert.deepEqual(
        await Promise.all(answers.map((answer) => answer.text())),
        answers.map((_, i) => `body ${i}`),
      )
      assert.equal(refreshes(), before + 1)
      if (way === 'exchange' || way === 'platform token')
        assert.deepEqual(
          events.map(({ type }) => type),
          ['refreshed'],
        )
    })

    test('bodies stream both ways', async () => {
      bridge.api.answers.set('/v1/echo', async (request, response) => {
        for await (const chunk of request) response.write(chunk)
        response.end()
      })
      const acme = await open()
      let push: (text: string | null) => void = () => {}
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          push = (text) => (text === null ? controller.close() : controller.enqueue(Buffer.from(text)))
        },
      })
      // More than the proxy reads ahead, so that it goes on as a stream.
      push('first'.padEnd(70_000))
      const answer = await acme.fetch('/echo', { method: 'POST', body })
      const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
      let seen = ''
      while (seen.length < 70_000) seen += (await reader.read()).value
      assert.ok(seen.startsWith('first'), 'it came back before the request was at its end')
      push('second')
      push(null)
      for (let part = await reader.read(); !part.done; part = await reader.read()) seen += part.value
      assert.ok(seen.endsWith('second'))
    })

    test('429 with Retry-After is waited for, and a redirect is not followed', async () => {
      let count = 0
      bridge.api.answers.set('/v1/busy', (request, response) => {
        request.resume()
        response.writeHead(count++ === 0 ? 429 : 302, { 'retry-after': '2', location: '/elsewhere' }).end()
      })
      const answer = await (await open()).fetch('/busy', { method: 'POST', body: 'x' })
      assert.deepEqual([answer.status, answer.headers.get('location')], [302, '/elsewhere'])
      assert.deepEqual(waits, [2000])
      assert.equal(bridge.api.received.length, 2)
    })

    test('a broken connection is an error with the page that repairs it, and then works again', async () => {
      const acme = await open()
      await bridge.foreign.revokeGrants()
      bridge.clock.offset += 300_000
      const thrown = await acme.fetch('/me').catch((error: unknown) => error)
      assert(thrown instanceof VaultError)
      assert.equal(thrown.error, 'connection_needs_reconsent')
      const connect_url = `${bridge.issuer}/connect/acme?connection_id=${connection_id}`
      assert.equal(thrown.connect_url, connect_url)
      const about = way.startsWith('platform') ? { connection_id } : { connector: 'acme' }
      assert.deepEqual(JSON.parse(JSON.stringify(events)), [
        { type: 'needs_consent', error: 'connection_needs_reconsent', connect_url, ...about },
      ])
      alice = await bridge.signIn()
      await bridge.connect(alice, thrown.connect_url)
      assert.equal((await acme.fetch('/me')).status, 200)
    })

    test('a provider that is away for a moment is waited for', async () => {
      const acme = await open()
      bridge.clock.offset += 300_000
      bridge.foreign.faults.push({ when: 'before', do: 'status', status: 503 })
      assert.equal((await acme.fetch('/me', { method: 'POST', body: 'x' })).status, 200)
      assert.deepEqual(
        events.map((event) => event.type === 'retrying' && event.because),
        ['connection_unavailable'],
      )
      assert.deepEqual([waits.length, bridge.api.received.length], [1, 1])
    })
  })
}

test('the token of the user is renewed by the app when it is over, once for all requests', async () => {
  const params = { prompt: 'consent', scope: 'openid offline_access' }
  let tokens = await bridge.obtain(alice, params)
  let renewals = 0
  const refresh = async (failed?: string) => {
    if (failed === undefined) return tokens.access_token
    renewals++
    const { refresh_token } = tokens
    tokens = (await bridge.post('/token', { grant_type: 'refresh_token', refresh_token })).body
    return tokens.access_token
  }
  for (const via of ['proxy', 'token'] as const) {
    bridge.clock.offset += 600_000
    const acme = startVault().connection({
      ...{ connector: 'acme', access_token: refresh, via, api_base_url: `${bridge.api.origin}/v1` },
    })
    const answers = await Promise.all(Array.from({ length: 16 }, () => acme.fetch('/me')))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    assert.equal(renewals, via === 'proxy' ? 1 : 2)
  }
})

test('a client that the user has not allowed is told by what it reads and where the user can help', async () => {
  const { access_token } = await bridge.obtain(alice, { prompt: 'consent' }, { 'connection.acme': '' })
  for (const via of ['proxy', 'token'] as const) {
    const acme = startVault().connection({ connector: 'acme', access_token, via, api_base_url: bridge.api.origin })
    await assert.rejects(acme.fetch('/me'), (thrown: VaultError) => {
      assert.deepEqual([thrown.name, thrown.error], ['VaultError', 'connection_not_allowed'])
      return thrown.connect_url!.startsWith(`${bridge.issuer}/connect/acme/allow?request=`)
    })
  }
  const platform = startVault(PLATFORM).connection({ connection_id: 'nobody' })
  await assert.rejects(platform.token(), { error: 'invalid_request', connect_url: undefined })
  await assert.rejects(platform.fetch('/me'), { error: 'invalid_target', connect_url: undefined })
  const stranger = startVault({ client_secret: 'wrong' })
  await assert.rejects(stranger.clientToken(), { name: 'VaultError', error: 'invalid_client' })
})

test('an app’s own tokens are asked for when they are nearly over', async () => {
  const vault = startVault(PLATFORM)
  const wish = { resource: `${bridge.issuer}/api`, scope: 'vault:token' }
  const many = await Promise.all(Array.from({ length: 64 }, () => vault.clientToken(wish)))
  assert.equal(new Set(many).size, 1)
  bridge.clock.offset += 3_600_000
  assert.notEqual(await vault.clientToken(wish), many[0])
  alice = await bridge.signIn()
})

test('T-01 no secret is in an error, an event or the log of the server, whatever fails', async () => {
  const { access_token } = await bridge.obtain(alice, { prompt: 'consent' })
  const give = { connector: 'acme', access_token, via: 'token', api_base_url: `${bridge.api.origin}/v1` } as const
  const acme = startVault().connection(give)
  const { access_token: theirs } = await acme.token()
  const seen: unknown[] = [acme, events]
  bridge.api.answers.set('/v1/cut', (request) => void request.socket.destroy())
  for (const fail of [
    () => acme.fetch('/cut'),
    () =>
      startVault()
        .connection({ ...give, via: 'proxy' })
        .fetch('/cut'),
    () =>
      startVault()
        .connection({ ...give, access_token: `${access_token}x` })
        .token(),
    () =>
      startVault()
        .connection({ ...give, connector: 'nobody' })
        .token(),
    () =>
      startVault({ ...WEB, client_secret: 'wrong-secret' })
        .connection(give)
        .token(),
    () => startVault({ fetch: () => Promise.reject(new TypeError('fetch failed')) }).clientToken(),
  ]) {
    seen.push(
      await fail().then(
        () => assert.fail(String(fail)),
        (error: unknown) => error,
      ),
    )
  }
  await bridge.foreign.revokeGrants()
  seen.push(
    await acme.token(theirs).then(
      () => assert.fail(),
      (error: unknown) => error,
    ),
  )
  const all = `${inspect(seen, { depth: 12, showHidden: true })}${JSON.stringify(bridge.server.log)}`
  for (const secret of [access_token, theirs, WEB.client_secret, 'wrong-secret', btoa('web:secret-of-web')]) {
    assert.ok(!all.includes(secret), secret)
  }
  assert.match(all, /needs_consent/)
})

test('a connection that nobody uses is kept alive by the work behind the requests', async () => {
  await bridge.connect(alice)
  const before = refreshes()
  bridge.clock.offset += 6 * 86_400_000
  const timers = handTimers()
  const upkeep = startUpkeep(bridge.server.app, { timers })
  timers.pass(10_000)
  await upkeep.stop()
  assert.equal(refreshes() - before, 1)
})
