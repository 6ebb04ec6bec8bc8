import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OAuthError } from './errors.ts'
import {
  decideScope,
  formatScope,
  hasLostAll,
  IDENTITY_SCOPES,
  isSubset,
  mayBeDefault,
  narrowScope,
  parseScope,
} from './scope.ts'

fc.configureGlobal({ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1000) })

const invalidScope = (pattern?: RegExp) => (error: unknown) =>
  error instanceof OAuthError && error.error === 'invalid_scope' && (pattern?.test(error.error_description) ?? true)

const alphabet = Array.from({ length: 0x7e - 0x20 }, (_, i) => String.fromCharCode(0x21 + i)).filter(
  (c) => c !== '"' && c !== '\\',
)
const token = fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 12 })
const few: fc.Arbitrary<string> = fc.constantFrom(
  'openid',
  'offline_access',
  'admin:read',
  'vault',
  'a',
  'b',
  'c',
  'd',
  'e',
)
const fewScopes = fc.uniqueArray(few, { maxLength: 9 })

test('a scope parameter is its tokens, in order, each once', () => {
  assert.deepEqual(parseScope('openid  mcp:tools openid api:read '), ['openid', 'mcp:tools', 'api:read'])
  assert.deepEqual(parseScope(''), [])
  assert.deepEqual(parseScope('   '), [])
})

test('formatting and parsing a list of scopes gives the list back', () => {
  fc.assert(
    fc.property(fc.uniqueArray(token, { maxLength: 20 }), (scopes) => {
      assert.deepEqual(parseScope(formatScope(scopes)), scopes)
    }),
  )
})

test('a character outside RFC 6749 section 3.3 is invalid_scope', () => {
  for (const text of ['a"b', 'a\\b', 'a\tb', 'a\nb', 'a\u007fb', 'é', 'a\u00a0b', '\u0000', 'a\u2028b']) {
    assert.throws(() => parseScope(text), invalidScope(/scope/), JSON.stringify(text))
  }
})

test('any text either parses to tokens of the grammar or is invalid_scope', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
      try {
        for (const scope of parseScope(text)) assert.match(scope, /^[\x21\x23-\x5b\x5d-\x7e]+$/)
      } catch (error) {
        assert.ok(invalidScope()(error))
      }
    }),
  )
})

test('8.3.2 who has lost all but offline_access has lost all', () => {
  assert.equal(hasLostAll(['openid', 'read'], []), true)
  assert.equal(hasLostAll(['offline_access', 'read'], ['offline_access']), true)
  assert.equal(hasLostAll(['offline_access', 'read'], ['offline_access', 'read']), false)
  assert.equal(hasLostAll(['offline_access', 'openid', 'read'], ['openid']), false)
  assert.equal(hasLostAll(['offline_access'], ['offline_access']), false, 'nothing else was asked for')
})

test('CVE-2026-4634 a very long scope is refused quickly', () => {
  const started = process.hrtime.bigint()
  assert.throws(() => parseScope('a '.repeat(25_000)), invalidScope(/4096/))
  assert.throws(() => parseScope(Array.from({ length: 101 }, (_, i) => `s${i}`).join(' ')), invalidScope(/100/))
  assert.equal(parseScope(Array.from({ length: 100 }, (_, i) => `s${i}`).join(' ')).length, 100)
  assert.ok(Number(process.hrtime.bigint() - started) < 50_000_000)
})

test('10.4.11 an unknown scope is refused by name', () => {
  assert.throws(
    () =>
      decideScope({
        requested: ['a', 'nope'],
        client_scope: ['a', 'nope'],
        resource_defaults: [],
        role_scopes: null,
        known_scopes: ['a'],
      }),
    invalidScope(/'nope' does not exist/),
  )
})

test('identity scopes are known at every resource', () => {
  const requested = [...IDENTITY_SCOPES]
  assert.deepEqual(
    decideScope({ requested, client_scope: requested, resource_defaults: [], role_scopes: [], known_scopes: [] }),
    requested,
  )
})

test('10.4.11 a scope the client may not have is refused by name', () => {
  assert.throws(
    () => decideScope({ requested: ['a', 'b'], client_scope: ['a'], resource_defaults: [], role_scopes: null }),
    invalidScope(/'b' is not allowed/),
  )
  assert.throws(
    () => decideScope({ requested: ['openid'], client_scope: [], resource_defaults: [], role_scopes: null }),
    invalidScope(/'openid' is not allowed/),
  )
})

test('a scope the role lacks is left out, and identity scopes are not', () => {
  const client_scope = ['openid', 'a', 'b']
  assert.deepEqual(
    decideScope({ requested: ['openid', 'a', 'b'], client_scope, resource_defaults: [], role_scopes: ['b'] }),
    ['openid', 'b'],
  )
})

test('nothing left after the role is invalid_scope', () => {
  assert.throws(
    () => decideScope({ requested: ['a'], client_scope: ['a'], resource_defaults: ['a'], role_scopes: ['b'] }),
    invalidScope(),
  )
  assert.throws(
    () => decideScope({ client_scope: ['a'], resource_defaults: ['a'], role_scopes: ['b'] }),
    invalidScope(/default/),
  )
})

test('a request without scope gets the default scopes, cut by client and role', () => {
  assert.deepEqual(
    decideScope({ client_scope: ['a', 'b'], resource_defaults: ['a', 'b', 'c'], role_scopes: ['b', 'c'] }),
    ['b'],
  )
  assert.deepEqual(decideScope({ requested: [], client_scope: ['a'], resource_defaults: ['a'], role_scopes: null }), [
    'a',
  ])
})

test('defaults never hold openid, offline_access, administration or the vault', () => {
  const guarded = ['openid', 'offline_access', 'profile', 'admin', 'admin:read', 'admin:write', 'vault', 'vault:read']
  for (const scope of guarded) assert.equal(mayBeDefault(scope), false, scope)
  for (const scope of ['administrator', 'vaults', 'read:admin', 'a']) assert.equal(mayBeDefault(scope), true, scope)
  const all = [...guarded, 'a']
  assert.deepEqual(decideScope({ client_scope: all, resource_defaults: all, role_scopes: all }), ['a'])
  assert.throws(
    () => decideScope({ client_scope: guarded, resource_defaults: guarded, role_scopes: guarded }),
    invalidScope(/default/),
  )
})

test('CVE-2024-52287 issued scopes are never wider than asked, allowed or given', () => {
  fc.assert(
    fc.property(fewScopes, fewScopes, fewScopes, fc.option(fewScopes), (requested, client_scope, defaults, roles) => {
      let issued: string[]
      try {
        issued = decideScope({ requested, client_scope, resource_defaults: defaults, role_scopes: roles })
      } catch (error) {
        assert.ok(invalidScope()(error))
        return
      }
      assert.ok(issued.length > 0)
      assert.ok(isSubset(issued, client_scope))
      assert.ok(isSubset(issued, requested.length > 0 ? requested : defaults.filter(mayBeDefault)))
      if (roles) for (const scope of issued) assert.ok(IDENTITY_SCOPES.has(scope) || roles.includes(scope))
    }),
  )
})

test('V-10 a refresh without scope keeps the grant, one with scope may only narrow', () => {
  assert.deepEqual(narrowScope(undefined, ['a', 'b']), ['a', 'b'])
  assert.deepEqual(narrowScope([], ['a', 'b']), ['a', 'b'])
  assert.deepEqual(narrowScope(['b'], ['a', 'b']), ['b'])
  assert.throws(() => narrowScope(['b', 'c'], ['a', 'b']), invalidScope(/'c'/))
})

test('narrowing never widens', () => {
  fc.assert(
    fc.property(fewScopes, fewScopes, (requested, granted) => {
      try {
        assert.ok(isSubset(narrowScope(requested, granted), granted))
      } catch (error) {
        assert.ok(invalidScope()(error) && !isSubset(requested, granted))
      }
    }),
  )
})
