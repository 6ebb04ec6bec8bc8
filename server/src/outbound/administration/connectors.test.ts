import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { type Bench, connectAs, eventTypes, listEvents, openBench, openForeign } from '../../../../test/parts/vault.ts'
import { SealError } from '../../crypto/seal.ts'
import { createEgress } from '../../egress/egress.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { disconnect } from '../connections/disconnect.ts'
import { callbackUrl, openClientSecret, openConnector, relyingParty } from '../connectors/connector.ts'
import type { OutboundContext } from '../context.ts'
import { checkConnector } from './check_connector.ts'
import type { ConnectorInput } from './connector_input.ts'
import {
  deleteConnector,
  findConnector,
  listConnectorKeys,
  listConnectors,
  saveConnector,
  setConnectorDisabled,
} from './connectors.ts'
import { rotateConnectorKey } from './rotate_connector_key.ts'

const INPUT: ConnectorInput = {
  ...{ connector: 'acme', provider: 'oidc', issuer: 'https://idp.example', client_id: 'web', client_secret: 'hush' },
  scope: 'openid email',
}

const BY_KEY = { token_endpoint_auth_method: 'private_key_jwt' }
const HALF_BY_KEY = { ...BY_KEY, revocation_endpoint_auth_method: 'client_secret_basic' }
const pemOf = (namedCurve: string) =>
  generateKeyPairSync('ec', { namedCurve }).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
const EC_KEY = pemOf('P-256')
const P384_KEY = pemOf('P-384')
const APPLE: Partial<ConnectorInput> = {
  ...{ provider: 'apple', issuer: undefined, client_secret: undefined, scope: undefined },
  ...{ private_key: EC_KEY, key_id: 'KEY', team_id: 'TEAM' },
}

const DESK: Partial<ConnectorInput> = {
  ...{ provider: 'freshdesk', issuer: undefined, client_id: undefined, client_secret: undefined, scope: undefined },
  placeholders: { subdomain: 'acme' },
}

describe('connectors', () => {
  let bench: Bench
  let context: OutboundContext
  let strict: OutboundContext

  before(async () => {
    bench = await openBench()
    context = bench.contexts[0]
    // As an operator leaves it: no entry lets plain http through.
    strict = bench.another({ egress: createEgress() })
  })
  after(() => bench.drop())

  const save = (more: Partial<ConnectorInput> = {}) => saveConnector(context, 'cli', { ...INPUT, ...more })

  test('a connector is made, changed, and left alone when nothing changes', async () => {
    assert.equal(await saveConnector(context, 'cli', INPUT, { dry_run: true }), 'created')
    assert.equal(await findConnector(context, 'acme'), null)
    assert.equal(await save(), 'created')
    assert.equal(await save(), 'unchanged')
    assert.equal(await save({ client_secret: undefined }), 'unchanged')
    const before = await findConnector(context, 'acme')
    assert.equal(await save({ scope: 'openid' }), 'changed')
    assert.equal(await save({ scope: 'openid', client_secret: 'other' }), 'changed')
    const found = (await findConnector(context, 'acme'))!
    assert.ok(found.version > before!.version)
    assert.equal(found.scope, 'openid')
    assert.equal(found.callback_url, 'http://localhost:9400/connect/acme/callback')
    assert.equal(found.provider_name, 'OpenID Connect')
    assert.equal(found.has_client_secret, true)
    const types = (await eventTypes(bench.tenant)).filter((type) => type.startsWith('connector.'))
    assert.deepEqual(types, ['connector.created', 'connector.changed', 'connector.changed'])
  })

  test('changes at the same time are all made, one after the other', async () => {
    const scopes = ['a', 'b', 'c', 'd']
    await Promise.all(scopes.map((scope) => save({ connector: 'raced', scope })))
    const found = (await findConnector(context, 'raced'))!
    assert.ok(scopes.includes(found.scope))
  })

  test('a secret is sealed for its version, and shown and logged nowhere', async () => {
    const { tenant_id, store } = bench.tenant
    await save({ connector: 'sealed', client_secret: 'very-secret' })
    const row = (await store.findConnector({ tenant_id, connector: 'sealed' }))!
    assert.equal(openClientSecret(context, row), 'very-secret')
    assert.throws(() => openClientSecret(context, { ...row, version: row.version + 1 }), SealError)
    assert.throws(() => openClientSecret(context, { ...row, connector: 'acme' }), SealError)
    const shown = JSON.stringify([await listConnectors(context), await listEvents(bench.tenant)])
    assert.equal(shown.includes('very-secret'), false)
    assert.equal(Buffer.from(row.sealed_client_secret!).includes('very-secret'), false)
  })

  test('a key is made where none is given, sealed, and stays as long as its server', async () => {
    const { tenant_id, store } = bench.tenant
    const input = { connector: 'by-key', client_secret: undefined, fields: BY_KEY }
    assert.equal(await save(input), 'created')
    assert.equal(await save(input), 'unchanged')
    const found = (await findConnector(context, 'by-key'))!
    assert.equal(found.has_client_secret, false)
    assert.equal(found.jwks_uri, 'http://localhost:9400/jwks/by-key')
    assert.deepEqual(await listConnectorKeys(context, 'by-key'), { keys: [found.public_jwk] })
    const { alg, crv, kid, d } = found.public_jwk!
    assert.deepEqual([alg, crv, typeof kid, d], ['ES256', 'P-256', 'string', undefined])
    const row = (await store.findConnector({ tenant_id, connector: 'by-key' }))!
    const pem = openClientSecret(context, row)!
    assert.match(pem, /^-----BEGIN PRIVATE KEY-----/)
    const { client_secret, private_key } = relyingParty(context, openConnector(context, row))
    assert.deepEqual([client_secret, private_key!.kid], [null, kid])
    const secret = pem.split('\n')[1]!
    assert.equal(JSON.stringify([found, await listEvents(bench.tenant)]).includes(secret), false)
    assert.equal(await save({ ...input, scope: 'openid' }), 'changed')
    assert.equal((await findConnector(context, 'by-key'))!.public_jwk!['kid'], kid)
    assert.equal(await save({ ...input, issuer: 'https://other.example' }), 'changed')
    const other = (await findConnector(context, 'by-key'))!
    assert.notEqual(other.public_jwk!['kid'], kid, 'another server is shown another key')
    await assert.rejects(save({ ...input, fields: {} }), /client_secret is missing/, 'a key is never sent as a secret')
    assert.equal(await save({ ...input, fields: {}, client_secret: 'hush' }), 'changed')
    assert.equal(await listConnectorKeys(context, 'by-key'), null)
    assert.equal(await save(input), 'changed')
    assert.match((await findConnector(context, 'by-key'))!.jwks_uri!, /by-key$/)
  })

  test('another key is published for a day before it signs, and the one before for a day after', async () => {
    const input = { connector: 'rotated', client_secret: undefined, fields: BY_KEY }
    assert.equal(await save(input), 'created')
    const kids = async () => (await listConnectorKeys(context, 'rotated'))!.keys.map(({ kid }) => kid as string)
    const signs = async () => {
      const { tenant_id, store } = bench.tenant
      const row = (await store.findConnector({ tenant_id, connector: 'rotated' }))!
      return relyingParty(context, openConnector(context, row)).private_key!.kid
    }
    const rotate = () => rotateConnectorKey(context, 'test', 'rotated')
    const HOUR = 3_600_000
    const [first] = (await kids()) as [string]
    assert.equal(await rotate(), 'rotating')
    assert.equal(await rotate(), 'under_way')
    const [, second] = (await kids()) as [string, string]
    assert.notEqual(second, first)
    assert.equal(await save(input), 'unchanged')
    assert.equal(await save({ ...input, scope: 'openid' }), 'changed', 'all else may change meanwhile')
    bench.clock.offset += 23 * HOUR
    assert.deepEqual([await kids(), await signs()], [[first, second], first])
    bench.clock.offset += 2 * HOUR
    assert.deepEqual([await kids(), await signs()], [[first, second], second])
    assert.equal(await rotate(), 'rotating')
    const [, third] = (await kids()) as [string, string]
    assert.deepEqual([await kids(), await signs()], [[second, third, first], second])
    assert.equal(await save({ ...input, scope: 'openid' }), 'unchanged')
    bench.clock.offset += 25 * HOUR
    assert.deepEqual([await kids(), await signs()], [[second, third], third])
    bench.clock.offset += 25 * HOUR
    assert.deepEqual([await kids(), await signs()], [[third], third])
    assert.equal((await findConnector(context, 'rotated'))!.public_jwk!['kid'], third)
    assert.equal(await save({ ...input, scope: 'openid', private_key: EC_KEY }), 'changed')
    const [given, ...before] = await kids()
    assert.deepEqual([await signs(), before], [given, [third]], 'one that is given signs at once')
    assert.equal(await rotate(), 'not_ours')
    assert.equal(await rotateConnectorKey(context, 'test', 'nobody'), 'unknown')
    assert.equal(await save({ ...input, scope: 'openid', private_key: EC_KEY }), 'unchanged')
    bench.clock.offset -= 100 * HOUR
  })

  test('a key that people type is handed out only where that is said', async () => {
    const desk = { ...DESK, connector: 'desk' }
    const shown = async () => (await findConnector(context, 'desk'))!.settings.hand_out_tokens
    assert.equal(await save(desk), 'created')
    assert.equal(await shown(), false)
    assert.equal(await save({ ...desk, hand_out_tokens: true }), 'changed')
    assert.equal(await shown(), true)
  })

  test('a key that is given signs under the name that the provider has for it', async () => {
    const input = { connector: 'given', client_secret: undefined, fields: BY_KEY, private_key: EC_KEY, key_id: 'k-1' }
    assert.equal(await save(input), 'created')
    assert.equal(await save(input), 'unchanged')
    assert.equal(await save({ ...input, private_key: undefined }), 'unchanged')
    assert.equal((await findConnector(context, 'given'))!.public_jwk!['kid'], 'k-1')
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const pem = rsa.export({ format: 'pem', type: 'pkcs1' }).toString()
    assert.equal(await save({ ...input, private_key: pem }), 'changed')
    assert.equal((await findConnector(context, 'given'))!.public_jwk!['alg'], 'RS256')
    const jwk = JSON.stringify({ ...rsa.export({ format: 'jwk' }), alg: 'PS256', kid: 'theirs' })
    assert.equal(await save({ ...input, private_key: jwk, key_id: undefined }), 'changed')
    const { alg, kid } = (await findConnector(context, 'given'))!.public_jwk!
    assert.deepEqual([alg, kid], ['PS256', 'theirs'])
    const { settings } = (await findConnector(context, 'given'))!
    assert.equal(settings.key!.alg, 'PS256')
  })

  test('a key that signs client secrets is known to its provider already, and published nowhere', async () => {
    assert.equal(await save({ connector: 'team', ...APPLE }), 'created')
    assert.equal(await save({ connector: 'team', ...APPLE, private_key: undefined }), 'unchanged')
    const found = (await findConnector(context, 'team'))!
    assert.deepEqual([found.jwks_uri, found.settings.team_id, found.settings.key!.kid], [null, 'TEAM', 'KEY'])
    assert.equal(await listConnectorKeys(context, 'team'), null)
    assert.equal(await listConnectorKeys(context, 'nobody'), null)
  })

  const WRONG: [title: string, more: Partial<ConnectorInput>, named: RegExp][] = [
    ['a name that is no name', { connector: 'a/b' }, /connector/],
    ['an empty name', { connector: '' }, /connector/],
    ['a provider that is not in the catalogue', { provider: 'nobody' }, /provider/],
    ['an empty client_id', { client_id: '' }, /client_id/],
    ['a client_id with a line break', { client_id: 'a\r\nb' }, /client_id/],
    ['an issuer on http', { issuer: 'http://idp.example' }, /issuer/],
    ['an issuer that is no URL', { issuer: 'idp.example' }, /issuer/],
    ['an issuer with credentials', { issuer: 'https://a:b@idp.example' }, /issuer/],
    ['no issuer and no endpoints', { issuer: undefined }, /issuer/],
    ['an endpoint on http', { fields: { token_endpoint: 'http://idp.example/token' } }, /token_endpoint/],
    ['a field that is not to be set', { fields: { steps: [] } }, /steps/],
    ['a field of the wrong type', { fields: { pkce: 'never' } }, /pkce/],
    [
      'a missing placeholder',
      { provider: 'microsoft-entra', issuer: undefined, placeholders: { tenant: '../x' } },
      /tenant/,
    ],
    ['a return URI on http', { return_uris: ['http://app.example/'] }, /return_uris/],
    ['a return URI with a script', { return_uris: ['javascript:alert(1)'] }, /return_uris/],
    ['a scope with an illegal character', { scope: 'a"b' }, /scope/],
    ['a missing secret', { client_secret: undefined }, /client_secret/],
    [
      'a sign-in by what many people share',
      { provider: 'slack', issuer: undefined, sign_in: 'linked' },
      /sign_in needs a provider that says which person it is/,
    ],
    ['a secret beside a key', { fields: BY_KEY }, /client_secret does not go with/],
    ['a key beside a secret', { private_key: EC_KEY }, /private_key does not go with/],
    ['a team without a key', { team_id: 'TEAM' }, /team_id does not go with/],
    ['a key that is none', { client_secret: undefined, fields: BY_KEY, private_key: 'hush' }, /private_key/],
    ['a key that is cut', { client_secret: undefined, fields: BY_KEY, private_key: '{"kty":' }, /private_key/],
    ['a key of another curve', { client_secret: undefined, fields: BY_KEY, private_key: P384_KEY }, /P-256/],
    ['a key_id with a line break', { client_secret: undefined, fields: BY_KEY, key_id: 'a\nb' }, /key_id/],
    [
      'a key for a server without a name',
      { ...APPLE, provider: 'github', team_id: undefined, private_key: undefined, key_id: undefined, fields: BY_KEY },
      /issuer is missing/,
    ],
    ['a secret for revocations alone', { client_secret: undefined, fields: HALF_BY_KEY }, /revocation_endpoint_auth/],
    ['a client where people type keys', { ...DESK, client_id: 'web' }, /client_id does not go with/],
    ['a scope where people type keys', { ...DESK, scope: 'a' }, /scope does not go with/],
    [
      'a redirect where people type keys',
      { ...DESK, redirect_uris: ['http://localhost:9400/connect/wrong/callback'] },
      /redirect_uris do not go with/,
    ],
    ['a sign-in by a key', { ...DESK, sign_in: 'linked' }, /sign_in needs a provider/],
    ['no team for a secret that is signed', { ...APPLE, team_id: undefined }, /team_id is missing/],
    ['no key for a secret that is signed', { ...APPLE, private_key: undefined }, /private_key is missing/],
  ]
  for (const [title, more, named] of WRONG) {
    test(`${title} is refused by name and makes nothing`, async () => {
      const refused = (error: unknown) => error instanceof OAuthError && named.test(error.error_description)
      await assert.rejects(saveConnector(strict, 'cli', { ...INPUT, connector: 'wrong', ...more }), refused)
      assert.equal(await findConnector(context, 'wrong'), null)
    })
  }

  test('O-05 what goes into the URLs of a provider cannot lead elsewhere', async () => {
    const hosts = [
      'evil.example',
      'a.my.salesforce.com.evil.example',
      'a/b',
      'a@b',
      '127.0.0.1',
      'a?b',
      'a#b',
      'a:1',
      '',
    ]
    for (const login_host of hosts) {
      const input = { connector: 'sf', provider: 'salesforce', issuer: undefined, placeholders: { login_host } }
      await assert.rejects(save(input), OAuthError, login_host)
    }
  })

  test('M-10 CVE-2026-104850 a secret stays with the server that it was given for', async () => {
    const elsewhere: Partial<ConnectorInput>[] = [
      { issuer: 'https://evil.example' },
      { provider: 'github', issuer: undefined },
      ...['token_endpoint', 'revocation_endpoint'].map((name) => ({
        fields: { [name]: 'https://evil.example/token' },
      })),
    ]
    for (const more of elsewhere) {
      await save({ connector: 'kept' })
      const before = await findConnector(context, 'kept')
      const changed = { connector: 'kept', client_secret: undefined, ...more }
      await assert.rejects(save(changed), /client_secret is missing: the present one is for another server/)
      assert.deepEqual(await findConnector(context, 'kept'), before)
      assert.equal(await save({ ...changed, client_secret: 'of the other' }), 'changed')
      await assert.rejects(save({ connector: 'kept', client_secret: undefined }), /client_secret is missing/)
    }
    await save({ connector: 'kept' })
    assert.equal(await save({ connector: 'kept', client_secret: undefined, scope: 'openid' }), 'changed')
  })

  test('CVE-2026-104850 a connector with living connections stays with its server, to which their tokens belong', async () => {
    const foreign = await openForeign(bench, {}, { connector: 'held' })
    const { connection_id } = await connectAs(context, bench.user_id, { connector: 'held' })
    const at_foreign = { connector: 'held', issuer: foreign.issuer, client_secret: 'foreign-secret' }
    const elsewhere = { ...at_foreign, fields: { token_endpoint: 'https://evil.example/token' } }
    const before = await findConnector(context, 'held')
    const evil = 'https://evil.example'
    const changes: [string, Partial<ConnectorInput>][] = [
      ['client_id', { ...at_foreign, client_id: 'another' }],
      ['issuer', { ...at_foreign, issuer: evil }],
      ['api_hosts', { ...at_foreign, fields: { api_hosts: ['evil.example'] } }],
    ]
    const endpoints = ['token', 'refresh', 'revocation', 'introspection', 'userinfo'].map((name) => `${name}_endpoint`)
    for (const name of [...endpoints, 'api_base_url']) {
      changes.push([name, { ...at_foreign, fields: { [name]: `${evil}/there` } }])
    }
    for (const [field, change] of changes) {
      await assert.rejects(save(change), new RegExp(`${field} may not change while it has connections`), field)
    }
    assert.deepEqual(await findConnector(context, 'held'), before)
    assert.equal(await save({ ...at_foreign, client_secret: 'another' }), 'changed', 'all else may')
    assert.equal(await save({ ...at_foreign, scope: 'openid' }), 'changed', 'for the next consent')
    await disconnect(context, { connection_id: connection_id!, actor: 'test' })
    assert.equal(await save(elsewhere), 'changed')
    await foreign.close()
  })

  test('O-04 people sign in only by a connector that is registered with its own callback', async () => {
    const brokers = ['https://redirect.plant.example/callback']
    const own = callbackUrl(context, 'door')
    const door = { connector: 'door', sign_in: 'linked' } as const
    await assert.rejects(
      save({ ...door, redirect_uris: brokers }),
      /redirect_uris must name .*\/connect\/door\/callback/,
    )
    assert.equal(await findConnector(context, 'door'), null)
    assert.equal(await save({ ...door, redirect_uris: [...brokers, own] }), 'created')
    await assert.rejects(save({ ...door, redirect_uris: brokers }), /redirect_uris must name/)
    assert.equal(await save({ ...door, sign_in: 'off', redirect_uris: brokers }), 'changed')
  })

  test('a connector with living connections is deleted only when they are to end', async () => {
    const foreign = await openForeign(bench, {}, { connector: 'foreign' })
    const { connection_id } = await connectAs(context, bench.user_id, { connector: 'foreign' })
    assert.equal(await deleteConnector(context, 'cli', 'foreign'), 'has_connections')
    const version = (await findConnector(context, 'foreign'))!.version
    assert.equal(await deleteConnector(context, 'cli', 'foreign', { disconnect: true }), 'deleted')
    assert.equal(await deleteConnector(context, 'cli', 'foreign'), 'unknown')
    assert.equal(
      await bench.tenant.store.loadConnection({ tenant_id: bench.tenant.tenant_id, connection_id: connection_id! }),
      null,
    )
    assert.ok((await eventTypes(bench.tenant)).includes('connection.destroyed'))
    await save({ connector: 'foreign' })
    assert.ok((await findConnector(context, 'foreign'))!.version > version, 'a name used again never repeats a version')
    await foreign.close()
  })

  test('a test of a connector says what is wrong with it, changes nothing, and is in the audit log', async () => {
    const connector = 'asked'
    const foreign = await openForeign(bench, {}, { connector })
    const { issuer } = foreign
    const look = async (of = context) =>
      (await checkConnector(of, 'user:root', connector))?.map(({ outcome, reason }) => `${reason} ${outcome}`)
    const right = { connector, issuer, client_secret: 'foreign-secret' }
    const known = context.relying.metadata.size
    assert.deepEqual(await look(), ['metadata_read ok', 'client_accepted ok'])
    assert.equal(context.relying.metadata.size, known, 'what a test reads is kept nowhere')
    assert.deepEqual(
      foreign.ledger.map(({ grant_type, error }) => [grant_type, error]),
      [['authorization_code', 'invalid_grant']],
      'one question, with nothing that is worth anything',
    )
    const before = await findConnector(context, connector)
    await save({ ...right, client_secret: 'wrong' })
    assert.deepEqual(await look(), ['metadata_read ok', 'client_refused failed'])
    assert.equal((await findConnector(context, connector))!.error, null, 'a test says nothing of connections')
    await save({ ...right, client_id: 'nobody' })
    assert.deepEqual(await look(), ['metadata_read ok', 'client_refused failed'])
    await save({ ...right, fields: { token_endpoint: `${issuer}/nowhere` } })
    assert.match((await look())!.join(), /^metadata_read ok,(client_unclear unknown|no_answer failed)$/)
    await save({ ...right, issuer: `${issuer}/` })
    assert.deepEqual(await look(), ['issuer_differs failed'])
    await save({ ...right, issuer: `${issuer}/nowhere` })
    assert.deepEqual(await look(), ['metadata_invalid failed'])
    await save(right)
    assert.deepEqual(await look(), ['metadata_read ok', 'client_accepted ok'])
    assert.deepEqual(await look(strict), ['not_let_out failed'], 'the guard is asked, not passed by')
    await foreign.close()
    assert.deepEqual(await look(), ['metadata_unreachable failed'], 'what was remembered says nothing of now')
    const endpoints = { authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token` }
    await save({ ...right, provider: 'oauth2', issuer: undefined, scope: 'a', fields: endpoints })
    assert.deepEqual(await look(), ['endpoints_known ok', 'no_answer failed'])
    await save({ connector: 'desk', ...DESK })
    assert.equal((await checkConnector(context, 'user:root', 'desk'))![0]!.reason, 'people_type_keys')
    assert.equal(await checkConnector(context, 'user:root', 'nobody'), null)
    assert.equal((await findConnector(context, connector))!.connections, before!.connections)
    const events = (await listEvents(bench.tenant)).filter(({ type }) => type === 'connector.tested')
    assert.equal(events.length, 11)
    assert.ok(events.every(({ actor }) => actor === 'user:root'))
    assert.deepEqual(JSON.parse(events[0]!.detail), { connector, reasons: ['metadata_read', 'client_accepted'] })
    assert.doesNotMatch(JSON.stringify(events), /foreign-secret|wrong/)
  })

  test('a client that may not refresh is not called refused for it: a connector need not (RFC 6749 section 5.2)', async () => {
    const asked: string[] = []
    const server = createServer(async (request, response) => {
      asked.push(new URLSearchParams(await text(request)).get('grant_type')!)
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"unauthorized_client"}')
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const place = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const fields = { authorization_endpoint: `${place}/auth`, token_endpoint: `${place}/token` }
    const machine = { connector: 'machine', provider: 'oauth2', issuer: undefined, scope: '', fields }
    const look = async () => (await checkConnector(context, 'user:root', 'machine'))!.at(-1)!
    try {
      await save({ ...machine, grant_type: 'client_credentials' })
      const { outcome, reason, detail } = await look()
      assert.deepEqual([outcome, reason], ['unknown', 'client_unclear'])
      assert.match(detail, /unauthorized_client/)
      await save(machine)
      assert.equal((await look()).reason, 'client_refused', 'one that may not redeem codes is of no use')
      assert.deepEqual(asked, ['refresh_token', 'authorization_code'])
    } finally {
      server.close()
    }
  })

  test('a connector is disabled once and enabled once', async () => {
    assert.equal(await setConnectorDisabled(context, 'cli', 'acme', true), true)
    assert.equal(await setConnectorDisabled(context, 'cli', 'acme', true), false)
    assert.notEqual((await findConnector(context, 'acme'))!.disabled_at, null)
    assert.equal(await setConnectorDisabled(context, 'cli', 'acme', false), true)
    assert.equal(await setConnectorDisabled(context, 'cli', 'nobody', true), false)
  })
})
