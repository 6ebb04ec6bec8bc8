import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import * as client from 'openid-client'
import { createResource } from '../../sdk/src/resource/resource.ts'
import { applyPlatform } from '../../server/src/apply/apply.ts'
import { readPlatform } from '../../server/src/apply/platform.ts'
import { createEgress, type Egress } from '../../server/src/egress/egress.ts'
import { JWT_API } from '../parts/platform.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'

const IDP = 'https://idp.example.com'
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

let server: TestServer
let egress: Egress
let publisher: ReturnType<typeof createServer>
let employees: Awaited<ReturnType<typeof generateKeyPair>>
before(async () => {
  employees = await generateKeyPair('ES256')
  const keys = [{ ...(await exportJWK(employees.publicKey)), kid: '2026-11', alg: 'ES256', use: 'sig' }]
  publisher = createServer((_, response) => response.end(JSON.stringify({ keys })))
  await new Promise<void>((resolve) => publisher.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(publisher.address() as AddressInfo).port}`
  egress = createEgress({ allow: [host] })
  server = await startSallyport({ app: { egress } })
  const { web } = server.app
  const described = {
    resources: [{ resource: JWT_API, scopes: { 'api:read': 'Read your data' } }],
    roles: [{ role: 'member', scopes: ['api:read'] }],
    users: [{ username: 'alice', roles: ['member'] }],
    clients: [
      { client_id: 'reports', client_secret: 'a long secret of reports', grant_types: [GRANT_TYPE], scope: 'api:read' },
    ],
    trusted_issuers: [
      {
        issuer: IDP,
        jwks_uri: `http://${host}/jwks`,
        subjects: { 'emp-7': 'alice' },
        clients: ['reports'],
        scope: 'api:read',
      },
    ],
  }
  const platform = readPlatform(described, { grant_types: web.grant_types.map(({ grant_type }) => grant_type) })
  await applyPlatform(web, platform, 'cli')
})
after(async () => {
  await server.stop()
  await egress.close()
  publisher.close()
})

test('a report runs at night as its user, on the word of the company’s identity provider', async () => {
  const config = await client.discovery(
    new URL(server.issuer),
    'reports',
    undefined,
    client.ClientSecretBasic('a long secret of reports'),
    { execute: [client.allowInsecureRequests] },
  )
  assert.ok(config.serverMetadata().grant_types_supported!.includes(GRANT_TYPE))
  const assertion = await new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid: '2026-11' })
    .setIssuer(IDP)
    .setSubject('emp-7')
    .setAudience(config.serverMetadata().issuer)
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(employees.privateKey)
  const asked = { assertion, scope: 'api:read', resource: JWT_API }
  const { access_token, refresh_token } = await client.genericGrantRequest(config, GRANT_TYPE, asked)
  assert.equal(refresh_token, undefined)

  const api = createResource({ resource: JWT_API, issuer: server.issuer })
  const headers = { authorization: `Bearer ${access_token}` }
  const access = await api.verify(new Request(JWT_API, { headers }), { scope: 'api:read' })
  const { tenant_id, store } = server.app.tenant
  const alice = await store.findUserByUsername({ tenant_id, username_key: 'alice' })
  assert.deepEqual([access.sub, access.client_id], [alice!.user_id, 'reports'])

  await assert.rejects(client.genericGrantRequest(config, GRANT_TYPE, asked), {
    error: 'invalid_grant',
    error_description: /used before/,
  })
})
