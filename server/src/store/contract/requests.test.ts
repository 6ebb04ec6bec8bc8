import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'
import { ProofReplayed } from '../verbs/proofs.ts'

const push = ({ store, tenant_id }: Stage, name = 'r1', client_id = 'web') =>
  store.pushRequest({
    ...{ tenant_id, request_hash: bytes(name), client_id, sealed: bytes(`sealed ${name}`) },
    ...{ created_at: START, expires_at: START + 90_000 },
  })

const people = (stage: Stage) => Promise.all([stage.client('web'), stage.user('alice')])

contract('a pushed request is there until it is answered, and only for its tenant', async (stage) => {
  const { store, tenant_id } = stage
  await people(stage)
  await push(stage)
  const request_hash = bytes('r1')
  const found = await store.findPushedRequest({ tenant_id, request_hash })
  assert.deepEqual([found!.client_id, found!.expires_at], ['web', START + 90_000])
  assert.equal(await store.findPushedRequest({ tenant_id: 'another', request_hash }), null)
  assert.equal(await store.approveGrant({ ...stage.newGrant('g1'), request_hash }), 'approved')
  assert.equal(await store.findPushedRequest({ tenant_id, request_hash }), null)
  assert.equal(await store.approveGrant({ ...stage.newGrant('g2'), request_hash }), 'spent')
  const { grant } = (await store.loadGrantAuthority({ tenant_id, client_id: 'web', grant_id: 'g2' }))!
  assert.equal(grant, null, 'nothing of the second answer is kept')
})

contract('2.3.4 15.4.2 of 64 answers to one pushed request one is taken', async (stage) => {
  const { store } = stage
  await people(stage)
  await push(stage)
  const request_hash = bytes('r1')
  const tries = Array.from({ length: 64 }, (_, i) => store.approveGrant({ ...stage.newGrant(`g${i}`), request_hash }))
  const outcomes = await Promise.all(tries)
  assert.equal(outcomes.filter((outcome) => outcome === 'approved').length, 1)
  assert.equal(outcomes.filter((outcome) => outcome === 'spent').length, 63)
})

contract(
  'a refused request is gone, one that nobody came for is swept, and a deleted client takes its own with it',
  async (stage) => {
    const { store, tenant_id } = stage
    await people(stage)
    for (const name of ['refused', 'late', 'last']) await push(stage, name)
    const drop = (name: string) => store.dropPushedRequest({ tenant_id, request_hash: bytes(name) })
    assert.deepEqual([await drop('refused'), await drop('refused')], [true, false])
    await store.sweepEnded({ before: START + 90_000, most: 100 })
    assert.ok(
      await store.findPushedRequest({ tenant_id, request_hash: bytes('late') }),
      'who arrived in time has an hour',
    )
    await store.deleteClient({ tenant_id, client_id: 'web', event: stage.event() })
    assert.equal(await store.findPushedRequest({ tenant_id, request_hash: bytes('late') }), null)
  },
)

contract('a push whose proof was seen before keeps nothing', async (stage) => {
  const { store, tenant_id } = stage
  const proofs = [{ kind: 'client_assertion' as const, id_hash: bytes('a'), expires_at: START + 60_000 }]
  await store.acceptProofs({ tenant_id, proofs })
  const request = { tenant_id, request_hash: bytes('r1'), client_id: 'web', sealed: bytes('x') }
  const pushed = store.pushRequest({ ...request, created_at: START, expires_at: START + 1, proofs })
  await assert.rejects(pushed, (error) => error instanceof ProofReplayed)
  assert.equal(await store.findPushedRequest({ tenant_id, request_hash: bytes('r1') }), null)
})

contract(
  'a refresh token that stays is used as often as its owner likes, and never once it was rotated or ended',
  async (stage) => {
    const { store, tenant_id } = stage
    await people(stage)
    await store.approveGrant(stage.newGrant('g1'))
    await store.redeemCode({
      ...{ tenant_id, grant_id: 'g1', code_hash: bytes('code of g1'), attempt_id: 'try' },
      ...{ refresh: { hash: bytes('r1'), kid: 1 }, idle_expires_at: null, replay_event: stage.event('code.replayed') },
    })
    const keep = (hash = 'r1', generation = 1) =>
      store.keepRefreshToken({
        tenant_id,
        grant_id: 'g1',
        generation,
        hash: bytes(hash),
        idle_expires_at: START + 5000,
      })
    const all = await Promise.all(Array.from({ length: 64 }, () => keep()))
    assert.ok(all.every((outcome) => outcome === 'kept'))
    const { grant } = (await store.loadGrantAuthority({ tenant_id, client_id: 'web', grant_id: 'g1' }))!
    assert.deepEqual([grant!.refresh_generation, grant!.idle_expires_at], [1, START + 5000])
    assert.deepEqual([await keep('other'), await keep('r1', 2)], ['stale', 'stale'])
    await store.revokeGrant({ tenant_id, grant_id: 'g1', reason: 'test', event: stage.event() })
    assert.equal(await keep(), 'stale')
  },
)

contract(
  'a consent ends when its user chose, and scopes are taken back from it and from every grant',
  async (stage) => {
    const { store, tenant_id } = stage
    await people(stage)
    await stage.session('s1', 'alice')
    const grant = (id: string, scope: string) => stage.newGrant(id, { scope })
    const consent = {
      ...{ scope: 'openid read write', resource: '{"api":["read","write"]}', connections: null },
      ...{ expires_at: START + 7, redirect_hosts: '["app.example"]' },
    }
    await store.approveGrant({ ...grant('g1', 'openid read write'), consent })
    await store.approveGrant(grant('g2', 'write'))
    const load = () => store.loadBrowserAuthority({ tenant_id, session_id: 's1', client_id: 'web' })
    assert.deepEqual((await load())!.consent, consent)
    const narrowed = await store.narrowConsent({
      ...{ tenant_id, user_id: 'alice', client_id: 'web', removed: ['write'], removed_claims: [] },
      event: stage.event('consent.narrowed'),
    })
    assert.equal(narrowed, 2)
    assert.deepEqual((await load())!.consent, { ...consent, scope: 'openid read', resource: '{"api":["read"]}' })
    const grantOf = async (grant_id: string) =>
      (await store.loadGrantAuthority({ tenant_id, client_id: 'web', grant_id }))!.grant!
    assert.deepEqual([(await grantOf('g1')).scope, (await grantOf('g1')).revoked_at], ['openid read', null])
    assert.notEqual((await grantOf('g2')).revoked_at, null, 'nothing is left of it')
  },
)

contract('what was taken back since the consent was read is not granted on it', async (stage) => {
  const { store, tenant_id } = stage
  await people(stage)
  const consent = { scope: 'openid read write', resource: '{}', connections: null }
  await store.approveGrant({ ...stage.newGrant('g1', { scope: 'openid read write' }), consent })
  const rests = { rests_on_consent: true, within_consent: true }
  const silent = (id: string, scope: string) => store.approveGrant({ ...stage.newGrant(id, { scope }), ...rests })
  assert.equal(await silent('g2', 'openid write'), 'approved')
  const who = { tenant_id, user_id: 'alice', client_id: 'web' }
  await store.narrowConsent({ ...who, removed: ['write'], removed_claims: [], event: stage.event('consent.narrowed') })
  assert.deepEqual([await silent('g3', 'openid write'), await silent('g4', 'openid read')], ['withdrawn', 'approved'])
})
