import { constants, KeyObject, sign } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

/** A moment for tests that need no real time, in milliseconds since the epoch. */
export const NOW = 1_800_000_000_000

/** The resource that test tokens are meant for. */
export const RESOURCE = 'https://api.example/mcp'

/** One question that reached the test issuer. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly body: string
}

/** What the test issuer answers at a path; a string body is sent as it is. */
export type Route = (
  asked: Asked,
  res: ServerResponse,
) => { status?: number; headers?: Record<string, string>; body: unknown } | 'handled'

/** A signing key of the test issuer. */
export interface TestKey {
  readonly alg: string
  readonly jwk: JWK
  readonly privateKey: CryptoKey
}

/** An authorization server for tests, really listening on loopback. Its routes and keys may be changed at any time. */
export interface TestIssuer {
  readonly issuer: string
  readonly origin: string
  /** Paths by which it was asked, in order. */
  readonly asked: Asked[]
  readonly routes: Map<string, Route>
  readonly keys: TestKey[]
  /** Introspection answers by token; any other token is not active. */
  readonly active: Map<string, Record<string, unknown>>
  /** How often a path was asked. */
  count(path: string): number
  sign(claims?: Record<string, unknown>, header?: Record<string, unknown>, key?: TestKey): Promise<string>
  close(): Promise<void>
}

/** Makes a signing key. */
export async function createKey(alg: string, kid: string | undefined): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), alg, use: 'sig', ...(kid === undefined ? {} : { kid }) }
  return { alg, jwk, privateKey }
}

/** The claims of a good access token for RESOURCE, issued at NOW for ten minutes (RFC 9068 section 2.2). */
export function goodClaims(issuer: string): Record<string, unknown> {
  return {
    iss: issuer,
    sub: 'alice',
    client_id: 'web',
    aud: RESOURCE,
    scope: 'mcp:tools api:read',
    jti: 'token-1',
    iat: NOW / 1000,
    exp: NOW / 1000 + 600,
  }
}

/** A token put together by hand: any header and payload, and whatever signature `sign` makes of the signing input. */
export function signByHand(header: object, claims: object, sign: (input: Buffer) => Uint8Array): string {
  const encode = (object: object) => Buffer.from(JSON.stringify(object)).toString('base64url')
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${Buffer.from(sign(Buffer.from(input))).toString('base64url')}`
}

/** Signs with a test key, also in ways that its algorithm does not foresee. */
export function signerOf({ privateKey }: Pick<TestKey, 'privateKey'>, { hash = 'sha256', pss = false } = {}) {
  const key = KeyObject.from(privateKey as Parameters<typeof KeyObject.from>[0])
  const rsa = pss ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {}
  const digest = key.asymmetricKeyType === 'ed25519' ? null : hash
  return (input: Buffer) => sign(digest, input, { key, dsaEncoding: 'ieee-p1363', ...rsa })
}

/** Starts a test issuer whose identifier may have a path. */
export async function startIssuer(path = ''): Promise<TestIssuer> {
  const asked: Asked[] = []
  const routes = new Map<string, Route>()
  const active = new Map<string, Record<string, unknown>>()
  const keys = [await createKey('ES256', 'first')]
  const server = createServer(async (req, res) => {
    const question = await readQuestion(req)
    asked.push(question)
    const answer = routes.get(question.path)?.(question, res) ?? { status: 404, body: 'not here' }
    if (answer === 'handled') return
    const { status = 200, headers = {}, body } = answer
    res.writeHead(status, { 'content-type': 'application/json', ...headers })
    res.end(typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body))
  })
  const origin = await listen(server)
  const issuer = origin + path
  const metadata = {
    issuer,
    jwks_uri: `${origin}/jwks`,
    introspection_endpoint: `${origin}/introspect`,
  }
  routes.set(`/.well-known/oauth-authorization-server${path}`, () => ({ body: metadata }))
  routes.set('/jwks', () => ({ body: { keys: keys.map((key) => key.jwk) } }))
  routes.set('/introspect', ({ body }) => {
    const answer = active.get(new URLSearchParams(body).get('token') ?? '')
    return { body: answer === undefined ? { active: false } : { active: true, ...answer } }
  })
  return {
    issuer,
    origin,
    asked,
    routes,
    keys,
    active,
    count: (wanted) => asked.filter((question) => question.path === wanted).length,
    sign: (claims = {}, header = {}, key = keys[0]!) =>
      new SignJWT(withoutUndefined({ ...goodClaims(issuer), ...claims }))
        .setProtectedHeader({ ...withoutUndefined({ typ: 'at+jwt', kid: key.jwk.kid, ...header }), alg: key.alg })
        .sign(key.privateKey),
    close: () => close(server),
  }
}

/** Listens on a free loopback port; answers with the origin. */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Stops a server, and the connections that clients keep open. */
export async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}

/** A request with a bearer token, or without one. */
export function requestWith(token: string | undefined, url = RESOURCE): Request {
  return new Request(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
}

function withoutUndefined(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}

async function readQuestion(req: IncomingMessage): Promise<Asked> {
  let body = ''
  for await (const chunk of req) body += chunk
  return { method: req.method ?? '', path: req.url ?? '', authorization: req.headers.authorization, body }
}
