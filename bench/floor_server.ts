// What the runtime allows: node:http that reads a form, signs a token of the usual size, and answers. Argument: port.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { signJwt } from '../server/src/crypto/jwt.ts'
import { newId } from '../server/src/crypto/random.ts'
import { newSigningKey, readSigningKey } from '../server/src/crypto/signing_keys.ts'
import { answerParent } from './pinned_process.ts'
import { JWT_RESOURCE, SCOPE } from './world.ts'

const [port] = process.argv.slice(2) as [string]
const issuer = `http://127.0.0.1:${port}`
const { kid, pkcs8, public_jwk } = await newSigningKey()
const key = readSigningKey(kid, 'ES256', pkcs8)
const server = createServer((request, response) => {
  if (request.method === 'GET') return send(JSON.stringify({ keys: [public_jwk] }))
  request.on('data', () => {})
  request.on('end', async () => {
    const now = Date.now()
    const iat = Math.floor(now / 1000)
    const of = { iss: issuer, sub: 'machine', aud: JWT_RESOURCE, exp: iat + 600, iat, jti: newId(now) }
    const access_token = await signJwt(key, 'at+jwt', { ...of, client_id: 'machine', scope: SCOPE, ep: [0, 0, 0, 0] })
    send(JSON.stringify({ access_token, token_type: 'Bearer', expires_in: 600, scope: SCOPE }))
  })
  function send(body: string): void {
    const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }
    response.writeHead(200, { ...headers, 'Content-Length': Buffer.byteLength(body) })
    response.end(body)
  }
})
server.listen(Number(port), '127.0.0.1')
await once(server, 'listening')

answerParent({ fill: () => {} }, () => server.closeAllConnections())
