import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type FakeInternet, startFakeInternet } from '../../../../test/parts/fake_internet.ts'
import { runRecord } from '../../../../test/parts/run_record.ts'
import { type Bench, openBench } from '../../../../test/parts/vault.ts'
import { BUILT_IN } from '../../providers/catalogue.ts'
import { configured } from '../../providers/fact.ts'
import type { Provider, ProviderFields } from '../../providers/provider.ts'
import {
  STANDARD_ERROR_RESPONSE,
  STANDARD_INTROSPECTION_REQUEST,
  STANDARD_REVOCATION_REQUEST,
  STANDARD_TOKEN_RESPONSE,
} from '../../providers/quirks.ts'
import { linkedin } from '../../providers/records/linkedin.ts'
import { STANDARD_FIELDS } from '../../providers/standard.ts'

const ISSUER = 'https://id.example.org'
const OWN: Readonly<Record<string, Partial<ProviderFields>>> = {
  oidc: { issuer: ISSUER },
  oauth2: { issuer: ISSUER },
  // Yahoo has an API at many hosts: a connector says which.
  yahoo: { api_base_url: 'https://api.example.org' },
}

/** A record with some fields in place of its own. */
function withFields(record: Provider, fields: Partial<ProviderFields>): Provider {
  const facts = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, configured(value)]))
  return { ...record, fields: { ...record.fields, ...facts } }
}

/** A provider whose ways no built-in record has. */
const ODD: Provider = {
  provider: 'odd',
  name: 'Odd',
  placeholders: { place: { label: 'Place', form: 'label', default: 'north' } },
  fields: {
    issuer: configured('https://{place}.odd.example'),
    jwks_uri: configured('https://{place}.odd.example/keys'),
    authorization_endpoint: configured('https://{place}.odd.example/authorize'),
    token_endpoint: configured('https://{place}.odd.example/token'),
    basic_credentials: configured('raw'),
    response_mode: configured('form_post'),
    default_scope: configured('all'),
    token_request_headers: configured({ 'X-Place': '{place}' }),
    refresh_params: configured({ audience: 'https://{place}.odd.example' }),
    token_response: configured({
      ...STANDARD_TOKEN_RESPONSE,
      format: 'form',
      access_token: 'token_value',
      token_type: 'kind',
      token_types: ['mine'],
      expires: { path: 'ends', form: 'epoch_milliseconds', zero: 'expired' },
      refresh_token: 'renewal',
      id_token: 'who',
    }),
    refresh_response: configured({
      ...STANDARD_TOKEN_RESPONSE,
      access_token: 'data.token',
      refresh_token: 'data.renewal',
      expires: { path: 'data.ends', form: 'iso8601', zero: 'expired' },
    }),
    error_response: configured({
      within_200: { path: 'state', equals: 'bad' },
      error: ['problem'],
      error_description: ['words'],
      meanings: { 7: 'invalid_grant', busy: 'throttled' },
    }),
    learned: configured([{ name: 'team', from: 'callback', path: 'team_id', form: 'text', suffixes: [] }]),
    steps: configured([
      {
        ...{ name: 'ticket', when: 'before_authorization', method: 'POST', url: 'https://{place}.odd.example/tickets' },
        ...{ authorization: 'client', params: { place: '{place}' }, body: 'json', replaces_token: false, choice: null },
        keep: { ticket: 'ticket.id' },
      },
    ]),
    revocation_endpoint: configured('https://{place}.odd.example/tokens/{token}'),
    revocation_request: configured({ ...STANDARD_REVOCATION_REQUEST, method: 'DELETE', authorization: 'bearer' }),
    api_hosts: configured(['api.{place}.odd.example']),
    api_headers: configured({ 'X-Team': '{team}' }),
    reads_by_method: configured(false),
    account: configured({ from: 'extra', id: ['person'], name: ['nick'], of: 'person' }),
  },
}

/** Fields that do not show on this walk, and where they do. */
const ELSEWHERE: readonly string[] = [
  // The console shows them: test/flows/connect_choice.test.ts
  'notes',
  ...['grant_types', 'client_per_connection'],
  // No code comes back: connect_device.test.ts, test/interop/connect_asked.test.ts
  ...['device_authorization_endpoint', 'assertion_grant'],
  // relying/push_request.test.ts
  ...['par', 'pushed_authorization_request_endpoint'],
  // test/interop/connect_bound.test.ts
  'dpop',
  // test/interop/connect_certificate.test.ts
  'tls_client_certificate_bound_access_tokens',
  // test/flows/connect_choice.test.ts
  'starts_at_provider',
]

/** Parts of a field, each of which counts by itself. */
const PARTS: Readonly<Record<string, object>> = {
  token_response: STANDARD_TOKEN_RESPONSE,
  error_response: STANDARD_ERROR_RESPONSE,
  revocation_request: STANDARD_REVOCATION_REQUEST,
  introspection_request: STANDARD_INTROSPECTION_REQUEST,
  userinfo_request: { method: 'GET', json: null },
  learned: { form: 'text', suffixes: [], path: '' },
  steps: {
    ...{ method: 'GET', authorization: 'none', params: {}, body: 'query', replaces_token: false, choice: null },
    ...{ when: 'after_exchange', url: 'https://nowhere.example', keep: {} },
  },
}

/** What a record would be if one of its fields, or a part of one, were not read. */
function* unread(record: Provider): Generator<[name: string, served: Provider]> {
  for (const [name, { value: given }] of Object.entries(record.fields)) {
    const value: unknown = given
    const standard = STANDARD_FIELDS[name as keyof ProviderFields]
    if (ELSEWHERE.includes(name) || JSON.stringify(value) === JSON.stringify(standard)) continue
    yield [name, withFields(record, { [name]: standard })]
    const [whole, ...more] = Array.isArray(value) ? (value as unknown[]) : [value]
    for (const [part, usual] of whole === null ? [] : Object.entries(PARTS[name] ?? {})) {
      if (JSON.stringify((whole as Record<string, unknown>)[part]) === JSON.stringify(usual)) continue
      const changed = { ...(whole as object), [part]: usual }
      yield [`${name}.${part}`, withFields(record, { [name]: Array.isArray(value) ? [changed, ...more] : changed })]
    }
  }
}

describe('every record of the catalogue at a provider that takes nothing else', () => {
  let bench: Bench
  let internet: FakeInternet
  before(async () => {
    bench = await openBench()
    internet = await startFakeInternet()
  })
  after(async () => {
    await internet.close()
    await bench.drop()
  })

  for (const built_in of BUILT_IN) {
    const { provider } = built_in
    test(`${provider} goes through connect, call, refresh, errors and the end`, () =>
      runRecord(bench, internet, withFields(built_in, OWN[provider] ?? {})))
  }

  test('so does a provider with ways that no built-in record has', () => runRecord(bench, internet, ODD))

  test('so does a provider that takes what our key signs', async () => {
    const oidc = BUILT_IN.find(({ provider }) => provider === 'oidc')!
    await runRecord(
      bench,
      internet,
      withFields(oidc, { issuer: ISSUER, token_endpoint_auth_method: 'private_key_jwt' }),
    )
  })

  test('so does a provider that takes a key as it is', async () => {
    const fields: Partial<ProviderFields> = {
      ...{ credential: 'api_key', authorization_header: 'X-Api-Key', authorization_scheme: null },
      api_base_url: 'https://api.odd.example',
    }
    const keyed: Provider = { provider: 'keyed', name: 'Keyed', placeholders: {}, fields: {} }
    await runRecord(bench, internet, withFields(keyed, fields))
  })

  test('whatever field our side did not read, a record would not go through', async () => {
    // Those first in which most shows.
    const records = [ODD, linkedin, ...BUILT_IN.filter(({ provider }) => !OWN[provider])]
    const missed = new Set<string>()
    const noticed = new Set<string>()
    for (const record of records) {
      for (const [name, served] of unread(record)) {
        if (noticed.has(name)) continue
        missed.add(name)
        await runRecord(bench, internet, record, served).then(
          () => {},
          () => noticed.add(name),
        )
      }
    }
    assert.deepEqual([...missed.difference(noticed)], [])
    const known = new Set([...noticed, ...ELSEWHERE])
    assert.deepEqual([...new Set(Object.keys(STANDARD_FIELDS)).difference(known)], [])
  })
})
