import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { GrantType } from '../../server/src/inbound/authorization/grant_type.ts'
import { issueAccessToken } from '../../server/src/inbound/tokens/access_tokens.ts'
import { OAuthError } from '../../server/src/oauth/errors.ts'
import { buildTokenResponse } from '../../server/src/oauth/token_response.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'

const API = 'https://api.example/'

/** What an embedder might write: whoever knows the word of the day gets a token. */
const word_of_the_day: GrantType = {
  grant_type: 'urn:example:word-of-the-day',
  load: ({ tenant: { tenant_id, store } }, _params, client_id) => store.loadClientAuthority({ tenant_id, client_id }),
  async issue(context, { params, client, authority, configuration, cnf }) {
    if (params.values['word'] !== 'swordfish') throw new OAuthError('invalid_grant', 'Parameter word is not today`s')
    const epochs = [authority.tenant.epoch, authority.client!.epoch, 0, 0] as const
    const order = { client, configuration, scope: ['api:read'], resource: [API], now: authority.now, epochs, cnf }
    return buildTokenResponse({
      ...(await issueAccessToken(context, { ...order, grant: null, user: null })),
      scope: order.scope,
    })
  },
}

let server: TestServer
before(async () => {
  server = await startSallyport({ app: { grant_types: [word_of_the_day] } })
  await server.addResource({ resource: API, scopes: '{"api:read":"Read"}' })
  const grant_types = [word_of_the_day.grant_type]
  await server.addClient({
    client_id: 'agent',
    client_secret: 'secret',
    grant_types,
    response_types: [],
    scope: 'api:read',
  })
  await server.addClient({ client_id: 'plain', client_secret: 'secret', redirect_uris: ['https://a.example/cb'] })
})
after(() => server.stop())

async function ask(form: Record<string, string>, client = 'agent:secret') {
  const body = new URLSearchParams({ grant_type: word_of_the_day.grant_type, ...form })
  const headers = { authorization: `Basic ${btoa(client)}` }
  const response = await fetch(`${server.issuer}/token`, { method: 'POST', headers, body })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}

test('an embedder`s own grant type passes the same door as the built-in ones, and stands in discovery', async () => {
  const metadata = await (await fetch(`${server.issuer}/.well-known/openid-configuration`)).json()
  assert.ok(metadata.grant_types_supported.includes(word_of_the_day.grant_type))
  const { status, body } = await ask({ word: 'swordfish' })
  assert.equal(status, 200, JSON.stringify(body))
  const headers = { authorization: `Basic ${btoa('agent:secret')}` }
  const token = new URLSearchParams({ token: body['access_token']! })
  const said = await (await fetch(`${server.issuer}/introspect`, { method: 'POST', headers, body: token })).json()
  assert.deepEqual([said.active, said.scope, said.client_id], [true, 'api:read', 'agent'])
})

test('10.4.4 its clients authenticate and are registered for it, and its refusals are the protocol`s', async () => {
  assert.deepEqual((await ask({ word: 'swordfish' }, 'agent:wrong')).status, 401)
  assert.equal((await ask({ word: 'swordfish' }, 'plain:secret')).body['error'], 'unauthorized_client')
  const { status, body } = await ask({ word: 'xyzzy' })
  assert.deepEqual([status, body['error']], [400, 'invalid_grant'])
})
