import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import type { Store } from '../../server/src/store/store.ts'
import { fillStage, START, type Stage } from './stores.ts'

/** How many call at the same time. */
export const RACERS = 64

const secret = (text: string) => new Uint8Array(hash('sha256', text, 'buffer'))

/** One kind of race: what each of the racers does, and what must hold of all their answers and of what is stored. */
export interface Race {
  readonly title: string
  /** Makes what they race for. */
  prepare(stage: Stage, round: number): Promise<void>
  run(store: Store, stage: Stage, round: number, racer: number): Promise<unknown>
  check(answers: readonly unknown[], stage: Stage, round: number): Promise<void>
}

const count = (answers: readonly unknown[], wanted: unknown) => answers.filter((answer) => answer === wanted).length
const one = (answers: readonly unknown[], winner: unknown, loser: unknown) =>
  assert.deepEqual([count(answers, winner), count(answers, loser)], [1, answers.length - 1])
const grant = (round: number) => `g${round}`
const load = async ({ store, tenant_id }: Stage, round: number) =>
  (await store.loadGrantAuthority({ tenant_id, client_id: 'web', grant_id: grant(round) }))!.grant!
const redemption = (tenant_id: string, round: number, attempt: string) => ({
  ...{ tenant_id, grant_id: grant(round), code_hash: secret(`code ${round}`), attempt_id: attempt },
  ...{ refresh: { hash: secret(`${round} r1`), kid: 1 }, idle_expires_at: null },
  replay_event: { tenant_id, event_id: `replay ${round} ${attempt}`, at: START, type: 'code.replayed', actor: 'web' },
})

async function approve({ store, newGrant }: Stage, round: number): Promise<void> {
  await store.approveGrant(newGrant(grant(round), { code_hash: secret(`code ${round}`) }))
}

/** Every race that a verb must decide. */
export const RACES: readonly Race[] = [
  {
    title: '15.4.1 a code that many redeem at the same time is redeemed once, and the grant ends with one event',
    prepare: approve,
    run: (store, { tenant_id }, round, racer) => store.redeemCode(redemption(tenant_id, round, `try ${racer}`)),
    async check(answers, stage, round) {
      one(answers, 'redeemed', 'replayed')
      assert.equal((await load(stage, round)).revoked_at, START)
    },
  },
  {
    title: '15.4.1 a refresh token that many rotate at the same time moves on by one generation',
    async prepare(stage, round) {
      await approve(stage, round)
      assert.equal(await stage.store.redeemCode(redemption(stage.tenant_id, round, 'only')), 'redeemed')
    },
    run: (store, { tenant_id }, round, racer) =>
      store.rotateRefreshToken({
        ...{ tenant_id, grant_id: grant(round), generation: 1, hash: secret(`${round} r1`), kid: 1 },
        ...{ successor_hash: secret(`${round} r2 ${racer}`), idle_expires_at: null },
      }),
    async check(answers, stage, round) {
      one(answers, 'rotated', 'stale')
      const { refresh_generation, refresh_hash } = await load(stage, round)
      assert.equal(refresh_generation, 2)
      assert.deepEqual(refresh_hash, secret(`${round} r2 ${answers.indexOf('rotated')}`))
    },
  },
  {
    title: 'a lease that many want at the same time has one owner',
    prepare: async () => {},
    run: (store, { tenant_id }, round, racer) =>
      store.takeLease({ tenant_id, name: `lease ${round}`, owner: `owner ${racer}`, duration_ms: 1000 }),
    check: async (answers) => one(answers, 1, null),
  },
  {
    title: '6.3.1 of many guesses at the same time no more are allowed than one after the other',
    prepare: async () => {},
    run: async (store, { tenant_id }, round) =>
      (await store.reserveGuess({ tenant_id, subject: `guess ${round}`, most: 1, window_ms: 1000 })).refused_until,
    check: async (answers) => one(answers, 0, START + 1000),
  },
  {
    title: '6.3.2 a setup link that many redeem at the same time makes one administrator',
    // A tenant of its own for each round: a new link replaces the one before it.
    async prepare({ store, tenant_id, clock }, round) {
      const stage = await openRaces(store, clock, `${tenant_id} ${round}`)
      const link = { kind: 'setup', secret_hash: secret('link'), expires_at: START + 1000, at: START }
      await store.createOneTimeLink({ tenant_id: stage.tenant_id, ...link })
    },
    run(store, stage, round, racer) {
      const tenant_id = `${stage.tenant_id} ${round}`
      const user = {
        ...{ user_id: `u${racer}`, username_key: `u${racer}`, username: 'root', name: null, email: null },
        ...{ email_verified: false, claims: '{}', roles: '[]', password_hash: null },
      }
      const event = { tenant_id, event_id: `setup ${racer}`, at: START, type: 'setup', actor: 'setup' }
      return store.redeemSetupLink({ tenant_id, secret_hash: secret('link'), user, event })
    },
    check: async (answers) => one(answers, 'created', 'spent'),
  },
  {
    title: 'a revocation during many rotations wins for good: nothing rotates after it',
    async prepare(stage, round) {
      await approve(stage, round)
      await stage.store.redeemCode(redemption(stage.tenant_id, round, 'only'))
    },
    run(store, { tenant_id }, round, racer) {
      const grant_id = grant(round)
      const event = { tenant_id, event_id: `end ${round} ${racer}`, at: START, type: 'grant.revoked', actor: 'web' }
      if (racer % 8 === 4) return store.revokeGrant({ tenant_id, grant_id, reason: 'test', event })
      return store.rotateRefreshToken({
        ...{ tenant_id, grant_id, generation: 1, hash: secret(`${round} r1`), kid: 1 },
        ...{ successor_hash: secret(`${round} r2`), idle_expires_at: null },
      })
    },
    async check(answers, stage, round) {
      assert.equal(count(answers, true), 1)
      assert.ok(count(answers, 'rotated') <= 1)
      const { revoked_at, refresh_generation } = await load(stage, round)
      assert.equal(revoked_at, START)
      assert.equal(refresh_generation, 1 + count(answers, 'rotated'))
    },
  },
]

/** Runs rounds of a race, side by side, over stores that share a database; racers take turns among the stores. */
export async function race(kind: Race, stage: Stage, stores: readonly Store[], rounds: number): Promise<void> {
  const all = Array.from({ length: rounds }, (_, round) => round)
  await Promise.all(all.map((round) => kind.prepare(stage, round)))
  const racers = Array.from({ length: RACERS }, (_, racer) => stores[racer % stores.length]!)
  await Promise.all(
    all.map(async (round) => {
      const calls = racers.map((store, racer) => kind.run(store, stage, round, racer))
      await kind.check(await Promise.all(calls), stage, round)
    }),
  )
}

/** A tenant with a client and a user, to race in. */
export async function openRaces(store: Store, clock: { now: number }, tenant_id: string): Promise<Stage> {
  const stage = fillStage({ dialect: store.driver.dialect, store, clock, tenant_id })
  await store.createTenant({
    ...{ tenant_id, issuer: `https://${tenant_id}.example`, name: 'T', settings: '{}' },
    ...{ key: { kid: 1, wrapped: secret('key') }, signing_keys: [], resources: [], roles: [], event: stage.event() },
  })
  await Promise.all([stage.client('web'), stage.user('alice')])
  return stage
}
