import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { BUILT_IN, createCatalogue, unverifiedFields } from './catalogue.ts'
import { type Fact, secondary, unverified, verified } from './fact.ts'
import { readOverrides } from './overrides.ts'
import type { Provider } from './provider.ts'
import { missingPlaceholders, readFields, resolveProvider } from './resolve.ts'
import { searchCatalogue } from './search.ts'
import { SettingError } from './setting_error.ts'
import { STANDARD_FIELDS } from './standard.ts'
import { type Placeholder, readLearnedOrigin, readPlaceholderValue } from './template.ts'

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

/** Every fact of the catalogue, with where it stands. */
function facts(): Array<[where: string, name: string, fact: Fact<unknown>]> {
  return BUILT_IN.flatMap(({ provider, fields }) =>
    Object.entries(fields).map(([name, fact]): [string, string, Fact<unknown>] => [`${provider} ${name}`, name, fact]),
  )
}

function exampleValues({ placeholders }: Provider): Record<string, string> {
  const entries = Object.entries(placeholders)
  return Object.fromEntries(entries.map(([name, placeholder]) => [name, placeholder.default ?? exampleOf(placeholder)]))
}

function exampleOf({ form, suffixes = [], choices = [] }: Placeholder): string {
  const host = suffixes[0]?.replace(/^\./, 'north.') ?? 'id.example.org'
  const examples = {
    choice: choices[0] ?? '',
    host,
    base_url: `https://${host}/base`,
    label: 'north',
    segment: 'north',
  }
  return examples[form]
}

// One label, such as .com, belongs to everybody.
function isOwnSuffix(suffix: string): boolean {
  return /^\.?([a-z0-9-]+\.)+[a-z]+$/.test(suffix)
}

test('every record file is in the catalogue, and every record resolves', () => {
  const files = readdirSync(new URL('./records/', import.meta.url)).filter((name) => name.endsWith('.ts'))
  assert.deepEqual(
    files.map((name) => name.replace('.ts', '').replaceAll('_', '-')).sort(),
    BUILT_IN.map((record) => record.provider).sort(),
  )
  for (const record of BUILT_IN) {
    const resolved = resolveProvider(record, { client_id: 'client', placeholders: exampleValues(record) })
    assert.equal(resolved.provider, record.provider)
    for (const [name, value] of Object.entries(resolved)) {
      if (!/_(endpoint|uri)$|^issuer$|^api_base_url$/.test(name) || typeof value !== 'string') continue
      assert.match(value.replace('{token}', ''), /^https:\/\/[^{}]+$/, `${record.provider} ${name}`)
    }
    for (const { url } of resolved.steps) assert.match(url, /^https:\/\//, record.provider)
  }
})

test('every fact names a field, a status and, unless it is unverified, a source', () => {
  for (const [where, name, fact] of facts()) {
    assert.ok(Object.hasOwn(STANDARD_FIELDS, name), where)
    assert.match(fact.status, /^(verified|corroborated|secondary|unverified)$/, where)
    if (fact.status !== 'unverified') assert.ok(fact.source, `${where} has no source`)
  }
})

test('what is verified names a document of the vendor or a standard; a day stands there where somebody read it', () => {
  for (const [where, , { status, source, checked }] of facts()) {
    if (status === 'verified') assert.match(source ?? '', /^(https?:\/\/|RFC \d|OpenID )/, where)
    if (checked === null) continue
    assert.equal(status, 'verified', where)
    assert.match(checked, /^\d{4}-\d\d-\d\d$/, where)
    assert.equal(new Date(checked).toISOString().slice(0, 10), checked, where)
  }
})

test('every placeholder is declared where it is used, and used where it is declared', () => {
  for (const record of BUILT_IN) {
    const { notes: _, id_token_issuer, ...fields } = readFields(record)
    const used = new Set([...JSON.stringify(fields).matchAll(/\{(\w+)\}/g)].map(([, name]) => name!))
    const kept = (fields.steps ?? []).flatMap(({ keep }) => Object.keys(keep))
    for (const name of ['client_id', 'token', 'access_token', ...kept]) used.delete(name)
    assert.deepEqual([...used].sort(), Object.keys(record.placeholders).sort(), record.provider)
    for (const name of Object.keys(id_token_issuer?.when ?? {})) assert.ok(used.has(name), record.provider)
  }
})

test('O-05 no value of a placeholder, and nothing that an answer says, names a host of somebody else', () => {
  const outside = ['evil.example', 'north.evil.example', 'example']
  for (const record of BUILT_IN) {
    for (const [name, placeholder] of Object.entries(record.placeholders)) {
      const where = `${record.provider} ${name}`
      const { form, suffixes = [] } = placeholder
      assert.doesNotThrow(() => readPlaceholderValue(name, placeholder, exampleOf(placeholder)), where)
      if (placeholder.default)
        assert.equal(readPlaceholderValue(name, placeholder, placeholder.default), placeholder.default)
      if (form === 'choice') assert.ok(placeholder.choices?.length, where)
      if (form !== 'host') continue
      assert.ok(suffixes.length > 0 && suffixes.every(isOwnSuffix), where)
      for (const host of outside.flatMap((end) => [end, `${exampleOf(placeholder)}.${end}`])) {
        assert.throws(() => readPlaceholderValue(name, placeholder, host), SettingError, `${where} ${host}`)
      }
    }
    for (const { name, form, suffixes } of readFields(record).learned ?? []) {
      if (form === 'text') continue
      assert.ok(suffixes.length > 0 && suffixes.every(isOwnSuffix), `${record.provider} ${name}`)
      for (const host of outside.flatMap((end) => [end, `north${suffixes[0]}.${end}`])) {
        assert.equal(readLearnedOrigin(`https://${host}/`, suffixes), null, `${record.provider} ${name} ${host}`)
      }
    }
  }
})

test('notes are a sentence or two for people, and promise nothing', () => {
  for (const [where, name, { value }] of facts()) {
    if (name !== 'notes') continue
    assert.ok(typeof value === 'string' && value.length <= 320, where)
    assert.match(value, /^[A-Z][^\n]*\.$/, where)
    assert.ok(value.split(/[.!?] /).length <= 3, where)
    assert.doesNotMatch(value, /\b(will|shall|soon|planned|upcoming|todo|for now|not yet)\b/i, where)
  }
})

test('the fields of a record do not contradict each other', () => {
  for (const record of BUILT_IN) {
    const fields = { ...STANDARD_FIELDS, ...readFields(record) }
    const { refresh_token_rotation: rotation, refresh_token_replay: replay, revocation_request, account } = fields
    const rules: Array<[boolean, string]> = [
      [(replay === 'within_grace') === (fields.replay_grace_seconds !== null), 'a grace period has a length'],
      [rotation !== 'never' || !['refused', 'ends_grant'].includes(replay), 'what never rotates is sent again'],
      [rotation !== 'no_refresh_token' || fields.refresh_token_seconds === null, 'what there is not has no length'],
      [rotation !== 'no_refresh_token' || fields.refresh_token_life === 'unknown', 'what there is not has no life'],
      [rotation !== 'no_refresh_token' || replay === 'unknown', 'what there is not is not sent again'],
      [rotation !== 'no_refresh_token' || fields.offline_scope === null, 'what there is not is not asked for'],
      [
        fields.refresh_grant?.sends !== 'access_token' || rotation === 'no_refresh_token',
        'an access token renews itself',
      ],
      [fields.steps.filter(({ choice }) => choice).length <= 1, 'one thing is chosen'],
      [fields.refresh_token_max_seconds === null || fields.refresh_token_life === 'idle', 'a fixed life has one end'],
      [fields.introspection_endpoint !== null || account?.from !== 'introspection', 'introspection is somewhere'],
      [fields.refresh_token_life !== 'unlimited' || fields.refresh_token_seconds === null, 'no end has no length'],
      [revocation_request === null || fields.revocation_endpoint !== null, 'a request needs an endpoint'],
      [revocation_request?.parameter == null || !fields.revocation_endpoint?.includes('{token}'), 'one token is sent'],
      [fields.scope_parameter !== null || fields.offline_scope === null, 'without scopes there is no scope to ask for'],
      [
        account?.from !== 'id_token' || fields.issuer !== null || record.provider === 'oidc',
        'an ID token has an issuer',
      ],
      [account?.from !== 'id_token' || fields.default_scope.split(' ').includes('openid'), 'an ID token is asked for'],
      [
        account?.from !== 'userinfo' || fields.userinfo_endpoint !== null || fields.discovery !== null,
        'userinfo is somewhere',
      ],
    ]
    for (const [holds, rule] of rules) assert.ok(holds, `${record.provider}: ${rule}`)
  }
})

test('what nobody verified is listed as such', () => {
  const fields = { ...acme.fields, pkce: secondary('supported', 'test'), default_scope: unverified('read') }
  assert.deepEqual(unverifiedFields({ ...acme, fields }), ['pkce', 'default_scope'])
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

test('parameters take the values of placeholders too, and leave other braces alone', () => {
  const fields = {
    ...acme.fields,
    token_params: verified({ audience: 'https://{shop}.acme.example', claims: '{"id_token":{"a":null}}' }, 'test'),
  }
  const resolved = resolveProvider({ ...acme, fields }, { client_id: 'c', placeholders: { shop: 'north' } })
  assert.deepEqual(resolved.token_params, {
    audience: 'https://north.acme.example',
    claims: '{"id_token":{"a":null}}',
  })
  const params = { ...acme, fields: { offline_params: verified({ shop: '{shop}' }, 'test') } }
  assert.throws(
    () => resolveProvider(params, { client_id: 'c', placeholders: { shop: 'north\nx' } }),
    /Field offline_params: Value for shop/,
  )
})

test('the console can ask which placeholders lack a value', () => {
  assert.deepEqual(missingPlaceholders(acme), ['shop'])
  assert.deepEqual(missingPlaceholders(acme, { shop: 'north' }), [])
  assert.deepEqual(missingPlaceholders(createCatalogue().get('salesforce')!), [])
  assert.throws(() => missingPlaceholders(acme, { shop: '../' }), SettingError)
})

test('an application is registered at a page of https, whose source is named', () => {
  const known = BUILT_IN.flatMap(({ registration }) => registration ?? [])
  assert.ok(known.length > 5)
  for (const { value, source } of known) assert.ok(URL.parse(value)?.protocol === 'https:' && source, value)
})

test('the catalogue is searched by every word, in any spelling, and begins with what stands for any server', () => {
  const search = (q?: string) => searchCatalogue(createCatalogue(), q).map(({ provider }) => provider)
  assert.equal(search().length, BUILT_IN.length)
  assert.deepEqual(search().slice(0, 3), ['oauth2', 'oidc', 'airtable'])
  assert.deepEqual(search('  entra MICROSOFT '), ['microsoft-entra'])
  assert.deepEqual(search('git'), ['github', 'gitlab'])
  assert.deepEqual(search('.*'), [])
})

test('overrides from configuration are checked by name and type', () => {
  const given = { issuer: 'http://127.0.0.1:4001', pkce: 'refused', authorization_params: { prompt: 'login' } }
  assert.deepEqual(readOverrides(given), given)
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
    { authorization_header: 'X-Token\r\nX' },
    { api_headers: { 'X-A': 'a\r\nX: y' } },
    { api_headers: { 'X A': 'a' } },
    { refresh_sends: ['everything'] },
    { api_hosts: 'a.example' },
  ]
  for (const input of refused) assert.throws(() => readOverrides(input), SettingError, JSON.stringify(input))
})
