import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildDeviceAuthorizationResponse, judgePoll, newUserCode, readUserCode, showUserCode } from './device.ts'

test('D-01 a user code is eight of twenty letters, each as likely as any other', () => {
  const counts = new Map<string, number>()
  const codes = Array.from({ length: 20_000 }, newUserCode)
  for (const code of codes) {
    assert.match(code, /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/)
    for (const letter of code) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  }
  assert.equal(counts.size, 20)
  // 160,000 letters: 8,000 of each, with a standard deviation of 87.
  for (const [letter, count] of counts) assert.ok(Math.abs(count - 8000) < 87 * 6, `${letter}: ${count}`)
  assert.ok(new Set(codes).size > 19_990)
})

test('a user code is read back however a person types it', () => {
  const disturb = (shown: string, [before, middle, lower]: [string, string, boolean]) => {
    const text = `${before}${shown.replace('-', middle)}${before}`
    return lower ? text.toLowerCase() : text
  }
  const spaces = fc.constantFrom('', ' ', '-', '.', ' - ', '\t')
  fc.assert(
    fc.property(fc.tuple(spaces, spaces, fc.boolean()), (how) => {
      const code = newUserCode()
      assert.equal(readUserCode(disturb(showUserCode(code), how)), code)
    }),
  )
})

test('what cannot be a user code is none', () => {
  for (const typed of ['', 'WDJB', 'WDJBMJHTT', 'WDJB-MJHA', 'WDJB-MJH1', 'ＷDJBMJHT', 'x'.repeat(100_000)]) {
    assert.equal(readUserCode(typed), null, typed.slice(0, 20))
  }
})

test('the answer names every member of RFC 8628 section 3.2', () => {
  const verification_uri = 'https://host.example/hub/device'
  assert.deepEqual(buildDeviceAuthorizationResponse({ device_code: 'dc', user_code: 'WDJBMJHT', verification_uri }), {
    ...{ device_code: 'dc', user_code: 'WDJB-MJHT', verification_uri },
    ...{ verification_uri_complete: `${verification_uri}?user_code=WDJB-MJHT`, expires_in: 600, interval: 5 },
  })
})

test('D-03 a poll is told what RFC 8628 section 3.5 says, expiry first', () => {
  const at = (state: Parameters<typeof judgePoll>[0]['state'], too_soon = false, expires_at = 2) =>
    judgePoll({ state, too_soon, expires_at }, 1)?.error ?? null
  assert.equal(at('pending'), 'authorization_pending')
  assert.equal(at('pending', true), 'slow_down')
  assert.equal(at('approved', true), 'slow_down')
  assert.equal(at('approved'), null)
  assert.equal(at('denied'), 'access_denied')
  assert.equal(at('dead'), 'access_denied')
  for (const state of ['pending', 'approved', 'denied', 'dead'] as const) {
    assert.equal(at(state, true, 1), 'expired_token', state)
  }
})
