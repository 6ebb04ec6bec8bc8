import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A request as the provider received it. */
export interface ReceivedRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** Answers one request in whatever way it likes. */
export type Answer = (response: ServerResponse, request: ReceivedRequest) => void | Promise<void>

/** An OAuth server whose every answer a test writes itself. */
export interface HostileProvider {
  readonly issuer: string
  readonly received: ReceivedRequest[]
  /** Answers by path; a test replaces what it wants to spoil. */
  readonly answers: Map<string, Answer>
  /** Members of the metadata; a test changes or removes them. */
  readonly metadata: Record<string, unknown>
  /** The key pair behind /jwks. */
  readonly key: KeyObject
  signJwt(claims: object, header?: object, key?: KeyObject): string
  close(): Promise<void>
}

/** Starts the provider on 127.0.0.1 with answers that are all in order. */
export async function startHostileProvider(): Promise<HostileProvider> {
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request
    const received = { method, url, headers, body: await text(request) }
    provider.received.push(received)
    const answer = provider.answers.get(url.split('?')[0]!) ?? answerJson({ error: 'not_found' }, 404)
    await answer(response, received)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const metadata: Record<string, unknown> = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    revocation_endpoint: `${issuer}/revoke`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/jwks`,
    id_token_signing_alg_values_supported: ['ES256'],
  }
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' }
  const answerMetadata: Answer = (response, request) => answerJson(metadata)(response, request)
  const provider: HostileProvider = {
    issuer,
    received: [],
    metadata,
    key: privateKey,
    answers: new Map<string, Answer>([
      ['/.well-known/openid-configuration', answerMetadata],
      ['/.well-known/oauth-authorization-server', answerMetadata],
      ['/jwks', answerJson({ keys: [jwk] })],
      ['/token', answerJson({ access_token: 'at', token_type: 'Bearer', expires_in: 3600, refresh_token: 'rt' })],
      ['/revoke', (response) => void response.writeHead(200).end()],
      ['/userinfo', answerJson({ sub: 'alice' })],
    ]),
    signJwt: (claims, header = {}, key = privateKey) => signJwt({ alg: 'ES256', kid: 'k1', ...header }, claims, key),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return provider
}

/** A JSON answer. */
export function answerJson(body: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return answerText(typeof body === 'string' ? body : JSON.stringify(body), status, {
    'content-type': 'application/json',
    ...headers,
  })
}

/** An answer with any body. */
export function answerText(body: string, status = 200, headers: Record<string, string> = {}): Answer {
  return (response) => void response.writeHead(status, headers).end(body)
}

/** Ends the connection without an answer, or in the middle of one. */
export function answerCut(part = ''): Answer {
  return (response) => {
    if (part === '') response.socket?.destroy()
    else {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '10000' })
      response.write(part, () => response.socket?.destroy())
    }
  }
}

/** Never answers. */
export const answerNothing: Answer = () => {}

/** Sends bytes of JSON without end. */
export const answerEndless: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.write('{"access_token":"')
  const write = () => {
    while (!response.destroyed && response.write('x'.repeat(16_384)));
  }
  response.on('drain', write)
  write()
}

function signJwt(header: { alg: string; [name: string]: unknown }, claims: object, key: KeyObject): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encode(header)}.${encode(claims)}`
  if (header.alg === 'none') return `${input}.`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
