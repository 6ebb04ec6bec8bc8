import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { NOW, RESOURCE, requestWith, startIssuer, type TestIssuer } from '../../test/issuer.ts'
import { refusalOf } from '../../test/refusal.ts'
import { createResource, OAuthError, type Resource, type ResourceOptions } from './resource.ts'

const METADATA_URL = 'https://api.example/.well-known/oauth-protected-resource/mcp'

let as: TestIssuer
let resource: Resource
const refused: [string | undefined, string | undefined][] = []

before(async () => {
  as = await startIssuer()
  resource = createResource({
    resource: RESOURCE,
    issuer: as.issuer,
    clock: () => NOW,
    scopes_supported: ['mcp:tools'],
    onRefusal: (refusal, request) => refused.push([refusal.error, request?.method]),
  })
})
after(() => as.close())

test('a fetch handler runs when access is granted, with its further arguments', async () => {
  const handler = resource.protect(
    async (request, access, env: { name: string }) =>
      Response.json([new URL(request.url).pathname, access.sub, env.name]),
    { scope: 'mcp:tools' },
  )
  const response = await handler(requestWith(await as.sign()), { name: 'worker' })
  assert.deepEqual(await response.json(), ['/mcp', 'alice', 'worker'])
})

test('a protected handler answers metadata requests without a token', async () => {
  const handler = resource.protect(() => assert.fail('the handler must not run'))
  const response = await handler(new Request(METADATA_URL))
  assert.equal(((await response.json()) as { resource: string }).resource, RESOURCE)
})

test('every refusal is a whole answer: status, challenge, no-store and JSON', async () => {
  const handler = resource.protect(() => assert.fail('the handler must not run'), { scope: 'files:write' })
  const send = async (headers: Record<string, string>) => {
    const response = await handler(new Request(RESOURCE, { headers }))
    assert.equal(response.headers.get('cache-control'), 'no-store')
    const text = await response.text()
    return [response.status, response.headers.get('www-authenticate'), text === '' ? '' : JSON.parse(text)]
  }
  const lead = `Bearer resource_metadata="${METADATA_URL}"`
  const both = ['Bearer', 'DPoP'].map((scheme) => `${lead.replace('Bearer', scheme)}, scope="files:write"`).join(', ')
  assert.deepEqual(await send({}), [401, `${both}, algs="ES256 EdDSA Ed25519 PS256"`, ''])
  assert.deepEqual(await send({ authorization: 'Bearer nonsense' }), [
    401,
    `${lead}, error="invalid_token", error_description="The access token is not a JWT, and this resource takes no others"`,
    { error: 'invalid_token', error_description: 'The access token is not a JWT, and this resource takes no others' },
  ])
  const malformed = 'The Authorization header must hold one Bearer token'
  assert.deepEqual(await send({ authorization: 'Bearer a b' }), [
    400,
    `${lead}, error="invalid_request", error_description="${malformed}"`,
    { error: 'invalid_request', error_description: malformed },
  ])
  const lacking = 'The access token lacks a scope that this request needs'
  assert.deepEqual(await send({ authorization: `Bearer ${await as.sign()}` }), [
    403,
    `${lead}, error="insufficient_scope", error_description="${lacking}", scope="files:write"`,
    { error: 'insufficient_scope', error_description: lacking },
  ])
})

test('without a required scope the challenge for a missing token names the metadata alone', async () => {
  const { headers, error } = await refusalOf(resource, undefined)
  const named = `resource_metadata="${METADATA_URL}"`
  assert.equal(headers['www-authenticate'], `Bearer ${named}, DPoP ${named}, algs="ES256 EdDSA Ed25519 PS256"`)
  assert.equal(error, undefined)
})

test('10.3.2 all values of a required scope must be granted, as whole values', async () => {
  const token = await as.sign({ scope: 'files:read  profile' })
  for (const scope of ['files:read', 'profile', 'profile files:read'])
    await resource.verify(requestWith(token), { scope })
  for (const scope of ['files', 'file', 'files:read:all', 'FILES:READ', 'files:read files:write', 'read']) {
    const { error, status } = await refusalOf(resource, token, { scope })
    assert.deepEqual([error, status], ['insufficient_scope', 403], scope)
  }
  const access = await resource.verify(requestWith(token))
  assert.deepEqual(
    [access.has('profile'), access.has('profile admin'), access.has(''), access.has(' ')],
    [true, false, false, false],
  )
  assert.equal((await refusalOf(resource, await as.sign({ scope: undefined }), { scope: 'profile' })).status, 403)
})

test('10.3.4 a weaker or older authentication asks for step-up', async () => {
  const gold = await as.sign({ acr: 'gold', auth_time: NOW / 1000 - 300 })
  await resource.verify(requestWith(gold), { acr_values: 'platinum gold', max_age: 300 })
  const refusals = [
    await refusalOf(resource, await as.sign({ acr: 'silver' }), { acr_values: 'platinum gold' }),
    await refusalOf(resource, await as.sign(), { acr_values: 'platinum gold' }),
    await refusalOf(resource, gold, { max_age: 299 }),
    await refusalOf(resource, await as.sign(), { max_age: 300 }),
    await refusalOf(resource, await as.sign(), { max_age: 0 }),
  ]
  for (const { error, status } of refusals) {
    assert.deepEqual([error, status], ['insufficient_user_authentication', 401])
  }
  assert.match(
    refusals[0]!.headers['www-authenticate']!,
    /error="insufficient_user_authentication".*, acr_values="platinum gold"$/,
  )
  assert.match(refusals[2]!.headers['www-authenticate']!, /, max_age="299"$/)
})

test('a handler can ask for more once it knows what the request is about', async () => {
  const handler = resource.protect((_, access) => {
    resource.require(access, { scope: 'files:delete' })
    return new Response('deleted')
  })
  const denied = await handler(requestWith(await as.sign()))
  assert.equal(denied.status, 403)
  assert.match(denied.headers.get('www-authenticate')!, /scope="files:delete"/)
  const allowed = await handler(requestWith(await as.sign({ scope: 'files:delete' })))
  assert.equal(await allowed.text(), 'deleted')
})

test('what a handler throws of its own is not turned into an answer', async () => {
  const handler = resource.protect(() => {
    throw new RangeError('mine')
  })
  await assert.rejects(handler(requestWith(await as.sign())), { name: 'RangeError', message: 'mine' })
})

test('every refusal is told to the log, and the ones of require too', async () => {
  refused.length = 0
  await refusalOf(resource, undefined)
  await refusalOf(resource, 'nonsense')
  const access = await resource.verify(requestWith(await as.sign()))
  assert.throws(() => resource.require(access, { scope: 'x' }), OAuthError)
  assert.deepEqual(refused, [
    [undefined, 'GET'],
    ['invalid_token', 'GET'],
    ['insufficient_scope', undefined],
  ])
})

test('no refusal repeats the token or a key', async () => {
  const token = await as.sign({ aud: 'https://other.example', secret: 'canary' })
  const refusal = await refusalOf(resource, token)
  const text = JSON.stringify([refusal, refusal.message, await refusal.getResponse().text(), refusal.headers])
  for (const part of [...token.split('.'), 'canary']) assert(!text.includes(part))
})

test('a remembered token is checked against clock, scope and audience again', async () => {
  const time = { now: NOW }
  const cached = createResource({
    resource: RESOURCE,
    issuer: as.issuer,
    clock: () => time.now,
    jwks_max_age_seconds: 9999,
  })
  const token = await as.sign({ exp: NOW / 1000 + 60, auth_time: NOW / 1000 })
  await cached.verify(requestWith(token), { scope: 'mcp:tools', max_age: 60 })
  assert.equal((await refusalOf(cached, token, { scope: 'admin' })).error, 'insufficient_scope')
  time.now += 61_000
  assert.equal((await refusalOf(cached, token, { max_age: 60 })).error, 'insufficient_user_authentication')
  time.now += 9_000
  assert.match((await refusalOf(cached, token)).error_description, /has expired/)
})

test('a changed token is not taken for a remembered one', async () => {
  const token = await as.sign()
  await resource.verify(requestWith(token))
  const [header, payload, signature] = token.split('.') as [string, string, string]
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const raised = Buffer.from(JSON.stringify({ ...claims, scope: 'admin' })).toString('base64url')
  assert.match((await refusalOf(resource, `${header}.${raised}.${signature}`)).error_description, /signature/)
})

test('a description that cannot be right is refused at once, with the name of the option', () => {
  const good = { resource: RESOURCE, issuer: 'https://as.example' }
  const server = { client_id: 'a', client_secret: 'b' }
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ ...good, resource: 'http://api.example' }, /resource must be an https URL/],
    [{ ...good, resource: 'mcp' }, /resource must be an absolute URL/],
    [{ ...good, resource: 'https://api.example/#x' }, /resource must not have a fragment/],
    [{ ...good, resource: 'https://u:p@api.example/' }, /resource must not carry credentials/],
    [{ ...good, issuer: 'http://as.example' }, /issuer must be an https URL/],
    [{ ...good, issuer: 'https://as.example/?x=1' }, /issuer must not have a query/],
    [{ ...good, jwks_uri: 'http://as.example/jwks' }, /jwks_uri must be an https URL/],
    [{ resource: RESOURCE }, /issuer or authorization_servers must be given/],
    [{ ...good, authorization_servers: ['https://b.example'] }, /either issuer or authorization_servers/],
    [{ resource: RESOURCE, authorization_servers: ['https://b.example', 'https://b.example'] }, /an issuer twice/],
    [
      {
        resource: RESOURCE,
        authorization_servers: ['https://b.example', 'https://c.example'].map((issuer) => ({
          issuer,
          introspection: server,
        })),
      },
      /Only one authorization server can have introspection/,
    ],
    [{ ...good, algorithms: ['HS256'] }, /algorithms must be some of/],
    [{ ...good, algorithms: ['none'] }, /algorithms must be some of/],
    [{ ...good, algorithms: [] }, /algorithms must be some of/],
    [{ ...good, clock_tolerance_seconds: 11 }, /clock_tolerance_seconds must be between 0 and 10/],
    [{ ...good, jwt_cache_entries: 1.5 }, /jwt_cache_entries must be a whole number/],
    [{ ...good, timeout_seconds: 0 / 0 }, /timeout_seconds/],
  ]
  for (const [options, message] of wrong) {
    assert.throws(() => createResource(options as unknown as ResourceOptions), { name: 'TypeError', message })
  }
})

test('requirements that no token can meet are refused when the route is set up', () => {
  const handler = () => new Response()
  for (const scope of ['', ' ', 'a  b', ' a', 'a"b', 'a\\b', 'a\r\nSet-Cookie: x=1', 'é']) {
    assert.throws(() => resource.protect(handler, { scope }), { name: 'TypeError', message: /^scope/ }, scope)
  }
  assert.throws(() => resource.protect(handler, { acr_values: ' ' }), /acr_values/)
  for (const max_age of [-1, 1.5, Number.NaN, Infinity]) {
    assert.throws(() => resource.protect(handler, { max_age }), /max_age/)
  }
})
