import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'
import type { SpentFactor } from '../verbs/factors.ts'
import { ProofReplayed } from '../verbs/proofs.ts'

const HOUR = 3_600_000
const CODES = ['one', 'two', 'three'].map(bytes)

const challenge = (id: string) => ({ kind: 'passkey' as const, id_hash: bytes(id), expires_at: START + HOUR })
const passkey = (credential_id: string, counter = 0) => ({
  ...{ credential_id, name: 'Laptop', public_key: bytes('key'), counter, transports: '["internal"]' },
  ...{ backup_eligible: 1, backed_up: 0 },
})
const mine = ({ tenant_id, event }: Stage, user_id = 'alice') => ({
  ...{ tenant_id, user_id, recovery_codes: CODES, event: event('factor') },
})
const addTotp = (stage: Stage, user_id?: string) =>
  stage.store.addTotp({ ...mine(stage, user_id), sealed_seed: bytes('sealed'), step: 100 })
const addPasskey = (stage: Stage, id: string, more: { counter?: number; user_id?: string; challenge?: string } = {}) =>
  stage.store.addPasskey({
    ...{ ...mine(stage, more.user_id), passkey: passkey(id, more.counter), most: 3 },
    challenge: challenge(more.challenge ?? `challenge of ${id}`),
  })
const load = ({ store, tenant_id }: Stage, user_id = 'alice') => store.loadFactors({ tenant_id, user_id })
const count = <T>(values: readonly T[], value: T) => values.filter((one) => one === value).length

const sessions = new WeakMap<Stage, number>()
function signIn(stage: Stage, factor: SpentFactor, user_id = 'alice') {
  const { store, tenant_id, clock, event } = stage
  const n = sessions.get(stage) ?? 0
  sessions.set(stage, n + 1)
  const session_id = `session-${n}`
  const { now } = clock
  return store.startSession({
    ...{ tenant_id, former_session_id: null, factor, event: event('session.started') },
    session: {
      ...{
        session_id,
        user_id,
        secret_hash: bytes(session_id),
        auth_time: now,
        acr: 'mfa',
        amr: '["pwd","otp","mfa"]',
      },
      ...{ user_agent: null, epoch: 0, tenant_epoch: 0, user_epoch: 0, created_at: now, expires_at: now + HOUR },
    },
  })
}

contract('a user begins without factors', async (stage) => {
  await stage.user('alice')
  assert.deepStrictEqual(await load(stage), { now: START, totp: null, passkeys: [], recovery_codes_left: 0 })
})

contract('recovery codes come with the first factor, and with it alone', async (stage) => {
  const { store, tenant_id } = stage
  await Promise.all([stage.user('alice'), stage.user('bob')])
  assert.equal(await addTotp(stage), 'added_with_codes')
  assert.equal(await addTotp(stage), 'known')
  assert.equal(await addPasskey(stage, 'k1'), 'added')
  assert.equal(await addPasskey(stage, 'k2', { user_id: 'bob' }), 'added_with_codes')
  const { totp, passkeys, recovery_codes_left } = await load(stage)
  assert.deepStrictEqual(totp, { sealed_seed: bytes('sealed'), last_step: 100, created_at: START })
  const { backup_eligible, ...rest } = passkey('k1')
  const times = { created_at: START, last_used_at: null }
  assert.deepStrictEqual(passkeys, [{ ...rest, user_id: 'alice', backup_eligible, ...times }])
  assert.equal(recovery_codes_left, 3)
  const found = await store.findPasskey({ tenant_id, credential_id: 'k2' })
  assert.deepEqual([found?.passkey.name, found?.user.user_id, found?.user.epoch], ['Laptop', 'bob', 0])
  assert.equal(await store.findPasskey({ tenant_id, credential_id: 'k3' }), null)
  assert.equal(await store.findPasskey({ tenant_id: 'nobody', credential_id: 'k2' }), null)
})

contract('a credential id is one key of one user, and a challenge makes one key', async (stage) => {
  await Promise.all([stage.user('alice'), stage.user('bob')])
  assert.equal(await addPasskey(stage, 'k1'), 'added_with_codes')
  assert.equal(await addPasskey(stage, 'k1', { user_id: 'bob', challenge: 'c2' }), 'known')
  assert.equal((await load(stage, 'bob')).recovery_codes_left, 0)
  await assert.rejects(addPasskey(stage, 'k2', { challenge: 'challenge of k1' }), ProofReplayed)
  assert.equal((await load(stage)).passkeys.length, 1)
  assert.equal(await addPasskey(stage, 'k3'), 'added')
  assert.equal(await addPasskey(stage, 'k4'), 'added')
  assert.equal(await addPasskey(stage, 'k5'), 'known', 'there are enough')
})

contract('6.5.1 a step of an authenticator app starts one session, however many come at once', async (stage) => {
  await stage.user('alice')
  await addTotp(stage)
  const outcomes = await Promise.all(Array.from({ length: 64 }, () => signIn(stage, { kind: 'totp', step: 101 })))
  assert.equal(count(outcomes, 'started'), 1)
  assert.equal(await signIn(stage, { kind: 'totp', step: 101 }), 'spent')
  assert.equal(await signIn(stage, { kind: 'totp', step: 100 }), 'spent', 'nor one before it')
  assert.equal(await signIn(stage, { kind: 'totp', step: 102 }), 'started')
  const { store, tenant_id } = stage
  assert.equal((await store.listSessionsOfUser({ tenant_id, user_id: 'alice' })).length, 2)
})

contract('6.5.1 a recovery code starts one session, and is its user’s alone', async (stage) => {
  await Promise.all([stage.user('alice'), stage.user('bob')])
  await addTotp(stage)
  const factor = { kind: 'recovery_code', code_hash: CODES[1]! } as const
  assert.equal(await signIn(stage, factor, 'bob'), 'spent')
  const outcomes = await Promise.all(Array.from({ length: 64 }, () => signIn(stage, factor)))
  assert.equal(count(outcomes, 'started'), 1)
  assert.equal((await load(stage)).recovery_codes_left, 2)
  assert.equal(await signIn(stage, { kind: 'recovery_code', code_hash: bytes('unknown') }), 'spent')
})

contract(
  'WebAuthn 6.1.1 a counter only rises, but for keys that never count; a challenge is good once',
  async (stage) => {
    await stage.user('alice')
    await addPasskey(stage, 'counting', { counter: 5 })
    await addPasskey(stage, 'still')
    let n = 0
    const use = (credential_id: string, counter: number, id = `use ${n++}`) =>
      signIn(stage, { kind: 'passkey', credential_id, counter, backed_up: true, challenge: challenge(id) })
    for (const copied of [0, 4, 5]) assert.equal(await use('counting', copied), 'spent', `${copied}`)
    assert.equal(await use('counting', 6), 'started')
    assert.equal(await use('counting', 6), 'spent')
    assert.equal(await use('still', 0), 'started')
    assert.equal(await use('still', 0), 'started')
    assert.equal(await use('unknown', 0), 'spent')
    const tries = await Promise.allSettled(Array.from({ length: 64 }, () => use('still', 0, 'the same')))
    assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const outcome of tries) if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof ProofReplayed)
    const still = (await load(stage)).passkeys.find(({ credential_id }) => credential_id === 'still')!
    assert.deepEqual([still.backed_up, still.last_used_at], [1, START])
  },
)

contract('the last factor takes the recovery codes with it, or stays where one has to', async (stage) => {
  const { store } = stage
  await stage.user('alice')
  await addTotp(stage)
  await addPasskey(stage, 'k1')
  const remove = (factor: { kind: 'totp' } | { kind: 'passkey'; credential_id: string }, keep_one: boolean) =>
    store.removeFactor({ ...mine(stage), factor, keep_one })
  const key = { kind: 'passkey', credential_id: 'k1' } as const
  assert.equal(await remove({ ...key, credential_id: 'k2' }, false), 'unknown')
  const both = await Promise.all([remove({ kind: 'totp' }, true), remove(key, true)])
  assert.deepEqual(both.toSorted(), ['last', 'removed'], 'two removals at once leave one')
  assert.equal((await load(stage)).recovery_codes_left, 3)
  await Promise.all([remove({ kind: 'totp' }, false), remove(key, false)])
  assert.deepStrictEqual(await load(stage), { now: START, totp: null, passkeys: [], recovery_codes_left: 0 })
})

contract('new recovery codes take the place of all there were', async (stage) => {
  await stage.user('alice')
  await addTotp(stage)
  await signIn(stage, { kind: 'recovery_code', code_hash: CODES[0]! })
  await stage.store.replaceRecoveryCodes({ ...mine(stage), recovery_codes: [bytes('new'), bytes('one')] })
  assert.equal((await load(stage)).recovery_codes_left, 2)
  assert.equal(await signIn(stage, { kind: 'recovery_code', code_hash: CODES[1]! }), 'spent')
  assert.equal(await signIn(stage, { kind: 'recovery_code', code_hash: bytes('new') }), 'started')
})
