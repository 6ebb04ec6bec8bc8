import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Configuration } from '../../store/tenant.ts'
import { coversRequest, findNewScopes, isStanding, readConnections, rememberConsent } from './consents.ts'

const issuer = 'https://id.example'
const [calendar, notes] = ['https://api.example/calendar', 'https://api.example/notes']
const scopes = new Map([
  ['read', 'Read'],
  ['delete', 'Delete'],
])
const configuration = {
  resources: new Map([calendar, notes].map((resource) => [resource, { resource, scopes }])),
} as unknown as Configuration
const AT = { redirect_uri: 'https://app.example/callback', ends_at: null }
const remember = (before: ReturnType<typeof rememberConsent> | null, scope: string, resource: string[]) =>
  rememberConsent(before, { ...AT, scope: scope.split(' '), resource, connections: [] }, issuer, configuration)
const covers = (consent: ReturnType<typeof rememberConsent>, scope: string, resource: string[]) =>
  coversRequest(consent, { scope: scope.split(' '), resource }, issuer, configuration)

test('10.7.1 a consent covers the scopes that were allowed at each resource, and adds up', () => {
  const first = remember(null, 'openid read', [calendar])
  assert.equal(covers(first, 'openid read', [calendar]), true)
  assert.equal(covers(first, 'read', [calendar]), true)
  assert.equal(covers(first, 'openid email', [calendar]), false)
  const second = remember(first, 'email read delete', [calendar])
  assert.equal(covers(second, 'openid email delete', [calendar]), true)
})

test('10.7.1 what was allowed at one resource says nothing about another', () => {
  const consent = remember(remember(null, 'openid read', [calendar]), 'delete', [notes])
  assert.equal(covers(consent, 'openid delete', [notes]), true, 'who the user is has no resource')
  for (const [scope, resource] of [
    ['delete', [calendar]],
    ['read', [notes]],
    ['read', [calendar, notes]],
    ['openid', [issuer]],
  ] as const) {
    assert.equal(covers(consent, scope, [...resource]), false, `${scope} at ${resource}`)
  }
  const at = (resource: string[]) =>
    findNewScopes(consent, { scope: ['openid', 'read', 'delete'], resource }, issuer, configuration)
  assert.deepEqual([at([calendar]), at([notes]), at([calendar, notes])], [['delete'], ['read'], ['read', 'delete']])
})

test('a scope that no longer exists anywhere is asked for anew', () => {
  const consent = remember(null, 'openid read', [calendar])
  assert.equal(covers(consent, 'read gone', [calendar]), false)
})

test('a connector has one connection in a consent, the one chosen last', () => {
  const choose = (connector: string, connection_id: string, before: ReturnType<typeof rememberConsent> | null) =>
    rememberConsent(
      before,
      { ...AT, scope: ['openid'], resource: [issuer], connections: [{ connector, connection_id }] },
      issuer,
      configuration,
    )
  const consent = choose('acme', 'c3', choose('other', 'c2', choose('acme', 'c1', null)))
  assert.deepEqual(readConnections(consent), [
    { connector: 'other', connection_id: 'c2' },
    { connector: 'acme', connection_id: 'c3' },
  ])
})

test('5.19 V8 a consent stands to the end that was chosen, and for answers at the hosts that were named', () => {
  const first = remember(null, 'openid', [issuer])
  assert.equal(isStanding(first, 'https://app.example/another/path', 5), true)
  assert.equal(isStanding(first, 'https://evil.example/callback', 5), false)
  const ends = { scope: ['openid'], resource: [issuer], connections: [], ends_at: 10 }
  const second = rememberConsent(first, { ...ends, redirect_uri: 'com.app:/callback' }, issuer, configuration)
  for (const uri of [AT.redirect_uri, 'com.app:/callback']) {
    assert.deepEqual([isStanding(second, uri, 9), isStanding(second, uri, 10)], [true, false], uri)
  }
  assert.equal(isStanding(second, 'com.other:/callback', 9), false)
})

test('V8 what was allowed to an end is not prolonged by an answer to another question', () => {
  const first = { ...AT, scope: ['openid', 'read', 'delete'], resource: [calendar], connections: [], ends_at: 10 }
  const dated = rememberConsent(null, first, issuer, configuration)
  const next = rememberConsent(dated, { ...first, scope: ['openid', 'read'], ends_at: null }, issuer, configuration)
  assert.deepEqual([covers(next, 'openid read', [calendar]), covers(next, 'delete', [calendar])], [true, false])
  assert.equal(next.expires_at, null)
})
