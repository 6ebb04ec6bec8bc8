import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { BUILT_IN, createCatalogue, unverifiedFields } from './catalogue.ts'
import { verified } from './fact.ts'
import { OVERRIDABLE_FIELDS, readOverrides } from './overrides.ts'
import type { Provider } from './provider.ts'
import { missingPlaceholders, resolveProvider } from './resolve.ts'
import { SettingError } from './setting_error.ts'
import { STANDARD_FIELDS } from './standard.ts'

const acme: Provider = {
  provider: 'acme',
  name: 'Acme',
  placeholders: { shop: { label: 'Shop', form: 'label' } },
  fields: {
    authorization_endpoint: verified('https://{shop}.acme.example/authorize', 'test'),
    token_endpoint: verified('https://{shop}.acme.example/token', 'test'),
    api_hosts: verified(['{shop}.acme.example'], 'test'),
  },
}

test('every record file is in the catalogue, and every record resolves', () => {
  const files = readdirSync(new URL('./records/', import.meta.url)).filter((name) => name.endsWith('.ts'))
  assert.deepEqual(
    files.map((name) => name.replace('.ts', '').replaceAll('_', '-')).sort(),
    BUILT_IN.map((record) => record.provider).sort(),
  )
  for (const record of BUILT_IN) {
    const resolved = resolveProvider(record, { client_id: 'client' })
    assert.equal(resolved.provider, record.provider)
    for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'api_base_url'] as const) {
      if (resolved[name] !== null) assert.match(resolved[name], /^https:\/\/[^{}]+$/, `${record.provider} ${name}`)
    }
  }
})

test('every fact names a field, a status and, unless it is unverified, a source', () => {
  for (const record of BUILT_IN) {
    for (const [name, fact] of Object.entries(record.fields)) {
      assert.ok(Object.hasOwn(STANDARD_FIELDS, name), `${record.provider} ${name}`)
      if (fact.status !== 'unverified') assert.ok(fact.source, `${record.provider} ${name} has no source`)
      if (fact.checked !== null) assert.match(fact.checked, /^\d{4}-\d\d-\d\d$/, `${record.provider} ${name}`)
    }
  }
})

test('what nobody verified is listed as such', () => {
  const github = createCatalogue().get('github')!
  const fields = unverifiedFields(github)
  assert.ok(fields.includes('userinfo_endpoint'))
  assert.ok(fields.includes('pkce'))
  assert.ok(!fields.includes('token_endpoint'))
  assert.deepEqual(unverifiedFields(createCatalogue().get('oidc')!), [])
})

test('an own record stands beside the built-in ones, or in the place of one', () => {
  const own = { ...acme, provider: 'github', name: 'GitHub Enterprise' }
  const catalogue = createCatalogue([acme, own])
  assert.equal(catalogue.get('acme'), acme)
  assert.equal(catalogue.get('github'), own)
  assert.equal(catalogue.get('google')?.name, 'Google')
  assert.equal(catalogue.get('nobody'), undefined)
  assert.equal(catalogue.size, BUILT_IN.length + 1)
  assert.equal(createCatalogue().get('acme'), undefined, 'the built-in list is untouched')
})

test('an own record with a bad name, or given twice, is refused', () => {
  assert.throws(() => createCatalogue([acme, acme]), /given twice/)
  for (const provider of ['', 'Acme', 'a b', '../x', '-a', 'x'.repeat(65)]) {
    assert.throws(() => createCatalogue([{ ...acme, provider }]), /may hold/)
  }
})

test('a connector resolves its record with defaults, placeholders and overrides', () => {
  const resolved = resolveProvider(acme, {
    client_id: 'c1',
    placeholders: { shop: 'north' },
    fields: { pkce: 'required', revocation_endpoint: 'https://{shop}.acme.example/{client_id}/{token}' },
  })
  assert.equal(resolved.token_endpoint, 'https://north.acme.example/token')
  assert.deepEqual(resolved.api_hosts, ['north.acme.example'])
  assert.equal(resolved.pkce, 'required')
  assert.equal(resolved.scope_separator, ' ')
  assert.equal(resolved.revocation_endpoint, 'https://north.acme.example/c1/{token}')
  assert.equal(acme.fields.pkce, undefined, 'the record is untouched')
})

test('a shared authority names the tenant in its ID tokens, an authority of one tenant does not', () => {
  const entra = createCatalogue().get('microsoft-entra')!
  const issuerOf = (placeholders: Record<string, string>) => resolveProvider(entra, { client_id: 'c', placeholders })
  assert.equal(issuerOf({}).id_token_issuer, 'https://login.microsoftonline.com/{tid}/v2.0')
  assert.equal(issuerOf({ tenant: 'organizations' }).id_token_issuer, 'https://login.microsoftonline.com/{tid}/v2.0')
  const own = issuerOf({ tenant: '11111111-2222-3333-4444-555555555555' })
  assert.equal(own.id_token_issuer, null)
  assert.equal(own.issuer, 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0')
})

test('O-05 a placeholder that does not fit is refused with the field it spoils', () => {
  assert.throws(
    () => resolveProvider(acme, { client_id: 'c', placeholders: { shop: 'evil.com/' } }),
    (error) => error instanceof SettingError && /Field authorization_endpoint: Value for shop/.test(error.message),
  )
  assert.throws(() => resolveProvider(acme, { client_id: 'c' }), /Value for shop is missing/)
  const fields = { token_endpoint: 'ftp://x.example/' }
  assert.throws(
    () => resolveProvider(acme, { client_id: 'c', placeholders: { shop: 'a' }, fields }),
    /Field token_endpoint/,
  )
})

test('the console can ask which placeholders lack a value', () => {
  assert.deepEqual(missingPlaceholders(acme), ['shop'])
  assert.deepEqual(missingPlaceholders(acme, { shop: 'north' }), [])
  assert.deepEqual(missingPlaceholders(createCatalogue().get('salesforce')!), [])
  assert.throws(() => missingPlaceholders(acme, { shop: '../' }), SettingError)
})

test('overrides from configuration are checked by name and type', () => {
  const given = { issuer: 'http://127.0.0.1:4001', pkce: 'refused', authorization_params: { prompt: 'login' } }
  assert.deepEqual(readOverrides(given), given)
  assert.ok(OVERRIDABLE_FIELDS.includes('token_endpoint'))
  const refused: Array<Record<string, unknown>> = [
    { unknown: 1 },
    { __proto__x: 1 },
    { constructor: {} },
    { steps: [] },
    { issuer: 1 },
    { issuer: 'javascript:alert(1)' },
    { pkce: 'plain' },
    { token_request: 'xml' },
    { authorization_params: ['a'] },
    { authorization_params: { a: 1 } },
    { authorization_params: { a: 'x\ny' } },
    { scope_separator: '\n' },
    { access_token_seconds: -1 },
    { access_token_seconds: '60' },
    { authorization_scheme: 'Bearer\r\nX: y' },
    { refresh_sends: ['everything'] },
    { api_hosts: 'a.example' },
  ]
  for (const input of refused) assert.throws(() => readOverrides(input), SettingError, JSON.stringify(input))
})
