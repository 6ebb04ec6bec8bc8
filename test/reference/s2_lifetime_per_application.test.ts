import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'

const resource = 'https://home.example.com'
let server: TestServer
before(async () => {
  server = await startSallyport()
  await server.addResource({ resource, scopes: '{"lights:see":"See lights"}', access_token_lifetime_seconds: 7200 })
  for (const [client_id, access_token_lifetime_seconds] of [
    ['short', 30],
    ['long', 5400],
    ['longest', 86_400],
    ['default', undefined],
  ] as const) {
    await server.addClient({
      ...{ client_id, client_secret: `${client_id}-secret`, grant_types: ['client_credentials'], scope: 'lights:see' },
      ...{ default_resource: resource, access_token_lifetime_seconds },
    })
  }
})
after(() => server.stop())

async function lifetimeOf(client: string): Promise<number> {
  const response = await fetch(`${server.issuer}/token`, {
    ...{ method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'lights:see' }) },
    headers: { authorization: `Basic ${btoa(`${client}:${client}-secret`)}` },
  })
  const { access_token, expires_in } = await response.json()
  const { iat, exp } = JSON.parse(Buffer.from(access_token.split('.')[1], 'base64url').toString())
  assert.equal(exp - iat, expires_in, 'the answer and the token agree')
  return expires_in
}

test('S2 each application has the lifetime that it is configured with, the resource has the last word', async () => {
  assert.equal(await lifetimeOf('short'), 30)
  assert.equal(await lifetimeOf('long'), 5400)
  assert.equal(await lifetimeOf('longest'), 7200)
  assert.equal(await lifetimeOf('default'), 600)
})

test('S2 a lifetime out of its limits is refused by name', async () => {
  for (const access_token_lifetime_seconds of [0, -1, 86_401, 1.5, '60']) {
    const client = { client_id: 'x', grant_types: ['client_credentials'], access_token_lifetime_seconds }
    await assert.rejects(server.addClient(client), /Member access_token_lifetime_seconds/)
  }
})
