import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ACRS, type Acr } from '../../oauth/acr.ts'
import { FRESH_MS, isFresh, judgeStepUp, type WantedSignIn } from './step_up.ts'

const NOW = 1_000_000_000
const session = (acr: string | null, seconds_ago: number) => ({ acr, auth_time: NOW - seconds_ago * 1000 })
const wanted = (more: Partial<WantedSignIn> = {}): WantedSignIn => ({
  ...{ anew: false, max_age: undefined, acr: { acr_values: [], essential: false }, answered: false, reachable: 'pwd' },
  ...more,
})
const acr = (essential: boolean, ...acr_values: string[]) => ({ acr_values, essential })

test('a session that nothing is asked of will do, however old', () => {
  assert.deepEqual(judgeStepUp(session(null, 1e6), wanted(), NOW), { kind: 'enough' })
})

test('OpenID Connect Core 3.1.2.1 a sign-in that is too old is asked for again, once', () => {
  const max_age = wanted({ max_age: 60 })
  assert.equal(judgeStepUp(session('pwd', 60), max_age, NOW).kind, 'enough')
  assert.equal(judgeStepUp(session('pwd', 61), max_age, NOW).kind, 'sign_in')
  for (const more of [{ max_age: 0 }, { anew: true }]) {
    assert.equal(judgeStepUp(session('phr', 1), wanted(more), NOW).kind, 'sign_in')
    assert.equal(judgeStepUp(session('pwd', 1), wanted({ ...more, answered: true }), NOW).kind, 'enough')
  }
})

test('GHSA-hp74-gm6m-2qm5 a step-up needs the method: no sign-in is too recent to be too weak', () => {
  for (const essential of [true, false]) {
    for (const reachable of ['mfa', 'phr'] as Acr[]) {
      const asks = wanted({ acr: acr(essential, 'mfa'), reachable, max_age: 3600 })
      assert.deepEqual(judgeStepUp(session('pwd', 1), asks, NOW), { kind: 'sign_in', acr: 'mfa' })
      assert.deepEqual(judgeStepUp(session(null, 1), asks, NOW), { kind: 'sign_in', acr: 'mfa' })
      assert.deepEqual(judgeStepUp(session('mfa', 100), asks, NOW), { kind: 'enough' })
      assert.deepEqual(judgeStepUp(session('mfa', 3601), asks, NOW), { kind: 'sign_in', acr: 'mfa' }, 'age by itself')
      assert.deepEqual(judgeStepUp(session('phr', 100), asks, NOW), { kind: 'enough' })
    }
  }
})

test('whoever chose a weaker way when asked is asked again only for what is essential', () => {
  const asks = (essential: boolean) => wanted({ acr: acr(essential, 'phr'), reachable: 'phr', answered: true })
  assert.equal(judgeStepUp(session('mfa', 1), asks(true), NOW).kind, 'sign_in')
  assert.equal(judgeStepUp(session('mfa', 1), asks(false), NOW).kind, 'enough')
})

test('unmet_authentication_requirements what nobody can reach is unmet when essential, else let be', () => {
  for (const value of ['phr', 'urn:of:another']) {
    const asks = (essential: boolean) => wanted({ acr: acr(essential, value), reachable: 'mfa' })
    assert.equal(judgeStepUp(session('mfa', 0), asks(true), NOW).kind, 'unmet')
    assert.equal(judgeStepUp(session('mfa', 0), asks(false), NOW).kind, 'enough')
  }
})

test('of several values the first that can be reached is asked for, and any that is met will do', () => {
  const either = acr(true, 'phr', 'urn:x', 'mfa')
  assert.deepEqual(judgeStepUp(session('pwd', 0), wanted({ acr: either, reachable: 'phr' }), NOW), {
    ...{ kind: 'sign_in', acr: 'phr' },
  })
  assert.deepEqual(judgeStepUp(session('pwd', 0), wanted({ acr: either, reachable: 'mfa' }), NOW), {
    ...{ kind: 'sign_in', acr: 'mfa' },
  })
  assert.deepEqual(judgeStepUp(session('mfa', 0), wanted({ acr: either, reachable: 'phr' }), NOW), { kind: 'enough' })
})

test('what is decided never depends on a session being older or weaker in the good direction', () => {
  for (const wish of ACRS) {
    for (const [i, weak] of ACRS.entries()) {
      const asks = wanted({ acr: acr(true, wish), reachable: 'phr' })
      if (judgeStepUp(session(weak, 0), asks, NOW).kind !== 'enough') continue
      for (const strong of ACRS.slice(i)) assert.equal(judgeStepUp(session(strong, 0), asks, NOW).kind, 'enough')
    }
  }
})

test('7.5.1 a change of how one signs in needs a fresh sign-in with two factors, where there are two', () => {
  assert.equal(isFresh(session('pwd', 0), 'pwd', NOW), true)
  assert.equal(isFresh(session('pwd', FRESH_MS / 1000 + 1), 'pwd', NOW), false)
  assert.equal(isFresh(session('pwd', 0), 'mfa', NOW), false)
  assert.equal(isFresh(session('pwd', 0), 'phr', NOW), false)
  assert.equal(isFresh(session('mfa', 0), 'phr', NOW), true)
  assert.equal(isFresh(session('mfa', FRESH_MS / 1000 + 1), 'mfa', NOW), false)
})
