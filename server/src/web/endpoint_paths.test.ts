import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aliasedUrls, publishedPath, readEndpointAliases } from './endpoint_paths.ts'

test('S7 aliases are read from text, and the first of each is the one that is published', () => {
  const text =
    'token_endpoint=/v2/oauth2/token, token_endpoint=/oms/oauth/access_token,authorization_endpoint=/v2/oauth2/authorize'
  const aliases = readEndpointAliases(text)
  assert.deepEqual(aliases.token_endpoint, ['/v2/oauth2/token', '/oms/oauth/access_token'])
  assert.equal(publishedPath(aliases, 'token_endpoint'), '/v2/oauth2/token')
  assert.equal(publishedPath(aliases, 'jwks_uri'), '/jwks')
  assert.deepEqual(aliasedUrls('https://a.example/x', aliases), {
    token_endpoint: 'https://a.example/x/v2/oauth2/token',
    authorization_endpoint: 'https://a.example/x/v2/oauth2/authorize',
  })
  assert.deepEqual(readEndpointAliases(' '), {})
})

test('S7 an alias that no URL could be is refused', () => {
  for (const wrong of [
    'token=/a',
    'token_endpoint',
    'token_endpoint=a',
    'token_endpoint=/a/',
    'token_endpoint=/a/../b',
    'token_endpoint=/a=b',
    'token_endpoint=/:id',
    'token_endpoint=/a,jwks_uri=/a',
    'constructor=/a',
  ]) {
    assert.throws(() => readEndpointAliases(wrong), wrong)
  }
})
