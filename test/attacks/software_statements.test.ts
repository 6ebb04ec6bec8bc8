import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { saveTrustedIssuer } from '../../server/src/inbound/tokens/trusted_issuers.ts'
import { readTrustedIssuer } from '../../server/src/oauth/trusted_issuer.ts'
import { onBothDatabases, type Platform } from '../parts/platform.ts'

const test = onBothDatabases()
const ISS = 'https://vendor.example'
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const others = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwks = { keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'v1' }] }
let addresses = 0

function state(claims: object, header: object = {}, key: KeyObject = keys.privateKey): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part({ alg: 'ES256', kid: 'v1', ...header })}.${part(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

async function ask(p: Platform, method: string, path: string, json: unknown, token?: string) {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
  const request = new Request(p.issuer + path, { method, headers, body: JSON.stringify(json) })
  const response = await p.server.app.fetch(request, { address: `10.2.0.${++addresses % 250}` })
  return { status: response.status, body: await response.json() }
}
const register = (p: Platform, json: unknown) => ask(p, 'POST', '/register', json)

async function trust(p: Platform, rules: Record<string, unknown> = {}, disabled = false): Promise<void> {
  const read = readTrustedIssuer({ jwks, software_statements: true, ...rules })
  await saveTrustedIssuer(p.server.app.tenant, { issuer: ISS, rules: read, disabled }, { actor: 'cli', changed: [] })
  await p.server.saveSettings({ registration: 'open', dynamic_client_scopes: ['mcp:tools'] })
  p.pass(3601)
}

const SAID = { iss: ISS, software_id: 'desk', client_name: 'Desk Agent', redirect_uris: ['https://desk.example/cb'] }

test('RFC 7591 2.3 what a trusted issuer signed counts for more than what the client says, and is answered as it came', async (p) => {
  await trust(p)
  const software_statement = state({
    ...SAID,
    aud: [p.issuer],
    exp: Math.floor(p.now() / 1000) + 60,
    jti: 'x',
    sub: 'y',
  })
  const { status, body } = await register(p, {
    ...{
      software_statement,
      client_name: 'Bank',
      redirect_uris: ['https://evil.example/cb'],
      client_uri: 'https://desk.example',
    },
  })
  assert.equal(status, 201, JSON.stringify(body))
  assert.deepEqual(
    [body.client_name, body.redirect_uris, body.software_id],
    ['Desk Agent', ['https://desk.example/cb'], 'desk'],
  )
  assert.deepEqual([body.client_uri, body.software_statement], ['https://desk.example', software_statement])
  assert.deepEqual([body.iss, body.sub, body.jti, body.exp], [undefined, undefined, undefined, undefined])
  const { client_id, registration_access_token: token } = body
  const update = { client_id, software_statement, client_name: 'Bank', redirect_uris: ['https://evil.example/cb'] }
  const updated = await ask(p, 'PUT', `/register/${client_id}`, update, token)
  assert.deepEqual([updated.status, updated.body.client_name], [200, 'Desk Agent'])
})

test('RFC 7591 2.3 what a statement says is checked like anything else, and gives no trust', async (p) => {
  await trust(p)
  const { status, body } = await register(p, {
    software_statement: state({ ...SAID, trusted: true, scope: 'admin:write mcp:tools' }),
  })
  assert.deepEqual([status, body.scope], [201, 'mcp:tools'])
  const { tenant_id } = p.server.app.tenant
  const kept = await p.server.store.findClient({ tenant_id, client_id: body.client_id })
  assert.deepEqual([kept!.trusted, JSON.parse(kept!.metadata).unverified], [0, true])
  const script = await register(p, { software_statement: state({ ...SAID, redirect_uris: ['javascript:alert(1)'] }) })
  assert.deepEqual([script.status, script.body.error], [400, 'invalid_redirect_uri'])
})

test('RFC 7591 3.2.2 a statement by nobody who is trusted for them is unapproved', async (p) => {
  await trust(p)
  const refused = async (software_statement: string, what: string) => {
    const { status, body } = await register(p, { software_statement, redirect_uris: ['https://desk.example/cb'] })
    assert.deepEqual([status, body.error], [400, 'unapproved_software_statement'], what)
  }
  await refused(state({ ...SAID, iss: 'https://other.example' }), 'another issuer')
  await refused(state({ ...SAID, iss: `${ISS}/` }), 'an issuer with a slash')
  await refused(state({ ...SAID, iss: p.issuer }), 'this server itself')
  await trust(p, {}, true)
  await refused(state(SAID), 'a disabled issuer')
  await trust(p, { software_statements: false })
  await refused(state(SAID), 'an issuer of assertions alone')
})

test('RFC 7591 3.2.2 CVE-2018-0114 a statement that is forged, over or for somebody else is invalid', async (p) => {
  await trust(p)
  const seconds = Math.floor(p.now() / 1000)
  const good = state(SAID)
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${good.split('.')[1]}.`
  for (const [what, software_statement] of [
    ['another key', state(SAID, {}, others.privateKey)],
    ['its own key', state(SAID, { jwk: others.publicKey.export({ format: 'jwk' }) }, others.privateKey)],
    ['a key elsewhere', state(SAID, { jku: 'https://evil.example/jwks' }, others.privateKey)],
    ['an unknown key', state(SAID, { kid: 'v2' })],
    ['no signature', unsigned],
    ['another algorithm', state(SAID, { alg: 'HS256' })],
    ['another type', state(SAID, { typ: 'at+jwt' })],
    ['a critical header', state(SAID, { crit: ['b64'] })],
    [
      'a changed claim',
      good.replace(
        good.split('.')[1]!,
        Buffer.from(JSON.stringify({ ...SAID, software_id: 'x' })).toString('base64url'),
      ),
    ],
    ['an end that is past', state({ ...SAID, exp: seconds })],
    ['a beginning that is ahead', state({ ...SAID, nbf: seconds + 60 })],
    ['an end that is no time', state({ ...SAID, exp: 'soon' })],
    ['another audience', state({ ...SAID, aud: 'https://other.example' })],
    ['no issuer', state({ ...SAID, iss: undefined })],
    ['text', 'statement'],
    ['a number', 7],
    ['an object', { iss: ISS }],
  ] as const) {
    const { status, body } = await register(p, { software_statement, redirect_uris: ['https://desk.example/cb'] })
    assert.deepEqual([status, body.error], [400, 'invalid_software_statement'], what)
    assert.match(body.error_description, /^Member software_statement /, what)
  }
})
