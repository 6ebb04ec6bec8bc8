import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytes, contract, DIALECTS, fillStage, makeDatabase, START, type Stage } from '../../../../test/parts/stores.ts'

const take = ({ store, tenant_id }: Stage, owner: string, name = 'sealer') =>
  store.takeLease({ tenant_id, name, owner, duration_ms: 1000 })

contract('15.4.3 a lease has one owner, who may renew it, and its fence rises with each new owner', async (stage) => {
  const { clock } = stage
  assert.equal(await take(stage, 'a'), 1)
  assert.equal(await take(stage, 'b'), null)
  clock.now += 900
  assert.equal(await take(stage, 'a'), 1)
  clock.now += 900
  assert.equal(await take(stage, 'b'), null)
  assert.equal(await take(stage, 'b', 'sweeper'), 1)
  clock.now += 100
  assert.equal(await take(stage, 'b'), 2)
  assert.equal(await take(stage, 'a'), null)
})

contract('the database answers with its time', async ({ store, clock }) => {
  clock.now += 42
  assert.equal(await store.ping({}), START + 42)
})

for (const dialect of DIALECTS) {
  test(`what has ended is swept oldest first, so many rows of each kind, and what lives stays (${dialect})`, async (t) => {
    const database = await makeDatabase(dialect)
    t.after(() => database.drop())
    const store = await database.open()
    const tenant_id = 't'
    const { clock } = database
    const stage = fillStage({ dialect, store, clock, tenant_id })
    await store.createTenant({
      ...{ tenant_id, issuer: 'https://t.example', name: 'T', settings: '{}', key: { kid: 1, wrapped: bytes('k') } },
      ...{ signing_keys: [], resources: [], roles: [], event: stage.event() },
    })
    await Promise.all([stage.client('web'), stage.user('alice')])
    for (let i = 1; i <= 4; i++) {
      const expires_at = START + i
      await store.revokeAccessToken({ tenant_id, jti: `j${i}`, expires_at, event: stage.event() })
      await store.approveGrant(stage.newGrant(`g${i}`, { expires_at }))
      await store.reserveGuess({ tenant_id, subject: `s${i}`, most: 1, window_ms: i })
      const secret_hash = bytes(`l${i}`)
      await store.createOneTimeLink({ tenant_id, kind: `kind ${i}`, secret_hash, expires_at, at: START })
    }
    await stage.session('s1', 'alice')
    const denied = async (jti: string) => {
      const nothing = { client_id: '', token_client_id: '', user_id: '', session_id: '', grant_id: '' }
      return (await store.loadTokenAuthority({ tenant_id, ...nothing, jti }))!.denied
    }
    const grant = async (grant_id: string) =>
      (await store.loadGrantAuthority({ tenant_id, client_id: 'web', grant_id }))!.grant !== null

    assert.equal(await store.sweepEnded({ before: START + 4, most: 2 }), 8)
    assert.deepEqual([await denied('j2'), await denied('j3'), await denied('j4')], [false, true, true])
    assert.deepEqual([await grant('g2'), await grant('g3'), await grant('g4')], [false, true, true])
    assert.equal(await store.sweepEnded({ before: START + 4, most: 2 }), 4)
    assert.deepEqual(
      [await denied('j3'), await denied('j4'), await grant('g3'), await grant('g4')],
      [false, true, false, true],
    )
    assert.equal(await store.sweepEnded({ before: START + 4, most: 2 }), 0)
    assert.equal(await store.findOneTimeLink({ tenant_id, kind: 'kind 4', secret_hash: bytes('l4') }), true)
    clock.now = START + 3_600_000
    // The four revocations are kept for as long as any token may live.
    assert.equal(await store.sweepEnded({ before: START + 3_600_001, most: 100 }), 8)
    clock.now = START + 7_200_000
    assert.equal(await store.sweepEnded({ before: START + 7_200_001, most: 100 }), 1)
    assert.equal((await store.loadBrowserAuthority({ tenant_id, session_id: 's1', client_id: '' }))!.session, null)
  })
}
