import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import {
  type Answer,
  answerCut,
  answerEndless,
  answerJson,
  answerNothing,
  answerText,
  startHostileProvider,
} from '../../../test/parts/hostile_provider.ts'
import { createEgress } from '../egress/egress.ts'
import { createCatalogue } from '../providers/catalogue.ts'
import type { ProviderFields } from '../providers/provider.ts'
import { type ResolvedProvider, resolveProvider } from '../providers/resolve.ts'
import { buildAuthorizationUrl } from './authorization_url.ts'
import { createRelyingContext, type RelyingParty } from './context.ts'
import { DiscoveryError, discoverProvider } from './discovery.ts'
import { exchangeCode } from './exchange_code.ts'
import { validateIdToken } from './id_token.ts'
import { revokeToken } from './revocation.ts'
import { refreshToken } from './token_call.ts'
import { fetchUserinfo } from './userinfo.ts'

const redirect_uri = 'http://127.0.0.1:9/callback'

async function start(t: TestContext, fields: Partial<ProviderFields> = {}, name = 'oidc') {
  const hostile = await startHostileProvider()
  const egress = createEgress({ allow: [hostile.issuer.slice('http://'.length)] })
  t.after(async () => {
    await egress.close()
    await hostile.close()
  })
  let now = Date.now()
  const context = createRelyingContext({ egress, clock: () => now })
  const provider = resolveProvider(createCatalogue().get(name)!, {
    client_id: 'client',
    fields: { issuer: hostile.issuer, ...fields },
  })
  const party: RelyingParty = { provider, client_id: 'client', client_secret: 's3cret', redirect_uri, scope: 'openid' }
  const advance = (ms: number) => {
    now += ms
  }
  return { hostile, context, party, advance }
}

async function discoveryFailure(context: Parameters<typeof discoverProvider>[0], party: RelyingParty) {
  const error = await discoverProvider(context, party.provider).catch((error) => error)
  assert.ok(error instanceof DiscoveryError, String(error))
  return error.reason
}

test('10.5.3 metadata whose issuer is not the configured one, to the letter, is refused', async (t) => {
  const { hostile, context, party } = await start(t)
  const { port } = new URL(hostile.issuer)
  const others = [`${hostile.issuer}/`, `HTTP://127.0.0.1:${port}`, `http://127.0.0.1:0${port}`, 'https://evil.example']
  others.push(`http://localhost:${port}`, `${hostile.issuer}/tenant`, `${hostile.issuer}?`, `http://0x7f.1:${port}`)
  for (const issuer of others) {
    hostile.metadata['issuer'] = issuer
    assert.equal(await discoveryFailure(context, party), 'issuer_mismatch', issuer)
  }
  for (const issuer of [undefined, null, 1, '', {}]) {
    hostile.metadata['issuer'] = issuer
    assert.equal(await discoveryFailure(context, party), 'invalid', String(issuer))
  }
  hostile.metadata['issuer'] = hostile.issuer
  assert.equal((await discoverProvider(context, party.provider)).issuer, hostile.issuer)
})

test('metadata that is a page, deep, endless, cut, moved or missing is refused, and asked for again', async (t) => {
  const { hostile, context, party } = await start(t)
  const path = '/.well-known/openid-configuration'
  const good = hostile.answers.get(path)!
  const cases: Array<[Answer, string]> = [
    [answerText('<html>', 200, { 'content-type': 'text/html' }), 'unreachable'],
    [answerJson(`{"issuer":"${hostile.issuer}","x":${'['.repeat(50)}${']'.repeat(50)}}`), 'unreachable'],
    [answerEndless, 'unreachable'],
    [answerCut('{"issuer"'), 'unreachable'],
    [answerCut(), 'unreachable'],
    [answerText('', 302, { location: `${hostile.issuer}/elsewhere` }), 'invalid'],
    [answerJson({}, 404), 'invalid'],
    [answerJson({}, 503), 'unreachable'],
  ]
  for (const [answer, reason] of cases) {
    hostile.answers.set(path, answer)
    assert.equal(await discoveryFailure(context, party), reason)
  }
  const outcome = await refreshToken(context, party, { refresh_token: 'rt' })
  assert.equal(outcome.kind === 'unknown' && outcome.sent, false, 'nothing was spent')
  hostile.answers.set(path, good)
  assert.equal((await refreshToken(context, party, { refresh_token: 'rt' })).kind, 'tokens')
})

test('metadata is fetched once for many callers, again after an hour, and does without for a day', async (t) => {
  const { hostile, context, party, advance } = await start(t)
  const path = '/.well-known/openid-configuration'
  const asked = () => hostile.received.filter(({ url }) => url === path).length
  await Promise.all(Array.from({ length: 64 }, () => discoverProvider(context, party.provider)))
  await discoverProvider(context, party.provider)
  assert.equal(asked(), 1)
  advance(61 * 60 * 1000)
  await Promise.all(Array.from({ length: 8 }, () => discoverProvider(context, party.provider)))
  assert.equal(asked(), 2)
  hostile.answers.set(path, answerJson({}, 503))
  advance(61 * 60 * 1000)
  await discoverProvider(context, party.provider)
  assert.equal(asked(), 3)
  advance(24 * 60 * 60 * 1000)
  assert.equal(await discoveryFailure(context, party), 'unreachable')
})

test('the record’s own endpoints count more than the metadata’s, and no metadata is needed with them', async (t) => {
  const { hostile, context, party } = await start(t)
  const token_endpoint = `${hostile.issuer}/other-token`
  const mixed = { ...party, provider: { ...party.provider, token_endpoint } }
  assert.equal((await discoverProvider(context, mixed.provider)).token_endpoint, token_endpoint)
  hostile.received.length = 0
  const provider = { ...party.provider, token_endpoint, discovery: null }
  assert.equal((await discoverProvider(context, provider)).token_endpoint, token_endpoint)
  assert.deepEqual(hostile.received, [])
})

test('an authorization endpoint that a browser must not be sent to is refused', async (t) => {
  const { hostile, context, party, advance } = await start(t)
  for (const endpoint of [
    'javascript:alert(1)',
    'data:text/html,x',
    'http://example.com/authorize',
    '/authorize',
    '',
  ]) {
    hostile.metadata['authorization_endpoint'] = endpoint
    advance(2 * 60 * 60 * 1000)
    await assert.rejects(buildAuthorizationUrl(context, party, { state: 's' }), DiscoveryError, endpoint)
  }
})

test('10.2.1 10.2.3 the request carries state, S256 and nonce, and asks for the connector’s scope alone', async (t) => {
  const { context, party } = await start(t)
  const { url, remember } = await buildAuthorizationUrl(context, party, {
    state: 'st',
    params: { login_hint: 'a&b', response_type: 'token', state: 'evil', redirect_uri: 'https://evil.example' },
  })
  const params = Object.fromEntries(new URL(url).searchParams)
  assert.match(params['code_challenge']!, /^[\w-]{43}$/)
  assert.equal(params['nonce'], remember.nonce)
  assert.match(remember.code_verifier!, /^[\w-]{43}$/)
  const { code_challenge, nonce, ...rest } = params
  assert.deepEqual(rest, {
    ...{ response_type: 'code', client_id: 'client', redirect_uri, state: 'st', scope: 'openid' },
    ...{ code_challenge_method: 'S256', login_hint: 'a&b' },
  })
  const offline = await buildAuthorizationUrl(context, { ...party, scope: 'openid offline_access' }, { state: 's' })
  assert.equal(new URL(offline.url).searchParams.get('prompt'), 'consent', 'what makes a refresh token come')
})

test('10.2.1 PKCE is left out only where record or metadata says it does not work', async (t) => {
  const { hostile, context, party, advance } = await start(t)
  const verifierOf = async (pkce: ProviderFields['pkce'], methods: unknown) => {
    hostile.metadata['code_challenge_methods_supported'] = methods
    advance(2 * 60 * 60 * 1000)
    const { url, remember } = await buildAuthorizationUrl(
      context,
      { ...party, provider: { ...party.provider, pkce } },
      { state: 's' },
    )
    assert.equal(new URL(url).searchParams.has('code_challenge'), remember.code_verifier !== null)
    return remember.code_verifier !== null
  }
  assert.equal(await verifierOf('supported', undefined), true)
  assert.equal(await verifierOf('supported', ['plain', 'S256']), true)
  assert.equal(await verifierOf('supported', ['plain']), false)
  assert.equal(await verifierOf('required', ['plain']), true)
  assert.equal(await verifierOf('refused', ['S256']), false)
})

test('quirks of the request: scope parameter and separator, extra parameters, a query in the endpoint', async (t) => {
  const { hostile, context, party } = await start(t, {
    discovery: null,
    scope_parameter: 'user_scope',
    scope_separator: ',',
    default_scope: 'read write',
    authorization_params: { owner: 'user' },
    offline_scope: null,
    offline_params: { access_type: 'offline' },
    response_mode: 'form_post',
  })
  const provider = { ...party.provider, authorization_endpoint: `${hostile.issuer}/authorize?tenant=1` }
  const { url, remember } = await buildAuthorizationUrl(context, { ...party, provider, scope: '' }, { state: 's' })
  const params = new URL(url).searchParams
  assert.equal(params.get('user_scope'), 'read,write')
  assert.equal(params.get('scope'), null)
  const rest = ['tenant', 'owner', 'access_type', 'response_mode'].map((name) => params.get(name))
  assert.deepEqual(rest, ['1', 'user', 'offline', 'form_post'])
  assert.equal(remember.nonce, null)
  const none = { ...provider, scope_parameter: null }
  const without = await buildAuthorizationUrl(context, { ...party, provider: none }, { state: 's' })
  assert.equal(new URL(without.url).searchParams.has('scope'), false)
})

test('token requests go out as form, JSON or query, with the credentials where the record wants them', async (t) => {
  const { hostile, context, party } = await start(t)
  const send = async (fields: Partial<ProviderFields>, more: Partial<RelyingParty> = {}) => {
    hostile.received.length = 0
    const asked = { ...party, ...more, provider: { ...party.provider, ...fields } } as RelyingParty
    const outcome = await refreshToken(context, asked, { refresh_token: 'rt', access_token: 'old', scope: 'a b' })
    assert.equal(outcome.kind, 'tokens', JSON.stringify(outcome))
    const { method, url, headers, body } = hostile.received.findLast(({ url }) => /token|renew/.test(url))!
    return { method, url, type: headers['content-type'], authorization: headers['authorization'], body, headers }
  }
  const form = await send({})
  assert.deepEqual([form.method, form.url, form.body], ['POST', '/token', 'refresh_token=rt&grant_type=refresh_token'])
  assert.equal(form.authorization, `Basic ${btoa('client:s3cret')}`)
  const post = await send({ token_endpoint_auth_method: 'client_secret_post' })
  assert.match(post.body, /client_id=client&client_secret=s3cret/)
  assert.equal(post.authorization, undefined)
  const json = await send({ token_request: 'json', token_request_headers: { 'x-version': '2' } })
  assert.deepEqual([json.type, json.body], ['application/json', '{"refresh_token":"rt","grant_type":"refresh_token"}'])
  assert.equal(json.headers['x-version'], '2')
  const query = await send({ token_request: 'query', token_endpoint_auth_method: 'client_secret_post' })
  assert.deepEqual([query.method, query.body], ['GET', ''])
  assert.match(query.url, /^\/token\?refresh_token=rt&grant_type=refresh_token&client_id=client&client_secret=s3cret$/)
  const none = await send({}, { client_secret: null })
  assert.deepEqual([none.authorization, none.body.includes('client_id=client')], [undefined, true])
  const more = await send({ refresh_sends: ['scope', 'redirect_uri'], refresh_params: { expiring: '1' } })
  assert.deepEqual(Object.fromEntries(new URLSearchParams(more.body)), {
    ...{ expiring: '1', redirect_uri, scope: 'a b', refresh_token: 'rt', grant_type: 'refresh_token' },
  })
  hostile.answers.set('/renew', hostile.answers.get('/token')!)
  const other = await send({ refresh_endpoint: `${hostile.issuer}/renew` })
  assert.equal(other.url, '/renew')
  const renewal = { grant_type: 'fb_exchange_token', token_param: 'fb_exchange_token', sends: 'access_token' } as const
  assert.match((await send({ refresh_grant: renewal })).body, /fb_exchange_token=old&grant_type=fb_exchange_token/)
})

test('Basic credentials are form-encoded, or raw where the record says so', async (t) => {
  const { hostile, context, party } = await start(t)
  const sent = async (basic_credentials: 'encoded' | 'raw') => {
    const asked = {
      ...party,
      client_id: 'a-b.c_d',
      client_secret: 'p+ ss:&%ö',
      provider: { ...party.provider, basic_credentials },
    }
    await refreshToken(context, asked, { refresh_token: 'rt' })
    const { headers } = hostile.received.at(-1)!
    return Buffer.from(String(headers['authorization']).slice(6), 'base64').toString()
  }
  assert.equal(await sent('encoded'), 'a-b.c_d:p%2B+ss%3A%26%25%C3%B6')
  assert.equal(await sent('raw'), 'a-b.c_d:p+ ss:&%ö')
})

test('metadata that takes a secret in one way only is followed', async (t) => {
  const { hostile, context, party } = await start(t)
  hostile.metadata['token_endpoint_auth_methods_supported'] = ['client_secret_post', 'private_key_jwt']
  await refreshToken(context, party, { refresh_token: 'rt' })
  assert.match(hostile.received.at(-1)!.body, /client_secret=s3cret/)
})

test('O-01 an assertion names the issuer as its only audience, also when the metadata names another token endpoint', async (t) => {
  const victim = await start(t)
  const { hostile, context, party } = await start(t, { token_endpoint_auth_method: 'private_key_jwt' })
  hostile.metadata['token_endpoint'] = `${hostile.issuer}/token?as=${victim.hostile.issuer}`
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
    'sign',
    'verify',
  ])
  await refreshToken(context, { ...party, private_key: { key: privateKey, kid: 'me' } }, { refresh_token: 'rt' })
  const assertion = new URLSearchParams(hostile.received.at(-1)!.body).get('client_assertion')!
  const claims = JSON.parse(Buffer.from(assertion.split('.')[1]!, 'base64url').toString())
  assert.equal(claims.aud, hostile.issuer)
  assert.deepEqual([claims.iss, claims.sub], ['client', 'client'])
  const keyless = await refreshToken(context, party, { refresh_token: 'rt' })
  assert.equal(keyless.kind, 'client_refused', 'a connector without its key is the administrator’s to repair')
})

const SPOILED: Array<[what: string, answer: Answer]> = [
  ['a page', answerText('<html>Sorry</html>', 200, { 'content-type': 'text/html' })],
  ['a page with 400', answerText('<html>Blocked</html>', 400, { 'content-type': 'text/html' })],
  ['half of the JSON', answerJson('{"access_token":"at"')],
  ['deep JSON', answerJson(`{"access_token":"at","token_type":"Bearer","x":${'['.repeat(60)}${']'.repeat(60)}}`)],
  ['an endless body', answerEndless],
  ['a body cut in the middle', answerCut('{"access_token":"at","token_type":"Bearer",')],
  ['no answer but a closed connection', answerCut()],
  ['silence', answerNothing],
  ['a redirect', answerText('', 307, { location: 'https://evil.example/token' })],
  ['trouble', answerJson({ error: 'invalid_grant' }, 502)],
  ['an error inside of a 200', answerJson({ error: 'invalid_grant' })],
  ['a huge head', answerJson({}, 200, { 'x-large': 'x'.repeat(20_000) })],
]

test('whatever a provider answers instead of tokens, a refresh is unknown and was sent', async (t) => {
  const { hostile, context, party } = await start(t)
  for (const [what, answer] of SPOILED) {
    hostile.answers.set('/token', answer)
    const outcome = await refreshToken(context, party, { refresh_token: 'rt-secret', timeoutMs: 150 })
    assert.equal(outcome.kind, 'unknown', what)
    assert.ok(outcome.kind === 'unknown' && outcome.sent, what)
    assert.doesNotMatch(String(outcome.kind === 'unknown' && outcome.cause.stack), /rt-secret|s3cret/, what)
  }
  assert.ok(!hostile.received.some(({ url }) => url.includes('evil')))
})

test('a provider that cannot be reached is unknown and was not sent', async (t) => {
  const { hostile, context, party } = await start(t)
  const closed = { ...party.provider, token_endpoint: 'http://127.0.0.1:1/token', discovery: null }
  const outcome = await refreshToken(context, { ...party, provider: closed }, { refresh_token: 'rt' })
  assert.ok(outcome.kind === 'unknown' && !outcome.sent)
  const blocked = { ...closed, token_endpoint: 'https://169.254.169.254/token' }
  const refused = await refreshToken(context, { ...party, provider: blocked }, { refresh_token: 'rt' })
  assert.ok(refused.kind === 'unknown' && !refused.sent)
  assert.match(refused.cause.message, /blocked_address/)
  assert.equal(hostile.received.length, 0)
})

test('10.5.1 10.5.2 10.5.4 an ID token holds only if signature, issuer, audience, party, times, nonce and user do', async (t) => {
  const { hostile, context, party } = await start(t)
  const seconds = Math.floor(Date.now() / 1000)
  const good = { iss: hostile.issuer, sub: 'alice', aud: 'client', exp: seconds + 60, iat: seconds, nonce: 'n' }
  const check = async (id_token: string, nonce: string | null = 'n', sub?: string) =>
    (await validateIdToken(context, party, { id_token, nonce, ...(sub ? { sub } : {}) })).kind
  const claims = (change: object) => check(hostile.signJwt({ ...good, ...change }))
  assert.equal(await claims({}), 'valid')
  assert.equal(await claims({ aud: ['client'] }), 'valid')
  assert.equal(await claims({ aud: ['client', 'other'], azp: 'client' }), 'valid')
  const wrong: object[] = [
    { iss: 'https://evil.example' },
    { iss: `${hostile.issuer}/` },
    { iss: undefined },
    { aud: 'other' },
    { aud: [] },
    { aud: ['other'] },
    { aud: undefined },
    { aud: ['client', 'other'] },
    { aud: ['client', 'other'], azp: 'other' },
    { azp: 'other' },
    { exp: seconds - 120 },
    { exp: undefined },
    { exp: String(seconds + 60) },
    { iat: undefined },
    { nbf: seconds + 600 },
    { nonce: 'other' },
    { nonce: undefined },
    { nonce: ['n'] },
    { sub: undefined },
    { sub: 1 },
  ]
  for (const change of wrong) assert.equal(await claims(change), 'invalid', JSON.stringify(change))
  assert.equal(await check(hostile.signJwt(good), null), 'invalid', 'a nonce that was not asked for')
  assert.equal(await check(hostile.signJwt(good), 'n', 'bob'), 'invalid', 'another user')
  assert.equal(await check(hostile.signJwt(good), 'n', 'alice'), 'valid')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const forged: Array<[string, string]> = [
    ['signed by another key', hostile.signJwt(good, {}, privateKey)],
    ['unsigned', hostile.signJwt(good, { alg: 'none' })],
    ['of an unknown key', hostile.signJwt(good, { kid: 'k2' })],
    ['of another algorithm', hostile.signJwt(good, { alg: 'RS256' })],
    ['symmetric', hostile.signJwt(good, { alg: 'HS256' })],
    ['with a critical extension', hostile.signJwt(good, { crit: ['x'], x: 1 })],
    [
      'with a changed payload',
      hostile
        .signJwt(good)
        .replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify({ ...good, sub: 'eve' })).toString('base64url')}.`),
    ],
    ['without a signature', hostile.signJwt(good).replace(/[^.]+$/, '')],
    ['encrypted', 'a.b.c.d.e'],
    ['not a JWT', 'x'],
  ]
  for (const [what, id_token] of forged) assert.equal(await check(id_token), 'invalid', what)
})

test('10.5.1 metadata that lists `none` opens no door, and keys that cannot be had are not a verdict', async (t) => {
  const { hostile, context, party, advance } = await start(t)
  const seconds = Math.floor(Date.now() / 1000)
  const good = { iss: hostile.issuer, sub: 'alice', aud: 'client', exp: seconds + 86_400, iat: seconds, nonce: 'n' }
  hostile.metadata['id_token_signing_alg_values_supported'] = ['none', 'HS256', 'ES256']
  for (const alg of ['none', 'HS256']) {
    const outcome = await validateIdToken(context, party, { id_token: hostile.signJwt(good, { alg }), nonce: 'n' })
    assert.equal(outcome.kind, 'invalid', alg)
  }
  for (const answer of [
    answerCut(),
    answerText('<html>'),
    answerJson({ keys: [] }, 500),
    answerJson(`[${'['.repeat(99)}`),
  ]) {
    hostile.answers.set('/jwks', answer)
    advance(2 * 60 * 60 * 1000)
    const outcome = await validateIdToken(context, party, { id_token: hostile.signJwt(good), nonce: 'n' })
    assert.equal(outcome.kind, 'unknown')
  }
})

test('an authority of many tenants is held to the tenant that each token names', async (t) => {
  const { hostile, context, party } = await start(t)
  const provider = { ...party.provider, id_token_issuer: `${hostile.issuer}/{tid}/v2.0` }
  const seconds = Math.floor(Date.now() / 1000)
  const check = async (change: object) => {
    const claims = { sub: 'alice', aud: 'client', exp: seconds + 60, iat: seconds, nonce: 'n', ...change }
    const id_token = hostile.signJwt(claims)
    return (await validateIdToken(context, { ...party, provider }, { id_token, nonce: 'n' })).kind
  }
  assert.equal(await check({ iss: `${hostile.issuer}/t-1/v2.0`, tid: 't-1' }), 'valid')
  assert.equal(await check({ iss: `${hostile.issuer}/t-1/v2.0`, tid: 't-2' }), 'invalid')
  assert.equal(await check({ iss: `${hostile.issuer}/t-1/v2.0` }), 'invalid')
  assert.equal(await check({ iss: `${hostile.issuer}/a/../b/v2.0`, tid: 'a/../b' }), 'invalid')
  assert.equal(await check({ iss: hostile.issuer, tid: 't-1' }), 'invalid')
})

test('10.5.1 an ID token that was asked for and does not come is a rejection; one unasked for must hold as well', async (t) => {
  const { hostile, context, party } = await start(t)
  const params = new URLSearchParams({ code: 'c', state: 's' })
  const ask = (nonce: string | null, asked = party) =>
    exchangeCode(context, asked, { params, code_verifier: 'v'.repeat(43), nonce })
  const missing = await ask('n')
  assert.equal(missing.kind === 'rejected' && missing.reason, 'id_token')
  assert.equal((await ask(null)).kind, 'tokens')
  const body = { access_token: 'at', token_type: 'Bearer', id_token: hostile.signJwt({ sub: 'x' }) }
  hostile.answers.set('/token', answerJson(body))
  assert.equal((await ask(null)).kind, 'rejected')
  const bare = { ...party.provider, issuer: null, discovery: null, token_endpoint: `${hostile.issuer}/token` }
  const outcome = await ask(null, { ...party, provider: bare })
  assert.equal(outcome.kind === 'tokens' && outcome.id_token_claims, null)
})

test('10.2.2 iss is held to the issuer also where it was not promised, and cannot be where there is none', async (t) => {
  const { hostile, context, party } = await start(t)
  const exchange = (query: string, asked = party) =>
    exchangeCode(context, asked, { params: new URLSearchParams(query), code_verifier: 'v'.repeat(43), nonce: null })
  const sent = () => hostile.received.filter(({ url }) => url === '/token').length
  const cases: Array<[string, string]> = [
    ['code=c&iss=https://evil.example', 'iss'],
    [`code=c&iss=${hostile.issuer}&iss=https://evil.example`, 'response'],
    ['code=c&code=d', 'code'],
    ['state=s', 'code'],
    ['code=', 'code'],
    ['', 'code'],
    ['code=c&id_token=x', 'response'],
    ['response=x.y.z', 'response'],
    ['error=access_denied&iss=https://evil.example', 'iss'],
  ]
  for (const [query, reason] of cases) {
    const outcome = await exchange(query)
    assert.equal(outcome.kind === 'rejected' ? outcome.reason : outcome.kind, reason, query)
  }
  assert.equal(sent(), 0)
  hostile.metadata['authorization_response_iss_parameter_supported'] = true
  assert.equal((await exchange(`code=c&iss=${encodeURIComponent(hostile.issuer)}`)).kind, 'tokens')
  const bare = { ...party.provider, issuer: null, discovery: null, token_endpoint: `${hostile.issuer}/token` }
  assert.equal((await exchange('code=c&iss=whoever', { ...party, provider: bare })).kind, 'tokens')
})

test('an error that the provider sends back by the browser is a cleaned refusal', async (t) => {
  const { context, party } = await start(t)
  const params = new URLSearchParams({ error: 'access_denied', error_description: 'No\r\n\u202eway' })
  const outcome = await exchangeCode(context, party, { params, code_verifier: null, nonce: null })
  assert.deepEqual(outcome, {
    kind: 'refused',
    error: 'access_denied',
    provider_error: 'access_denied',
    error_description: 'No way',
  })
})

test('revocation follows RFC 7009, or the record', async (t) => {
  const { hostile, context, party } = await start(t)
  const held = { refresh_token: 'rt', access_token: 'at' }
  assert.deepEqual(await revokeToken(context, party, held), { kind: 'revoked' })
  assert.equal(hostile.received.at(-1)!.body, 'token_type_hint=refresh_token&token=rt')
  hostile.answers.set('/applications/client/token', (response) => void response.writeHead(204).end())
  const github: ResolvedProvider = {
    ...party.provider,
    revocation_endpoint: `${hostile.issuer}/applications/client/token`,
    revocation_request: {
      method: 'DELETE',
      token: 'access_token',
      parameter: 'access_token',
      body: 'json',
      authorization: 'client',
    },
  }
  assert.deepEqual(await revokeToken(context, { ...party, provider: github }, held), { kind: 'revoked' })
  const deleted = hostile.received.at(-1)!
  assert.deepEqual([deleted.method, deleted.body], ['DELETE', '{"access_token":"at"}'])
  assert.equal(deleted.headers['authorization'], `Basic ${btoa('client:s3cret')}`)
  const inPath: ResolvedProvider = {
    ...party.provider,
    revocation_endpoint: `${hostile.issuer}/tokens/{token}`,
    revocation_request: {
      method: 'DELETE',
      token: 'refresh_token',
      parameter: null,
      body: 'none',
      authorization: 'bearer',
    },
  }
  const strange = { refresh_token: '../x?y#z', access_token: null }
  await revokeToken(context, { ...party, provider: inPath }, strange)
  assert.equal(hostile.received.at(-1)!.url, '/tokens/..%2Fx%3Fy%23z')
})

test('a failed revocation says whether the provider decided', async (t) => {
  const { hostile, context, party } = await start(t)
  const revoke = async (answer: Answer, endpoint = '/revoke') => {
    hostile.answers.set(endpoint, answer)
    return (await revokeToken(context, party, { refresh_token: 'rt', access_token: null })).kind
  }
  assert.equal(await revoke(answerJson({ error: 'invalid_token' }, 400)), 'refused')
  assert.equal(await revoke(answerJson({ error: 'invalid_client' }, 401)), 'client_refused')
  assert.equal(await revoke(answerText('', 429)), 'throttled')
  assert.equal(await revoke(answerText('', 500)), 'unknown')
  assert.equal(await revoke(answerText('<html>', 403)), 'unknown')
  assert.equal(await revoke(answerCut()), 'unknown')
  delete hostile.metadata['revocation_endpoint']
  const bare = { ...party.provider, discovery: null }
  const outcome = await revokeToken(context, { ...party, provider: bare }, { refresh_token: 'rt', access_token: null })
  assert.deepEqual(outcome, { kind: 'unsupported' })
})

test('10.5.2 userinfo is taken only about the user that the ID token names', async (t) => {
  const { hostile, context, party } = await start(t)
  const ask = async (answer: Answer, sub?: string) => {
    hostile.answers.set('/userinfo', answer)
    return (await fetchUserinfo(context, party, { access_token: 'at', ...(sub ? { sub } : {}) })).kind
  }
  assert.equal(await ask(answerJson({ sub: 'alice' }), 'alice'), 'claims')
  assert.equal(hostile.received.at(-1)!.headers['authorization'], 'Bearer at')
  assert.equal(await ask(answerJson({ id: 1 })), 'claims')
  assert.equal(await ask(answerJson({ sub: 'eve' }), 'alice'), 'rejected')
  assert.equal(await ask(answerJson({}), 'alice'), 'rejected')
  assert.equal(await ask(answerJson({}, 401)), 'refused')
  assert.equal(await ask(answerJson({}, 403)), 'refused')
  assert.equal(await ask(answerText('', 429)), 'throttled')
  assert.equal(await ask(answerText('<html>', 200)), 'unknown')
  assert.equal(await ask(answerCut('{"sub"')), 'unknown')
  assert.equal(await ask(answerText('', 302, { location: '/x' })), 'unknown')
  const bare = { ...party.provider, discovery: null }
  assert.equal((await fetchUserinfo(context, { ...party, provider: bare }, { access_token: 'at' })).kind, 'unsupported')
})
