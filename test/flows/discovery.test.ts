import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { JWKS, signAssertion } from '../parts/assertions.ts'
import { checkNamedTests } from '../parts/rfc_map.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CALLBACK = 'https://app.example/cb'
const API = 'https://api.example/'
const VERIFIER = 'v'.repeat(43)
const ROOT_USER = { username: 'root', password: 'root of this platform' }
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'

let server: TestServer
let metadata: Record<string, unknown>

before(async () => {
  server = await startSallyport({ path: '/hub' })
  await server.saveSettings({
    ...{ registration: 'open', metadata_documents: 'any', signing_algs: ['ES256', 'EdDSA', 'PS256', 'RS256'] },
    custom_claims: [],
  })
  await server.addResource({ resource: API, scopes: '{"api:read":"Read"}', introspection_clients: '["app"]' })
  await server.addUser({
    ...{ ...ROOT_USER, name: 'Root Example', email: 'root@example.test', email_verified: true },
    roles: ['administrator', 'member'],
    claims: {
      ...{ given_name: 'Root', family_name: 'Example', middle_name: 'M', nickname: 'r', gender: 'x', locale: 'en' },
      ...{ profile: 'https://e.example/p', picture: 'https://e.example/i', website: 'https://e.example' },
      ...{ birthdate: '2000-01-01', zoneinfo: 'UTC', phone_number: '+1 555', phone_number_verified: true },
      address: { country: 'XX' },
    },
  })
  await server.addRole('member', ['api:read'])
  const response = await fetch(`${server.issuer}/.well-known/openid-configuration`)
  metadata = (await response.json()) as Record<string, unknown>
  const scope = (metadata['scopes_supported'] as string[]).join(' ')
  const app = { redirect_uris: [CALLBACK], trusted: true, scope, grant_types: metadata['grant_types_supported'] }
  await server.addClient({ ...app, client_id: 'app', client_secret: 'secret-of-app' })
})
after(() => server.stop())

async function post(to: string, form: Record<string, string>, headers: Record<string, string> = basic('app')) {
  const response = await fetch(to, { method: 'POST', headers, body: new URLSearchParams(form), redirect: 'manual' })
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what came back
  return { status: response.status, body: (await response.json().catch(() => null)) as any }
}
const basic = (client: string) => ({ authorization: `Basic ${btoa(`${client}:secret-of-${client}`)}` })
const endpoint = (name: string) => metadata[`${name}_endpoint`] as string

async function authorize(params: Record<string, string> = {}, agent = new UserAgent()) {
  const code_challenge = createHash('sha256').update(VERIFIER).digest('base64url')
  const query = { response_type: 'code', client_id: 'app', redirect_uri: CALLBACK, scope: 'openid', nonce: 'n' }
  const all = { ...query, code_challenge, code_challenge_method: 'S256', ...params }
  return agent.authorize(`${endpoint('authorization')}?${new URLSearchParams(all)}`, ROOT_USER)
}

async function redeem(back: URL, client = 'app', headers = basic(client)) {
  const code = back.searchParams.get('code') ?? new URLSearchParams(back.hash.slice(1)).get('code')
  assert.ok(code, back.href)
  const form = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: VERIFIER }
  const { status, body } = await post(endpoint('token'), form, headers)
  assert.equal(status, 200, JSON.stringify(body))
  return body
}
const signIn = async (params: Record<string, string> = {}, agent?: UserAgent) => redeem(await authorize(params, agent))
const claimsOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString())

/** How a client authenticates by each method, at any endpoint. */
const BY_METHOD: Readonly<Record<string, (form: Record<string, string>) => Promise<[object, Record<string, string>]>>> =
  {
    client_secret_basic: async (form) => [basic('client_secret_basic'), form],
    client_secret_post: async (form) => [
      {},
      { ...form, client_id: 'client_secret_post', client_secret: 'secret-of-client_secret_post' },
    ],
    none: async (form) => [{}, { ...form, client_id: 'none' }],
  }

async function authenticate(at: string, method: string): Promise<void> {
  if (method.endsWith('_jwt')) return
  const form = { token: 'unknown' }
  await server
    .addClient({
      ...{ client_id: method, redirect_uris: [CALLBACK], token_endpoint_auth_method: method },
      ...(method !== 'none' && { client_secret: `secret-of-${method}` }),
    })
    .catch(() => {})
  const [headers, sent] = await BY_METHOD[method]!(form)
  const url = at === 'token' ? endpoint('revocation') : endpoint(at)
  const { status } = await post(url, sent, headers as Record<string, string>)
  assert.equal(status, 200, `${method} at ${at}`)
}

/** By which algorithm a client signs its assertions; HS256 is of client_secret_jwt. */
async function assertBy(at: string, alg: string): Promise<void> {
  if (alg === 'HS256') return
  const client_id = `signs-${alg}`
  const registered = { client_id, redirect_uris: [CALLBACK], token_endpoint_auth_method: 'private_key_jwt', jwks: JWKS }
  await server.addClient(registered).catch(() => {})
  const client_assertion = await signAssertion({ issuer: server.issuer, now: Date.now }, client_id, { alg })
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  const form = { token: 'unknown', client_id, client_assertion, client_assertion_type }
  const url = at === 'token' ? endpoint('revocation') : endpoint(at)
  assert.equal((await post(url, form, {})).status, 200, `${alg} at ${at}`)
}

/** A value is driven here, or by the test that is named. */
type Driver = ((value: string) => Promise<void>) | `${string} › ${string}`

const issue = async (form: Record<string, string>) => {
  const { status, body } = await post(endpoint('token'), form)
  assert.equal(status, 200, JSON.stringify(body))
  return body
}
const GRANTS: Readonly<Record<string, () => Promise<unknown>>> = {
  authorization_code: () => signIn(),
  async refresh_token() {
    const { refresh_token } = await signIn({ scope: 'openid offline_access' })
    return issue({ grant_type: 'refresh_token', refresh_token })
  },
  client_credentials: () => issue({ grant_type: 'client_credentials', resource: API, scope: 'api:read' }),
  async [DEVICE]() {
    const { status, body } = await post(endpoint('device_authorization'), { scope: 'openid' })
    assert.equal(status, 200, JSON.stringify(body))
    const polled = await post(endpoint('token'), { grant_type: DEVICE, device_code: body.device_code })
    assert.equal(polled.body.error, 'authorization_pending')
  },
  async 'urn:ietf:params:oauth:grant-type:token-exchange'() {
    const { access_token } = await signIn({ resource: API, scope: 'openid api:read' })
    const subject_token_type = 'urn:ietf:params:oauth:token-type:access_token'
    const grant_type = 'urn:ietf:params:oauth:grant-type:token-exchange'
    return issue({ grant_type, subject_token: access_token, subject_token_type, resource: API, scope: 'api:read' })
  },
  async 'urn:ietf:params:oauth:grant-type:jwt-bearer'() {
    const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
    const assertion = await signAssertion({ issuer: server.issuer, now: Date.now }, 'https://nobody.example')
    assert.equal((await post(endpoint('token'), { grant_type, assertion })).body.error, 'invalid_grant')
  },
}

const sayTrue = (say: (value: unknown) => Promise<void>) => (value: string) => {
  assert.equal(value, true as unknown)
  return say(value)
}
const isFalse = async (value: string) => assert.equal(value, false as unknown)
const answers = async (url: string) => assert.notEqual((await fetch(url, { redirect: 'manual' })).status, 404, url)
const methodsAt =
  (at: string): Driver =>
  (method) =>
    authenticate(at, method)
const algorithmsAt =
  (at: string): Driver =>
  (alg) =>
    assertBy(at, alg)

const DRIVERS: Readonly<Record<string, Driver>> = {
  issuer: async (value) => assert.equal(value, server.issuer),
  authorization_endpoint: answers,
  token_endpoint: answers,
  userinfo_endpoint: answers,
  introspection_endpoint: answers,
  revocation_endpoint: answers,
  device_authorization_endpoint: answers,
  end_session_endpoint: answers,
  revocation_feed_endpoint:
    'test/flows/revocation_feed.test.ts › RS in real time a revoked JWT is refused within 5 s of its revocation, by an API under traffic and by an idle one',
  async pushed_authorization_request_endpoint(url) {
    const form = { response_type: 'code', redirect_uri: CALLBACK, code_challenge: 'A'.repeat(43) }
    const { status, body } = await post(url, { ...form, code_challenge_method: 'S256', scope: 'openid' })
    assert.equal(status, 201, JSON.stringify(body))
    const query = new URLSearchParams({ client_id: 'app', request_uri: body.request_uri })
    const back = await new UserAgent().authorize(`${endpoint('authorization')}?${query}`, ROOT_USER)
    assert.ok(back.searchParams.get('code'))
  },
  async registration_endpoint(url) {
    const body = JSON.stringify({ redirect_uris: [CALLBACK] })
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    assert.equal(response.status, 201, await response.text())
  },
  async jwks_uri(url) {
    const { keys } = (await (await fetch(url)).json()) as { keys: { kid: string }[] }
    const { id_token } = await signIn()
    const { kid } = JSON.parse(Buffer.from(id_token.split('.')[0]!, 'base64url').toString())
    assert.ok(keys.some((key) => key.kid === kid))
  },
  async scopes_supported(scope) {
    // Of clients alone: no role of people has it.
    if (scope === 'admin:create_users' || scope.startsWith('connect:')) {
      const form = { grant_type: 'client_credentials', resource: `${server.issuer}/api`, scope }
      assert.equal((await issue(form)).scope, scope)
      return
    }
    const resource = /^(admin|vault):/.test(scope) ? `${server.issuer}/api` : API
    const asked = ['openid', ...(scope === 'openid' ? [] : [scope])].join(' ')
    const granted = await signIn({ scope: asked, ...(scope.includes(':') && { resource }) })
    assert.ok(granted.scope.split(' ').includes(scope), `${scope} in ${granted.scope}`)
  },
  async ui_locales_supported(ui_locales) {
    const query = { response_type: 'code', client_id: 'app', redirect_uri: CALLBACK, scope: 'openid', ui_locales }
    const challenge = { code_challenge: 'A'.repeat(43), code_challenge_method: 'S256' }
    const asked = `${endpoint('authorization')}?${new URLSearchParams({ ...query, ...challenge })}`
    const page = await (await new UserAgent().follow(asked)).response.text()
    assert.match(page, new RegExp(`<html lang="${ui_locales}"`))
  },
  async response_types_supported(response_type) {
    assert.equal(response_type, 'code')
    await signIn({ response_type })
  },
  async response_modes_supported(response_mode) {
    if (response_mode !== 'form_post') {
      const back = await authorize({ response_mode })
      const there = response_mode === 'fragment' ? new URLSearchParams(back.hash.slice(1)) : back.searchParams
      assert.equal(there.get('iss'), server.issuer)
      await redeem(back)
      return
    }
    const agent = new UserAgent()
    await authorize({}, agent)
    const query = { response_type: 'code', client_id: 'app', redirect_uri: CALLBACK, scope: 'openid', response_mode }
    const challenge = { code_challenge: 'A'.repeat(43), code_challenge_method: 'S256' }
    const url = `${endpoint('authorization')}?${new URLSearchParams({ ...query, ...challenge })}`
    const page = await (await agent.follow(url)).response.text()
    assert.match(page, /<form[^>]*action="https:\/\/app\.example\/cb"/)
    assert.match(page, /name="code"/)
  },
  async grant_types_supported(grant_type) {
    assert.ok(Object.hasOwn(GRANTS, grant_type), `nobody drives ${grant_type}`)
    await GRANTS[grant_type]!()
  },
  async subject_types_supported(subject_type) {
    const client_id = `subject-${subject_type}`
    const more = { client_secret: `secret-of-${client_id}`, subject_type, trusted: true, scope: 'openid' }
    await server.addClient({ client_id, redirect_uris: [CALLBACK], ...more })
    const { id_token } = await redeem(await authorize({ client_id }), client_id)
    const plain = claimsOf((await signIn()).id_token).sub
    assert.equal(claimsOf(id_token).sub === plain, subject_type === 'public')
  },
  async id_token_signing_alg_values_supported(alg) {
    const client_id = `alg-${alg}`
    const more = { client_secret: `secret-of-${client_id}`, id_token_signed_response_alg: alg, trusted: true }
    await server.addClient({ client_id, redirect_uris: [CALLBACK], scope: 'openid', ...more })
    const { id_token } = await redeem(await authorize({ client_id }), client_id)
    const keys = createRemoteJWKSet(new URL(metadata['jwks_uri'] as string))
    const { protectedHeader } = await jwtVerify(id_token, keys, { audience: client_id, issuer: server.issuer })
    assert.equal(protectedHeader.alg, alg)
  },
  token_endpoint_auth_methods_supported: methodsAt('token'),
  revocation_endpoint_auth_methods_supported: methodsAt('revocation'),
  introspection_endpoint_auth_methods_supported: methodsAt('introspection'),
  token_endpoint_auth_signing_alg_values_supported: algorithmsAt('token'),
  revocation_endpoint_auth_signing_alg_values_supported: algorithmsAt('revocation'),
  introspection_endpoint_auth_signing_alg_values_supported: algorithmsAt('introspection'),
  code_challenge_methods_supported: async (code_challenge_method) => void (await signIn({ code_challenge_method })),
  authorization_response_iss_parameter_supported: sayTrue(async () => {
    assert.equal((await authorize()).searchParams.get('iss'), server.issuer)
    assert.equal((await authorize({ scope: 'nonsense' })).searchParams.get('iss'), server.issuer)
  }),
  async claims_supported(claim) {
    const { id_token, access_token } = await allClaims()
    const headers = { authorization: `Bearer ${access_token}` }
    const said = { ...claimsOf(id_token), ...(await (await fetch(endpoint('userinfo'), { headers })).json()) }
    assert.ok(claim in said, `${claim} in ${Object.keys(said)}`)
  },
  claims_parameter_supported: sayTrue(async () => {
    const claims = JSON.stringify({ id_token: { email: { essential: true } } })
    assert.equal(claimsOf((await signIn({ claims })).id_token).email, 'root@example.test')
  }),
  async prompt_values_supported(prompt) {
    const agent = new UserAgent()
    if (prompt === 'none') {
      assert.equal((await authorize({ prompt }, agent)).searchParams.get('error'), 'login_required')
      return
    }
    await authorize({}, agent)
    const query = { response_type: 'code', client_id: 'app', redirect_uri: CALLBACK, scope: 'openid', prompt }
    const challenge = { code_challenge: 'A'.repeat(43), code_challenge_method: 'S256' }
    const url = `${endpoint('authorization')}?${new URLSearchParams({ ...query, ...challenge })}`
    const page = await (await agent.follow(url)).response.text()
    assert.match(page, prompt === 'consent' ? /name="decision"/ : /name="password"/, prompt)
  },
  async acr_values_supported(acr_values) {
    const { acr } = claimsOf((await signIn({ acr_values })).id_token)
    assert.equal(acr, 'pwd', 'the user has no other factor; those who have are in the tests of second factors')
  },
  request_parameter_supported: isFalse,
  request_uri_parameter_supported: isFalse,
  authorization_details_types_supported:
    'test/flows/bridge.test.ts › the consent page names the account, and the client may use what was chosen there',
  dpop_signing_alg_values_supported:
    'server/src/oauth/dpop.test.ts › RFC 9449 4.3 a proof of each algorithm is accepted and names its key',
  backchannel_logout_supported:
    'test/flows/backchannel_logout.test.ts › 7.4.1 7.4.2 7.4.3 however a session ends, its clients are told',
  backchannel_logout_session_supported:
    'test/flows/backchannel_logout.test.ts › 7.2.4 who signs in again keeps the sid, and is told once at the end',
  client_id_metadata_document_supported:
    'test/interop/mcp.test.ts › an MCP client that has never seen the server connects by its metadata document',
}

let all: Promise<{ id_token: string; access_token: string }> | undefined
function allClaims() {
  all ??= signIn({ scope: 'openid profile email address phone', acr_values: 'pwd' })
  return all
}

test('discovery lists only what works: each value of each member is driven', async (t) => {
  for (const [member, listed] of Object.entries(metadata)) {
    const driver = DRIVERS[member]
    await t.test(member, async () => {
      assert.ok(driver, `nobody drives ${member}`)
      if (typeof driver === 'string') {
        const readText = (file: string) =>
          existsSync(path.join(ROOT, file)) ? readFileSync(path.join(ROOT, file), 'utf8') : undefined
        assert.deepEqual(checkNamedTests(`| ${member} | ${driver} |`, readText), [])
      } else for (const value of [listed].flat()) await driver(value as string)
    })
  }
})

test('both documents are one, so they cannot disagree', async () => {
  const { origin, pathname } = new URL(server.issuer)
  const urls = [
    `${server.issuer}/.well-known/oauth-authorization-server`,
    `${origin}/.well-known/oauth-authorization-server${pathname}`,
    `${origin}/.well-known/openid-configuration${pathname}`,
  ]
  for (const url of urls) assert.deepEqual(await (await fetch(url)).json(), metadata, url)
})
