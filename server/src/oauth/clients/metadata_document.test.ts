import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OAuthError } from '../errors.ts'
import { documentLifetime, isJsonType, readDocumentUrl, readMetadataDocument } from './metadata_document.ts'

const NOW = Date.UTC(2026, 10, 21)
const CLIENT_ID = 'https://app.example/client.json'
const RULES = {
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  response_modes: ['query'],
}
const read = (document: unknown) => readMetadataDocument(JSON.stringify(document), CLIENT_ID, RULES)
const GOOD = { client_id: CLIENT_ID, client_name: 'App', redirect_uris: ['https://app.example/cb'] }

test('a client_id is the URL of a document where a browser would write it so', () => {
  for (const good of [
    ...[
      CLIENT_ID,
      'https://app.example/',
      'https://app.example:8443/c',
      'https://app.example/c?x=1',
      'https://a.b/%7Ec',
    ],
    'https://xn--nxasmq6b/c',
  ]) {
    assert.equal(readDocumentUrl(good)?.href, good)
  }
  for (const bad of [
    ...['http://app.example/c', 'HTTPS://app.example/c', 'https://APP.example/c', 'https://app.example', 'https://'],
    ...[
      'https://app.example:443/c',
      'https://app.example/a/../c',
      'https://app.example/./c',
      'https://app.example/%2e%2e/c',
    ],
    ...[
      'https://app.example/c#x',
      'https://app.example/c#',
      'https://me@app.example/c',
      'https://me:you@app.example/c',
    ],
    ...[
      'https://app.example/c d',
      'https://app.example\\c',
      'https://app.example/\u00e9',
      'https://app.example/c\n',
      '',
    ],
    ...[
      `https://app.example/${'x'.repeat(500)}`,
      'https:app.example/c',
      'https:/app.example/c',
      'web',
      'https://127.1/c',
    ],
  ]) {
    assert.equal(readDocumentUrl(bad), null, bad)
  }
})

test('a document without a method is that of a public client, since it can share no secret', () => {
  for (const method of [undefined, null]) {
    assert.equal(read({ ...GOOD, token_endpoint_auth_method: method }).token_endpoint_auth_method, 'none')
  }
  for (const method of ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'tls_client_auth', '']) {
    assert.throws(
      () => read({ ...GOOD, token_endpoint_auth_method: method }),
      /token_endpoint_auth_method|secret/,
      method,
    )
  }
})

test('grant types that this server does not give to unknown clients are left out', () => {
  const { grant_types } = read({ ...GOOD, grant_types: ['authorization_code', 'client_credentials', 'refresh_token'] })
  assert.deepEqual(grant_types, ['authorization_code', 'refresh_token'])
})

test('what is our own is never read from a document', () => {
  const metadata = read({
    ...GOOD,
    trusted: true,
    require_pkce: false,
    default_resource: 'https://x.example',
    one_role: true,
  })
  assert.deepEqual([metadata.trusted, metadata.require_pkce], [false, true])
  assert.deepEqual([metadata.default_resource, metadata.one_role], [undefined, undefined])
})

test('a client with loopback redirect URIs alone is native, whatever it says', () => {
  const redirect_uris = ['http://localhost/callback', 'http://127.0.0.1:3000/callback']
  for (const application_type of [undefined, 'web', 'native']) {
    const metadata = read({ ...GOOD, redirect_uris, application_type })
    assert.deepEqual([metadata.application_type, metadata.loopback_localhost], ['native', true])
  }
})

test('M-05 any member may be anything: the document names itself, or is refused', () => {
  const member = fc.constantFrom(...Object.keys(GOOD), 'jwks', 'grant_types', 'scope', 'contacts', '__proto__')
  fc.assert(
    fc.property(fc.dictionary(member, fc.jsonValue()), (changed) => {
      const document = { ...GOOD, ...changed }
      try {
        const metadata = read(document)
        assert.equal(document.client_id, CLIENT_ID)
        assert.ok(metadata.redirect_uris.length > 0)
      } catch (error) {
        if (!(error instanceof OAuthError)) throw error
      }
    }),
  )
})

test('RFC 9111 a document is kept for as long as its answer says, within a minute and a day', () => {
  const lifetime = (headers: Record<string, string>) => documentLifetime(new Headers(headers), NOW)
  const at = (seconds: number) => new Date(NOW + seconds * 1000).toUTCString()
  for (const [headers, seconds] of [
    [{}, 600],
    [{ 'cache-control': 'max-age=300' }, 300],
    [{ 'cache-control': 'public, max-age=300, immutable' }, 300],
    [{ 'cache-control': 'MAX-AGE="300"' }, 300],
    [{ 'cache-control': 'max-age=300', age: '100' }, 200],
    [{ 'cache-control': 'max-age=300', age: '290' }, 60],
    [{ 'cache-control': 'max-age=300', expires: at(9000) }, 300],
    [{ 'cache-control': 'max-age=0' }, 60],
    [{ 'cache-control': 'max-age=99999999' }, 86_400],
    [{ 'cache-control': 'no-store' }, 60],
    [{ 'cache-control': 'no-cache, max-age=3600' }, 60],
    [{ 'cache-control': 's-maxage=3600' }, 600],
    [{ expires: at(3600) }, 3600],
    [{ expires: at(3600 + 50_000), date: at(50_000) }, 3600],
    [{ expires: '0' }, 60],
    [{ expires: 'never' }, 60],
  ] as [Record<string, string>, number][]) {
    assert.equal(lifetime(headers), seconds, JSON.stringify(headers))
  }
})

test('an answer is JSON by its type', () => {
  for (const good of [
    'application/json',
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/oauth-client+json',
  ]) {
    assert.equal(isJsonType(good), true, good)
  }
  for (const bad of [
    null,
    '',
    'text/html',
    'text/json',
    'application/jsonp',
    'application/json5',
    'x/application/json',
  ]) {
    assert.equal(isJsonType(bad), false, String(bad))
  }
})

test('a document cannot put its client into the sector of others', () => {
  const sector_identifier_uri = 'https://others.example/list'
  const document = { client_id: CLIENT_ID, client_name: 'App', redirect_uris: ['https://app.example/callback'] }
  const metadata = read({ ...document, subject_type: 'pairwise', sector_identifier_uri })
  assert.deepEqual([metadata.subject_type, metadata.sector_identifier_uri], ['pairwise', undefined])
})
