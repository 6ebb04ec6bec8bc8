import assert from 'node:assert/strict'
import { createServer, request as httpRequest } from 'node:http'
import { after, before, test } from 'node:test'
import express from 'express'
import { close, listen, NOW, RESOURCE, startIssuer, type TestIssuer } from '../../test/issuer.ts'
import { answerRefusals, protect, readAccess, serveMetadata } from './express.ts'
import { createResource } from './resource.ts'

let as: TestIssuer
let origin: string
const app = express()
const server = createServer(app)

before(async () => {
  as = await startIssuer()
  const resource = createResource({ resource: RESOURCE, issuer: as.issuer, clock: () => NOW })
  const api = express.Router()
  api.use(protect(resource, { scope: 'api:read' }))
  api.get('/me', (req, res) => {
    res.json({ sub: req.access?.sub, client_id: readAccess(req).client_id })
  })
  api.delete('/me', (req, res) => {
    resource.require(readAccess(req), { scope: 'api:delete' })
    res.sendStatus(204)
  })
  api.get('/broken', () => {
    throw new Error('mine')
  })
  app.get('/open', (req, res) => {
    res.json(readAccess(req))
  })
  app.use(serveMetadata(resource))
  app.use('/api', api)
  app.use(answerRefusals())
  app.use(((error, _req, res, _next) => {
    res.status(500).send(error.message)
  }) satisfies express.ErrorRequestHandler)
  origin = await listen(server)
})
after(async () => {
  await close(server)
  await as.close()
})

const call = (path: string, token?: string, method = 'GET') =>
  fetch(origin + path, { method, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })

test('a route behind protect sees the access', async () => {
  const response = await call('/api/me', await as.sign())
  assert.deepEqual([response.status, await response.json()], [200, { sub: 'alice', client_id: 'web' }])
})

test('a refusal is answered by the middleware, with its challenge', async () => {
  const none = await call('/api/me')
  assert.equal(none.status, 401)
  assert.equal(none.headers.get('cache-control'), 'no-store')
  assert.match(
    none.headers.get('www-authenticate')!,
    /^Bearer resource_metadata="[^"]+", scope="api:read", DPoP resource_metadata=/,
  )
  assert.equal(await none.text(), '')
  const narrow = await call('/api/me', await as.sign({ scope: 'other' }))
  assert.equal(narrow.status, 403)
  assert.equal(((await narrow.json()) as { error: string }).error, 'insufficient_scope')
})

test('the metadata is served beside a mounted router', async () => {
  const response = await call('/.well-known/oauth-protected-resource/mcp')
  assert.equal(((await response.json()) as { resource: string }).resource, RESOURCE)
  assert.equal(response.headers.get('content-type'), 'application/json')
  assert.equal((await call('/.well-known/oauth-protected-resource/mcp', undefined, 'HEAD')).status, 200)
  // Under the router's own path it is not: the router sees a shorter URL, the client asked for another one.
  assert.equal((await call('/api/.well-known/oauth-protected-resource/mcp')).status, 401)
})

test('a refusal that a handler throws is answered too, and other errors go their way', async () => {
  const denied = await call('/api/me', await as.sign(), 'DELETE')
  assert.equal(denied.status, 403)
  assert.match(denied.headers.get('www-authenticate')!, /scope="api:delete"/)
  const broken = await call('/api/broken', await as.sign())
  assert.deepEqual([broken.status, await broken.text()], [500, 'mine'])
})

test('without the error middleware Express itself renders status and challenge of a thrown refusal', async (t) => {
  const plain = express()
  plain.set('env', 'test')
  const resource = createResource({ resource: RESOURCE, issuer: as.issuer, clock: () => NOW })
  plain.get('/', protect(resource), (req) => resource.require(readAccess(req), { scope: 'more' }))
  const other = createServer(plain)
  t.after(() => close(other))
  const response = await fetch(await listen(other), { headers: { authorization: `Bearer ${await as.sign()}` } })
  assert.equal(response.status, 403)
  assert.match(response.headers.get('www-authenticate')!, /error="insufficient_scope"/)
})

test('reading the access of a route that is not protected is a mistake that shows', async () => {
  const response = await call('/open', await as.sign())
  assert.deepEqual([response.status, await response.text()], [500, 'This route is not behind protect()'])
})

test('two Authorization fields on the wire are refused, though node:http would show one', async () => {
  const token = await as.sign()
  const { port } = new URL(origin)
  const status = await new Promise((resolve, reject) => {
    const headers = ['Authorization', `Bearer ${token}`, 'authorization', `Bearer ${token}`, 'Host', 'x']
    const req = httpRequest({ port, host: '127.0.0.1', path: '/api/me', headers, agent: false }, (res) => {
      res.resume()
      resolve(res.statusCode)
    })
    req.on('error', reject).end()
  })
  assert.equal(status, 400)
})

test('the middleware works in front of plain node:http too', async (t) => {
  const resource = createResource({ resource: RESOURCE, issuer: as.issuer, clock: () => NOW })
  const guard = protect(resource)
  const plain = createServer((req, res) => guard(req, res, () => res.end(readAccess(req).sub)))
  t.after(() => close(plain))
  const url = await listen(plain)
  const response = await fetch(url, { headers: { authorization: `Bearer ${await as.sign()}` } })
  assert.equal(await response.text(), 'alice')
  assert.equal((await fetch(url)).status, 401)
})
