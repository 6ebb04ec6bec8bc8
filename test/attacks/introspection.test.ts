import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { JWT_API, onBothDatabases, type Platform } from '../parts/platform.ts'

const testOnBoth = onBothDatabases()
const MAIL = 'http://127.0.0.1:5000/mail'
const INACTIVE = { active: false }

/** A second resource with a client that stands for it, and one token for both. */
async function addMail(p: Platform) {
  await p.server.addResource({
    resource: MAIL,
    scopes: JSON.stringify({ 'mail:read': 'Read your mail' }),
    introspection_clients: '["mail"]',
  })
  await p.server.addRole('member', ['mcp:tools', 'api:read', 'vault:open', 'mail:read'])
  const scope = 'openid email offline_access api:read mail:read'
  for (const client_id of ['mail', 'suite']) {
    const flows = ['authorization_code', 'refresh_token', 'client_credentials']
    const more = { client_secret: `secret-of-${client_id}`, redirect_uris: ['http://127.0.0.1:3000/callback'] }
    await p.server.addClient({ client_id, ...more, scope, grant_types: flows, default_resource: JWT_API })
  }
  const ask = async (token: string, client_id: string) => {
    const authorization = `Basic ${btoa(`${client_id}:secret-of-${client_id}`)}`
    const body = new URLSearchParams({ token })
    const response = await fetch(`${p.issuer}/introspect`, { method: 'POST', headers: { authorization }, body })
    return (await response.json()) as Record<string, unknown>
  }
  const get = async (form: Record<string, string>, resources: string[]) => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...form })
    for (const resource of resources) body.append('resource', resource)
    const headers = { authorization: `Basic ${btoa('suite:secret-of-suite')}` }
    const response = await fetch(`${p.issuer}/token`, { method: 'POST', headers, body })
    return ((await response.json()) as { access_token: string }).access_token
  }
  return { ask, get }
}

testOnBoth('RFC 7662 4 whoever is not named learns nothing, and who is named nothing of others', async (p) => {
  const { ask, get } = await addMail(p)
  const both = await get({ scope: 'api:read mail:read' }, [JWT_API, MAIL])
  const view = async (client_id: string, token = both) => {
    const { active, aud, scope } = await ask(token, client_id)
    return active ? { aud, scope } : active
  }
  assert.deepEqual(await view('suite'), { aud: [JWT_API, MAIL], scope: 'api:read mail:read' }, 'its own, whole')
  assert.deepEqual(await view('api'), { aud: JWT_API, scope: 'api:read' })
  assert.deepEqual(await view('mail'), { aud: MAIL, scope: 'mail:read' })
  assert.deepEqual(await ask(both, 'web'), INACTIVE, 'a client that no resource names')
  const one = await get({ scope: 'api:read' }, [JWT_API])
  assert.deepEqual(await ask(one, 'mail'), INACTIVE, 'whose default_resource it is')
  const here = await get({ scope: 'api:read mail:read' }, [p.issuer])
  assert.deepEqual(await view('mail', here), { aud: p.issuer, scope: 'mail:read' })
  // What one client said of a resource ends when the resource names it no more.
  await p.server.addResource({ resource: MAIL, scopes: JSON.stringify({ 'mail:read': 'Read your mail' }) })
  assert.deepEqual(await ask(both, 'mail'), INACTIVE)
  assert.equal((await ask(both, 'api'))['active'], true)
})

testOnBoth('RFC 6749 3.2 Dovecot asks with Basic beside an empty client_id and client_secret', async (p) => {
  const { access_token } = await p.getTokens('web')
  const ask = async (secret: string, token: string) => {
    const authorization = `Basic ${btoa(`api:${secret}`)}`
    const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
    const body = `token=${token}&client_id=&client_secret=`
    const response = await fetch(`${p.issuer}/introspect`, { method: 'POST', headers, body })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const living = await ask('secret-of-api', access_token)
  assert.equal(living.status, 200)
  assert.equal(living.body['active'], true)
  // The account that Dovecot opens is the one that it finds here.
  assert.equal(living.body['username'], 'alice')
  assert.deepEqual(await ask('secret-of-api', 'x'), { status: 200, body: INACTIVE })
  const wrong = await ask('', access_token)
  assert.deepEqual([wrong.status, wrong.body['error']], [401, 'invalid_client'])
})

testOnBoth('RFC 7662 2.2 a refresh token is answered to its own client alone, as no access token', async (p) => {
  const { access_token, refresh_token } = await p.getTokens('web')
  const seen = await p.introspect(refresh_token, 'web')
  assert.equal(seen.active, true)
  assert.equal(seen.token_type, 'N_A')
  assert.equal(seen.client_id, 'web')
  assert.equal(seen.aud, undefined)
  assert.deepEqual(await p.introspect(refresh_token, 'api'), INACTIVE)
  assert.deepEqual(await p.introspect(refresh_token, 'other'), INACTIVE)
  assert.equal((await p.introspect(access_token, 'api')).token_type, 'Bearer')
})

testOnBoth(
  '8.3.2 a token for a resource that is deleted says nothing any more, and the grant gives no other',
  async (p) => {
    const { tenant_id } = p.server.app.tenant
    // A resource goes with the client that stands for it.
    const doomed = 'http://127.0.0.1:5000/doomed'
    const flow = { grant_types: ['client_credentials'], redirect_uris: [] }
    await p.server.addClient({ ...flow, client_id: 'doomed', client_secret: 'secret-of-doomed' })
    await p.server.addResource({
      ...{ resource: doomed, client_id: 'doomed', introspection_clients: '["api"]' },
      scopes: JSON.stringify({ 'vault:open': 'Open your vault' }),
    })
    const tokens = await p.getTokens('web', { scope: 'openid offline_access vault:open', resource: doomed })
    assert.equal((await p.introspect(tokens.access_token, 'api')).active, true)
    const wide = await p.getTokens('web', { scope: 'openid offline_access api:read', resource: JWT_API })
    const event = { tenant_id, event_id: randomUUID(), at: p.now(), type: 'client.deleted', actor: 'cli' }
    assert.equal(await p.server.store.deleteClient({ tenant_id, client_id: 'doomed', event }), true)
    assert.deepEqual(await p.introspect(tokens.access_token, 'web'), INACTIVE)
    assert.deepEqual(await p.introspect(tokens.access_token, 'api'), INACTIVE)
    const forms: Record<string, string>[] = [{}, { resource: doomed }, { resource: JWT_API }]
    for (const more of forms) {
      const { status, body } = await p.refresh('web', tokens.refresh_token, more)
      assert.deepEqual([status, body.error], [400, 'invalid_target'], JSON.stringify(more))
    }
    assert.equal((await p.refresh('web', wide.refresh_token)).status, 200, 'other grants stay')
    assert.equal((await p.introspect(wide.access_token)).active, true)
  },
)
