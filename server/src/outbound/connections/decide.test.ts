import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConnectionAuthority, ConnectionRecord } from '../../store/verbs/connections.ts'
import { decide } from './fresh_token.ts'

const NOW = 1_000_000
const STRICT = {
  refresh_token_rotation: 'always',
  refresh_token_replay: 'ends_grant',
  replay_grace_seconds: null,
} as const
const PATIENT = { ...STRICT, refresh_token_replay: 'accepted' } as const

/** What is decided for a token of so many seconds, so many of which are left. */
function decideFor(
  left: number | null,
  more: { row?: Partial<ConnectionRecord>; authority?: object; wish?: object; life?: number } = {},
): string {
  const end = left === null ? null : NOW + left * 1000
  const connection = {
    ...{ state: 'ready', access_expires_at: end, issued_at: end === null ? NOW : end - (more.life ?? 3600) * 1000 },
    ...{ uncertain_at: null, refresh_fingerprint: new Uint8Array(1), ...more.row },
  }
  const authority = {
    ...{ now: NOW, connection, connector: { disabled_at: null }, tenant_disabled_at: null, user_disabled_at: null },
    ...more.authority,
  } as ConnectionAuthority
  const wish = { min_seconds: 30, forced: false, renewed: false, exhausted: false, policy: STRICT, ...more.wish }
  return decide(authority, wish)
}

test('a token is served while it has the seconds that were asked for, then renewed', () => {
  assert.equal(decideFor(31), 'serve')
  assert.equal(decideFor(30), 'refresh')
  assert.equal(decideFor(-1), 'refresh')
  assert.equal(decideFor(100, { wish: { min_seconds: 100 } }), 'refresh')
  assert.equal(decideFor(1, { wish: { min_seconds: 0 } }), 'serve')
  assert.equal(decideFor(null), 'serve')
})

test('a token that never lives as long as asked is renewed at half its life', () => {
  assert.equal(decideFor(11, { life: 20 }), 'serve')
  assert.equal(decideFor(10, { life: 20 }), 'refresh')
})

test('a token that has just come is served however short its life', () => {
  assert.equal(decideFor(0, { wish: { renewed: true } }), 'serve')
  assert.equal(decideFor(0, { wish: { renewed: true, forced: true } }), 'refresh')
})

test('a token that was refused is renewed, whatever its life', () => {
  assert.equal(decideFor(3000, { wish: { forced: true } }), 'refresh')
  assert.equal(decideFor(null, { wish: { forced: true } }), 'refresh')
  assert.equal(decideFor(3000, { wish: { forced: true, exhausted: true } }), 'pause')
})

test('while nothing new can be had the old token serves as long as it lives', () => {
  assert.equal(decideFor(1, { wish: { exhausted: true } }), 'serve')
  assert.equal(decideFor(0, { wish: { exhausted: true } }), 'pause')
})

test('a token of uncertain succession is not sent again while the access token lives, unless that does no harm', () => {
  const row = { uncertain_at: NOW - 1 }
  assert.equal(decideFor(1, { row }), 'serve')
  assert.equal(decideFor(0, { row }), 'refresh')
  assert.equal(decideFor(1, { row, wish: { policy: PATIENT } }), 'refresh')
  assert.equal(decideFor(1, { row, wish: { forced: true } }), 'refresh')
})

test('a token that nothing renews lapses with its life; a refused one is probed', () => {
  const row = { refresh_fingerprint: null }
  assert.equal(decideFor(1, { row }), 'serve')
  assert.equal(decideFor(0, { row }), 'lapse')
  assert.equal(decideFor(1, { row, wish: { forced: true } }), 'probe')
  assert.equal(decideFor(null, { row, wish: { forced: true } }), 'probe')
})

test('O-06 nothing is served of what is not ready, or is disabled anywhere', () => {
  for (const state of ['pending', 'needs_reconsent', 'disconnected'] as const) {
    assert.equal(decideFor(3000, { row: { state } }), 'refuse')
  }
  const disabled = [{ tenant_disabled_at: 1 }, { user_disabled_at: 1 }, { connector: { disabled_at: 1 } }]
  for (const authority of disabled) assert.equal(decideFor(3000, { authority }), 'refuse')
})
