import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createResource } from './resource.ts'

const describe = (resource: string) =>
  createResource({
    resource,
    issuer: 'https://as.example',
    scopes_supported: ['mcp:tools'],
    resource_name: 'Tools',
    resource_documentation: 'https://api.example/docs',
  })

test('the well-known path is put between host and path', () => {
  const urls = {
    'https://h.example/mcp': 'https://h.example/.well-known/oauth-protected-resource/mcp',
    'https://h.example': 'https://h.example/.well-known/oauth-protected-resource',
    'https://h.example/': 'https://h.example/.well-known/oauth-protected-resource',
    'https://h.example/a/b/': 'https://h.example/.well-known/oauth-protected-resource/a/b/',
    'https://h.example:8443/a?tenant=1': 'https://h.example:8443/.well-known/oauth-protected-resource/a?tenant=1',
    'http://127.0.0.1:5000/mcp': 'http://127.0.0.1:5000/.well-known/oauth-protected-resource/mcp',
  }
  for (const [resource, url] of Object.entries(urls)) assert.equal(describe(resource).metadata_url, url)
})

test('the document names the resource to the letter, its servers and how tokens are sent', async () => {
  const api = describe('https://h.example/mcp')
  const expected = {
    resource: 'https://h.example/mcp',
    authorization_servers: ['https://as.example'],
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'PS256'],
    scopes_supported: ['mcp:tools'],
    resource_name: 'Tools',
    resource_documentation: 'https://api.example/docs',
  }
  assert.deepEqual(api.metadata(), expected)
  const response = api.metadataResponse(new Request(api.metadata_url))!
  assert.deepEqual(await response.json(), expected)
  assert.equal(response.headers.get('content-type'), 'application/json')
  assert.equal(response.headers.get('access-control-allow-origin'), '*')
  assert.equal(describe('https://h.example').metadata().resource, 'https://h.example')
})

test('it is answered under any host, since a proxy may have changed it, and at no other path', () => {
  const api = describe('https://h.example/mcp')
  const answers = (url: string) => api.metadataResponse({ method: 'GET', url })?.status === 200
  assert(answers('http://10.0.0.7:3000/.well-known/oauth-protected-resource/mcp'))
  assert(answers('/.well-known/oauth-protected-resource/mcp'))
  assert(answers('/.well-known/oauth-protected-resource/mcp?ignored=1'))
  for (const path of [
    '/',
    '/mcp',
    '//',
    '/.well-known/oauth-protected-resource',
    '/x/.well-known/oauth-protected-resource/mcp',
  ]) {
    assert(!answers(path), path)
  }
})

test('a resource with a query is told from one with another query', () => {
  const api = describe('https://h.example/a?tenant=1')
  const answers = (url: string) => api.metadataResponse({ method: 'GET', url }) !== undefined
  assert(answers('/.well-known/oauth-protected-resource/a?tenant=1'))
  assert(!answers('/.well-known/oauth-protected-resource/a?tenant=2'))
  assert(!answers('/.well-known/oauth-protected-resource/a'))
})

test('HEAD and a preflight are answered, other methods are refused', async () => {
  const api = describe('https://h.example/mcp')
  const answer = (method: string) => api.metadataResponse(new Request(api.metadata_url, { method }))!
  assert.deepEqual([answer('HEAD').status, await answer('HEAD').text()], [200, ''])
  assert.equal(answer('OPTIONS').status, 204)
  assert.equal(answer('OPTIONS').headers.get('access-control-allow-headers'), '*')
  assert.deepEqual([answer('POST').status, answer('POST').headers.get('allow')], [405, 'GET, HEAD, OPTIONS'])
})
