import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { requestWith } from '../../test/issuer.ts'
import { JWT_RESOURCE, OPAQUE_RESOURCE, startOidcProvider } from '../../test/oidc_provider.ts'
import { refusalOf } from '../../test/refusal.ts'
import { createResource, type Resource } from './resource.ts'

let as: Awaited<ReturnType<typeof startOidcProvider>>
let jwt: Resource
let opaque: Resource

before(async () => {
  as = await startOidcProvider()
  jwt = createResource({ resource: JWT_RESOURCE, issuer: as.issuer })
  opaque = createResource({
    resource: OPAQUE_RESOURCE,
    issuer: as.issuer,
    introspection: { client_id: 'api', client_secret: 'api secret: +%' },
  })
})
after(() => as.close())

test('a JWT access token of oidc-provider, by the code flow, is verified from its published keys', async () => {
  const { access_token } = await as.login(JWT_RESOURCE)
  const access = await jwt.verify(requestWith(access_token), { scope: 'api:read' })
  assert.deepEqual([access.iss, access.sub, access.client_id], [as.issuer, 'alice', 'web'])
  assert.deepEqual(access.aud, [JWT_RESOURCE])
  assert.equal((await refusalOf(opaque, access_token)).error, 'invalid_token')
})

test('an opaque access token of oidc-provider is introspected, and refused once it is revoked', async () => {
  const { access_token } = await as.login(OPAQUE_RESOURCE)
  const access = await opaque.verify(requestWith(access_token), { scope: 'api:read' })
  assert.deepEqual([access.iss, access.sub, access.client_id], [as.issuer, 'alice', 'web'])
  assert.equal((await refusalOf(opaque, access_token, { scope: 'api:write' })).error, 'insufficient_scope')
  assert.equal((await refusalOf(jwt, access_token)).error, 'invalid_token')
  await as.revoke(access_token)
  assert.equal((await refusalOf(opaque, access_token)).error_description, 'The access token is not active')
})

test('a token by client credentials has the client as its subject, in both forms', async () => {
  const byJwt = await jwt.verify(requestWith(await as.machineToken(JWT_RESOURCE)))
  const byIntrospection = await opaque.verify(requestWith(await as.machineToken(OPAQUE_RESOURCE)))
  for (const access of [byJwt, byIntrospection]) assert.deepEqual([access.sub, access.client_id], ['web', 'web'])
})

test('9.2.2 the ID token and the refresh token of the same login are no access tokens', async () => {
  for (const resource of [JWT_RESOURCE, OPAQUE_RESOURCE]) {
    const { id_token, refresh_token } = await as.login(resource)
    for (const token of [id_token, refresh_token]) {
      for (const api of [jwt, opaque]) assert.equal((await refusalOf(api, token)).error, 'invalid_token')
    }
  }
})

test('10.3.1 an opaque token for one resource is refused by another that may introspect it', async () => {
  const other = createResource({
    resource: 'https://other.example/api',
    issuer: as.issuer,
    introspection: { client_id: 'api', client_secret: 'api secret: +%' },
  })
  const token = await as.machineToken(OPAQUE_RESOURCE)
  assert.match((await refusalOf(other, token)).error_description, /another resource/)
})

test('wrong credentials of the resource are its own failure: 503, never a pass and never the token’s fault', async () => {
  const misconfigured = createResource({
    resource: OPAQUE_RESOURCE,
    issuer: as.issuer,
    introspection: { client_id: 'api', client_secret: 'wrong' },
  })
  assert.equal((await refusalOf(misconfigured, await as.machineToken(OPAQUE_RESOURCE))).status, 503)
})
