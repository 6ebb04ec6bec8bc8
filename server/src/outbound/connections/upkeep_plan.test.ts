import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConnectionAuthority, ConnectionRecord } from '../../store/verbs/connections.ts'
import {
  decideUpkeep,
  type FailedTry,
  type FormerTimes,
  type LifePolicy,
  planRetry,
  planUpkeep,
  type TokenTimes,
} from './upkeep_plan.ts'

const DAY = 86_400_000
const HOUR = DAY / 24
const MINUTE = HOUR / 60
const NOW = 1000 * DAY

const HALF_WAY = () => 0.5
type Life = LifePolicy['refresh_token_life']

/** The plan for a refresh token that ends so many days after it was issued, at day `at`, in days from day 0. */
function planFor(
  life: Life,
  days: number | null,
  more: { at?: number; times?: Partial<TokenTimes>; before?: Partial<FormerTimes>; random?: () => number } = {},
) {
  const at = (more.at ?? 0) * DAY
  const end = days === null ? null : at + days * DAY
  const times = { renewable: true, issued_at: at, access_expires_at: at + HOUR, refresh_expires_at: end, ...more.times }
  const first = { renewable: true, issued_at: 0, access_expires_at: HOUR, refresh_expires_at: null }
  const before = more.before ? { ...first, warn_at: null, warned_at: null, ...more.before } : null
  const policy = { refresh_token_life: life, refresh_grant: null }
  const plan = planUpkeep(policy, times, before, more.random ?? HALF_WAY)
  const inDays = (value: number | null) => (value === null ? null : value / DAY)
  return [inDays(plan.keep_at), inDays(plan.warn_at), inDays(plan.upkeep_at)]
}

test('a refresh token that dies of idleness is used past half its life, each at its own moment', () => {
  assert.deepEqual(planFor('idle', 100), [60, 93, 60])
  assert.deepEqual(planFor('idle', 100, { random: () => 0 }), [50, 93, 50])
  const [latest] = planFor('idle', 100, { random: () => 0.999_999 })
  assert.ok(typeof latest === 'number' && latest > 69.9 && latest < 70, `${latest}`)
  for (const life of ['unknown', 'setting'] as const) assert.deepEqual(planFor(life, 10), [6, 7.5, 6])
})

test('what nobody knows the idle life of is used every few days; what has no end is left alone', () => {
  for (const life of ['idle', 'unknown', 'setting'] as const) assert.deepEqual(planFor(life, null), [4.2, null, 4.2])
  for (const life of ['unlimited', 'fixed'] as const) assert.deepEqual(planFor(life, null), [null, null, null])
  const before = { refresh_expires_at: null }
  assert.deepEqual(planFor('unlimited', null, { at: 1, before }), [null, null, null])
})

test('an end that nothing puts off is told a week before it comes, of short lives at three quarters', () => {
  assert.deepEqual(planFor('fixed', 100), [null, 93, 93])
  assert.deepEqual(planFor('fixed', 8), [null, 6, 6])
  assert.deepEqual(planFor('fixed', 0.5), [null, null, 0.5], 'a session of hours warns nobody')
})

test('a refresh that did not put the end off moves no warning, and is not repeated for nothing', () => {
  const before = { refresh_expires_at: 100 * DAY, warn_at: 93 * DAY }
  assert.deepEqual(planFor('fixed', 50, { at: 50, before }), [null, 93, 93])
  assert.deepEqual(planFor('unknown', 50, { at: 50, before }), [null, 93, 93])
  const warned = { ...before, warned_at: 93 * DAY }
  assert.deepEqual(planFor('fixed', 5, { at: 95, before: warned }), [null, 93, 100], 'nobody is told twice')
})

test('an answer that puts an end off counts more than what the record says', () => {
  const before = { refresh_expires_at: 100 * DAY, warn_at: 93 * DAY, warned_at: 93 * DAY }
  assert.deepEqual(planFor('fixed', 100, { at: 50, before }), [110, 143, 110])
  assert.deepEqual(planFor('unlimited', 100, { at: 50, before }), [110, 143, 110])
})

test('the end of the whole consent is told, and no use of a refresh token is tried against it', () => {
  const capped = { refresh_expires_at: 100 * DAY, refresh_ends_at: 100 * DAY }
  const before = { refresh_expires_at: 90 * DAY, warn_at: 83 * DAY }
  assert.deepEqual(planFor('idle', 0, { at: 60, times: capped, before }), [null, 93, 93])
})

test('a token that renews itself is renewed before it ends; one that nothing renews ends with its life', () => {
  const times = { renewable: true, issued_at: 0, access_expires_at: 60 * DAY, refresh_expires_at: null }
  const itself = { grant_type: 'x', token_param: 'x', sends: 'access_token' } as const
  const plan = planUpkeep({ refresh_token_life: 'unknown', refresh_grant: itself }, times, null, HALF_WAY)
  assert.equal(plan.keep_at, 36 * DAY)
  assert.deepEqual(planFor('unknown', null, { times: { renewable: false, access_expires_at: 60 * DAY } }), [
    null,
    53,
    53,
  ])
})

test('what is made to end within minutes is not kept alive', () => {
  assert.deepEqual(planFor('idle', 9 / (24 * 60))[0], null)
  assert.equal(planFor('idle', 30 / (24 * 60))[0]! > 0, true)
})

const STRICT = {
  refresh_token_rotation: 'always',
  refresh_token_replay: 'ends_grant',
  replay_grace_seconds: null,
} as const
const GRACE = { ...STRICT, refresh_token_replay: 'within_grace', replay_grace_seconds: 60 } as const

/** What is decided for a row, at NOW; a time to wait for as its distance. */
function decideFor(row: Partial<ConnectionRecord>, more: { authority?: object; policy?: object; sole?: boolean } = {}) {
  const connection = {
    ...{ state: 'ready', refresh_fingerprint: new Uint8Array(1), issued_at: NOW - DAY, access_expires_at: NOW - 1 },
    ...{ refresh_expires_at: null, intent_at: null, intent_deadline_at: null, uncertain_at: null, retry_at: null },
    ...{ refresh_failures: 0, ends_at: null, keep_at: null, warn_at: null, warned_at: null, ...row },
  }
  const authority = {
    ...{ now: NOW, connection, connector: { disabled_at: null }, tenant_disabled_at: null, user_disabled_at: null },
    ...more.authority,
  } as ConnectionAuthority
  const policy = { refresh_token_life: 'unknown', refresh_grant: null, ...STRICT, ...more.policy } as const
  const step = decideUpkeep(authority, policy, more.sole ?? false)
  return step.kind !== 'wait' ? step.kind : step.until === null ? null : step.until - NOW
}

test('nothing is done before its time', () => {
  assert.equal(decideFor({ keep_at: NOW + 5 }), 5)
  assert.equal(decideFor({ keep_at: NOW + 5, warn_at: NOW + 3, refresh_expires_at: NOW + 9 }), 3)
  assert.equal(decideFor({}), null)
})

test('what is due is used, told, or past its end asked about once nothing is left to lose', () => {
  assert.equal(decideFor({ keep_at: NOW }), 'refresh')
  assert.equal(decideFor({ warn_at: NOW, refresh_expires_at: NOW + 9 }), 'warn')
  assert.equal(decideFor({ warn_at: NOW, warned_at: NOW, refresh_expires_at: NOW + 9 }), 9)
  const both = { warn_at: NOW, keep_at: NOW, refresh_expires_at: NOW + 9 }
  assert.equal(decideFor(both), 'refresh')
  assert.equal(decideFor({ ...both, refresh_failures: 1 }), 'warn')
  assert.equal(
    decideFor({ warn_at: NOW, refresh_expires_at: NOW + 9, ends_at: NOW + 8 }),
    9,
    'its owner has ended it by then',
  )
  assert.equal(decideFor({ refresh_expires_at: NOW }), 'refresh')
  assert.equal(decideFor({ refresh_expires_at: NOW, access_expires_at: NOW + 7 }), 7)
})

test('the backoff of a connection holds for upkeep too', () => {
  assert.equal(decideFor({ keep_at: NOW, retry_at: NOW + 4 }), 4)
})

test('an answer that may be lost is asked for within its grace; else not while the old token serves', () => {
  const lost = { uncertain_at: NOW - 1000, access_expires_at: NOW + 7 }
  assert.equal(decideFor(lost), 7)
  assert.equal(decideFor(lost, { policy: GRACE }), 'refresh')
  assert.equal(decideFor({ ...lost, uncertain_at: NOW - MINUTE }, { policy: GRACE }), 7)
  assert.equal(decideFor({ ...lost, access_expires_at: NOW }), 'refresh')
})

test('an intent that is open is left to its owner until its deadline, unless no owner can be alive', () => {
  const open = { intent_at: NOW - 1000, intent_deadline_at: NOW + 29, access_expires_at: NOW - 1 }
  assert.equal(decideFor(open), 29)
  assert.equal(decideFor(open, { sole: true }), 'refresh')
  assert.equal(decideFor({ ...open, intent_deadline_at: NOW }), 'refresh')
  const serving = { ...open, intent_deadline_at: NOW, access_expires_at: NOW + 7 }
  assert.equal(decideFor(serving), 7)
  assert.equal(decideFor(serving, { policy: GRACE }), 'refresh')
})

test('what needs a new consent gets its second look, unless a successor may have been issued', () => {
  assert.equal(decideFor({ state: 'needs_reconsent' }), 'refresh')
  assert.equal(decideFor({ state: 'needs_reconsent', uncertain_at: NOW - 1 }), null)
  assert.equal(decideFor({ state: 'disconnected', keep_at: NOW }), null)
  assert.equal(decideFor({ state: 'pending', keep_at: NOW }), HOUR, 'it may be confirmed by then')
})

test('what nothing renews is told, and says so when it is over', () => {
  const row = { refresh_fingerprint: null, access_expires_at: NOW + 9, warn_at: NOW + 3 }
  assert.equal(decideFor(row), 3)
  assert.equal(decideFor({ ...row, warn_at: NOW }), 'warn')
  assert.equal(decideFor({ ...row, access_expires_at: NOW }), 'lapse')
})

test('O-06 nothing is sent for what is disabled anywhere', () => {
  const disabled = [{ tenant_disabled_at: 1 }, { user_disabled_at: 1 }, { connector: { disabled_at: 1 } }]
  for (const authority of disabled) assert.equal(decideFor({ keep_at: NOW }, { authority }), HOUR)
})

test('what is disabled is looked at in time to be kept once it is enabled again, and at most each minute', () => {
  const wait = (row: Partial<ConnectionRecord>) => decideFor(row, { authority: { tenant_disabled_at: 1 } })
  assert.equal(wait({ keep_at: NOW, refresh_expires_at: NOW + 20 * MINUTE }), 5 * MINUTE)
  assert.equal(wait({ keep_at: NOW + 12 * MINUTE, refresh_expires_at: NOW + 20 * MINUTE }), 3 * MINUTE)
  assert.equal(wait({ keep_at: NOW, refresh_expires_at: NOW + 2 * MINUTE }), MINUTE)
  assert.equal(wait({ keep_at: NOW, refresh_expires_at: NOW + DAY }), HOUR)
  assert.equal(wait({ keep_at: NOW, refresh_expires_at: NOW }), HOUR, 'nothing is left to keep')
})

/** After how long upkeep tries what has failed, with chance in the middle. */
function retryAfter(row: Partial<ConnectionRecord>, tried: Partial<FailedTry> = {}, policy: object = STRICT) {
  const connection = {
    ...{
      state: 'ready',
      issued_at: NOW - DAY,
      refresh_expires_at: null,
      refresh_failures: 0,
      refresh_refusals: 0,
      ...row,
    },
  } as ConnectionRecord
  const failed = { at: NOW, lost_at: null, refused: false, retry_ms: 1000, ...tried }
  return planRetry(policy as typeof STRICT, connection, failed, HALF_WAY)
}

test('what failed is tried ever later, within its grace at once, and at last no more', () => {
  assert.deepEqual(
    [0, 3, 99].map((refresh_failures) => retryAfter({ refresh_failures })),
    [45_000, 360_000, 3.75 * HOUR],
  )
  assert.equal(retryAfter({}, { retry_ms: HOUR }), HOUR, 'never before it may')
  assert.equal(retryAfter({}, { lost_at: NOW }, GRACE), 1000)
  assert.equal(retryAfter({}, { lost_at: NOW - MINUTE }, GRACE), 45_000)
  assert.equal(retryAfter({ issued_at: NOW - 31 * DAY }), null)
  assert.equal(retryAfter({ issued_at: NOW - 31 * DAY, refresh_expires_at: NOW - DAY }), 45_000)
})

test('a provider that refused is asked twice whether it meant it: what it did not decide counts for nothing', () => {
  const look = (refresh_refusals: number, tried: Partial<FailedTry>) =>
    retryAfter({ state: 'needs_reconsent', refresh_refusals }, tried)
  assert.deepEqual([look(0, { refused: true }), look(1, { refused: true })], [6 * HOUR, null])
  assert.deepEqual([look(0, {}), look(1, {})], [45_000, 45_000], 'throttled, or never sent')
  assert.equal(look(0, { lost_at: NOW }), null, 'to ask again would be a replay')
})
