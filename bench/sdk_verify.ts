import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createResource, type Resource } from '@sallyport/sdk'

// How many requests per second the SDK decides about, in one process: JWTs with and without the cache, and opaque
// tokens whose introspection answers are remembered. Rounds are interleaved; the median is printed.

const ROUNDS = 5
const ROUND_MS = 1000
const PARALLEL = 32
const TOKENS = 500

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256' }
const server = createServer((req, res) => {
  const metadata = { issuer, jwks_uri: `${issuer}/jwks`, introspection_endpoint: `${issuer}/introspect` }
  const answers: Record<string, unknown> = { '/jwks': { keys: [jwk] }, '/introspect': { active: true, ...claims() } }
  res.setHeader('content-type', 'application/json').end(JSON.stringify(answers[req.url ?? ''] ?? metadata))
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const resource = 'https://api.example/mcp'

function claims(): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000)
  const times = { iat: now, exp: now + 3600, jti: crypto.randomUUID() }
  return { iss: issuer, sub: 'alice', client_id: 'web', aud: resource, scope: 'openid mcp:tools api:read', ...times }
}

function mint(): string {
  const encode = (object: object) => Buffer.from(JSON.stringify(object)).toString('base64url')
  const input = `${encode({ alg: 'ES256', typ: 'at+jwt', kid: 'bench' })}.${encode(claims())}`
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
}

async function measure(of: Resource, requests: readonly Request[]): Promise<number> {
  const end = performance.now() + ROUND_MS
  let done = 0
  const work = async (lane: number) => {
    for (let n = lane; performance.now() < end; n += PARALLEL, done++) {
      await of.verify(requests[n % requests.length]!, { scope: 'mcp:tools' })
    }
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: PARALLEL }, (_, lane) => work(lane)))
  return done / ((performance.now() - start) / 1000)
}

const toRequest = (token: string) => new Request(resource, { headers: { authorization: `Bearer ${token}` } })
const jwts = Array.from({ length: TOKENS }, () => toRequest(mint()))
const opaque = Array.from({ length: TOKENS }, (_, n) => toRequest(`opaque-${n}`))
const introspection = { client_id: 'api', client_secret: 'secret' }
const cases: [string, Resource, Request[]][] = [
  ['JWT ES256, no cache', createResource({ resource, issuer, jwt_cache_entries: 0 }), jwts],
  ['JWT ES256, remembered', createResource({ resource, issuer }), jwts],
  ['opaque, asked each time', createResource({ resource, issuer, introspection }), opaque],
  [
    'opaque, remembered 30 s',
    createResource({ resource, issuer, introspection: { ...introspection, cache_seconds: 30 } }),
    opaque,
  ],
]
const figures = new Map(cases.map(([name]) => [name, [] as number[]]))
for (const [, of, requests] of cases) for (const request of requests) await of.verify(request)
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, of, requests] of cases) figures.get(name)!.push(await measure(of, requests))
}
process.stdout.write(`Node ${process.version}, ${PARALLEL} in parallel, ${TOKENS} tokens, median of ${ROUNDS} rounds\n`)
for (const [name, rates] of figures) {
  const median = rates.sort((a, b) => a - b)[ROUNDS >> 1]!
  process.stdout.write(`${name.padEnd(26)} ${Math.round(median).toLocaleString('en').padStart(9)} verify/s\n`)
}
server.close()
server.closeAllConnections()
