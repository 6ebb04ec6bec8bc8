import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ALICE,
  BOB,
  CALLBACK,
  JWT_API,
  onBothDatabases,
  type Platform,
  readReply,
  startPlatform,
} from '../parts/platform.ts'
import { open, signIn } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()
const DAY = 86_400

/** A confidential client of the test's own, with what differs from the others. */
async function addClient(p: Platform, client_id: string, more: Record<string, unknown> = {}) {
  await p.server.addClient({
    ...{ client_id, client_secret: `secret-of-${client_id}`, redirect_uris: [CALLBACK] },
    ...{
      grant_types: ['authorization_code', 'refresh_token'],
      scope: 'openid email profile offline_access mcp:tools api:read',
    },
    ...more,
  })
  const headers = { authorization: `Basic ${Buffer.from(`${client_id}:secret-of-${client_id}`).toString('base64')}` }
  const post = async (form: Record<string, string>) => {
    const response = await fetch(`${p.issuer}/token`, { method: 'POST', headers, body: new URLSearchParams(form) })
    return readReply(response)
  }
  return {
    url: (params: Record<string, string | undefined> = {}) => p.authorizeUrl('web', { client_id, ...params }),
    exchange: (back: URL) =>
      post({
        ...{ grant_type: 'authorization_code', code: back.searchParams.get('code')!, redirect_uri: CALLBACK },
        code_verifier: 'verifier-of-the-platform-0123456789-abcdefghij',
      }),
    refresh: (refresh_token: string) => post({ grant_type: 'refresh_token', refresh_token }),
  }
}

async function page(agent: UserAgent, url: string): Promise<string> {
  return (await open(agent, url)).html
}

testOnBoth('V8 the user decides how long access lasts, and it ends then on every path', async (p) => {
  const client = await addClient(p, 'dated')
  const agent = await signIn(p)
  const html = await page(agent, client.url())
  const offered = [...html.matchAll(/<option value="(\d+)"/g)].map(([, seconds]) => Number(seconds))
  assert.deepEqual(offered, [3600, DAY, 7 * DAY, 30 * DAY])
  const back = await agent.authorize(client.url(), ALICE, 'allow', { expires_in: String(DAY) })
  const { body } = await client.exchange(back)
  assert.match(await page(agent, `${p.issuer}/account`), /Ends/)
  // What is remembered ends with it: nothing is prolonged without asking.
  p.pass(DAY - 300)
  await signIn(p, ALICE, agent)
  const again = await agent.authorize(client.url({ prompt: 'none' }), ALICE)
  const second = await client.exchange(again)
  assert.ok(second.body.expires_in <= 300)
  const refreshed = await client.refresh(body.refresh_token)
  assert.equal(refreshed.status, 200)
  assert.ok(refreshed.body.expires_in <= 300)
  p.pass(300)
  for (const refresh_token of [refreshed.body.refresh_token, second.body.refresh_token]) {
    assert.equal((await client.refresh(refresh_token as string)).body.error, 'invalid_grant')
  }
  for (const token of [refreshed.body.access_token, second.body.access_token]) {
    assert.equal((await p.introspect(token as string)).active, false)
    assert.equal((await p.userinfo(token as string)).status, 401)
  }
  const asked = await agent.request(client.url({ prompt: 'none' }))
  assert.equal(new URL(asked.headers.get('location')!).searchParams.get('error'), 'consent_required')
})

testOnBoth("V8 no grant lasts longer than its client's maximum, and what was not offered is no choice", async (p) => {
  const client = await addClient(p, 'brief', { grant_lifetime_seconds: 2 * DAY })
  const agent = await signIn(p)
  const html = await page(agent, client.url())
  assert.deepEqual(
    [...html.matchAll(/<option value="(\d*)"/g)].map(([, seconds]) => seconds),
    ['', '3600', String(DAY)],
  )
  assert.match(html, /After 2 days/)
  for (const expires_in of ['', String(365 * DAY), '-1', '1e9', 'x', '1.5']) {
    const back = await agent.authorize(client.url({ prompt: 'consent' }), ALICE, 'allow', { expires_in })
    const { body } = await client.exchange(back)
    const { tenant } = p.server.app
    const user_id = (await p.introspect(body.access_token)).sub as string
    const [grant] = await p.server.store.listGrantsOfUser({ tenant_id: tenant.tenant_id, user_id })
    assert.equal(grant!.expires_at, p.now() + 2 * DAY * 1000, expires_in)
  }
})

testOnBoth(
  'T-04 an optional scope comes unticked, is granted when ticked, and is not asked for again when not',
  async (p) => {
    const client = await addClient(p, 'modest', { optional_scope: 'mcp:tools email' })
    const agent = await signIn(p)
    const html = await page(agent, client.url())
    const boxes = [...html.matchAll(/<input type="checkbox" name="(scope\.\d+)" value="([^"]+)"([^>]*)>/g)]
    assert.deepEqual(boxes.map(([, , scope, more]) => [scope, more!.includes('checked')]).sort(), [
      ['email', false],
      ['mcp:tools', false],
    ])
    const without = await client.exchange(await agent.authorize(client.url(), ALICE))
    assert.equal(without.body.scope, 'openid profile offline_access api:read')
    const silent = await client.exchange(await agent.authorize(client.url({ prompt: 'none' }), ALICE))
    assert.equal(silent.body.scope, without.body.scope)
    const [, name] = boxes.find(([, , scope]) => scope === 'mcp:tools')!
    const ticked = await agent.authorize(client.url({ prompt: 'consent' }), ALICE, 'allow', { [name!]: 'mcp:tools' })
    assert.equal((await client.exchange(ticked)).body.scope, 'openid profile offline_access mcp:tools api:read')
    // What the page did not offer cannot be ticked.
    const more = { 'scope.7': 'admin:write', 'scope.8': 'vault:open' }
    const forged = await agent.authorize(client.url({ prompt: 'consent' }), ALICE, 'allow', more)
    assert.doesNotMatch(String((await client.exchange(forged)).body.scope), /admin|vault|mcp/)
  },
)

testOnBoth(
  '10.7.3 a scope that is taken back on the account page is in no later refresh, and not in introspection',
  async (p) => {
    const client = await addClient(p, 'narrowed')
    const agent = await signIn(p, BOB)
    const { body } = await client.exchange(await agent.authorize(client.url(), BOB))
    assert.equal(
      (await p.introspect(body.access_token)).scope,
      'openid email profile offline_access mcp:tools api:read',
    )
    const account = await open(agent, `${p.issuer}/account`)
    const form = account.html
      .match(/<form[\s\S]*?<\/form>/g)!
      .find((text) => text.includes('value="narrowed"') && text.includes('scope.'))!
    const scopes = [...form.matchAll(/name="(scope\.\d+)" value="([^"]+)"/g)].map(([, , scope]) => scope)
    assert.deepEqual(scopes.sort(), ['api:read', 'email', 'mcp:tools', 'profile'], 'openid goes only with the whole')
    const kept = form.replace(/(<input[^>]*value="(?:mcp:tools|email)"[^>]*) checked/g, '$1')
    await agent.submit({ url: account.url, html: kept }, {})
    const refreshed = await client.refresh(body.refresh_token)
    assert.equal(refreshed.body.scope, 'openid profile offline_access api:read')
    const seen = await p.introspect(body.access_token)
    assert.deepEqual([seen.active, seen.scope], [true, 'openid profile offline_access api:read'])
    const next = await agent.request(client.url({ prompt: 'none' }))
    assert.equal(new URL(next.headers.get('location')!).searchParams.get('error'), 'consent_required')
    const { tenant_id } = p.server.app.tenant
    const page = { tenant_id, before_event_id: '~', type: 'consent.narrowed', actor: '', most: 5 }
    const [event] = await p.server.store.pageEvents(page)
    assert.deepEqual(JSON.parse(event!.detail!), { removed: ['email', 'mcp:tools'] })
  },
)

testOnBoth('5.19 a redirect host that was not shown is asked for, though everything else was allowed', async (p) => {
  const redirect_uris = [
    CALLBACK,
    'https://app.example/callback',
    'https://app.example/other',
    'https://second.example/cb',
  ]
  const client = await addClient(p, 'moving', { redirect_uris })
  const agent = await signIn(p)
  const silent = async (redirect_uri: string) => {
    const response = await agent.request(client.url({ prompt: 'none', redirect_uri }))
    return new URL(response.headers.get('location')!).searchParams.get('error') ?? 'code'
  }
  await agent.authorize(client.url({ redirect_uri: 'https://app.example/callback' }), ALICE)
  assert.equal(await silent('https://app.example/callback'), 'code')
  assert.equal(await silent('https://app.example/other'), 'code', 'the same host')
  assert.equal(await silent('https://second.example/cb'), 'consent_required')
  await agent.authorize(client.url({ redirect_uri: 'https://second.example/cb' }), ALICE)
  assert.deepEqual(await Promise.all(['https://second.example/cb', 'https://app.example/other'].map(silent)), [
    'code',
    'code',
  ])
})

testOnBoth('10.7.1 a new scope and a new resource are each asked for', async (p) => {
  const client = await addClient(p, 'growing')
  const agent = await signIn(p)
  await agent.authorize(client.url({ scope: 'openid api:read' }), ALICE)
  const silent = async (params: Record<string, string | undefined>) => {
    const response = await agent.request(client.url({ prompt: 'none', ...params }))
    return new URL(response.headers.get('location')!).searchParams.get('error') ?? 'code'
  }
  assert.equal(await silent({ scope: 'openid api:read' }), 'code')
  assert.equal(await silent({ scope: 'openid api:read mcp:tools' }), 'consent_required')
  assert.equal(await silent({ scope: 'openid', resource: p.issuer }), 'consent_required')
  assert.equal(await silent({ scope: 'openid api:read', resource: JWT_API }), 'code')
})

testOnBoth('10.7.3 a user takes back the access of every app at once, and nobody else loses any', async (p) => {
  const [first, second] = [await addClient(p, 'first'), await addClient(p, 'second')]
  const [alice, bob] = [await signIn(p), await signIn(p, BOB)]
  const agents = [alice, alice, bob]
  const tokens: string[] = []
  for (const [i, client] of [first, second, first].entries()) {
    const { body } = await client.exchange(await agents[i]!.authorize(client.url(), i === 2 ? BOB : ALICE))
    tokens.push(body.refresh_token)
  }
  const asks = async (agent: UserAgent) =>
    new URL((await agent.request(second.url({ prompt: 'none' }))).headers.get('location')!).searchParams.get('error')
  assert.equal(await asks(alice), null)
  const account = await open(alice, `${p.issuer}/account`)
  await alice.submit(account, {}, '/account/apps/end_all')
  const left = await page(alice, `${p.issuer}/account`)
  assert.match(left, /No app can use your account/)
  assert.doesNotMatch(left, /apps\/end_all/)
  assert.deepEqual(
    [(await first.refresh(tokens[0]!)).status, (await second.refresh(tokens[1]!)).status],
    [400, 400],
    'both grants have ended',
  )
  assert.equal(await asks(alice), 'consent_required', 'and what was allowed is not remembered')
  assert.equal((await first.refresh(tokens[2]!)).status, 200, 'bob keeps his')
})

test('nobody but the user of an account takes scopes back there', async () => {
  const p = await startPlatform()
  try {
    const { body } = await p.exchange('web', await p.getCode('web'))
    const bob = await signIn(p, BOB)
    const account = await open(bob, `${p.issuer}/account`)
    const csrf_token = /name="csrf_token" value="([^"]+)"/.exec(account.html)![1]!
    const form = new URLSearchParams({ csrf_token, client_id: 'web' })
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
    await bob.request(`${p.issuer}/account/apps/narrow`, { method: 'POST', headers, body: form.toString() })
    const nobody = new UserAgent()
    const refused = await nobody.request(`${p.issuer}/account/apps/narrow`, {
      method: 'POST',
      headers,
      body: form.toString(),
    })
    assert.equal(refused.status, 303)
    assert.match((await p.introspect(body.access_token)).scope, /mcp:tools/)
  } finally {
    await p.stop()
  }
})
