import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Access,
  type Actor,
  type AuthorizationServerOptions,
  createResource,
  type DpopAlgorithm,
  type DpopOptions,
  type Fetch,
  type IntrospectionOptions,
  OAuthError,
  type OAuthErrorCode,
  type ProtectedHandler,
  type ProtectedResourceMetadata,
  type ReplayStore,
  type RequestLike,
  type Requirements,
  type Resource,
  type ResourceOptions,
  type Scheme,
} from '@sallyport/sdk'
import * as express from '@sallyport/sdk/express'
import * as hono from '@sallyport/sdk/hono'
import * as resourceEntry from '@sallyport/sdk/resource'
import {
  type Connection,
  type ConnectionOptions,
  createVault,
  type ProviderToken,
  type Vault,
  VaultError,
  type VaultEvent,
} from '@sallyport/sdk/vault'
import createExpress from 'express'
import { Hono } from 'hono'

// This file is read by the type checker as much as it is run: it uses the package as its users do, by its own names.

const resource: Resource = createResource({
  resource: 'https://api.example/mcp',
  issuer: 'https://as.example',
  introspection: { client_id: 'api', client_secret: 'secret', cache_seconds: 5 },
  scopes_supported: ['mcp:tools'],
})

test('the entries of the package are one package', () => {
  assert.equal(resourceEntry.createResource, createResource)
  assert.equal(resourceEntry.OAuthError, OAuthError)
})

test('options are typed: wrong ones do not compile, and those that would be unsafe do not run', () => {
  const server: AuthorizationServerOptions = { issuer: 'https://as.example' }
  const several: ResourceOptions = {
    resource: 'https://api.example',
    authorization_servers: [server, 'https://b.example'],
  }
  createResource(several)
  // @ts-expect-error one of issuer and authorization_servers is needed
  assert.throws(() => createResource({ resource: 'https://api.example' }), TypeError)
  const both = { issuer: 'https://as.example', authorization_servers: ['https://b.example'] }
  // @ts-expect-error not both
  assert.throws(() => createResource({ resource: 'https://api.example', ...both }), TypeError)
  const hmac = { issuer: 'https://as.example', algorithms: ['HS256'] as const }
  // @ts-expect-error no symmetric algorithm
  assert.throws(() => createResource({ resource: 'https://api.example', ...hmac }), TypeError)
  // @ts-expect-error introspection needs credentials
  const introspection: IntrospectionOptions = { client_id: 'api' }
  void introspection
})

test('an access is typed, and cannot be written to', () => {
  const handler: ProtectedHandler<[]> = (_request, access: Access) => {
    const sub: string = access.sub
    const scope: ReadonlySet<string> = access.scope
    const exp: number | undefined = access.exp
    const actor: Actor | undefined = access.act
    const raw: unknown = access.claims['tenant']
    // @ts-expect-error read only
    access.sub = 'mallory'
    // @ts-expect-error read only
    access.scope.add('admin')
    return Response.json([sub, [...scope], exp, actor?.sub, raw, access.has('mcp:tools')])
  }
  const protectedHandler: (request: Request) => Promise<Response> = resource.protect(handler, { scope: 'mcp:tools' })
  // A worker's environment, or a router's parameters, pass through with their types.
  const worker: (request: Request, env: { KV: string }) => Promise<Response> = resource.protect(
    (_request, access, env: { KV: string }) => new Response(env.KV + access.sub),
  )
  // @ts-expect-error the handler wants its environment
  void (() => worker(new Request('https://api.example')))
  void protectedHandler
})

test('requirements, requests, metadata and refusals are typed', async () => {
  const requirements: Requirements = { scope: 'a b', acr_values: 'gold', max_age: 60 }
  const request: RequestLike = { method: 'GET', url: '/', headers: new Headers() }
  const metadata: ProtectedResourceMetadata = resource.metadata()
  const fetch: Fetch = globalThis.fetch
  void [metadata, fetch]
  // @ts-expect-error a number of seconds
  await assert.rejects(resource.verify(request, { max_age: '60' }), TypeError)
  const error: unknown = await resource.verify(request, requirements).catch((cause: unknown) => cause)
  assert(error instanceof OAuthError)
  const code: OAuthErrorCode | undefined = error.error
  assert.equal(code, undefined)
})

test('how bound tokens are taken is typed', async () => {
  const replays: ReplayStore = { remember: async (id: string, expires_at: number) => id !== '' && expires_at > 0 }
  const algorithms: readonly DpopAlgorithm[] = ['ES256']
  const dpop: DpopOptions = { required: true, base_url: 'https://api.example/v1', algorithms, replays }
  const strict = createResource({ resource: 'https://api.example', issuer: 'https://as.example', dpop })
  // @ts-expect-error no symmetric algorithm
  const wrong: DpopOptions = { algorithms: ['HS256'] }
  void wrong
  strict.protect((_request, access) => {
    const scheme: Scheme = access.token_type
    const nonce: string | undefined = access.dpop_nonce
    return Response.json([scheme, nonce])
  })
  assert.equal(strict.metadata().dpop_bound_access_tokens_required, true)
})

test('the adapters fit their frameworks', () => {
  const app = createExpress()
  app.use(express.serveMetadata(resource))
  app.get('/me', express.protect(resource, { scope: 'mcp:tools' }), (req, res) => {
    const maybe: Access | undefined = req.access
    res.json([maybe?.sub, express.readAccess(req).sub])
  })
  app.use(express.answerRefusals())

  new Hono().use(hono.serveMetadata(resource)).get('/me', hono.protect(resource, { scope: 'mcp:tools' }), (c) => {
    const access: Access = c.get('access')
    return c.text(access.sub + c.var.access.client_id)
  })
  new Hono<hono.AccessEnv>().use('/api/*', hono.protect(resource)).get('/api/me', (c) => c.text(c.get('access').sub))
})

test('a connection is typed by how it is used, and its errors by what helps', async () => {
  const events: VaultEvent[] = []
  const vault: Vault = createVault({ issuer: 'https://as.example', onEvent: (event) => events.push(event) })
  const acme: Connection = vault.connection({
    connector: 'acme',
    access_token: async (failed?: string) => failed ?? 'x',
  })
  // It stands in for the runtime's own where a library takes one.
  const fetch: typeof globalThis.fetch = acme.fetch
  void fetch
  const named: ConnectionOptions = { connection_id: 'c', api_base_url: 'https://api.example' }
  assert.throws(() => vault.connection(named), TypeError)
  // @ts-expect-error either the user's connector or a connection by its id
  const both: ConnectionOptions = { connector: 'acme', access_token: 'x', connection_id: 'c' }
  // @ts-expect-error a platform does not go through the proxy
  const proxied: ConnectionOptions = { connection_id: 'c', via: 'proxy' }
  void [both, proxied]
  const use = (token: ProviderToken): [string, number | undefined, unknown] => [
    token.access_token,
    token.expires_at,
    token['instance_url'],
  ]
  void use
  const error: unknown = await acme.token().catch((thrown: unknown) => thrown)
  assert(error instanceof TypeError, 'a token by exchange needs a client')
  const page: string | undefined = new VaultError('connection_required', 'none').connect_url
  assert.equal(page, undefined)
  for (const event of events) if (event.type === 'needs_consent') event.connect_url.slice(1)
})
