import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'
import { type Proof, ProofReplayed } from '../verbs/proofs.ts'

const proof = (id: string, kind: Proof['kind'] = 'dpop'): Proof => ({
  ...{ kind, id_hash: bytes(id), expires_at: START + 60_000 },
})
const replayed = (kind: Proof['kind']) => (error: unknown) => error instanceof ProofReplayed && error.kind === kind

async function grantOf(stage: Stage): Promise<void> {
  await Promise.all([stage.client('web'), stage.user('alice')])
  await stage.store.approveGrant(stage.newGrant('g1'))
}
const redeem = (stage: Stage, attempt_id: string, proofs: readonly Proof[]) =>
  stage.store.redeemCode({
    ...{ tenant_id: stage.tenant_id, grant_id: 'g1', code_hash: bytes('code of g1'), attempt_id, proofs },
    ...{ refresh: { hash: bytes('r1'), kid: 1 }, idle_expires_at: null, replay_event: stage.event('code.replayed') },
  })
const loadGrant = async ({ store, tenant_id }: Stage) =>
  (await store.loadGrantAuthority({ tenant_id, client_id: 'web', grant_id: 'g1' }))!.grant!

contract('a proof is accepted once, each kind by itself', async ({ store, tenant_id }) => {
  await store.acceptProofs({ tenant_id, proofs: [proof('a')] })
  await assert.rejects(store.acceptProofs({ tenant_id, proofs: [proof('a')] }), replayed('dpop'))
  await store.acceptProofs({ tenant_id, proofs: [proof('a', 'client_assertion')] })
})

// One after the other: which of many at once is first may differ between the twins of a tenant. That race is in races.test.ts.
contract('of several requests by one proof one is told of in the audit log', async ({ store, tenant_id, event }) => {
  const told = () => ({ tenant_id, proofs: [proof('a')], event: event('token.impersonated') })
  await store.acceptProofs(told())
  for (let i = 0; i < 3; i++) await assert.rejects(store.acceptProofs(told()), replayed('dpop'))
  const page = { tenant_id, before_event_id: '~', type: 'token.impersonated', actor: '', most: 9 }
  assert.equal((await store.pageEvents(page)).length, 1)
})

contract('of two proofs of which one was seen before, neither is taken', async ({ store, tenant_id }) => {
  await store.acceptProofs({ tenant_id, proofs: [proof('old', 'client_assertion')] })
  const both = [proof('new'), proof('old', 'client_assertion')]
  await assert.rejects(store.acceptProofs({ tenant_id, proofs: both }), replayed('client_assertion'))
  await store.acceptProofs({ tenant_id, proofs: [proof('new')] })
})

contract('a code whose proof was seen before stays as it was, and a redemption takes its proof', async (stage) => {
  const { store, tenant_id } = stage
  await grantOf(stage)
  await store.acceptProofs({ tenant_id, proofs: [proof('a')] })
  await assert.rejects(redeem(stage, 'try 1', [proof('a')]), replayed('dpop'))
  assert.equal((await loadGrant(stage)).code_redeemed_at, null)
  assert.equal(await redeem(stage, 'try 2', [proof('b')]), 'redeemed')
  await assert.rejects(store.acceptProofs({ tenant_id, proofs: [proof('b')] }), replayed('dpop'))
})

contract('a redemption that is refused takes no proof', async (stage) => {
  const { store, tenant_id } = stage
  await grantOf(stage)
  await redeem(stage, 'try 1', [])
  assert.equal(await redeem(stage, 'try 2', [proof('a')]), 'replayed')
  await store.acceptProofs({ tenant_id, proofs: [proof('a')] })
})

contract('a rotation whose proof was seen before leaves the refresh token as it was', async (stage) => {
  const { store, tenant_id } = stage
  await grantOf(stage)
  await redeem(stage, 'try 1', [proof('a')])
  const rotate = (proofs: readonly Proof[]) =>
    store.rotateRefreshToken({
      ...{ tenant_id, grant_id: 'g1', generation: 1, hash: bytes('r1'), successor_hash: bytes('r2'), kid: 1 },
      ...{ idle_expires_at: null, proofs },
    })
  await assert.rejects(rotate([proof('a')]), replayed('dpop'))
  assert.equal((await loadGrant(stage)).refresh_generation, 1)
  assert.equal(await rotate([proof('b')]), 'rotated')
  assert.equal(await rotate([proof('c')]), 'stale')
  await store.acceptProofs({ tenant_id, proofs: [proof('c')] })
})

contract('who asks again with a proof seen before ends nothing, counts nothing, and is told', async (stage) => {
  const { store, tenant_id } = stage
  await grantOf(stage)
  const target = { tenant_id, grant_id: 'g1', proofs: [proof('a')] }
  await store.acceptProofs({ tenant_id, proofs: [proof('a')] })
  await assert.rejects(store.countCodeFailure(target), replayed('dpop'))
  await assert.rejects(
    store.revokeGrant({ ...target, reason: 'test', event: stage.event('grant.revoked') }),
    replayed('dpop'),
  )
  await redeem(stage, 'try 1', [proof('b')])
  await assert.rejects(redeem(stage, 'try 2', [proof('b')]), replayed('dpop'))
  const grant = await loadGrant(stage)
  assert.deepEqual([grant.code_failures, grant.revoked_at], [0, null])
  assert.equal(await redeem(stage, 'try 3', [proof('c')]), 'replayed')
  await store.acceptProofs({ tenant_id, proofs: [proof('c')] })
})

contract('a grant keeps the key it is bound to until a redemption or a rotation names another', async (stage) => {
  const { store, tenant_id } = stage
  await Promise.all([stage.client('web'), stage.user('alice')])
  await store.approveGrant(stage.newGrant('g1', { cnf: 'of the code' }))
  assert.equal((await loadGrant(stage)).cnf, 'of the code')
  await redeem(stage, 'try 1', [])
  assert.equal((await loadGrant(stage)).cnf, 'of the code')
  const rotate = (generation: number, more: object) =>
    store.rotateRefreshToken({
      ...{ tenant_id, grant_id: 'g1', generation, hash: bytes(`r${generation}`), kid: 1, idle_expires_at: null },
      ...{ successor_hash: bytes(`r${generation + 1}`), ...more },
    })
  assert.equal(await rotate(1, { cnf: 'of the rotation' }), 'rotated')
  assert.equal(await rotate(2, {}), 'rotated')
  assert.equal((await loadGrant(stage)).cnf, 'of the rotation')
})
