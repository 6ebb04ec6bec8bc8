import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { createServer as createTlsServer, request as tlsRequest } from 'node:https'
import { after, before, test } from 'node:test'
import express from 'express'
import { Hono } from 'hono'
import { badProofs, goodClaims } from '../../../test/parts/bad_dpop_proofs.ts'
import { createCertificate } from '../../../test/parts/certificate.ts'
import { type Made, makeCertificate } from '../../../test/parts/client_certificate.ts'
import { type DpopKey, makeDpopKey, makeProof } from '../../../test/parts/dpop.ts'
import { close, listen, NOW, RESOURCE, startIssuer, type TestIssuer } from '../../test/issuer.ts'
import { DPOP_ALGORITHMS } from './dpop_proof.ts'
import { protect as protectExpress } from './express.ts'
import { protect as protectHono } from './hono.ts'
import { createResource, type DpopOptions, OAuthError, type Resource } from './resource.ts'

const key = makeDpopKey()
const METADATA_URL = 'https://api.example/.well-known/oauth-protected-resource/mcp'
const SECRET = 'a secret of the replicas of one API'
const time = { now: NOW }

let as: TestIssuer
before(async () => {
  as = await startIssuer()
})
after(() => as.close())

function create(dpop: DpopOptions = {}, more: object = {}): Resource {
  const introspection = { client_id: 'api', client_secret: 'secret' }
  return createResource({ resource: RESOURCE, issuer: as.issuer, introspection, clock: () => time.now, dpop, ...more })
}

const bound = (cnf: unknown = { jkt: key.jkt }) => as.sign({ cnf })

function proofFor(
  access_token: string,
  claims: object = {},
  { by = key, url = RESOURCE }: { by?: DpopKey; url?: string } = {},
) {
  const target = { method: 'GET', url, now: time.now, access_token }
  return makeProof(by, { claims: { ...goodClaims(target), ...claims } })
}

function request(authorization: string, dpop?: string, url = RESOURCE): Request {
  return new Request(url, { headers: { authorization, ...(dpop !== undefined && { dpop }) } })
}

async function refusalOf(resource: Resource, asked: Request, requirements = {}): Promise<OAuthError> {
  const error: unknown = await resource.verify(asked, requirements).then(
    () => assert.fail('the request was accepted'),
    (cause: unknown) => cause,
  )
  assert(error instanceof OAuthError, String(error))
  return error
}

test('RFC 9449 7.1 a bound token is taken with a proof of its key, by each algorithm', async () => {
  const resource = create()
  for (const alg of DPOP_ALGORITHMS) {
    const by = makeDpopKey(alg)
    const token = await bound({ jkt: by.jkt })
    const access = await resource.verify(request(`DPoP ${token}`, proofFor(token, {}, { by })))
    assert.deepEqual([access.sub, access.token_type, access.cnf], ['alice', 'DPoP', { jkt: by.jkt }], alg)
  }
})

test('RFC 9449 6.2 a bound opaque token is what introspection says', async () => {
  const resource = create()
  const claims = { sub: 'alice', client_id: 'web', aud: RESOURCE, scope: 'x', exp: NOW / 1000 + 60 }
  as.active.set('opaque', { ...claims, token_type: 'DPoP', cnf: { jkt: key.jkt } })
  as.active.set('keyless', { ...claims, token_type: 'DPoP' })
  assert.equal((await resource.verify(request('DPoP opaque', proofFor('opaque')))).sub, 'alice')
  assert.equal((await refusalOf(resource, request('Bearer opaque'))).error, 'invalid_token')
  const { error_description } = await refusalOf(resource, request('DPoP keyless', proofFor('keyless')))
  assert.match(error_description, /lacks the key in cnf/)
})

test('B-12 10.3.5 what is no proof for a request opens nothing: 401 with a DPoP challenge', async () => {
  const resource = create()
  const token = await bound()
  const target = { method: 'GET', url: RESOURCE, now: time.now, access_token: token }
  const bad = badProofs(key, target)
  assert.ok(bad.length >= 50)
  for (const [what, dpop] of bad) {
    const { error, status, headers } = await refusalOf(resource, request(`DPoP ${token}`, dpop))
    assert.deepEqual([error, status], ['invalid_dpop_proof', 401], what)
    const lead = `DPoP resource_metadata="${METADATA_URL}", error="invalid_dpop_proof"`
    assert.ok(headers['www-authenticate']!.startsWith(lead), what)
    assert.match(headers['www-authenticate']!, /, algs="ES256 EdDSA Ed25519 PS256"$/, what)
  }
})

test('10.3.5 a bound token without proof, with a used one or with that of another key is refused, whatever its scheme', async () => {
  const resource = create()
  const token = await bound()
  const used = proofFor(token)
  await resource.verify(request(`DPoP ${token}`, used))
  const other = makeDpopKey()
  for (const [what, asked, error] of [
    ['no proof', request(`DPoP ${token}`), 'invalid_dpop_proof'],
    ['a used proof', request(`DPoP ${token}`, used), 'invalid_dpop_proof'],
    ['another key', request(`DPoP ${token}`, proofFor(token, {}, { by: other })), 'invalid_token'],
    ['Bearer', request(`Bearer ${token}`), 'invalid_token'],
    ['Bearer with a proof', request(`Bearer ${token}`, proofFor(token)), 'invalid_token'],
  ] as const) {
    const refusal = await refusalOf(resource, asked)
    assert.deepEqual([refusal.error, refusal.status], [error, 401], what)
    assert.match(refusal.headers['www-authenticate']!, /^DPoP /, what)
  }
})

test('RFC 9449 7.1 a token that is bound to nothing is no DPoP token, and where bound ones are required it is none at all', async () => {
  const token = await as.sign()
  const open = create()
  const mixed = await refusalOf(open, request(`DPoP ${token}`, proofFor(token)))
  assert.equal(mixed.error, 'invalid_token')
  assert.match(mixed.headers['www-authenticate']!, /^Bearer /)
  assert.equal((await open.verify(request(`Bearer ${token}`))).token_type, 'Bearer')

  const strict = create({ required: true })
  assert.equal(strict.metadata().dpop_bound_access_tokens_required, true)
  for (const asked of [request(`Bearer ${token}`), request(`DPoP ${token}`, proofFor(token))]) {
    const { error, headers } = await refusalOf(strict, asked)
    assert.equal(error, 'invalid_token')
    assert.match(headers['www-authenticate']!, /^DPoP /)
  }
  const none = await refusalOf(strict, new Request(RESOURCE))
  assert.equal(
    none.headers['www-authenticate'],
    `DPoP resource_metadata="${METADATA_URL}", algs="ES256 EdDSA Ed25519 PS256"`,
  )
  const good = await bound()
  await strict.verify(request(`DPoP ${good}`, proofFor(good)))
})

test('RFC 8705 3 a token bound to a certificate is taken from whoever shows that one in TLS', async () => {
  const made = makeCertificate()
  const x5t = createHash('sha256').update(made.der).digest('base64url')
  const header = ({ headers }: { headers: { get(name: string): string | null } }) =>
    decodeURIComponent(headers.get('x-client-cert') ?? '')
  const resource = create({}, { certificate: header })
  const by_socket = create()
  const token = await bound({ 'x5t#S256': x5t })
  const ask = (pem: string | undefined, scheme = 'Bearer') => {
    const asked = request(`${scheme} ${token}`)
    if (pem !== undefined) asked.headers.set('x-client-cert', encodeURIComponent(pem))
    return asked
  }
  const access = await resource.verify(ask(made.pem))
  assert.deepEqual([access.sub, access.token_type, access.cnf], ['alice', 'Bearer', { 'x5t#S256': x5t }])
  await by_socket.verify(Object.assign(ask(undefined), { certificate: made.der }))
  const other = makeCertificate()
  const garbled = ask(undefined)
  garbled.headers.set('x-client-cert', '%zz')
  for (const asked of [
    garbled,
    ask(undefined),
    ask(other.pem),
    ask('x'),
    ask(made.pem + made.pem),
    ask(made.pem, 'DPoP'),
  ]) {
    const { error, error_description } = await refusalOf(resource, asked)
    assert.equal(error, 'invalid_token')
    assert.match(error_description, /TLS certificate|scheme is Bearer/)
  }
  const wrong = Object.assign(ask(made.pem), { certificate: other.der })
  assert.equal((await refusalOf(by_socket, wrong)).error, 'invalid_token', 'a header that nobody configured')
  assert.equal(
    (await refusalOf(create({ required: true }, { certificate: header }), ask(made.pem))).error,
    'invalid_token',
  )
})

test('a token bound to a key and a certificate is taken with both alone', async () => {
  const made = makeCertificate()
  const x5t = createHash('sha256').update(made.der).digest('base64url')
  const token = await bound({ jkt: key.jkt, 'x5t#S256': x5t })
  const shown = (dpop: string | undefined, certificate: Uint8Array | undefined, scheme = 'DPoP') =>
    Object.assign(request(`${scheme} ${token}`, dpop), { certificate })
  await create().verify(shown(proofFor(token), made.der))
  for (const asked of [
    shown(proofFor(token), undefined),
    shown(proofFor(token), makeCertificate().der),
    shown(undefined, made.der, 'Bearer'),
  ]) {
    assert.equal((await refusalOf(create(), asked)).error, 'invalid_token')
  }
  assert.equal((await refusalOf(create(), shown(undefined, made.der))).error, 'invalid_dpop_proof')
})

test('RFC 8705 3 Express finds the certificate where this process ends TLS', async () => {
  const made = makeCertificate()
  const server_certificate = createCertificate(['localhost', '127.0.0.1'])
  const x5t = createHash('sha256').update(made.der).digest('base64url')
  const token = await bound({ 'x5t#S256': x5t })
  const app = express()
  app.get('/mcp', protectExpress(create()), (req, res) => void res.json(req.access?.cnf))
  const tls = {
    key: server_certificate.key,
    cert: server_certificate.cert,
    requestCert: true,
    rejectUnauthorized: false,
  }
  const server = createTlsServer(tls, app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const ask = (shown?: Made) =>
    new Promise<number>((resolve, reject) => {
      const identity = shown && { key: shown.privateKey.export({ format: 'pem', type: 'pkcs8' }), cert: shown.pem }
      const headers = { authorization: `Bearer ${token}` }
      const options = {
        host: '127.0.0.1',
        port,
        path: '/mcp',
        headers,
        ca: server_certificate.cert,
        agent: false as const,
      }
      tlsRequest({ ...options, ...identity }, (response) => {
        response.resume()
        resolve(response.statusCode!)
      })
        .on('error', reject)
        .end()
    })
  try {
    assert.deepEqual([await ask(made), await ask(makeCertificate()), await ask()], [200, 401, 401])
  } finally {
    server.close()
  }
})

test('a binding of which any part is not understood is no permission', async () => {
  const resource = create()
  for (const cnf of [
    {},
    { jkt: 7 },
    { jkt: key.jkt, kid: 'x' },
    { jwk: key.jwk },
    { 'x5t#S256': key.jkt },
    { 'x5t#S256': 7 },
    { 'x5t#S256': key.jkt, jkt: 7 },
    { 'x5t#S256': key.jkt, 'x5t#S1': 'x' },
    'x',
    null,
    [],
  ]) {
    const token = await bound(cnf)
    for (const scheme of ['DPoP', 'Bearer']) {
      const { error, status } = await refusalOf(resource, request(`${scheme} ${token}`, proofFor(token)))
      assert.deepEqual([error, status], ['invalid_token', 401], JSON.stringify(cnf))
    }
  }
})

test('P-13 an iat up to 10 s ahead and up to a minute old is accepted', async () => {
  const resource = create()
  const token = await bound()
  const now = NOW / 1000
  for (const iat of [now, now + 9, now + 10, now - 60]) {
    await resource.verify(request(`DPoP ${token}`, proofFor(token, { iat })))
  }
  for (const iat of [now + 11, now + 61, now - 61]) {
    assert.equal((await refusalOf(resource, request(`DPoP ${token}`, proofFor(token, { iat })))).status, 401)
  }
})

test('RFC 9449 4.3 htu is held against a known address, never against the Host header', async () => {
  const token = await bound()
  const url = 'http://10.0.0.7:8080/files?x=1'
  const own = create()
  await own.verify(request(`DPoP ${token}`, proofFor(token, {}, { url: 'https://api.example/files' }), url))
  const inside = request(`DPoP ${token}`, proofFor(token, {}, { url: 'http://10.0.0.7:8080/files' }), url)
  assert.equal((await refusalOf(own, inside)).error, 'invalid_dpop_proof')
  const mounted = create({ base_url: 'https://gateway.example/v1/' })
  await mounted.verify(request(`DPoP ${token}`, proofFor(token, {}, { url: 'https://gateway.example/v1/files' }), url))
  await mounted.verify(
    request(`DPoP ${token}`, proofFor(token, { htu: 'HTTPS://gateway.example:443/v1/./f%69les?y#z' }), url),
  )
})

test('a proof counts once, and a refused request spends none', async () => {
  const resource = create()
  const token = await bound()
  const dpop = proofFor(token)
  const asked = () => request(`DPoP ${token}`, dpop)
  assert.equal((await refusalOf(resource, asked(), { scope: 'admin' })).error, 'insufficient_scope')
  const outcomes = await Promise.allSettled(Array.from({ length: 64 }, () => resource.verify(asked())))
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('replicas with one store of replays take a proof once, and are refused what the store cannot say', async () => {
  const seen = new Set<string>()
  const replays = {
    async remember(id: string, expires_at: number) {
      assert.match(id, /^[A-Za-z0-9_-]{43}$/)
      assert.equal(expires_at, time.now + 70_000)
      return seen.size < seen.add(id).size
    },
  }
  const [one, two] = [create({ replays }), create({ replays })]
  const token = await bound()
  const dpop = proofFor(token)
  await one.verify(request(`DPoP ${token}`, dpop))
  assert.equal((await refusalOf(two, request(`DPoP ${token}`, dpop))).error, 'invalid_dpop_proof')
  const broken = create({ replays: { remember: () => Promise.reject(new Error('down')) } })
  await assert.rejects(broken.verify(request(`DPoP ${token}`, proofFor(token))), /down/)
})

test('what is remembered of proofs is bounded: a full memory takes none rather than forget one', async () => {
  const resource = create({ replay_entries: 2 })
  const token = await bound()
  const send = (dpop: string) => resource.verify(request(`DPoP ${token}`, dpop))
  const first = proofFor(token)
  await send(first)
  await send(proofFor(token))
  const full = await refusalOf(resource, request(`DPoP ${token}`, proofFor(token)))
  assert.deepEqual([full.error, full.status, full.headers['retry-after']], ['temporarily_unavailable', 503, '5'])
  time.now += 60_000
  assert.equal((await refusalOf(resource, request(`DPoP ${token}`, first))).status, 401)
  time.now += 80_000
  await send(proofFor(token))
  time.now = NOW
})

test('RFC 9449 9 P-10 a resource that asks for nonces hands them out, renews them, and takes no other', async () => {
  const [resource, replica] = [create({ nonce_secret: SECRET }), create({ nonce_secret: SECRET })]
  const token = await bound()
  const send = (nonce: string | undefined) => request(`DPoP ${token}`, proofFor(token, { nonce }))
  const refused = await refusalOf(resource, send(undefined))
  assert.deepEqual([refused.error, refused.status], ['use_dpop_nonce', 401])
  assert.match(refused.headers['www-authenticate']!, /^DPoP .*error="use_dpop_nonce"/)
  const nonce = refused.headers['dpop-nonce']!
  assert.match(nonce, /^[\x21\x23-\x5b\x5d-\x7e]+$/)
  assert.equal((await replica.verify(send(nonce))).dpop_nonce, undefined)
  const elsewhere = 'https://other.example'
  const other = create({ nonce_secret: SECRET }, { resource: elsewhere })
  const its = await as.sign({ cnf: { jkt: key.jkt }, aud: elsewhere })
  const dpop = proofFor(its, { nonce }, { url: `${elsewhere}/` })
  assert.equal((await refusalOf(other, request(`DPoP ${its}`, dpop, `${elsewhere}/`))).error, 'use_dpop_nonce')
  for (const bad of [
    '',
    'x',
    `${nonce}A`,
    nonce.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A')),
    nonce.replace(/^\d+/, '1'),
  ]) {
    assert.equal((await refusalOf(resource, send(bad))).error, 'use_dpop_nonce', bad)
  }
  time.now += 120_000
  const { dpop_nonce } = await resource.verify(send(nonce))
  assert.notEqual(dpop_nonce, undefined)
  time.now += 120_000
  assert.equal((await refusalOf(resource, send(nonce))).error, 'use_dpop_nonce')
  await resource.verify(send(dpop_nonce))
  time.now = NOW
})

test('the adapters take bound tokens, send challenges, and hand out the next nonce', async (t) => {
  const resource = create({ nonce_secret: SECRET })
  const app = express()
  app.use('/mcp', protectExpress(resource), (_req, res) => void res.send('express'))
  const server = createServer(app)
  t.after(() => close(server))
  const origin = await listen(server)
  const hono = new Hono().get('/mcp', protectHono(resource), (c) => c.text('hono'))
  const handler = resource.protect(() => Response.redirect('https://elsewhere.example/', 302))
  const token = await bound()
  const send = {
    express: (headers: Record<string, string>) => fetch(`${origin}/mcp`, { headers }),
    hono: (headers: Record<string, string>) => hono.request('http://127.0.0.1/mcp', { headers }),
    fetch: (headers: Record<string, string>) => handler(new Request(RESOURCE, { headers })),
  }
  const authorization = `DPoP ${token}`
  for (const [name, call] of Object.entries(send)) {
    time.now = NOW
    const refused = await call({ authorization, dpop: proofFor(token) })
    assert.equal(refused.status, 401, name)
    assert.match(refused.headers.get('www-authenticate')!, /^DPoP .*error="use_dpop_nonce"/, name)
    const nonce = refused.headers.get('dpop-nonce')!
    const taken = await call({ authorization, dpop: proofFor(token, { nonce }) })
    assert.deepEqual([taken.status < 400, taken.headers.get('dpop-nonce')], [true, null], name)
    time.now += 120_000
    const renewed = await call({ authorization, dpop: proofFor(token, { nonce }) })
    assert.equal(renewed.status < 400, true, name)
    assert.match(renewed.headers.get('dpop-nonce') ?? '', /^\d+\./, name)
  }
  time.now = NOW
})

test('options that cannot be right are refused by name', () => {
  for (const [dpop, message] of [
    [{ algorithms: [] }, /dpop\.algorithms/],
    [{ algorithms: ['HS256'] }, /dpop\.algorithms/],
    [{ base_url: 'api.example' }, /dpop\.base_url/],
    [{ base_url: 'http://api.example' }, /dpop\.base_url/],
    [{ base_url: 'https://api.example/?x' }, /dpop\.base_url/],
    [{ nonce_secret: 'short' }, /dpop\.nonce_secret/],
    [{ replay_entries: -1 }, /dpop\.replay_entries/],
  ] as [DpopOptions, RegExp][]) {
    assert.throws(() => create(dpop), message)
  }
})

test('two Authorization or DPoP fields are never one', async () => {
  const resource = create()
  const token = await bound()
  const headers = new Headers([
    ['authorization', `DPoP ${token}`],
    ['dpop', proofFor(token)],
    ['dpop', proofFor(token)],
  ])
  assert.equal((await refusalOf(resource, new Request(RESOURCE, { headers }))).error, 'invalid_dpop_proof')
  const mixed = new Headers([
    ['authorization', `DPoP ${token}`],
    ['authorization', `Bearer ${token}`],
    ['dpop', proofFor(token)],
  ])
  assert.equal((await refusalOf(resource, new Request(RESOURCE, { headers: mixed }))).error, 'invalid_request')
})
