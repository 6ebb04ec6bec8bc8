import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OAuthError } from './errors.ts'
import { decideResources, type ResourceQuestion, validateResource } from './resource.ts'

fc.configureGlobal({ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1000) })

const issuer = 'https://id.example/hub'
const mcp = 'https://api.example/mcp'
const mail = 'https://api.example/mail'
const registered = new Set([mcp, mail, `${issuer}/api`])
const decide = (question: Partial<ResourceQuestion>) =>
  decideResources({ requested: [], registered, issuer, ...question })
const invalidTarget = (pattern?: RegExp) => (error: unknown) =>
  error instanceof OAuthError && error.error === 'invalid_target' && (pattern?.test(error.error_description) ?? true)

test('a request without resource is for the default of the client, else for the issuer', () => {
  assert.deepEqual(decide({}), [issuer])
  assert.deepEqual(decide({ default_resource: mcp }), [mcp])
})

test('a default resource that is gone is invalid_target', () => {
  assert.throws(() => decide({ default_resource: 'https://gone.example/' }), invalidTarget(/default resource/))
})

test('several resources are one token for all, each once', () => {
  assert.deepEqual(decide({ requested: [mail, mcp, mail, issuer] }), [mail, mcp, issuer])
})

test('9.2.4 a look-alike of a registered resource is invalid_target', () => {
  for (const resource of [
    `${mcp}/`,
    `${mcp}?x=1`,
    mcp.slice(0, -1),
    'https://api.example',
    'https://API.example/mcp',
    'https://api.example:443/mcp',
    'HTTPS://api.example/mcp',
    'http://api.example/mcp',
    'https://api.example/mcp%20',
    'https://api.example/MCP',
    `${issuer}/`,
    'https://id.example',
    'toString',
    '__proto__',
  ]) {
    assert.throws(() => decide({ requested: [resource] }), invalidTarget(), resource)
    assert.throws(() => decide({ requested: [mcp, resource] }), invalidTarget(), resource)
  }
})

test('a resource must be an absolute URI without fragment', () => {
  for (const resource of [
    'mcp',
    '/mcp',
    '//api.example/mcp',
    'https://api.example/ mcp',
    'https://\u00e9.example',
    ':x',
    '1:x',
    'x:',
    'x:%z',
  ]) {
    assert.throws(() => validateResource(resource), invalidTarget(/absolute URI/), resource)
  }
  assert.throws(() => validateResource(`${mcp}#`), invalidTarget(/fragment/))
  assert.throws(() => validateResource(`https://api.example/${'a'.repeat(2048)}`), invalidTarget(/long/))
  for (const resource of [mcp, 'urn:example:api', 'https://api.example/mcp?x=1', 'com.example.api:/x'])
    validateResource(resource)
})

test('too many resources are refused', () => {
  assert.throws(() => decide({ requested: Array(21).fill(mcp) }), invalidTarget(/too often/))
})

test('CVE-2026-67332 B-13 a grant for one resource gives no token for another', () => {
  assert.deepEqual(decide({ granted: [mcp, mail], requested: [mail] }), [mail])
  assert.deepEqual(decide({ granted: [mcp, mail] }), [mcp, mail])
  assert.throws(() => decide({ granted: [mcp], requested: [mail] }), invalidTarget(/not part of the grant/))
  assert.throws(() => decide({ granted: [mcp], requested: [issuer] }), invalidTarget(/not part of the grant/))
  assert.throws(() => decide({ granted: [], requested: [mcp] }), invalidTarget(/not part of the grant/))
})

test('8.3.2 a resource that was deleted since gets nothing from old grants, and those beside it stay', () => {
  const gone = 'https://gone.example/'
  assert.deepEqual(decide({ granted: [gone, mcp] }), [mcp])
  assert.deepEqual(decide({ granted: [gone, issuer] }), [issuer])
  assert.deepEqual(decide({ granted: [gone, mcp], requested: [mcp] }), [mcp])
  assert.throws(() => decide({ granted: [gone] }), invalidTarget(/any more/))
  assert.throws(() => decide({ granted: [gone, mcp], requested: [gone] }), invalidTarget(/not registered here/))
  assert.deepEqual(decide({ granted: [] }), [])
})

test('resources are never wider than registered or granted', () => {
  const some = fc.array(fc.constantFrom<string>(mcp, mail, issuer, 'https://other.example/', 'x'), { maxLength: 5 })
  fc.assert(
    fc.property(some, fc.option(some, { nil: undefined }), (requested, granted) => {
      try {
        for (const resource of decide({ requested, granted })) {
          assert.ok(registered.has(resource) || resource === issuer)
          assert.ok(!granted || granted.includes(resource))
          assert.ok(requested.length === 0 || requested.includes(resource))
        }
      } catch (error) {
        assert.ok(invalidTarget()(error))
      }
    }),
  )
})

test('a refused resource is named, shortened', () => {
  assert.throws(
    () => decide({ requested: [`https://x.example/${'a'.repeat(1000)}`] }),
    (error) => error instanceof OAuthError && error.error_description.length < 260,
  )
})
