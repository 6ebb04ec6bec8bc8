import assert from 'node:assert/strict'
import type { Server } from 'node:https'
import { after, before, test } from 'node:test'
import * as oauth from 'oauth4webapi'
import { Agent, fetch as undiciFetch } from 'undici'
import { createResource } from '../../sdk/src/resource/resource.ts'
import { readAuthorities } from '../../server/src/crypto/certificate.ts'
import { createCertificate } from '../parts/certificate.ts'
import { type Made, makeCertificate } from '../parts/client_certificate.ts'
import { JWT_API } from '../parts/platform.ts'
import { freePort, startSallyport, type TestServer } from '../parts/sallyport.ts'
import { startTlsEdge } from '../parts/tls_edge.ts'

const edge_certificate = createCertificate(['localhost', '127.0.0.1'])
const authority = makeCertificate({ subject: [[['2.5.4.3', 'authority']]], authority: true })
const machine = makeCertificate({ issuer: authority, names: [['uri', 'spiffe://example.com/batch']] })

let server: TestServer
let edge: Server
before(async () => {
  const port = await freePort()
  server = await startSallyport({
    trusted_proxies: ['127.0.0.1'],
    app: {
      certificate_forwarding: {
        header: 'client-cert',
        authorities: readAuthorities(authority.pem),
        origin: `https://127.0.0.1:${port}`,
      },
    },
  })
  edge = await startTlsEdge(new URL(server.issuer), { port, tls: edge_certificate })
  await server.addResource({ resource: JWT_API, scopes: '{"api:read":"Read"}' })
  const grant = { grant_types: ['client_credentials'], scope: 'api:read' }
  await server.addClient({
    client_id: 'batch',
    ...grant,
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_uri: 'spiffe://example.com/batch',
    tls_client_certificate_bound_access_tokens: true,
  })
})
after(async () => {
  edge.closeAllConnections()
  edge.close()
  await server.stop()
})

/** A program's fetch, with a certificate of its own. */
function fetchAs(shown: Made | null): [typeof fetch, Agent] {
  const identity = shown && {
    cert: shown.pem,
    key: shown.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  }
  const dispatcher = new Agent({ connect: { ca: edge_certificate.cert, ...identity } })
  const call = (url: string, init: object) => undiciFetch(url, { ...init, dispatcher })
  return [call as unknown as typeof fetch, dispatcher]
}

async function ask(shown: Made | null, headers: Record<string, string> = {}) {
  const [call, agent] = fetchAs(shown)
  const options = {
    [oauth.allowInsecureRequests]: true,
    [oauth.customFetch]: (url: string, init: object) =>
      call(url, { ...init, headers: { ...headers, ...(init as { headers: object }).headers } }),
  } as const
  try {
    const issuer = new URL(server.issuer)
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options))
    const client = { client_id: 'batch', use_mtls_endpoint_aliases: true }
    const wanted = new URLSearchParams({ scope: 'api:read', resource: JWT_API })
    const response = await oauth.clientCredentialsGrantRequest(as, client, oauth.TlsClientAuth(), wanted, options)
    const { status } = response
    return { status, token: status === 200 ? await oauth.processClientCredentialsResponse(as, client, response) : null }
  } finally {
    await agent.close()
  }
}

test('RFC 8705 a program is known by its certificate at the edge, and its token is worth nothing without', async () => {
  const { token } = await ask(machine)
  const access_token = token!.access_token
  const api = createResource({ resource: JWT_API, issuer: server.issuer })
  const call = (certificate?: Uint8Array) =>
    api.verify(
      Object.assign(new Request(JWT_API, { headers: { authorization: `Bearer ${access_token}` } }), { certificate }),
    )
  assert.equal((await call(machine.der)).client_id, 'batch')
  await assert.rejects(call(), { error: 'invalid_token' })
  await assert.rejects(call(makeCertificate().der), { error: 'invalid_token' })
})

test('RFC 8705 6.5 nobody gets past the edge with the certificate of another in a header', async () => {
  const stolen = { 'client-cert': `:${machine.der.toString('base64')}:` }
  const forged = makeCertificate({ names: [['uri', 'spiffe://example.com/batch']] })
  for (const [shown, headers] of [
    [null, {}],
    [null, stolen],
    [forged, {}],
    [forged, stolen],
  ] as const) {
    assert.equal((await ask(shown, headers)).status, 401)
  }
})
