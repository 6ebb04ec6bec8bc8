import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { ALICE, BOB, type Bridge, CALLBACK, type Reply, startBridge } from '../parts/bridge.ts'
import { UserAgent } from '../parts/user_agent.ts'

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const CALENDAR = 'https://calendar.example/mcp'
const TASKS = 'https://tasks.example/mcp'
const READ = JSON.stringify([{ type: 'connection', connector: 'acme', actions: ['read'] }])

let bridge: Bridge
let alice: UserAgent
let proxied_acme: string

before(async () => {
  bridge = await startBridge({ path: '/hub' })
  const { server, issuer, foreign } = bridge
  proxied_acme = `${issuer}/proxy/acme`
  for (const [resource, client_id] of [
    [CALENDAR, 'calendar'],
    [TASKS, 'tasks'],
  ] as const) {
    await server.addResource({
      ...{
        resource,
        name: `The ${client_id} server`,
        scopes: JSON.stringify({ [`${client_id}:use`]: `Use the ${client_id}` }),
      },
      introspection_clients: JSON.stringify([client_id]),
    })
    await addServer(client_id)
  }
  await server.addRole('member', ['calendar:use', 'tasks:use'])
  for (const client_id of ['agent', 'rival']) {
    await server.addClient({
      ...{ client_id, client_secret: 'secret-of-platform', client_name: `The ${client_id}`, redirect_uris: [CALLBACK] },
      ...{
        grant_types: ['authorization_code', 'refresh_token', EXCHANGE],
        scope: 'offline_access calendar:use tasks:use',
      },
    })
  }
  await saveConnector(server.app.web.outbound, 'test', {
    ...{
      connector: 'other',
      provider: 'oidc',
      issuer: foreign.issuer,
      client_id: 'sallyport',
      client_secret: 'secret-at-acme',
    },
    ...{ scope: 'openid email offline_access', fields: { api_base_url: bridge.api.origin } },
  })
  alice = await bridge.signIn()
  await bridge.connect(alice)
})
after(() => bridge.stop())

/** Says of the API behind the connector whether its methods tell what reads. */
function setReadsByMethod(reads_by_method: boolean) {
  const { server, foreign, api } = bridge
  return saveConnector(server.app.web.outbound, 'test', {
    ...{ connector: 'acme', provider: 'oidc', issuer: foreign.issuer, scope: 'openid email offline_access' },
    ...{ client_id: 'sallyport', client_secret: 'secret-at-acme' },
    fields: { api_base_url: `${api.origin}/v1`, reads_by_method },
  })
}

/** Says which clients stand for the server of a resource. */
function standFor(introspection_clients: readonly string[], resource = CALENDAR) {
  const what = resource === CALENDAR ? 'calendar' : 'tasks'
  return bridge.server.addResource({
    ...{ resource, name: `The ${what} server`, introspection_clients: JSON.stringify(introspection_clients) },
    scopes: JSON.stringify({ [`${what}:use`]: `Use the ${what}` }),
  })
}

function addServer(client_id: string, more: Record<string, unknown> = {}) {
  return bridge.server.addClient({
    ...{
      client_id,
      client_secret: 'secret-of-platform',
      grant_types: [EXCHANGE, 'client_credentials'],
      scope: 'tasks:use',
    },
    ...{ token_exchange: { resources: [proxied_acme, TASKS] }, ...more },
  })
}

/** What an agent gets that may call the MCP server, and of which nobody has asked for more. */
function obtain(
  client_id = 'agent',
  person = alice,
  user: { username: string; password: string } = ALICE,
  resource = [CALENDAR],
) {
  const scope = `offline_access ${resource.map((name) => (name === TASKS ? 'tasks:use' : 'calendar:use')).join(' ')}`
  return obtainAs(person, user, { client_id, scope, resource, prompt: 'consent' })
}

async function obtainAs(
  person: UserAgent,
  user: typeof ALICE | typeof BOB | { username: string; password: string },
  params: Record<string, string | string[]>,
) {
  const back = await person.authorize(bridge.authorizeUrl(params), user)
  const form = { grant_type: 'authorization_code', code: back.searchParams.get('code')!, redirect_uri: CALLBACK }
  const { status, body, text } = await bridge.post(
    '/token',
    { ...form, code_verifier: 'v'.repeat(43) },
    String(params['client_id']),
  )
  assert.equal(status, 200, text)
  return body
}

/** The server shows the token that it was sent. */
function exchange(subject_token: string, more: Record<string, string> = {}, server = 'calendar') {
  const form = {
    grant_type: EXCHANGE,
    subject_token,
    subject_token_type: ACCESS_TOKEN,
    resource: proxied_acme,
    ...more,
  }
  return bridge.post('/token', Object.fromEntries(Object.entries(form).filter(([, value]) => value !== '')), server)
}

const handOut = (subject_token: string, server = 'calendar', more: Record<string, string> = {}) =>
  exchange(subject_token, { resource: '', audience: 'connector:acme', ...more }, server)

/** What the server does for a tool: a token for the proxy, and the call. */
async function useTool(subject_token: string, server = 'calendar'): Promise<Reply> {
  const token = await exchange(subject_token, {}, server)
  return token.status === 200 ? bridge.get('/proxy/acme/events', token.body.access_token) : token
}

/** The user follows the link of a refusal and answers. */
async function answer(connect_url: string, values: Record<string, string> = {}, person = alice) {
  const { url, response } = await person.follow(connect_url)
  const html = await response.text()
  assert.equal(response.status, 200, html)
  const [mine] = await bridge.connections()
  return person.submit({ url, html }, { decision: 'allow', connection_id: mine!.connection_id, ...values }, 'decision')
}

/** An agent that may use Alice's account through the calendar server. */
async function allowed(values: Record<string, string> = {}) {
  const tokens = await obtain()
  const { body } = await exchange(tokens.access_token)
  const done = await answer(body.connect_url, values)
  assert.equal(done.response.status, 200)
  return tokens as { access_token: string; refresh_token: string }
}

/** How a form on the account page begins. */
function formOf(action: string, name: string, value: string): string {
  return `${action}"><input type="hidden" name="${name}" value="${value}">`
}

function disconnect({ connection_id }: { connection_id: string }) {
  return bridge.press(alice, '/account', formOf('/account/connections/disconnect', 'connection_id', connection_id))
}

function assertNotAllowed({ status, body }: Reply, with_link: boolean): void {
  assert.deepEqual([status, body.error, body.reason], [400, 'invalid_target', 'connection_not_allowed'])
  assert.equal(body.connect_url !== undefined, with_link, body.connect_url)
}

describe('a server uses a connection for the client that sent it a token', () => {
  test('it is refused with a link, the user allows it, and the same token works at the next call', async () => {
    const { access_token } = await obtain()
    for (const refused of [await exchange(access_token), await handOut(access_token)]) {
      assertNotAllowed(refused, true)
      assert.ok(refused.body.connect_url.startsWith(`${bridge.issuer}/connect/acme/allow?request=`))
      assert.doesNotMatch(refused.body.connect_url, /alice|agent|calendar/)
    }
    const { body } = await exchange(access_token)
    const page = await (await alice.follow(body.connect_url)).response.text()
    for (const part of [/The agent/, /The calendar server/, /calendar\.example/, /alice-at-acme@foreign\.example/]) {
      assert.match(page, part)
    }
    await answer(body.connect_url)
    const seen = bridge.api.received.length
    const used = await useTool(access_token)
    assert.deepEqual([used.status, used.body], [200, { ok: true }])
    assert.equal(bridge.api.received.length, seen + 1)
    const handed = await handOut(access_token)
    assert.equal(handed.status, 200, handed.text)
    const me = await fetch(`${bridge.foreign.issuer}/me`, {
      headers: { authorization: `Bearer ${handed.body.access_token}` },
    })
    assert.equal((await me.json()).sub, 'alice-at-acme')
  })

  test('RFC 8693 4.1 the token for the proxy says who acts, is for this one use, and is for nothing else', async () => {
    const { access_token } = await allowed()
    const { body } = await exchange(access_token)
    assert.deepEqual(
      [body.token_type, body.scope, body.refresh_token, body.issued_token_type],
      ['Bearer', '', undefined, ACCESS_TOKEN],
    )
    const claims = (await bridge.post('/introspect', { token: body.access_token }, 'calendar')).body
    assert.deepEqual(
      [claims.active, claims.client_id, claims.act, claims.aud, claims.sub],
      [...[true, 'calendar', { sub: 'calendar' }, proxied_acme, bridge.users.alice]],
    )
    assert.deepEqual(claims.authorization_details, [{ type: 'connection', connector: 'acme', locations: [CALENDAR] }])
    const subject = (await bridge.post('/introspect', { token: access_token }, 'calendar')).body
    assert.ok(claims.exp <= subject.exp)
    assert.deepEqual(subject.authorization_details, claims.authorization_details)
    assert.deepEqual((await bridge.post('/introspect', { token: body.access_token }, 'tasks')).body, { active: false })
    assert.equal((await bridge.get('/proxy/other/me', body.access_token)).status, 401)
    assert.equal((await bridge.get('/userinfo', body.access_token)).status, 401)
    assert.equal((await exchange(body.access_token, { resource: TASKS })).status, 400)
  })

  test('the audit log has the whole chain, and the grant when it was used last', async () => {
    const { access_token } = await allowed()
    await useTool(access_token)
    await handOut(access_token)
    const { tenant_id, store } = bridge.server.app.tenant
    const events = await store.pageEvents({ tenant_id, before_event_id: 'z', type: '', actor: '', most: 30 })
    const [grant] = await store.listGrantsOfUser({ tenant_id, user_id: bridge.users.alice })
    const chain = events.filter(({ grant_id }) => grant_id === grant!.grant_id).reverse()
    const [mine] = await bridge.connections()
    assert.deepEqual(
      chain.map(({ type, actor, client_id, connection_id }) => [type, actor, client_id, connection_id]),
      [
        ['grant.created', `user:${bridge.users.alice}`, 'agent', null],
        ['connection.allowed', `user:${bridge.users.alice}`, 'agent', mine!.connection_id],
        ['connection.used', 'client:calendar', 'agent', mine!.connection_id],
      ],
    )
    const [choice] = JSON.parse(grant!.connections!)
    assert.equal(typeof choice.last_used_at, 'number')
    const details = chain.map(({ detail }) => JSON.parse(detail))
    assert.equal(details[1].resource, CALENDAR)
    assert.equal(details[1].account, 'alice-at-acme@foreign.example')
  })

  test('who may only read reads, and gets no token that could do more', async () => {
    const { access_token } = await allowed({ actions: 'read' })
    const { body } = await exchange(access_token)
    assert.equal((await bridge.get('/proxy/acme/events', body.access_token)).status, 200)
    const seen = bridge.api.received.length
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const refused = await bridge.get('/proxy/acme/events', body.access_token, { method })
      assert.deepEqual([refused.status, refused.body.error], [403, 'connection_not_allowed'], method)
      assert.match(refused.body.error_description, /write/)
      assert.ok(refused.body.connect_url)
    }
    assert.equal(bridge.api.received.length, seen)
    assert.equal((await handOut(access_token)).body.reason, 'token_not_handed_out')
    const write = JSON.stringify([{ type: 'connection', connector: 'acme', actions: ['write'] }])
    const more = await exchange(access_token, { authorization_details: write })
    assertNotAllowed(more, true)
    await answer(more.body.connect_url)
    assert.equal((await bridge.get('/proxy/acme/events', body.access_token, { method: 'POST' })).status, 200)
    // Who may write may read: the one did not take the place of the other.
    assert.equal((await bridge.get('/proxy/acme/events', body.access_token)).status, 200)
    assert.equal((await handOut(access_token)).status, 200)
    const written = (await exchange(access_token, { authorization_details: write })).body
    assert.equal((await bridge.get('/proxy/acme/events', written.access_token)).status, 200)
  })

  test('of a link that asks to write, reading can still be all that is allowed', async () => {
    const { access_token } = await obtain()
    const write = JSON.stringify([{ type: 'connection', connector: 'acme', actions: ['write'] }])
    await answer((await exchange(access_token, { authorization_details: write })).body.connect_url, { actions: 'read' })
    assertNotAllowed(await exchange(access_token, { authorization_details: write }), true)
    const { body } = await exchange(access_token)
    assert.equal((await bridge.get('/proxy/acme/events', body.access_token)).status, 200)
    assert.equal((await bridge.get('/proxy/acme/events', body.access_token, { method: 'POST' })).status, 403)
  })

  test('a request that names another method in its query does not pass for reading', async () => {
    const { access_token } = await allowed({ actions: 'read' })
    const { body } = await exchange(access_token)
    const seen = bridge.api.received.length
    for (const query of ['_method=DELETE', '%24httpMethod=DELETE', 'a=b&method=post']) {
      const refused = await bridge.get(`/proxy/acme/events?${query}`, body.access_token)
      assert.deepEqual([refused.status, refused.body.error], [403, 'connection_not_allowed'], query)
    }
    assert.equal(bridge.api.received.length, seen)
    assert.equal((await bridge.get('/proxy/acme/events?q=method', body.access_token)).status, 200)
  })

  test('where methods do not tell what reads, reading alone can neither be asked for nor allowed nor used', async () => {
    const kept = await allowed({ actions: 'read' })
    const { body } = await exchange(kept.access_token)
    await setReadsByMethod(false)
    try {
      const seen = bridge.api.received.length
      const refused = await bridge.get('/proxy/acme/events', body.access_token)
      assert.deepEqual([refused.status, refused.body.error], [403, 'connection_not_allowed'])
      assert.match(refused.body.error_description, /the methods of its API do not tell/)
      assert.equal(bridge.api.received.length, seen)
      const { access_token } = await obtain()
      const asked = await exchange(access_token, { authorization_details: READ })
      assert.deepEqual([asked.status, asked.body.error], [400, 'invalid_authorization_details'])
      assert.match(asked.body.error_description, /does not tell reading by the method/)
      const ahead = { client_id: 'agent', scope: 'calendar:use', resource: CALENDAR, authorization_details: READ }
      const back = new URL((await alice.follow(bridge.authorizeUrl(ahead))).url).searchParams
      assert.equal(back.get('error'), 'invalid_authorization_details')
      const { connect_url } = (await exchange(access_token)).body
      assert.doesNotMatch(await (await alice.follow(connect_url)).response.text(), /value="read"/)
      assert.equal((await answer(connect_url, { actions: 'read' })).response.status, 400)
      assertNotAllowed(await exchange(access_token), true)
      // The link of the refusal asks for the whole, and the token that was refused works then.
      await answer(refused.body.connect_url)
      assert.equal((await bridge.get('/proxy/acme/events', body.access_token)).status, 200)
    } finally {
      await setReadsByMethod(true)
    }
  })

  test('RFC 9396 6 a client gets less of its own token by exchange, and never more', async () => {
    const own = JSON.stringify([{ type: 'connection', connector: 'acme' }])
    const resource = [CALENDAR, proxied_acme]
    const params = { client_id: 'agent', scope: 'calendar:use', resource, prompt: 'consent' }
    const tokens = await obtainAs(alice, ALICE, { ...params, authorization_details: own })
    const narrow = (token: string, authorization_details: string) => {
      const form = {
        grant_type: EXCHANGE,
        subject_token: token,
        subject_token_type: ACCESS_TOKEN,
        scope: 'calendar:use',
        authorization_details,
      }
      return bridge.post(
        '/token',
        [...Object.entries(form), ...resource.map((name): [string, string] => ['resource', name])],
        'agent',
      )
    }
    const less = await narrow(tokens.access_token, READ)
    assert.equal(less.status, 200, less.text)
    assert.deepEqual(less.body.authorization_details, JSON.parse(READ))
    assert.equal((await bridge.get('/proxy/acme/events', less.body.access_token)).status, 200)
    assert.equal((await bridge.get('/proxy/acme/events', less.body.access_token, { method: 'POST' })).status, 403)
    const none = await narrow(tokens.access_token, '[]')
    assert.equal((await bridge.get('/proxy/acme/events', none.body.access_token)).status, 403)
    for (const [token, details] of [
      [less.body.access_token, own.replace('"}', '","actions":["write"]}')],
      [none.body.access_token, READ],
      [tokens.access_token, '[{"type":"connection","connector":"other"}]'],
      [tokens.access_token, '{}'],
    ]) {
      const refused = await narrow(token, details)
      assert.deepEqual([refused.status, refused.body.error], [400, 'invalid_authorization_details'], details)
    }
    // A server may not write details into a token that says nothing of them.
    const { access_token } = await obtain('agent', alice, ALICE, [CALENDAR, TASKS])
    const to_tasks = { resource: TASKS, scope: 'tasks:use' }
    const sent = await exchange(access_token, { ...to_tasks, authorization_details: own })
    assert.deepEqual([sent.status, sent.body.error], [400, 'invalid_authorization_details'])
    assert.equal((await exchange(access_token, to_tasks)).status, 200)
  })

  test('RFC 9396 6 a server that asks for reading gets and offers no more, whatever the page is answered', async () => {
    const { access_token } = await obtain()
    const { body } = await exchange(access_token, { authorization_details: READ })
    await answer(body.connect_url, { actions: 'write' })
    const token = (await exchange(access_token, { authorization_details: READ })).body
    assert.deepEqual(token.authorization_details[0].actions, ['read'])
    assert.equal((await bridge.get('/proxy/acme/events', token.access_token)).status, 200)
    assert.equal((await bridge.get('/proxy/acme/events', token.access_token, { method: 'POST' })).status, 403)
    for (const details of [
      ...['[]', '[{"type":"connection","connector":"other"}]', `[${READ.slice(1, -1)},${READ.slice(1, -1)}]`],
      ...[
        '[{"type":"connection","connector":"acme","actions":[]}]',
        '[{"type":"connection","connector":"acme","actions":["all"]}]',
      ],
      '[{"type":"connection","connector":"acme","locations":["https://tasks.example/mcp"]}]',
    ]) {
      const refused = await exchange(access_token, { authorization_details: details })
      assert.deepEqual([refused.status, refused.body.error], [400, 'invalid_authorization_details'], details)
    }
  })
})

describe('nobody else reaches it', () => {
  test('CORF another client of the same user is refused, and so is another grant of the same client', async () => {
    const { access_token } = await allowed()
    for (const tokens of [await obtain('rival'), await obtain('agent')]) {
      assertNotAllowed(await exchange(tokens.access_token), true)
      assertNotAllowed(await handOut(tokens.access_token), true)
    }
    assert.equal((await useTool(access_token)).status, 200)
  })

  test('COAT another user can neither use it nor answer for its owner', async () => {
    const bob = await bridge.signIn(BOB)
    const ofBob = await obtain('agent', bob, BOB)
    assertNotAllowed(await exchange(ofBob.access_token), true)
    const { body } = await exchange((await obtain()).access_token)
    const { response } = await bob.follow(body.connect_url)
    const page = await response.text()
    assert.equal(response.status, 403)
    assert.doesNotMatch(page, /alice-at-acme|The agent/)
    const own = await exchange(ofBob.access_token)
    const form = await bob.follow(own.body.connect_url)
    const stolen = { decision: 'allow', connection_id: (await bridge.connections())[0]!.connection_id }
    const done = await bob.submit({ url: form.url, html: await form.response.text() }, stolen, 'decision')
    assert.equal(done.response.status, 400)
    assertNotAllowed(await exchange(ofBob.access_token), true)
  })

  test('the agent itself gets nothing of what it may use through the server', async () => {
    const { access_token, refresh_token } = await allowed()
    assert.equal((await bridge.get('/proxy/acme/events', access_token)).status, 401)
    const own = await exchange(access_token, { resource: '', audience: 'connector:acme' }, 'agent')
    assertNotAllowed(own, true)
    const form = { grant_type: 'refresh_token', refresh_token, resource: proxied_acme }
    assert.deepEqual((await bridge.post('/token', form, 'agent')).body.error, 'invalid_target')
    assert.equal((await exchange(access_token, {}, 'agent')).status, 400)
  })

  test('another server reaches it neither by a token sent to it, nor by one that was passed on', async () => {
    const tokens = await obtain('agent', alice, ALICE, [CALENDAR, TASKS])
    const { body } = await exchange(tokens.access_token)
    await answer(body.connect_url)
    const narrow = async (resource: string) => {
      const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, resource }
      const { status, body: fresh, text } = await bridge.post('/token', form, 'agent')
      assert.equal(status, 200, text)
      tokens.refresh_token = fresh.refresh_token
      return fresh.access_token as string
    }
    const [for_calendar, for_tasks] = [await narrow(CALENDAR), await narrow(TASKS)]
    assert.equal((await useTool(for_calendar)).status, 200)
    assertNotAllowed(await exchange(for_tasks, {}, 'tasks'), true)
    assert.equal((await exchange(for_calendar, {}, 'tasks')).body.error, 'invalid_request', 'sent to somebody else')
    const passed = await exchange(for_calendar, { resource: TASKS, scope: 'tasks:use' })
    assert.equal(passed.status, 200, passed.text)
    assertNotAllowed(await exchange(passed.body.access_token, {}, 'tasks'), false)
    assertNotAllowed(await handOut(passed.body.access_token, 'tasks'), false)
    assertNotAllowed(await handOut(passed.body.access_token, 'calendar'), false)
    const both = {
      grant_type: EXCHANGE,
      subject_token: for_calendar,
      subject_token_type: ACCESS_TOKEN,
      scope: 'tasks:use',
    }
    const two = await bridge.post(
      '/token',
      [...Object.entries(both), ['resource', TASKS], ['resource', proxied_acme]],
      'calendar',
    )
    assert.equal(two.body.error, 'invalid_target', 'a token for the proxy is had by its own way alone')
  })

  test('a server that no administrator allowed the connector, or that is public, is refused without a link', async () => {
    const { access_token } = await allowed()
    await addServer('without', { token_exchange: { resources: [TASKS] } })
    await addServer('public', {
      client_secret: undefined,
      token_endpoint_auth_method: 'none',
      grant_types: [EXCHANGE],
    }).catch(() => {})
    await standFor(['calendar', 'without', 'public'])
    assertNotAllowed(await exchange(access_token, {}, 'without'), false)
    assertNotAllowed(await handOut(access_token, 'without'), false)
    const unknown = await exchange(access_token, { resource: '', audience: 'connector:nobody' })
    assert.deepEqual([unknown.body.error, unknown.body.connect_url], ['invalid_target', undefined])
    assert.equal((await exchange(access_token)).status, 200)
  })

  test('a server of two resources uses at each what was allowed there, and passes none of it on', async () => {
    const tokens = await obtain('agent', alice, ALICE, [CALENDAR, TASKS])
    const refresh = async (resource: string, more: Record<string, string> = {}) => {
      const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, resource, ...more }
      const { status, body, text } = await bridge.post('/token', form, 'agent')
      assert.equal(status, 200, text)
      tokens.refresh_token = body.refresh_token
      return body.access_token as string
    }
    await answer((await exchange(await refresh(TASKS), {}, 'tasks')).body.connect_url)
    await standFor(['tasks', 'calendar'], TASKS)
    assert.equal((await useTool(await refresh(TASKS))).status, 200)
    assertNotAllowed(await exchange(await refresh(CALENDAR)), true)
    await standFor(['tasks'], TASKS)
    // By its details the token may do what is allowed at the other server; its client has not sent it there.
    const at_tasks = JSON.stringify([{ type: 'connection', connector: 'acme', locations: [TASKS] }])
    const sent = await refresh(CALENDAR, { authorization_details: at_tasks })
    const passed = await exchange(sent, { resource: TASKS, scope: 'tasks:use' })
    assert.equal(passed.status, 200, passed.text)
    assertNotAllowed(await exchange(passed.body.access_token, {}, 'tasks'), false)
  })

  test('RFC 9396 6 a token that its client has narrowed reaches no more by being sent', async () => {
    const { access_token, refresh_token } = await allowed()
    const narrow = async (authorization_details: string, token: string) =>
      (
        await bridge.post(
          '/token',
          { grant_type: 'refresh_token', refresh_token: token, authorization_details },
          'agent',
        )
      ).body
    const none = await narrow('[]', refresh_token)
    assertNotAllowed(await exchange(none.access_token), false)
    assertNotAllowed(await handOut(none.access_token), false)
    const less = await narrow(READ, none.refresh_token)
    const { body } = await exchange(less.access_token)
    assert.equal((await bridge.get('/proxy/acme/events', body.access_token)).status, 200)
    assert.equal((await bridge.get('/proxy/acme/events', body.access_token, { method: 'POST' })).status, 403)
    assert.equal((await handOut(less.access_token)).body.reason, 'token_not_handed_out')
    assert.equal((await useTool(access_token)).status, 200)
  })
})

describe('the page', () => {
  test('a link that is not ours, or of another connector, opens nothing', async () => {
    const { access_token } = await obtain()
    const { connect_url } = (await exchange(access_token)).body
    for (const url of [
      ...[`${connect_url}x`, connect_url.replace('request=', 'request=A'), connect_url.replace('/acme/', '/other/')],
      ...[`${bridge.issuer}/connect/acme/allow`, `${bridge.issuer}/connect/acme/allow?request=`],
    ]) {
      assert.equal((await alice.follow(url)).response.status, 404, url)
    }
  })

  test('who is not signed in signs in first, and comes back to the question', async () => {
    const { connect_url } = (await exchange((await obtain()).access_token)).body
    const nobody = new UserAgent()
    const { url, response } = await nobody.follow(connect_url)
    assert.match(url, /\/login\?return_to=/)
    const back = await nobody.submit({ url, html: await response.text() }, ALICE)
    assert.equal(back.url, connect_url)
    assert.equal(back.response.status, 200)
  })

  test('without an account the user connects one on the spot, and is asked then', async () => {
    const [mine] = await bridge.connections()
    await disconnect(mine!)
    const { access_token } = await obtain()
    const { connect_url } = (await exchange(access_token)).body
    const page = await (await alice.follow(connect_url)).response.text()
    assert.doesNotMatch(page, /value="allow"/)
    const href = /href="([^"]*\/connect\/acme\?return_to=[^"]*)"/.exec(page)![1]!.replaceAll('&amp;', '&')
    const origin = new URL(bridge.issuer).origin
    const back = await bridge.connect(alice, origin + href)
    assert.equal(back.url, connect_url)
    assert.match(await back.response.text(), /alice-at-acme/)
    assertNotAllowed(await exchange(access_token), true)
    await answer(connect_url)
    assert.equal((await useTool(access_token)).status, 200)
  })

  test('of several accounts the user picks one, and may pick another later', async () => {
    await bridge.connect(alice, '/connect/acme', 'second-at-acme')
    const [first, second] = await bridge.connections()
    const { access_token } = await allowed({ connection_id: second!.connection_id })
    const sub = async () => {
      const { body } = await handOut(access_token)
      const me = await fetch(`${bridge.foreign.issuer}/me`, {
        headers: { authorization: `Bearer ${body.access_token}` },
      })
      return (await me.json()).sub
    }
    assert.equal(await sub(), 'second-at-acme')
    await disconnect(second!)
    const gone = await useTool(access_token)
    assert.deepEqual([gone.status, gone.body.error], [404, 'connection_required'])
    await answer(gone.body.connect_url, { connection_id: first!.connection_id })
    assert.equal((await useTool(access_token)).status, 200)
  })

  test('who says no, or nothing, or names what is not theirs, allows nothing', async () => {
    const { access_token } = await obtain()
    const { connect_url } = (await exchange(access_token)).body
    for (const [values, status] of [
      [{ decision: 'deny' }, 200],
      [{ decision: 'allow', connection_id: '' }, 400],
      [{ decision: '' }, 400],
      [{ connection_id: 'nobody' }, 400],
    ] as const) {
      assert.equal((await answer(connect_url, values)).response.status, status, JSON.stringify(values))
      assertNotAllowed(await exchange(access_token), true)
    }
    const forged = await fetch(connect_url, { method: 'POST', body: new URLSearchParams({ decision: 'allow' }) })
    assert.equal(forged.status, 403)
  })

  test('an end that was not offered is none, and one that was is', async () => {
    for (const [expires_in, seconds] of [
      ['99999999', undefined],
      ['-1', undefined],
      ['3600', 3600],
    ] as const) {
      await allowed({ expires_in })
      const { tenant_id, store } = bridge.server.app.tenant
      const [grant] = await store.listGrantsOfUser({ tenant_id, user_id: bridge.users.alice })
      const [choice, ...more] = JSON.parse(grant!.connections!)
      assert.deepEqual([choice.resource, more], [CALENDAR, []])
      const ends = choice.expires_at && Math.round((choice.expires_at - Date.now() - bridge.clock.offset) / 60_000) * 60
      assert.equal(ends, seconds, expires_in)
    }
  })

  test('what was asked cannot be widened by the form: it is for that client, server, connector and what is asked', async () => {
    const { access_token } = await obtain()
    const { connect_url } = (await exchange(access_token, { authorization_details: READ })).body
    const forged = { client_id: 'rival', resource: TASKS, connector: 'other', grant_id: 'g', user_id: bridge.users.bob }
    await answer(connect_url, { ...forged, actions: 'write', read_only: '' })
    const { tenant_id, store } = bridge.server.app.tenant
    const grants = await store.listGrantsOfUser({ tenant_id, user_id: bridge.users.alice })
    const [grant] = grants
    const [mine] = await bridge.connections()
    const [{ connection_id, ...choice }] = JSON.parse(grant!.connections!)
    assert.deepEqual([grant!.client_id, connection_id], ['agent', mine!.connection_id])
    assert.deepEqual(choice, { connector: 'acme', resource: CALENDAR, actions: ['read'] })
    assertNotAllowed(await exchange((await obtain('rival')).access_token), true)
  })

  test('the account page shows through whom an account is used, and stops that alone at once', async () => {
    const { access_token } = await allowed({ actions: 'read', expires_in: '86400' })
    const { body } = await exchange(access_token)
    assert.equal((await bridge.get('/proxy/acme/events', body.access_token)).status, 200)
    const page = await (await alice.follow(`${bridge.issuer}/account`)).response.text()
    const chain = page.slice(page.indexOf('The agent')).replace(/<[^>]*>/g, '')
    for (const part of [/alice-at-acme@foreign/, /through The calendar server/, /only reading/, /Last used/]) {
      assert.match(chain, part)
    }
    await bridge.press(alice, '/account', formOf('/account/apps/connection', 'client_id', 'agent'))
    assert.equal((await bridge.get('/proxy/acme/events', body.access_token)).status, 403)
    assertNotAllowed(await exchange(access_token), true)
    assertNotAllowed(await handOut(body.access_token), true)
    assert.equal((await bridge.post('/introspect', { token: access_token }, 'calendar')).body.active, true)
    assert.equal((await bridge.connections())[0]!.state, 'ready')
  })

  test('a direct client is asked the same way, for its own grant', async () => {
    const { access_token } = await bridge.obtain(alice, { prompt: 'consent' }, { 'connection.acme': '' })
    const refused = await bridge.get('/proxy/acme/me', access_token)
    assert.deepEqual([refused.status, refused.body.error], [403, 'connection_not_allowed'])
    await answer(refused.body.connect_url)
    assert.equal((await bridge.get('/proxy/acme/me', access_token)).status, 200)
  })
})

describe('at authorization', () => {
  test('RFC 9396 a client may ask in advance, for the server of a resource and for reading alone', async () => {
    const detail = { type: 'connection', connector: 'acme', actions: ['read'], locations: [CALENDAR] }
    const params = { client_id: 'agent', scope: 'offline_access calendar:use', resource: CALENDAR, prompt: 'consent' }
    const asked = { ...params, authorization_details: JSON.stringify([detail]) }
    const page = await (await alice.follow(bridge.authorizeUrl(asked))).response.text()
    assert.match(page, /Only read, nothing is changed/)
    assert.match(page, /Only through The calendar server/)
    const { access_token, authorization_details } = await obtainAs(alice, ALICE, asked)
    assert.deepEqual(authorization_details, [detail])
    assert.equal((await useTool(access_token)).status, 200)
    assert.equal((await handOut(access_token)).body.reason, 'token_not_handed_out')
    assertNotAllowed(await exchange(access_token, { resource: '', audience: 'connector:acme' }, 'agent'), true)
  })

  test('RFC 9396 5 locations that are not asked for, actions that there are not, and a connector twice are refused', async () => {
    for (const [detail, word] of [
      [[{ locations: [TASKS] }], 'locations'],
      [[{ locations: [] }], 'locations'],
      [[{ locations: [CALENDAR, TASKS] }], 'locations'],
      [[{ locations: CALENDAR }], 'locations'],
      [[{ actions: [] }], 'actions'],
      [[{ actions: ['read', 'read'] }], 'actions'],
      [[{ actions: 'read' }], 'actions'],
      [[{ actions: ['erase'] }], 'actions'],
      [[{}, { actions: ['read'] }], 'twice'],
    ] as const) {
      const details = detail.map((one) => ({ type: 'connection', connector: 'acme', ...one }))
      const params = { client_id: 'agent', scope: 'calendar:use', resource: CALENDAR }
      const { url } = await alice.follow(
        bridge.authorizeUrl({ ...params, authorization_details: JSON.stringify(details) }),
      )
      const back = new URL(url).searchParams
      assert.equal(back.get('error'), 'invalid_authorization_details', `${JSON.stringify(detail)} ${url}`)
      assert.ok(back.get('error_description')!.includes(word), back.get('error_description')!)
    }
  })
})

describe('ending any part ends it at once, on every path', () => {
  const disable = (part: 'user' | 'client' | 'connector' | 'tenant') => () => bridge.setDisabled(part, true)
  const event = (type: string) => ({
    tenant_id: bridge.server.app.tenant.tenant_id,
    event_id: `${type}-${Math.random()}`,
    at: Date.now(),
    type,
    actor: 'test',
  })
  const setClient = (client_id: string) => () => {
    const { tenant_id, store } = bridge.server.app.tenant
    return store.setClientDisabled({ tenant_id, client_id, disabled: true, event: event('client.disabled') })
  }
  const enable = async () => {
    const { tenant_id, store } = bridge.server.app.tenant
    for (const part of ['user', 'connector', 'tenant'] as const) await bridge.setDisabled(part, false)
    for (const client_id of ['agent', 'calendar']) {
      await store.setClientDisabled({ tenant_id, client_id, disabled: false, event: event('client.enabled') })
    }
    await standFor(['calendar'])
  }

  for (const [what, end, revives] of [
    ['the grant', () => bridge.press(alice, '/account', formOf('/account/apps/revoke', 'client_id', 'agent')), false],
    ['the connection', async () => disconnect((await bridge.connections())[0]!), false],
    ['the user', disable('user'), false],
    ['the client', setClient('agent'), false],
    ['the server’s client', setClient('calendar'), false],
    ['the connector', disable('connector'), true],
    ['the tenant', disable('tenant'), false],
    ['what the server stands for', () => standFor([]), true],
  ] as const) {
    test(`ending ${what}`, async () => {
      if ((await bridge.connections()).length === 0) await bridge.connect(alice)
      const { access_token } = await allowed()
      const { body } = await exchange(access_token)
      const isActive = async () => (await bridge.post('/introspect', { token: access_token }, 'calendar')).body
      assert.equal((await isActive()).active, true)
      const paths = [
        () => bridge.get('/proxy/acme/events', body.access_token),
        () => exchange(access_token),
        () => handOut(access_token),
        () => handOut(body.access_token),
      ]
      for (const path of paths) assert.equal((await path()).status, 200)
      await end()
      const seen = bridge.api.received.length
      const after_end = await Promise.all(paths.map((path) => path()))
      // A token for the proxy may still be had of a connection that is gone: it reaches nothing.
      const refused = after_end.filter((_, i) => i !== 1 || !['the connection', 'the connector'].includes(what))
      for (const { status, text } of refused) assert.ok([400, 401, 403, 404, 503].includes(status), `${status} ${text}`)
      // The server itself refuses the client whose access is over; what else has ended is not its to know.
      const ends_calls = ['the grant', 'the user', 'the client', 'the tenant'].includes(what)
      if (ends_calls) assert.notEqual((await isActive()).active, true)
      assert.equal(bridge.api.received.length, seen, 'nothing reached the API')
      await enable()
      const revived = await bridge.get('/proxy/acme/events', body.access_token)
      assert.equal(revived.status === 200, revives, `${revived.status}`)
      alice = await bridge.signIn()
    })
  }
})

// At last, since the provider's clock stays behind.
describe('when its time is over', () => {
  test('the end that the user chose is the end, for tokens that are out as well', async () => {
    const { access_token, refresh_token } = await allowed({ expires_in: '3600' })
    const subject = (await bridge.post('/introspect', { token: access_token }, 'calendar')).body
    bridge.clock.offset += 3_600_000 - 300_000
    const form = { grant_type: 'refresh_token', refresh_token }
    const fresh = (await bridge.post('/token', form, 'agent')).body.access_token
    const { body } = await exchange(fresh)
    assert.ok(body.expires_in <= 300, `${body.expires_in}`)
    assert.equal((await bridge.get('/proxy/acme/events', body.access_token)).status, 200)
    bridge.clock.offset += 300_000
    assertNotAllowed(await exchange(fresh), true)
    assertNotAllowed(await handOut(fresh), true)
    assert.ok([401, 403].includes((await bridge.get('/proxy/acme/events', body.access_token)).status))
    assert.ok(subject.exp)
    alice = await bridge.signIn()
  })

  test('a link that is older than a day opens nothing', async () => {
    const { connect_url } = (await exchange((await obtain()).access_token)).body
    bridge.clock.offset += 24 * 3_600_000 + 1000
    alice = await bridge.signIn()
    assert.equal((await alice.follow(connect_url)).response.status, 404)
  })
})
