import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ForeignProvider } from '../../../../test/parts/foreign_provider.ts'
import { addUser, type Bench, connectAs, connected, openBench, openForeign } from '../../../../test/parts/vault.ts'
import { createEgress } from '../../egress/egress.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { createCatalogue } from '../../providers/catalogue.ts'
import { verified } from '../../providers/fact.ts'
import { STANDARD_ERROR_RESPONSE } from '../../providers/quirks.ts'
import { oidc } from '../../providers/records/oidc.ts'
import { saveConnector } from '../administration/connectors.ts'
import { disconnect } from '../connections/disconnect.ts'
import { freshToken } from '../connections/fresh_token.ts'
import type { OutboundContext } from '../context.ts'
import { forwardForClient, handOutToken } from './bridge.ts'
import { type Forwarded, type ForwardRequest, forward } from './proxy.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

describe('the proxy', () => {
  let bench: Bench
  let context: OutboundContext
  let foreign: ForeignProvider
  let api: { readonly url: string; handle: Handler; readonly seen: IncomingMessage[]; close(): Promise<void> }
  let connection_id: string
  let users = 0

  before(async () => {
    bench = await openBench()
    context = bench.contexts[0]
    api = await startApi()
    foreign = await openForeign(bench, {}, { fields: { api_base_url: `${api.url}/v1` } })
  })
  after(async () => {
    await Promise.all([foreign.close(), api.close()])
    await bench.drop()
  })
  beforeEach(async () => {
    foreign.auto_login = `user${++users}`
    connection_id = await connected(bench)
    api.seen.length = 0
    api.handle = (_, response) => response.end('fine')
  })

  // An answer that nobody reads holds its connection until its time is up.
  const given: { readonly kind: string; readonly response?: Response }[] = []
  afterEach(async () => {
    for (const { response } of given.splice(0)) if (!response?.bodyUsed) await response?.body?.cancel()
  })
  function note<T extends { readonly kind: string }>(answer: T): T {
    given.push(answer)
    return answer
  }

  async function call(more: Partial<ForwardRequest> = {}): Promise<Forwarded> {
    const request = { connection_id, user_id: bench.user_id, method: 'GET', path: '/things', query: '' }
    return note(await forward(context, { ...request, headers: new Headers(), body: null, ...more }))
  }
  const answerOf = (forwarded: Forwarded): Response => {
    assert.equal(forwarded.kind, 'response', JSON.stringify(forwarded))
    return (forwarded as Forwarded & { kind: 'response' }).response
  }
  const bodyOf = (...chunks: (string | Uint8Array)[]) =>
    Readable.toWeb(Readable.from(chunks.map((chunk) => Buffer.from(chunk)))) as ReadableStream<Uint8Array>

  test('a request goes to the API with the token of the connection, and the answer comes back', async () => {
    api.handle = async (request, response) => {
      response.writeHead(201, { 'content-type': 'application/json', etag: '"1"', 'set-cookie': 'a=b' })
      response.end(JSON.stringify({ body: await text(request), authorization: request.headers.authorization }))
    }
    const token = await freshToken(context, { connection_id, user_id: bench.user_id })
    const headers = new Headers({ authorization: 'Bearer ours', cookie: 's=1', 'content-type': 'text/plain' })
    const answer = answerOf(await call({ method: 'POST', query: 'a=1&b=%20', headers, body: bodyOf('he', 'llo') }))
    assert.equal(answer.status, 201)
    const { body, authorization } = (await answer.json()) as { body: string; authorization: string }
    assert.equal(body, 'hello')
    assert.ok(token.kind === 'token' && authorization === `Bearer ${token.access_token}`)
    const [request] = api.seen
    assert.equal(request!.url, '/v1/things?a=1&b=%20')
    assert.deepEqual([request!.headers.cookie, request!.headers['content-type']], [undefined, 'text/plain'])
    assert.deepEqual([answer.headers.get('set-cookie'), answer.headers.get('etag')], [null, '"1"'])
  })

  test('a token that is refused with a status of success is renewed, where the record tells such errors', async () => {
    const error_response = verified(
      {
        ...STANDARD_ERROR_RESPONSE,
        within_200: { path: 'ok', equals: false },
        meanings: { token_expired: 'invalid_grant' },
      } as const,
      'this test',
    )
    const odd = { ...oidc, fields: { ...oidc.fields, error_response } }
    const there = bench.another({ catalogue: createCatalogue([odd]) })
    const ask = async (type: string, ...bodies: string[]) => {
      api.seen.length = 0
      api.handle = (_, response) => {
        response.writeHead(200, { 'content-type': type }).end(bodies[api.seen.length - 1])
      }
      const request = { connection_id, user_id: bench.user_id, method: 'GET', path: '/things', query: '' }
      const answer = note(await forward(there, { ...request, headers: new Headers(), body: null }))
      return [await answerOf(answer).text(), api.seen.length]
    }
    const json = 'application/json; charset=utf-8'
    const expired = '{"ok":false,"error":"token_expired"}'
    assert.deepEqual(await ask(json, '{"ok":true}'), ['{"ok":true}', 1])
    for (const other of ['{"ok":false,"error":"not_in_channel"}', '{"ok":false}', '[]', '{', '']) {
      assert.deepEqual(await ask(json, other), [other, 1])
    }
    assert.deepEqual(await ask('text/plain', expired), [expired, 1])
    const long = `{"ok":false,"error":"token_expired","padding":"${'x'.repeat(100_000)}"}`
    assert.deepEqual(await ask(json, long), [long, 1], 'what is long is data, and passed on as it comes')
    assert.equal((await bench.load(connection_id)).generation, 1)
    assert.deepEqual(await ask(json, expired, '{"ok":true}'), ['{"ok":true}', 2])
    assert.equal((await bench.load(connection_id)).generation, 2)
  })

  test('a refused token is renewed once, and the request repeated', async () => {
    api.handle = async (request, response) => {
      const body = await text(request)
      response.writeHead(api.seen.length === 1 ? 401 : 200).end(`${request.headers.authorization} ${body}`)
    }
    assert.match(await answerOf(await call({ method: 'POST', body: bodyOf('again') })).text(), /again$/)
    assert.equal(api.seen.length, 2)
    const [first, second] = api.seen.map(({ headers }) => headers.authorization)
    assert.notEqual(first, second)
    assert.equal((await bench.load(connection_id)).generation, 2)
  })

  test('an API that always says 401 is asked twice, then passed on as it is', async () => {
    api.handle = (_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end('no')
    const answer = answerOf(await call())
    assert.deepEqual([answer.status, await answer.text()], [401, 'no'])
    assert.equal(answer.headers.has('www-authenticate'), false)
    assert.equal(api.seen.length, 2)
    assert.equal(answerOf(await call()).status, 401)
    assert.equal(api.seen.length, 3, 'and not renewed again for each request')
  })

  test('what the provider revoked says so', async () => {
    await foreign.revokeGrants(foreign.auto_login!)
    api.handle = (_, response) => response.writeHead(401).end()
    const forwarded = await call()
    assert.ok(forwarded.kind === 'needs_reconsent' && forwarded.reason === 'revoked', JSON.stringify(forwarded))
    assert.ok(forwarded.connect_url!.endsWith(connection_id))
  })

  test('a long body streams through and is not repeated', async () => {
    const chunk = new Uint8Array(50_000).fill(120)
    let received = 0
    api.handle = async (request, response) => {
      for await (const part of request) received += (part as Buffer).length
      response.writeHead(401).end()
    }
    const answer = answerOf(await call({ method: 'PUT', body: bodyOf(chunk, chunk, chunk) }))
    assert.equal(answer.status, 401)
    assert.equal(received, 150_000)
    assert.equal(api.seen.length, 1)
    assert.equal((await bench.load(connection_id)).generation, 2, 'the next request has a new token')
  })

  test('an answer streams: its beginning is there before its end', async () => {
    let end = () => {}
    api.handle = (_, response) => {
      response.write('first ')
      end = () => response.end('last')
    }
    const reader = answerOf(await call())
      .body!.pipeThrough(new TextDecoderStream())
      .getReader()
    assert.equal((await reader.read()).value, 'first ')
    end()
    assert.equal((await reader.read()).value, 'last')
  })

  test("the provider's limits are passed on", async () => {
    api.handle = (_, response) => response.writeHead(429, { 'retry-after': '7' }).end()
    const answer = answerOf(await call())
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [429, '7'])
  })

  test('a redirect is passed on and never followed with the token', async () => {
    api.handle = (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
    const answer = answerOf(await call())
    assert.deepEqual([answer.status, answer.headers.get('location')], [302, 'http://127.0.0.1:1/'])
    assert.equal(api.seen.length, 1)
  })

  test('Z-07 a path that leaves the API sends nothing', async () => {
    for (const path of ['/../x', '//evil.example/', '/%2e%2e/x', '@evil.example', 'http://evil.example/', '/\\evil']) {
      await assert.rejects(call({ path }), OAuthError, path)
    }
    await assert.rejects(call({ method: 'TRACE' }), { status: 405 })
    await assert.rejects(call({ method: 'CONNECT' }), { status: 405 })
    assert.equal(api.seen.length, 0)
  })

  test('an API that cannot be reached, or cuts the connection, is a bad gateway', async () => {
    api.handle = (request) => request.socket.destroy()
    assert.deepEqual(await call(), { kind: 'unreachable', status: 502, reason: 'cut' })
  })

  test('1.3.6 CVE-2026-56739 an API at a private address is not called, whatever a connector says', async () => {
    const connected: string[] = []
    const egress = createEgress({ resolve: async () => ['10.0.0.7'], onConnect: (address) => connected.push(address) })
    const strict = bench.another({ egress })
    const inside = await openForeign(bench, {}, { connector: 'inside', fields: { api_base_url: 'https://api.inside' } })
    const made = await connectAs(context, bench.user_id, { connector: 'inside' })
    const request = { connection_id: made.connection_id!, user_id: bench.user_id, method: 'GET', path: '/x', query: '' }
    const answer = await forward(strict, { ...request, headers: new Headers(), body: null })
    assert.deepEqual(answer, { kind: 'unreachable', status: 502, reason: 'blocked_address' })
    assert.deepEqual(connected, [])
    await Promise.all([inside.close(), egress.close()])
  })

  test('a caller who goes away ends the call', async () => {
    const control = new AbortController()
    let closed = false
    api.handle = (request) =>
      request.socket.on('close', () => {
        closed = true
      })
    const forwarded = call({ signal: control.signal })
    while (api.seen.length === 0) await sleep(1)
    control.abort()
    assert.equal((await forwarded).kind, 'unreachable')
    while (!closed) await sleep(1)
  })

  test('without an API of its own a connector reaches the place of its userinfo', async () => {
    const plain = await openForeign(bench, {}, { connector: 'plain' })
    const made = await connectAs(context, bench.user_id, { connector: 'plain' })
    const answer = answerOf(await call({ connection_id: made.connection_id!, path: '/me' }))
    assert.equal(answer.status, 200)
    assert.equal(((await answer.json()) as { sub: string }).sub, 'alice')
    await plain.close()
  })

  describe('for a client of ours', () => {
    const request = () => ({ method: 'GET', path: '/x', query: '', headers: new Headers(), body: null })
    const ask = (more: object = {}) => ({ connector: 'acme', user_id: bench.user_id, connection_id, ...more })

    test('uses the connection that its grant names', async () => {
      const forwarded = note(await forwardForClient(context, ask(), request()))
      assert.equal(forwarded.kind, 'response')
      const token = await handOutToken(context, { ...ask(), min_seconds: 60 })
      assert.equal(token.kind, 'token')
    })

    test('gets a refusal that says what is missing', async () => {
      const none = await forwardForClient(context, ask({ connection_id: null }), request())
      assert.ok(none.kind === 'bridge_refused' && none.error === 'connection_not_allowed')
      assert.equal(none.connect_url, 'http://localhost:9400/connect/acme')
      const unnamed = await handOutToken(context, ask({ connection_id: null }))
      assert.ok(unnamed.kind === 'bridge_refused' && unnamed.error === 'connection_not_allowed')
      const other = await handOutToken(context, ask({ connector: 'other' }))
      assert.ok(other.kind === 'bridge_refused' && other.error === 'connection_required')
      const wrong = await forwardForClient(context, ask({ connector: 'other' }), request())
      assert.ok(wrong.kind === 'bridge_refused' && wrong.error === 'connection_required')
      assert.equal(api.seen.length, 0)
    })

    test('O-06 never reaches the connection of another user', async () => {
      const user_id = await addUser(bench.tenant, `mallory${users}`)
      for (const refused of [
        await handOutToken(context, ask({ user_id })),
        await forwardForClient(context, ask({ user_id }), request()),
      ]) {
        assert.ok(refused.kind === 'bridge_refused' && refused.error === 'connection_required')
      }
    })

    test('is told where the user can repair or make the connection', async () => {
      await foreign.revokeGrants(foreign.auto_login!)
      api.handle = (_, response) => response.writeHead(401).end()
      const broken = await forwardForClient(context, ask(), request())
      assert.ok(broken.kind === 'bridge_refused' && broken.error === 'connection_needs_reconsent')
      assert.ok(broken.connect_url!.endsWith(`?connection_id=${connection_id}`))
      await disconnect(context, { connection_id, actor: 'test' })
      const gone = await handOutToken(context, ask())
      assert.ok(gone.kind === 'bridge_refused' && gone.error === 'connection_required')
      assert.equal(gone.connect_url, 'http://localhost:9400/connect/acme')
    })

    test('O-07 gets no token where the connector keeps them, and may still call through the proxy', async () => {
      const input = { connector: 'acme', provider: 'oidc', issuer: foreign.issuer, client_id: 'web' }
      const more = { scope: 'openid email offline_access', fields: { api_base_url: `${api.url}/v1` } }
      await saveConnector(context, 'test', { ...input, ...more, hand_out_tokens: false })
      const token = await handOutToken(context, ask())
      assert.ok(token.kind === 'bridge_refused' && token.error === 'token_not_handed_out')
      assert.equal(note(await forwardForClient(context, ask(), request())).kind, 'response')
      await saveConnector(context, 'test', { ...input, ...more })
    })
  })
})

async function startApi() {
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    seen.push(request)
    api.handle(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const api = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    handle: ((_, response) => response.end()) as Handler,
    seen,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return api
}
