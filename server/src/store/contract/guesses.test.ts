import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

const guess = ({ store, tenant_id }: Stage, subject = 'alice', most = 3) =>
  store.reserveGuess({ tenant_id, subject, most, window_ms: 1000 })
const allowed = { refused_until: 0, reached: false }
const last = { refused_until: 0, reached: true }
const refused = (until: number) => ({ refused_until: until, reached: false })

contract('6.3.1 so many guesses are allowed in a window, and then none until it ends', async (stage) => {
  const { clock } = stage
  const answers = [await guess(stage), await guess(stage), await guess(stage)]
  assert.deepStrictEqual(answers, [allowed, allowed, last])
  clock.now += 400
  assert.deepStrictEqual(await guess(stage), refused(START + 1000))
  clock.now += 599
  assert.deepStrictEqual(await guess(stage), refused(START + 1000))
  clock.now += 1
  assert.deepStrictEqual(await guess(stage), allowed)
  assert.deepStrictEqual(await guess(stage), allowed)
})

contract('guesses at one subject are not those at another', async (stage) => {
  for (let i = 0; i < 4; i++) await guess(stage)
  assert.deepStrictEqual(await guess(stage, 'bob'), allowed)
})

contract('a right guess makes the ones before it forgotten', async (stage) => {
  const { store, tenant_id } = stage
  for (let i = 0; i < 4; i++) await guess(stage)
  await store.forgetGuesses({ tenant_id, subject: 'alice' })
  assert.deepStrictEqual(await guess(stage), allowed)
  await store.forgetGuesses({ tenant_id, subject: 'unknown' })
})

contract(
  '6.3.1 after the last guess of a window each further one waits twice as long, up to a limit',
  async (stage) => {
    const { store, tenant_id, clock } = stage
    const limit = { most: 2, window_ms: 1000, delay_ms: 100, longest_delay_ms: 500 }
    const wait = () => store.reserveGuess({ tenant_id, subject: 'carol', ...limit })
    assert.deepStrictEqual(await wait(), allowed)
    assert.deepStrictEqual(await wait(), last)
    for (const delay of [100, 200, 400, 500, 500]) {
      assert.deepStrictEqual(await wait(), refused(clock.now + delay))
      clock.now += delay - 1
      assert.deepStrictEqual(await wait(), refused(clock.now + 1), 'a refused one makes it no longer')
      clock.now += 1
      assert.deepStrictEqual(await wait(), last, `after ${delay} ms one more`)
    }
    clock.now += 500 + 999
    assert.deepStrictEqual(await wait(), last)
    clock.now += 500 + 1000
    assert.deepStrictEqual(await wait(), allowed, 'never for good: a quiet window forgets them')
  },
)

contract('a guess that was right, or not looked at, is given back', async (stage) => {
  const { store, tenant_id } = stage
  for (let i = 0; i < 20; i++) {
    assert.equal((await guess(stage)).refused_until, 0)
    await store.returnGuess({ tenant_id, subject: 'alice' })
  }
  for (let i = 0; i < 3; i++) await guess(stage)
  await store.returnGuess({ tenant_id, subject: 'alice' })
  assert.deepStrictEqual(await guess(stage), last)
  assert.deepStrictEqual(await guess(stage), refused(START + 1000))
  await store.returnGuess({ tenant_id, subject: 'unknown' })
})

contract('6.3.1 of many guesses at the same time no more are allowed than one after the other', async (stage) => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => guess(stage)))
  assert.equal(answers.filter(({ refused_until }) => refused_until === 0).length, 3)
})

const user = {
  ...{ user_id: 'u1', username_key: 'root', username: 'root', name: null, email: null, email_verified: false },
  ...{ claims: '{}', roles: '["administrator"]', password_hash: 'phc' },
}
const makeLink = ({ store, tenant_id, clock }: Stage, secret: string, kind = 'setup') =>
  store.createOneTimeLink({
    ...{ tenant_id, kind, secret_hash: bytes(secret), expires_at: clock.now + 1000, at: clock.now },
  })
const isThere = ({ store, tenant_id }: Stage, secret: string, kind = 'setup') =>
  store.findOneTimeLink({ tenant_id, kind, secret_hash: bytes(secret) })
const redeem = ({ store, tenant_id, event }: Stage, secret: string, more = {}) =>
  store.redeemSetupLink({ tenant_id, secret_hash: bytes(secret), user: { ...user, ...more }, event: event('setup') })

contract('6.3.2 a setup link makes one administrator', async (stage) => {
  const { store, tenant_id } = stage
  await makeLink(stage, 'secret')
  assert.equal(await isThere(stage, 'secret'), true)
  assert.equal(await redeem(stage, 'secret'), 'created')
  const made = await store.findUser({ tenant_id, user_id: 'u1' })
  const { username_key: _, ...shown } = user
  const more = { email_verified: 0, epoch: 0, disabled_at: null, updated_at: START }
  assert.deepStrictEqual(made, { ...shown, ...more })
  assert.equal(await isThere(stage, 'secret'), false)
  assert.equal(await redeem(stage, 'secret', { user_id: 'u2', username_key: 'root2' }), 'spent')
  assert.equal(await store.findUser({ tenant_id, user_id: 'u2' }), null)
})

contract(
  '6.3.2 CVE-2025-64708 a setup link is not there when it is unknown, of another kind, run out or replaced',
  async (stage) => {
    const { clock } = stage
    await makeLink(stage, 'reset', 'reset')
    await makeLink(stage, 'first')
    await makeLink(stage, 'second')
    assert.deepEqual([await isThere(stage, 'first'), await isThere(stage, 'second')], [false, true])
    assert.deepEqual([await isThere(stage, 'reset'), await isThere(stage, 'reset', 'reset')], [false, true])
    for (const secret of ['unknown', 'reset', 'first']) assert.equal(await redeem(stage, secret), 'spent')
    clock.now += 1000
    assert.equal(await isThere(stage, 'second'), false)
    assert.equal(await redeem(stage, 'second'), 'spent')
  },
)

contract('a setup link is not spent when the user cannot be made', async (stage) => {
  await stage.user('root')
  await makeLink(stage, 'secret')
  await assert.rejects(redeem(stage, 'secret'), /unique/i)
  assert.equal(await isThere(stage, 'secret'), true)
  assert.equal(await redeem(stage, 'secret', { username_key: 'admin' }), 'created')
})
