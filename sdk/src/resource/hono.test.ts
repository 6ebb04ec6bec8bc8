import assert from 'node:assert/strict'
import { request as httpRequest, type Server } from 'node:http'
import { after, before, test } from 'node:test'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { close, NOW, RESOURCE, startIssuer, type TestIssuer } from '../../test/issuer.ts'
import { protect, serveMetadata } from './hono.ts'
import { createResource, type Resource } from './resource.ts'

let as: TestIssuer
let resource: Resource
let server: Server
let origin: string

function createApp() {
  const app = new Hono()
  app.use(serveMetadata(resource))
  app.use('/broken', protect(resource))
  app.get('/broken', () => {
    throw new Error('mine')
  })
  app.onError((error, c) =>
    'getResponse' in error ? (error.getResponse as () => Response)() : c.text(error.message, 500),
  )
  return app
    .get('/api/me', protect(resource, { scope: 'api:read' }), (c) => c.json({ sub: c.get('access').sub }))
    .delete('/api/me', protect(resource), (c) => {
      resource.require(c.var.access, { scope: 'api:delete' })
      return c.body(null, 204)
    })
}

before(async () => {
  as = await startIssuer()
  resource = createResource({ resource: RESOURCE, issuer: as.issuer, clock: () => NOW })
  await new Promise<void>((resolve) => {
    server = serve({ fetch: createApp().fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
      origin = `http://127.0.0.1:${port}`
      resolve()
    }) as Server
  })
})
after(async () => {
  await close(server)
  await as.close()
})

const call = (path: string, token?: string, method = 'GET') =>
  fetch(origin + path, { method, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })

test('a route behind protect sees the access, typed', async () => {
  const response = await call('/api/me', await as.sign())
  assert.deepEqual([response.status, await response.json()], [200, { sub: 'alice' }])
})

test('a refusal is answered by the middleware, with its challenge', async () => {
  const none = await call('/api/me')
  assert.deepEqual([none.status, none.headers.get('cache-control'), await none.text()], [401, 'no-store', ''])
  assert.match(
    none.headers.get('www-authenticate')!,
    /^Bearer resource_metadata="[^"]+", scope="api:read", DPoP resource_metadata=/,
  )
  const narrow = await call('/api/me', await as.sign({ scope: 'other' }))
  assert.equal(narrow.status, 403)
  assert.equal(((await narrow.json()) as { error: string }).error, 'insufficient_scope')
})

test('the metadata is served', async () => {
  const response = await call('/.well-known/oauth-protected-resource/mcp')
  assert.equal(((await response.json()) as { resource: string }).resource, RESOURCE)
  const preflight = await call('/.well-known/oauth-protected-resource/mcp', undefined, 'OPTIONS')
  assert.deepEqual([preflight.status, preflight.headers.get('access-control-allow-origin')], [204, '*'])
})

test('a protect in front of everything serves the metadata by itself', async () => {
  const app = new Hono().use(protect(resource)).get('/mcp', (c) => c.text(c.get('access').sub))
  assert.equal((await app.request('/.well-known/oauth-protected-resource/mcp')).status, 200)
  assert.equal((await app.request('/mcp')).status, 401)
})

test('a refusal that a handler throws is rendered by Hono, and other errors go their way', async () => {
  const denied = await call('/api/me', await as.sign(), 'DELETE')
  assert.equal(denied.status, 403)
  assert.match(denied.headers.get('www-authenticate')!, /scope="api:delete"/)
  const app = new Hono().get('/', protect(resource), (c) => {
    resource.require(c.get('access'), { scope: 'more' })
    return c.text('never')
  })
  const headers = { authorization: `Bearer ${await as.sign()}` }
  assert.equal((await app.request('/', { headers })).status, 403)
  const broken = await call('/broken', await as.sign())
  assert.deepEqual([broken.status, await broken.text()], [500, 'mine'])
})

test('two Authorization fields on the wire are refused', async () => {
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
