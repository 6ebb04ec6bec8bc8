import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Bench, connectAs, eventTypes, listEvents, openBench, openForeign } from '../../../test/parts/vault.ts'
import { createEgress } from '../egress/egress.ts'
import { OAuthError } from '../oauth/errors.ts'
import { openClientSecret } from './connector.ts'
import {
  type ConnectorInput,
  deleteConnector,
  findConnector,
  listConnectors,
  saveConnector,
  setConnectorDisabled,
} from './connectors.ts'
import type { OutboundContext } from './context.ts'
import { disconnect } from './disconnect.ts'

const INPUT: ConnectorInput = {
  ...{ connector: 'acme', provider: 'oidc', issuer: 'https://idp.example', client_id: 'web', client_secret: 'hush' },
  scope: 'openid email',
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
    assert.throws(() => openClientSecret(context, { ...row, version: row.version + 1 }))
    assert.throws(() => openClientSecret(context, { ...row, connector: 'acme' }))
    const shown = JSON.stringify([await listConnectors(context), await listEvents(bench.tenant)])
    assert.equal(shown.includes('very-secret'), false)
    assert.equal(Buffer.from(row.sealed_client_secret!).includes('very-secret'), false)
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
    ['a method that is not there yet', { fields: { token_endpoint_auth_method: 'private_key_jwt' } }, /auth_method/],
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
    await assert.rejects(save(elsewhere), /server may not change while it has connections/)
    assert.deepEqual(await findConnector(context, 'held'), before)
    assert.equal(await save({ ...at_foreign, client_secret: 'another' }), 'changed', 'all else may')
    await disconnect(context, { connection_id: connection_id!, actor: 'test' })
    assert.equal(await save(elsewhere), 'changed')
    await foreign.close()
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

  test('a connector is disabled once and enabled once', async () => {
    assert.equal(await setConnectorDisabled(context, 'cli', 'acme', true), true)
    assert.equal(await setConnectorDisabled(context, 'cli', 'acme', true), false)
    assert.notEqual((await findConnector(context, 'acme'))!.disabled_at, null)
    assert.equal(await setConnectorDisabled(context, 'cli', 'acme', false), true)
    assert.equal(await setConnectorDisabled(context, 'cli', 'nobody', true), false)
  })
})
