import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders, RequestListener, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { readWebhookSecret } from '../../server/src/crypto/webhook_signature.ts'
import type { ClaimsHook } from '../../server/src/inbound/claims_hook.ts'
import { createHttpClaimsHook } from '../../server/src/inbound/http_claims_hook.ts'
import { startLocalServer } from '../parts/local_server.ts'
import {
  ALICE,
  CALLBACK,
  claimsOf,
  JWT_API,
  OPAQUE_API,
  onBothDatabases,
  type Platform,
  type Reply,
  readReply,
} from '../parts/platform.ts'
import { startSallyport } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()

const ERIN = { username: 'erin', password: 'erin and her password' } as const
const ADDRESS = { street_address: '1 Main Street', locality: 'Springfield', country: 'US' }
const PERSON = {
  ...{
    given_name: 'Erin',
    family_name: 'Example',
    middle_name: 'E.',
    nickname: 'rin',
    website: 'https://erin.example',
  },
  ...{ profile: 'https://erin.example/me', picture: 'https://erin.example/me.png', gender: 'female' },
  ...{ birthdate: '1990-01-01', zoneinfo: 'Europe/Zurich', locale: 'de-CH' },
}
const CLAIMS = {
  ...PERSON,
  address: ADDRESS,
  phone_number: '+41 44 668 18 00',
  phone_number_verified: true,
  department: 'R&D',
}

const SCOPE = 'openid profile email address phone offline_access mcp:tools api:read vault:open'

const people = new WeakMap<Platform, Promise<string>>()

/** Erin, of whom everything is known, once for each platform. */
function ensureErin(p: Platform): Promise<string> {
  const known = people.get(p)
  if (known) return known
  const more = { email: 'erin@example.test', email_verified: true, roles: ['member'], claims: CLAIMS }
  const added = p.server.addUser({ ...ERIN, ...more })
  people.set(p, added)
  return added
}

interface Tokens {
  readonly access_token: string
  readonly id_token: string
  readonly refresh_token: string
}

/** Signs Erin in at a client of the test's own; answers its tokens. */
async function signInAt(
  p: Platform,
  client_id: string,
  params: Record<string, string | undefined> = {},
  metadata: Record<string, unknown> | null = {},
): Promise<Tokens> {
  await ensureErin(p)
  const client_secret = `secret-of-${client_id}`
  const redirect_uris = (metadata?.['redirect_uris'] as string[] | undefined) ?? [CALLBACK]
  if (metadata) {
    const flows = { grant_types: ['authorization_code', 'refresh_token'], scope: SCOPE, redirect_uris }
    await p.server.addClient({ client_id, client_secret, ...flows, ...metadata })
  }
  const redirect_uri = params['redirect_uri'] ?? redirect_uris[0]!
  const url = p.authorizeUrl('web', { client_id, redirect_uri, scope: 'openid', resource: undefined, ...params })
  const back = await new UserAgent().authorize(url, ERIN)
  const reply = await postTo(p, client_id, {
    ...{ grant_type: 'authorization_code', code: back.searchParams.get('code') ?? '', redirect_uri },
    code_verifier: 'verifier-of-the-platform-0123456789-abcdefghij',
  })
  assert.equal(reply.status, 200, `${back} ${reply.text}`)
  return reply.body
}

async function postTo(p: Platform, client_id: string, form: Record<string, string>, path = '/token'): Promise<Reply> {
  const authorization = `Basic ${Buffer.from(`${client_id}:secret-of-${client_id}`).toString('base64')}`
  const body = new URLSearchParams(form)
  return readReply(await fetch(p.issuer + path, { method: 'POST', headers: { authorization }, body }))
}

testOnBoth(
  '8.2.3 OpenID Connect Core 5.4 each scope opens its claims at userinfo, by GET and by POST, and no others',
  async (p) => {
    const of = {
      profile: [...Object.keys(PERSON), 'preferred_username', 'updated_at'],
      email: ['email', 'email_verified'],
      address: ['address'],
      phone: ['phone_number', 'phone_number_verified'],
    }
    for (const [scope, names] of Object.entries(of)) {
      const { access_token, id_token } = await signInAt(p, `scope-${scope}`, { scope: `openid ${scope}` })
      const { body } = await p.userinfo(access_token)
      assert.deepEqual(Object.keys(body).sort(), ['sub', ...names].sort(), scope)
      const headers = { authorization: `Bearer ${access_token}` }
      assert.deepEqual((await readReply(await fetch(`${p.issuer}/userinfo`, { method: 'POST', headers }))).body, body)
      for (const name of names) assert.equal(claimsOf(id_token)[name], undefined, 'by code, not in the ID token')
    }
    const { access_token } = await signInAt(p, 'scope-all', { scope: 'openid address phone' })
    const { body } = await p.userinfo(access_token)
    assert.deepEqual([body.address, body.phone_number_verified], [ADDRESS, true])
    const metadata = await (await fetch(`${p.issuer}/.well-known/openid-configuration`)).json()
    assert.equal(metadata.claims_parameter_supported, true)
    for (const name of Object.values(of).flat()) assert.ok(metadata.claims_supported.includes(name), name)
  },
)

testOnBoth(
  'OpenID Connect Core 5.5 claims are asked for by name, and given where the user allowed their scope',
  async (p) => {
    const claims = {
      userinfo: { given_name: { essential: true }, phone_number: null, unknown: null, roles: null },
      id_token: { email: null, auth_time: { essential: true }, birthdate: null, at_hash: { value: 'x' } },
    }
    const asked = { scope: 'openid', claims: JSON.stringify(claims), prompt: 'consent' }
    const { access_token, id_token, refresh_token } = await signInAt(p, 'asks', asked)
    const { body } = await p.userinfo(access_token)
    assert.deepEqual(Object.keys(body).sort(), ['given_name', 'phone_number', 'sub'])
    const told = claimsOf(id_token)
    assert.deepEqual(
      [told['email'], told['birthdate'], typeof told['auth_time']],
      ['erin@example.test', '1990-01-01', 'number'],
    )
    assert.deepEqual([told['given_name'], told['at_hash'] === 'x'], [undefined, false])
    const refreshed = (await postTo(p, 'asks', { grant_type: 'refresh_token', refresh_token })).body
    assert.equal(claimsOf(refreshed.id_token)['email'], 'erin@example.test')
    // A client that may not have the scope of a claim does not get it by its name.
    const narrow = await signInAt(p, 'asks-less', asked, { scope: 'openid' })
    assert.deepEqual(Object.keys((await p.userinfo(narrow.access_token)).body), ['sub'])
    assert.equal(claimsOf(narrow.id_token)['email'], undefined)
  },
)

testOnBoth('OpenID Connect Core 5.5.1 the claim sub says who must be signed in', async (p) => {
  const { id_token } = await signInAt(p, 'knows')
  const url = (sub: unknown, more = {}) =>
    p.authorizeUrl('web', {
      ...{ client_id: 'knows', redirect_uri: CALLBACK, scope: 'openid', resource: undefined, prompt: 'none' },
      ...{ claims: JSON.stringify({ id_token: { sub: { value: sub } } }), ...more },
    })
  const agent = new UserAgent()
  await agent.authorize(p.authorizeUrl('web', { client_id: 'knows', scope: 'openid', resource: undefined }), ERIN)
  const answer = async (location: string) =>
    new URL((await agent.request(location)).headers.get('location')!).searchParams
  assert.ok((await answer(url(claimsOf(id_token)['sub']))).has('code'))
  assert.equal((await answer(url('somebody else'))).get('error'), 'login_required')
})

testOnBoth('OpenID Connect Core 8 pairwise: one name for each sector, stable, and nobody else’s', async (p) => {
  const pairwise = { subject_type: 'pairwise' }
  const hosts = (host: string) => ({ ...pairwise, redirect_uris: [`https://${host}/callback`] })
  const sub = ({ id_token }: Tokens) => claimsOf(id_token)['sub'] as string
  const one = await signInAt(p, 'pair-one', {}, hosts('one.example'))
  const same = await signInAt(p, 'pair-one', { redirect_uri: 'https://one.example/callback' }, null)
  const sibling = await signInAt(p, 'pair-sibling', {}, hosts('one.example'))
  const other = await signInAt(p, 'pair-other', {}, hosts('two.example'))
  const open = await signInAt(p, 'pair-none')
  assert.match(sub(one), /^pw_[A-Za-z0-9_-]{43}$/)
  assert.equal(sub(same), sub(one))
  assert.equal(sub(sibling), sub(one), 'one sector, one name')
  assert.equal(new Set([sub(one), sub(other), sub(open)]).size, 3)
  for (const [tokens, client_id] of [
    [one, 'pair-one'],
    [other, 'pair-other'],
  ] as const) {
    assert.equal((await p.userinfo(tokens.access_token)).body.sub, sub(tokens))
    const seen = (await postTo(p, client_id, { token: tokens.access_token }, '/introspect')).body
    assert.deepEqual([seen.active, seen.sub, seen.username], [true, sub(tokens), undefined])
    const refreshed = (await postTo(p, client_id, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }))
      .body
    assert.equal(claimsOf(refreshed.id_token)['sub'], sub(tokens))
  }
  for (const token of [one, other].flatMap((tokens) => [tokens.access_token, tokens.id_token])) {
    if (token.split('.').length === 3)
      assert.ok(!JSON.stringify(claimsOf(token)).includes(sub(open)), 'our own name of her')
  }
})

testOnBoth('pairwise users have a name of their own at each resource, in the token or by introspection', async (p) => {
  const at = (scope: string, resource: string) => ({ scope: `openid ${scope}`, resource })
  const redirect_uris = (host: string) => ({ subject_type: 'pairwise', redirect_uris: [`https://${host}/cb`] })
  const first = await signInAt(p, 'reader-a', at('api:read', JWT_API), redirect_uris('a.example'))
  const second = await signInAt(p, 'reader-b', at('api:read', JWT_API), redirect_uris('b.example'))
  const [a, b] = [first, second].map(({ access_token }) => claimsOf(access_token)['sub'])
  assert.equal(a, b, 'a resource knows her by one name, whichever client comes')
  assert.notEqual(a, claimsOf(first.id_token)['sub'])
  assert.equal((await p.introspect(first.access_token)).sub, a)
  const opaque = await signInAt(p, 'reader-c', at('vault:open', OPAQUE_API), redirect_uris('c.example'))
  assert.match((await p.introspect(opaque.access_token)).sub, /^pw_/)
})

testOnBoth('pairwise applications on people’s own machines are each a sector of their own', async (p) => {
  const native = { subject_type: 'pairwise', application_type: 'native' }
  const sub = ({ id_token }: Tokens) => claimsOf(id_token)['sub']
  const one = await signInAt(p, 'native-one', {}, { ...native, redirect_uris: ['http://127.0.0.1:4000/cb'] })
  const other = await signInAt(p, 'native-two', {}, { ...native, redirect_uris: ['http://127.0.0.1:4000/cb'] })
  const scheme = await signInAt(p, 'native-three', {}, { ...native, redirect_uris: ['com.example.three:/cb'] })
  assert.equal(new Set([one, other, scheme].map(sub)).size, 3)
})

testOnBoth('B-19 no client is named as a user is, and pairwise names need one sector', async (p) => {
  const add = (metadata: Record<string, unknown>) => p.server.addClient({ redirect_uris: [CALLBACK], ...metadata })
  await assert.rejects(add({ client_id: `pw_${'x'.repeat(43)}` }), /client_id must not begin with pw_/)
  const redirect_uris = ['https://one.example/cb', 'https://two.example/cb']
  await assert.rejects(add({ subject_type: 'pairwise', redirect_uris }), /sector_identifier_uri/)
  await assert.rejects(add({ subject_type: 'secret' }), /subject_type must be public or pairwise/)
  await assert.rejects(add({ sector_identifier_uri: 'http://one.example/list' }), /sector_identifier_uri/)
  const sector_identifier_uri = 'https://sector.example/list.json'
  await add({ client_id: 'two-hosts', subject_type: 'pairwise', redirect_uris, sector_identifier_uri })
})

testOnBoth('a tenant maps what it keeps of a user to claims of its own, each to where it is to be told', async (p) => {
  const claim = 'https://example.test/department'
  const everywhere = ['access_token', 'id_token', 'userinfo']
  await p.server.saveSettings({
    custom_claims: [
      { claim, from: 'department', in: everywhere },
      { claim: 'nick', from: 'nickname', scope: 'profile', in: ['id_token'] },
      { claim: 'nothing', from: 'toString', in: everywhere },
      // What an administrator cannot save is no claim either where it got in another way.
      ...['sub', 'email', 'email_verified', 'roles', 'scope', 'aud', 'acr', 'client_id', 'iss', 'cnf'].map((name) => ({
        ...{ claim: name, from: 'department', in: everywhere },
      })),
    ],
  })
  const tokens = await signInAt(p, 'mapped', { scope: 'openid api:read', resource: JWT_API })
  const [access, id] = [claimsOf(tokens.access_token), claimsOf(tokens.id_token)]
  assert.deepEqual([access[claim], id[claim], id['nick'], id['nothing']], ['R&D', 'R&D', undefined, undefined])
  for (const claims of [access, id]) {
    for (const name of ['sub', 'email', 'roles', 'scope', 'aud', 'client_id', 'iss'])
      assert.notEqual(claims[name], 'R&D', name)
  }
  const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
  const flows = { grant_types: ['authorization_code', exchange] }
  const held = await signInAt(p, 'mapped-3', { scope: 'openid api:read', resource: JWT_API }, flows)
  const subject_token_type = 'urn:ietf:params:oauth:token-type:access_token'
  const subject = { subject_token: held.access_token, subject_token_type, resource: JWT_API }
  const { body } = await postTo(p, 'mapped-3', { grant_type: exchange, ...subject })
  assert.equal(claimsOf(body.access_token)[claim], 'R&D', 'whatever grant type a token about a user comes of')
  const { access_token, id_token } = await signInAt(p, 'mapped-2', { scope: 'openid profile' })
  assert.equal((await p.userinfo(access_token)).body[claim], 'R&D')
  assert.equal(claimsOf(id_token)['nick'], 'rin')
  await p.server.saveSettings({})
})

/** A server with a claims hook, and a client whose user signs in again and again. */
async function startWithHook(t: TestContext, claims_hook: ClaimsHook) {
  const server = await startSallyport({ app: { claims_hook } })
  t.after(() => server.stop())
  const web = { client_id: 'web', client_secret: 'secret-of-web', redirect_uris: [CALLBACK], scope: 'openid email' }
  const grant_types = ['authorization_code', 'refresh_token']
  await server.addClient({ ...web, grant_types, require_pkce: false, offline_refresh_only: false })
  await server.addUser({ ...ALICE, email: 'alice@example.test' })
  const about = { response_type: 'code', client_id: 'web', redirect_uri: CALLBACK, scope: 'openid email' }
  const url = `${server.issuer}/authorize?${new URLSearchParams(about)}`
  const agent = new UserAgent()
  const code = async () => (await agent.authorize(url, ALICE)).searchParams.get('code')!
  const authorization = `Basic ${Buffer.from('web:secret-of-web').toString('base64')}`
  const exchange = async (form: Record<string, string>) => {
    const body = new URLSearchParams({ redirect_uri: CALLBACK, ...form })
    return readReply(await fetch(`${server.issuer}/token`, { method: 'POST', headers: { authorization }, body }))
  }
  const redeem = (of: string) => exchange({ grant_type: 'authorization_code', code: of })
  return { server, code, exchange, redeem }
}

test('CVE-2024-29892 an embedder’s hook adds claims, sets none that is reserved, and has two seconds', async (t) => {
  const asked: Record<string, unknown>[] = []
  let answer: () => unknown = () => ({})
  const { server, code, redeem } = await startWithHook(t, async (ask) => {
    asked.push({ ...ask })
    return (await answer()) as Record<string, unknown>
  })

  answer = () => ({
    plan: 'gold',
    ...{ sub: 'root', iss: 'evil', aud: 'all', scope: 'admin:write', roles: ['administrator'], email_verified: true },
    ...{
      email: 'root@example.test',
      client_id: 'other',
      exp: 9e9,
      cnf: {},
      grant_id: 'x',
      ep: [0, 0, 0, 0],
      acr: 'phr',
    },
    ...{ authorization_details: [], act: { sub: 'x' }, may_act: {}, sid: 'x', nonce: 'x', azp: 'x', amr: ['mfa'] },
  })
  const { body } = await redeem(await code())
  for (const token of [body.access_token, body.id_token]) {
    const claims = claimsOf(token)
    assert.equal(claims['plan'], 'gold')
    for (const [name, value] of Object.entries(claims)) {
      assert.doesNotMatch(JSON.stringify([name, value]), /root|evil|admin|"x"|phr|9000000000/, name)
    }
  }
  const headers = { authorization: `Bearer ${body.access_token}` }
  const userinfo = (await readReply(await fetch(`${server.issuer}/userinfo`, { headers }))).body
  assert.deepEqual([userinfo.plan, userinfo.email, userinfo.email_verified], ['gold', 'alice@example.test', false])
  assert.deepEqual(
    asked.map(({ place, client_id, scope }) => [place, client_id, scope]),
    ['access_token', 'id_token', 'userinfo'].map((place) => [place, 'web', ['openid', 'email']]),
  )
  // One that fails, never answers or answers no claims, fails the request, which has used nothing up.
  const patient = await code()
  const strange = [null, 'text', ['a'], { huge: 'x'.repeat(5000) }].map((given) => () => given)
  for (const fails of [() => Promise.reject(new Error('the directory')), () => new Promise(() => {}), ...strange]) {
    answer = fails
    const refused = await redeem(patient)
    assert.deepEqual([refused.status, refused.body.error], [503, 'temporarily_unavailable'])
    assert.doesNotMatch(refused.text, /directory/)
  }
  answer = () => ({})
  assert.equal((await redeem(patient)).status, 200)
})

test('claims over HTTP are asked for by a signed request, and whatever else comes than claims fails and uses nothing up', async (t) => {
  const SECRET = randomBytes(32)
  const asked: { headers: IncomingHttpHeaders; body: string; url: string | undefined }[] = []
  const plan: RequestListener = (_, response) => answerJson(response, '{"plan":"gold","sub":"root"}')
  let answer = plan
  const service = await startLocalServer(t, async (request, response) => {
    asked.push({ headers: request.headers, body: await text(request), url: request.url })
    answer(request, response)
  })
  let now = Date.now()
  const secret = readWebhookSecret(`whsec_${SECRET.toString('base64')}`)!
  const hook = createHttpClaimsHook({ url: `${service.url}/claims`, secret, clock: () => now })
  t.after(() => hook.close())
  const { code, exchange, redeem } = await startWithHook(t, hook.ask)

  const { body } = await redeem(await code())
  for (const token of [body.access_token, body.id_token]) {
    assert.equal(claimsOf(token)['plan'], 'gold')
    assert.notEqual(claimsOf(token)['sub'], 'root')
  }
  const ids = asked.map(({ headers, body }) => {
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers
    const expected = createHmac('sha256', SECRET).update(`${id}.${timestamp}.${body}`).digest('base64')
    assert.deepEqual([signature, timestamp], [`v1,${expected}`, String(Math.floor(now / 1000))])
    return id
  })
  assert.equal(new Set(ids).size, 2)
  const { user, ...about } = JSON.parse(asked[0]!.body)
  assert.deepEqual(Object.keys(about).sort(), ['client_id', 'place', 'resource', 'scope', 'tenant_id'])
  assert.deepEqual([about.client_id, user.username, user.claims], ['web', 'alice', {}])

  const faults: Readonly<Record<string, RequestListener>> = {
    slow: () => {},
    'slow in the middle': (_, response) => void response.writeHead(200, JSON_TYPE).write('{"plan":'),
    failing: (_, response) => void response.writeHead(500, JSON_TYPE).end('{"plan":"gold"}'),
    refusing: (_, response) => void response.writeHead(401).end(),
    empty: (_, response) => void response.writeHead(204).end(),
    garbage: (_, response) => answerJson(response, '{"plan":'),
    'a member twice': (_, response) => answerJson(response, '{"plan":"gold","plan":"free"}'),
    'a list': (_, response) => answerJson(response, '["gold"]'),
    'no JSON': (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('{"plan":"gold"}'),
    'too big': (_, response) => answerJson(response, `{"plan":"${'x'.repeat(20_000)}"}`),
    'too many claims': (_, response) => answerJson(response, `{"plan":"${'x'.repeat(3000)}"}`),
    elsewhere: (_, response) => void response.writeHead(307, { location: `${service.url}/elsewhere` }).end(),
    cut: (_, response) => void response.destroy(),
  }
  const patient = await code()
  let refresh_token: string = body.refresh_token
  for (const [name, fault] of Object.entries(faults)) {
    answer = fault
    const form = { grant_type: 'refresh_token', refresh_token }
    for (const refused of await Promise.all([redeem(patient), exchange(form)])) {
      assert.deepEqual([refused.status, refused.body.error], [503, 'temporarily_unavailable'], name)
      assert.ok(refused.headers.get('retry-after'), name)
      assert.doesNotMatch(refused.text, /token"|127\.0\.0\.1/, name)
    }
    answer = plan
    const refreshed = await exchange(form)
    assert.equal(claimsOf(refreshed.body.access_token)['plan'], 'gold', name)
    refresh_token = refreshed.body.refresh_token
  }
  assert.ok(asked.every(({ url }) => url === '/claims'))

  // Whom it refuses is refused alone; after five failures nobody waits for it, until it is tried again.
  answer = faults['refusing']!
  for (let i = 0; i < 6; i++) assert.equal((await redeem(patient)).status, 503)
  answer = faults['cut']!
  for (let i = 0; i < 5; i++) assert.equal((await redeem(patient)).status, 503)
  answer = plan
  const before = asked.length
  assert.deepEqual([(await redeem(patient)).status, asked.length], [503, before])
  now += 1000
  assert.equal((await redeem(patient)).status, 200)

  service.server.closeAllConnections()
  await new Promise((resolve) => service.server.close(resolve))
  const form = { grant_type: 'refresh_token', refresh_token }
  for (let i = 0; i < 6; i++) assert.equal((await exchange(form)).body.error, 'temporarily_unavailable')
})

const JSON_TYPE = { 'content-type': 'application/json' }

function answerJson(response: ServerResponse, body: string): void {
  response.writeHead(200, JSON_TYPE).end(body)
}
