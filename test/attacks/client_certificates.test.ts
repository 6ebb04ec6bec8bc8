import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { readAuthorities } from '../../server/src/crypto/certificate.ts'
import { type Made, makeCertificate } from '../parts/client_certificate.ts'
import { ALICE, challengeOf, JWT_API, OPAQUE_API, VERIFIER } from '../parts/platform.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const authority = makeCertificate({ subject: [[['2.5.4.3', 'authority']]], authority: true })
const SUBJECT = [[['2.5.4.10', 'Example']], [['2.5.4.3', 'client']]] as const
const issued = makeCertificate({ issuer: authority, subject: SUBJECT as never, names: [['dns', 'client.example']] })
const own = makeCertificate()
const ALL = { grant_types: ['client_credentials'], scope: 'api:read vault:open' }
const REQUEST = { grant_type: 'client_credentials', scope: 'api:read', resource: JWT_API }
const PROXY = { address: '192.0.2.7', through_proxy: true }
const header = (made: Made) => `:${made.der.toString('base64')}:`

let server: TestServer
before(async () => {
  const certificate_forwarding = {
    header: 'client-cert',
    authorities: readAuthorities(authority.pem),
    origin: 'https://mtls.example',
  }
  server = await startSallyport({ app: { certificate_forwarding } })
  await server.addResource({ resource: JWT_API, scopes: '{"api:read":"Read"}' })
  await server.addResource({ resource: OPAQUE_API, scopes: '{"vault:open":"Open"}', access_token_format: 'opaque' })
  const jwks = { keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: 'own' }] }
  const bound = { tls_client_certificate_bound_access_tokens: true }
  const add = (client_id: string, more: object) => server.addClient({ client_id, ...ALL, ...bound, ...more })
  await add('by-name', {
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: 'CN=client,O=Example',
  })
  await add('by-dns', { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'client.example' })
  await add('by-key', { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks })
  await add('by-secret', { client_secret: 'secret-of-by-secret' })
  await server.addClient({
    client_secret: 'secret-of-reader',
    grant_types: ['client_credentials'],
  })
})
after(() => server.stop())

interface Sent {
  readonly path?: string
  readonly form?: Record<string, string>
  readonly certificate?: string | Made | undefined
  readonly authorization?: string
  readonly through_proxy?: boolean
}

async function send(client_id: string | null, sent: Sent = {}) {
  const { certificate, authorization, through_proxy = true } = sent
  const headers = new Headers(authorization === undefined ? {} : { authorization })
  if (certificate !== undefined) {
    headers.set('client-cert', typeof certificate === 'string' ? certificate : header(certificate))
  }
  const form = { ...(sent.form ?? REQUEST), ...(client_id === null ? {} : { client_id }) }
  const request = new Request(server.issuer + (sent.path ?? '/token'), {
    method: 'POST',
    headers,
    body: new URLSearchParams(form),
  })
  const response = await server.app.fetch(request, through_proxy ? PROXY : { address: '192.0.2.7' })
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what came back
  return { status: response.status, body: (await response.json()) as any, headers: response.headers }
}

test('RFC 8705 2 a client is known by its certificate, at every endpoint that it calls itself', async () => {
  for (const [client_id, certificate] of [
    ['by-name', issued],
    ['by-dns', issued],
    ['by-key', own],
  ] as const) {
    const { status, body } = await send(client_id, { certificate })
    assert.equal(status, 200, `${client_id} ${JSON.stringify(body)}`)
    const token = body.access_token
    const introspected = await send(client_id, { path: '/introspect', form: { token }, certificate })
    assert.equal(introspected.body.active, true)
    assert.equal((await send(client_id, { path: '/revoke', form: { token }, certificate })).status, 200)
  }
})

test('10.4.10 10.4.16 12.1.3 a certificate of another, none, or one that nobody vouches for proves nothing', async () => {
  const impostor = makeCertificate({ subject: [[['2.5.4.3', 'authority']]], authority: true })
  const name = { subject: SUBJECT as never, names: [['dns', 'client.example']] as const }
  const wrong: [string, string, string | Made | undefined][] = []
  for (const client_id of ['by-name', 'by-dns']) {
    wrong.push([client_id, 'none', undefined])
    wrong.push([client_id, 'self-signed in its name', makeCertificate(name)])
    wrong.push([client_id, 'by an impostor of the authority', makeCertificate({ ...name, issuer: impostor })])
    wrong.push([client_id, 'over', makeCertificate({ ...name, issuer: authority, to: Date.now() - 1000 })])
    wrong.push([client_id, 'for servers', makeCertificate({ ...name, issuer: authority, uses: ['1.3.6.1.5.5.7.3.1'] })])
    wrong.push([client_id, 'of another name', makeCertificate({ issuer: authority })])
    wrong.push([client_id, 'two', `${header(issued)}, ${header(issued)}`])
    wrong.push([client_id, 'no certificate', 'x'])
  }
  wrong.push(['by-key', 'none', undefined])
  wrong.push(['by-key', 'self-signed by another key', makeCertificate()])
  wrong.push(['by-key', 'of the authority', issued])
  for (const [client_id, what, certificate] of wrong) {
    const { status, body, headers } = await send(client_id, { certificate })
    assert.deepEqual([status, body.error], [401, 'invalid_client'], `${client_id} ${what}`)
    assert.match(headers.get('www-authenticate') ?? '', /^Basic /)
  }
  const with_secret = await send('by-name', { certificate: issued, form: { ...REQUEST, client_secret: 'x' } })
  assert.equal(with_secret.status, 401)
  const of_secret = await send('by-secret', { certificate: own })
  assert.equal(of_secret.status, 401, 'a client with a secret is not known by a certificate')
})

test('RFC 8705 6.5 the header is believed from a trusted proxy alone', async () => {
  assert.equal((await send('by-name', { certificate: issued, through_proxy: false })).status, 401)
  const response = await fetch(`${server.issuer}/token`, {
    method: 'POST',
    headers: { 'client-cert': header(issued) },
    body: new URLSearchParams({ ...REQUEST, client_id: 'by-name' }),
  })
  assert.equal(response.status, 401)
})

test('RFC 8705 6.5 a proxy that is named is believed over a socket too, and nobody else is', async () => {
  const certificate_forwarding = { header: 'client-cert', authorities: readAuthorities(authority.pem) }
  for (const [proxy, status] of [
    ['127.0.0.1', 200],
    ['127.0.0.2', 401],
  ] as const) {
    const behind = await startSallyport({ app: { certificate_forwarding }, trusted_proxies: [proxy] })
    try {
      await behind.addResource({ resource: JWT_API, scopes: '{"api:read":"Read"}' })
      const named = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'client.example' }
      await behind.addClient({ client_id: 'by-dns', ...ALL, ...named })
      const headers = { 'client-cert': header(issued) }
      const body = new URLSearchParams({ ...REQUEST, client_id: 'by-dns' })
      const response = await fetch(`${behind.issuer}/token`, { method: 'POST', headers, body })
      assert.equal(response.status, status, proxy)
      const several = new Headers({ ...headers, 'x-forwarded-for': '203.0.113.9' })
      several.append('client-cert', header(own))
      const twice = await fetch(`${behind.issuer}/token`, { method: 'POST', headers: several, body })
      assert.equal(twice.status, 401, 'two certificates are none')
    } finally {
      await behind.stop()
    }
  }
})

test('RFC 8705 4 the refresh tokens of a public client are bound to the certificate that it showed', async () => {
  await server.addRole('member', ['api:read'])
  await server.addUser({ ...ALICE, roles: ['member'] })
  const redirect_uri = 'https://spa.example/callback'
  await server.addClient({
    client_id: 'public',
    token_endpoint_auth_method: 'none',
    redirect_uris: [redirect_uri],
    grant_types: ['authorization_code', 'refresh_token'],
    scope: 'openid offline_access api:read',
    tls_client_certificate_bound_access_tokens: true,
  })
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: 'public',
    redirect_uri,
    scope: 'openid offline_access api:read',
    resource: JWT_API,
    code_challenge: challengeOf(VERIFIER),
    code_challenge_method: 'S256',
  })
  const back = await new UserAgent().authorize(`${server.issuer}/authorize?${query}`, ALICE)
  const code = back.searchParams.get('code')!
  const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER, redirect_uri }
  assert.equal((await send('public', { form })).body.error, 'invalid_request', 'without a certificate')
  const { body } = await send('public', { form, certificate: own })
  assert.ok(body.refresh_token, JSON.stringify(body))
  const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token }
  assert.equal((await send('public', { form: refresh, certificate: issued })).body.error, 'invalid_grant')
  assert.equal((await send('public', { form: refresh })).body.error, 'invalid_request')
  assert.equal((await send('public', { form: refresh, certificate: own })).status, 200)
})

test('RFC 8705 3 a token is bound to the certificate, says so, and is taken from nobody else', async () => {
  const x5t = { 'x5t#S256': new (await import('node:crypto')).X509Certificate(own.der).fingerprint256 }
  const expected = Buffer.from(x5t['x5t#S256'].replaceAll(':', ''), 'hex').toString('base64url')
  for (const form of [REQUEST, { ...REQUEST, scope: 'vault:open', resource: OPAQUE_API }]) {
    const { body } = await send('by-key', { certificate: own, form })
    assert.equal(body.token_type, 'Bearer')
    const seen = await send('by-key', { path: '/introspect', form: { token: body.access_token }, certificate: own })
    assert.deepEqual(seen.body.cnf, { 'x5t#S256': expected })
  }
  const basic = `Basic ${Buffer.from('by-secret:secret-of-by-secret').toString('base64')}`
  const unbound = await send(null, { authorization: basic })
  assert.deepEqual([unbound.status, unbound.body.error], [400, 'invalid_request'])
  const bound = await send(null, { authorization: basic, certificate: own })
  assert.equal(bound.status, 200)

  const resource = `${server.issuer}/api`
  await server.addClient({
    client_id: 'admin',
    client_secret: 'secret-of-admin',
    grant_types: ['client_credentials'],
    scope: 'admin:read',
    tls_client_certificate_bound_access_tokens: true,
  })
  const authorization = `Basic ${Buffer.from('admin:secret-of-admin').toString('base64')}`
  const { body } = await send(null, {
    authorization,
    certificate: own,
    form: { grant_type: 'client_credentials', scope: 'admin:read', resource },
  })
  const call = async (certificate?: Made, through_proxy = true) => {
    const headers = new Headers({ authorization: `Bearer ${body.access_token}` })
    if (certificate) headers.set('client-cert', header(certificate))
    const request = new Request(`${server.issuer}/api/connections`, { headers })
    const response = await server.app.fetch(request, { ...PROXY, through_proxy })
    return [response.status, response.headers.get('www-authenticate') ?? '']
  }
  assert.equal((await call(own))[0], 200)
  for (const [status, challenge] of [await call(), await call(issued), await call(own, false)]) {
    assert.equal(status, 401)
    assert.match(String(challenge), /error="invalid_token".*TLS certificate/)
  }
})

test('RFC 8705 3.3 5 discovery lists what works: methods, bound tokens, and an origin that asks for certificates', async () => {
  const describe = async (issuer: string) =>
    (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as Record<string, unknown>
  const found = await describe(server.issuer)
  const methods = found['token_endpoint_auth_methods_supported'] as string[]
  assert.deepEqual(methods.slice(-2), ['tls_client_auth', 'self_signed_tls_client_auth'])
  assert.equal(found['tls_client_certificate_bound_access_tokens'], true)
  const aliases = found['mtls_endpoint_aliases'] as Record<string, string>
  assert.equal(aliases['token_endpoint'], 'https://mtls.example/token')
  for (const [name, url] of Object.entries(aliases)) {
    assert.equal(new URL(url).pathname, new URL(found[name] as string).pathname)
  }
  const plain = await startSallyport({})
  try {
    const without = JSON.stringify(await describe(plain.issuer))
    assert.ok(!/tls|mtls/.test(without))
    await plain.addResource({ resource: JWT_API, scopes: '{"api:read":"Read"}' })
    await plain.addClient({
      client_id: 'by-key',
      ...ALL,
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      jwks: { keys: [own.publicKey.export({ format: 'jwk' })] },
    })
    const request = new Request(`${plain.issuer}/token`, {
      method: 'POST',
      headers: { 'client-cert': header(own) },
      body: new URLSearchParams({ ...REQUEST, client_id: 'by-key' }),
    })
    assert.equal((await plain.app.fetch(request, PROXY)).status, 401, 'no header is configured')
  } finally {
    await plain.stop()
  }
})
