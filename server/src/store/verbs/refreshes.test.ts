import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addUser, DATABASES, eventTypes, openStores, openTestTenant, testEvent } from '../../../../test/parts/vault.ts'
import { newId } from '../../crypto/random.ts'
import type { Tenant } from '../tenant.ts'
import type { SealedAnswer } from './connections.ts'
import type { FailedRefresh } from './refreshes.ts'

const bytes = (text: string) => Buffer.from(text)
const answer = (token: string): SealedAnswer => ({
  sealed_tokens: bytes(`sealed ${token}`),
  scope: 'openid',
  refresh_fingerprint: bytes(token),
  issued_at: 1,
  access_expires_at: 2,
  refresh_expires_at: null,
})

for (const kind of DATABASES) {
  describe(`refresh verbs on ${kind}`, () => {
    let tenant: Tenant
    let user_id: string
    let drop: () => Promise<void>

    before(async () => {
      const opened = await openStores(kind)
      drop = opened.drop
      tenant = await openTestTenant(opened.stores[0])
      user_id = await addUser(tenant, 'alice')
      await tenant.store.createConnector({
        tenant_id: tenant.tenant_id,
        connector: {
          ...{ connector: 'acme', provider: 'oidc', client_id: 'web', sealed_client_secret: null },
          ...{ scope: 'openid', settings: '{}', version: 1 },
        },
        event: testEvent(tenant.tenant_id),
      })
    })
    after(() => drop())

    async function connect(token = 'R1'): Promise<string> {
      const connection_id = newId(Date.now())
      const made = await tenant.store.connectAccount({ ...consent(connection_id, null, token), account: null })
      assert.equal(made, 'connected')
      return connection_id
    }

    function consent(connection_id: string, generation: number | null, token: string) {
      return {
        ...{ tenant_id: tenant.tenant_id, connection_id, connector: 'acme', connector_version: 1, user_id, generation },
        ...{ account: 'a1', account_name: null, data_key: bytes('key'), answer: answer(token) },
        event: testEvent(tenant.tenant_id, 'connection.connected'),
      }
    }

    function lease(
      connection_id: string,
      intent_id: string,
      more: Partial<{ generation: number; owner: string; sole_owner: boolean; lease_ms: number }> = {},
    ) {
      return tenant.store.leaseConnection({
        ...{ tenant_id: tenant.tenant_id, connection_id, intent_id, generation: 1 },
        ...{ owner: 'p1', sole_owner: false, lease_ms: 60_000, ...more },
      })
    }

    function store(
      connection_id: string,
      intent_id: string,
      sent: string,
      got: string | SealedAnswer,
      generation = 1,
      sent_generation = generation,
      failed?: FailedRefresh,
    ) {
      const sealed = typeof got === 'string' ? answer(got) : got
      return tenant.store.storeRefreshed({
        ...{ tenant_id: tenant.tenant_id, connection_id, intent_id, generation, sent_generation },
        ...{
          sent_fingerprint: bytes(sent),
          answer: sealed,
          sealed_candidate: bytes(`candidate ${sealed.refresh_fingerprint}`),
        },
        failed,
        recovered_event: testEvent(tenant.tenant_id, 'connection.recovered'),
        candidate_event: testEvent(tenant.tenant_id, 'connection.candidate_kept'),
      })
    }

    async function load(connection_id: string) {
      const loaded = await tenant.store.loadConnection({ tenant_id: tenant.tenant_id, connection_id })
      return loaded!.connection
    }

    test('one of 64 leases is given', async () => {
      const connection_id = await connect()
      const leases = await Promise.all(Array.from({ length: 64 }, (_, i) => lease(connection_id, `i${i}`)))
      assert.equal(leases.filter(({ kind }) => kind === 'leased').length, 1)
      assert.equal(leases.filter(({ kind }) => kind === 'held' || kind === 'moved').length, 63)
    })

    test('the same lease asked again is the same lease', async () => {
      const connection_id = await connect()
      assert.equal((await lease(connection_id, 'i1')).kind, 'leased')
      const again = await lease(connection_id, 'i1')
      assert.equal(again.kind, 'leased')
      assert.equal(again.kind === 'leased' && again.uncertain_at, null)
    })

    test('an intent past its deadline is taken over, and its answer is uncertain', async () => {
      const connection_id = await connect()
      const first = await lease(connection_id, 'i1', { lease_ms: -1 })
      const second = await lease(connection_id, 'i2', { owner: 'p2' })
      assert.equal(second.kind === 'leased' && second.uncertain_at, first.kind === 'leased' && first.now)
    })

    test('where no other process can live, the intent of another owner is taken over at once', async () => {
      const connection_id = await connect()
      await lease(connection_id, 'i1')
      assert.equal((await lease(connection_id, 'i2', { owner: 'p2' })).kind, 'held')
      const taken = await lease(connection_id, 'i3', { owner: 'p2', sole_owner: true })
      assert.ok(taken.kind === 'leased' && taken.uncertain_at !== null)
      assert.equal(
        (await lease(connection_id, 'i4', { owner: 'p2', sole_owner: true })).kind,
        'held',
        'its own is alive',
      )
    })

    test('an intent whose refresh token was answered since leaves nothing uncertain', async () => {
      const connection_id = await connect()
      await lease(connection_id, 'i1', { lease_ms: -1 })
      await lease(connection_id, 'i2', { owner: 'p2', lease_ms: -1 })
      assert.deepEqual(await store(connection_id, 'i1', 'R1', 'R2'), { kind: 'stored' })
      assert.notEqual((await load(connection_id)).intent_deadline_at, null)
      const third = await lease(connection_id, 'i3', { generation: 2 })
      assert.ok(third.kind === 'leased' && third.uncertain_at === null, JSON.stringify(third))
    })

    test('a stored answer raises the generation and ends the intent, also when the call is repeated', async () => {
      const connection_id = await connect()
      await lease(connection_id, 'i1')
      assert.deepEqual(await store(connection_id, 'i1', 'R1', 'R2'), { kind: 'stored' })
      assert.deepEqual(await store(connection_id, 'i1', 'R1', 'R2'), { kind: 'stored' })
      const row = await load(connection_id)
      assert.equal(row.generation, 2)
      assert.equal(row.intent_deadline_at, null)
      assert.equal((await lease(connection_id, 'i2')).kind, 'moved')
    })

    test('a late answer to a token that is no longer stored is kept, and never replaces the newer one', async () => {
      const connection_id = await connect()
      await lease(connection_id, 'i1', { lease_ms: -1 })
      await lease(connection_id, 'i2', { owner: 'p2' })
      assert.deepEqual(await store(connection_id, 'i2', 'R1', 'R2'), { kind: 'stored' })
      assert.deepEqual(await store(connection_id, 'i1', 'R1', 'R2late'), { kind: 'kept' })
      const row = await load(connection_id)
      assert.equal(Buffer.from(row.sealed_tokens!).toString(), 'sealed R2')
      assert.equal(Buffer.from(row.sealed_candidate!).toString(), 'candidate R2late')
    })

    test('a late answer replaces a token that turned out dead', async () => {
      const connection_id = await connect()
      await lease(connection_id, 'i1', { lease_ms: -1 })
      await lease(connection_id, 'i2', { owner: 'p2' })
      const dead = {
        tenant_id: tenant.tenant_id,
        connection_id,
        generation: 1,
        intent_id: 'i2',
        reason: 'revoked',
        error: 'invalid_grant',
        second_look_ms: null,
      }
      const event = testEvent(tenant.tenant_id, 'connection.needs_reconsent')
      assert.equal(await tenant.store.needReconsent({ ...dead, event }), true)
      assert.deepEqual(await store(connection_id, 'i1', 'R1', 'R2'), { kind: 'stored' })
      assert.equal((await load(connection_id)).state, 'ready')
      assert.ok((await eventTypes(tenant)).includes('connection.recovered'))
    })

    test('an answer to a generation that is past, with the same refresh token, is sealed again', async () => {
      const connection_id = await connect()
      await lease(connection_id, 'i1', { lease_ms: -1 })
      await lease(connection_id, 'i2', { owner: 'p2' })
      await store(connection_id, 'i2', 'R1', 'R1')
      const moved = await store(connection_id, 'i1', 'R1', 'R1')
      assert.ok(moved.kind === 'moved' && moved.generation === 2)
      assert.deepEqual(await store(connection_id, 'i1', 'R1', 'R1', 2, 1), { kind: 'stored' })
    })

    test('an answer to an earlier consent is of no use to the new one', async () => {
      const connection_id = await connect()
      await lease(connection_id, 'i1')
      assert.equal(await tenant.store.connectAccount(consent(connection_id, 1, 'N1')), 'connected')
      assert.deepEqual(await store(connection_id, 'i1', 'R1', 'R2'), { kind: 'obsolete' })
      const row = await load(connection_id)
      assert.equal(Buffer.from(row.sealed_tokens!).toString(), 'sealed N1')
      assert.equal(row.sealed_candidate, null)
      assert.equal(row.intent_deadline_at, null)
    })

    test('a failure that comes late takes nothing from a newer consent, neither its plan nor its time', async () => {
      const { tenant_id } = tenant
      const about = async (connection_id: string) => {
        const { refresh_failures, refresh_refusals, retry_at, uncertain_at } = await load(connection_id)
        const list = { tenant_id, ahead_ms: 1e12, after: null, most: 1000 }
        const due = (await tenant.store.listDueConnections(list)).find((one) => one.connection_id === connection_id)
        return { refresh_failures, refresh_refusals, retry_at, uncertain_at, upkeep_at: due?.upkeep_at }
      }
      const plan = { upkeep_at: 77, keep_at: 77, warn_at: null, warned_at: null }
      const late = { uncertain: true, refused: true, retry_ms: 60_000, upkeep_ms: null, error: 'cut', event: null }
      for (const end of [
        (connection_id: string) => tenant.store.failRefresh({ tenant_id, connection_id, intent_id: 'i1', ...late }),
        (connection_id: string) =>
          tenant.store.dropIntent({ tenant_id, connection_id, intent_id: 'i1', upkeep_ms: 60_000 }),
      ]) {
        const connection_id = await connect()
        await lease(connection_id, 'i1')
        const newer = { ...consent(connection_id, 1, 'N1'), account: null, answer: { ...answer('N1'), plan } }
        assert.equal(await tenant.store.connectAccount(newer), 'connected')
        const before = await about(connection_id)
        assert.equal(before.upkeep_at, 77)
        await end(connection_id)
        assert.deepEqual(await about(connection_id), before)
        assert.equal((await load(connection_id)).intent_deadline_at, null, 'its place is given back')
        assert.equal((await lease(connection_id, 'i2', { generation: 2 })).kind, 'leased')
      }
    })

    test('a late answer that brings the stored refresh token again does not replace what was asked for after it', async () => {
      const candidates = async () => (await eventTypes(tenant)).filter((type) => type.endsWith('candidate_kept')).length
      const before = await candidates()
      const connection_id = await connect()
      await lease(connection_id, 'i1', { lease_ms: -1 })
      await lease(connection_id, 'i2', { owner: 'p2' })
      const newer = { ...answer('R1'), sealed_tokens: bytes('newer'), issued_at: 9 }
      assert.deepEqual(await store(connection_id, 'i2', 'R1', newer), { kind: 'stored' })
      assert.deepEqual(await store(connection_id, 'i1', 'R1', { ...answer('R1'), issued_at: 8 }), { kind: 'kept' })
      const row = await load(connection_id)
      assert.deepEqual(
        [Buffer.from(row.sealed_tokens!).toString(), row.issued_at, row.generation, row.sealed_candidate],
        ['newer', 9, 2, null],
      )
      assert.equal(await candidates(), before)
    })

    test('an ended connection takes no answer, and its key is destroyed once', async () => {
      const connection_id = await connect()
      await lease(connection_id, 'i1')
      const named = { tenant_id: tenant.tenant_id, connection_id }
      const event = () => testEvent(tenant.tenant_id)
      assert.equal(await tenant.store.destroyDataKey({ ...named, event: event() }), false)
      assert.equal(await tenant.store.disconnectConnection({ ...named, reason: 'user', event: event() }), true)
      assert.deepEqual(await store(connection_id, 'i1', 'R1', 'R2'), { kind: 'gone' })
      assert.equal(await tenant.store.destroyDataKey({ ...named, event: event() }), true)
      assert.equal(await tenant.store.destroyDataKey({ ...named, event: event() }), false)
      const row = await load(connection_id)
      assert.deepEqual([row.data_key, row.sealed_tokens, row.refresh_fingerprint], [null, null, null])
      assert.equal(await tenant.store.connectAccount(consent(connection_id, 1, 'N1')), 'moved')
    })

    test('a failed refresh waits, says once that it failed, and remembers that an answer may be lost', async () => {
      const connection_id = await connect()
      const failures = async () =>
        (await eventTypes(tenant)).filter((type) => type === 'connection.refresh_failed').length
      const before = await failures()
      for (const intent_id of ['i1', 'i2']) {
        const leased = await lease(connection_id, intent_id)
        assert.equal(leased.kind, 'leased')
        await tenant.store.failRefresh({
          ...{ tenant_id: tenant.tenant_id, connection_id, intent_id, uncertain: intent_id === 'i1', retry_ms: -1 },
          ...{ refused: intent_id === 'i2', upkeep_ms: null, error: 'cut' },
          event: testEvent(tenant.tenant_id, 'connection.refresh_failed'),
        })
      }
      const row = await load(connection_id)
      assert.deepEqual([row.refresh_failures, row.refresh_refusals], [2, 1], 'trouble is no decision')
      assert.notEqual(row.uncertain_at, null)
      assert.equal((await failures()) - before, 1)
    })

    test('an answer that failed but for its refresh token replaces the one that was sent, and is a failure', async () => {
      const connection_id = await connect()
      const event = testEvent(tenant.tenant_id, 'connection.refresh_failed')
      const failed = { error: 'unknown', retry_ms: -1, upkeep_ms: 7, event }
      // Events of one millisecond have no order.
      const told = async (type: string) =>
        (await eventTypes(tenant)).filter((one) => one === `connection.${type}`).length
      const before = [await told('refresh_failed'), await told('recovered')] as const
      for (const [sent, got, generation] of [
        ['R1', 'R2', 1],
        ['R2', 'R3', 2],
      ] as const) {
        const { uncertain_at } = await load(connection_id)
        assert.equal(uncertain_at, null)
        assert.equal((await lease(connection_id, `i${generation}`, { generation })).kind, 'leased')
        const stored = await store(connection_id, `i${generation}`, sent, got, generation, generation, failed)
        assert.deepEqual(stored, { kind: 'stored' })
        const row = await load(connection_id)
        assert.deepEqual(
          [row.generation, row.refresh_failures, row.intent_deadline_at],
          [generation + 1, generation, null],
        )
        assert.notEqual(row.retry_at, null)
      }
      assert.equal(await told('refresh_failed'), before[0] + 1, 'the event is one, by its id')
      assert.equal(await told('recovered'), before[1])
      await lease(connection_id, 'i3', { generation: 3 })
      await store(connection_id, 'i3', 'R3', 'R4', 3)
      const row = await load(connection_id)
      assert.deepEqual([row.generation, row.refresh_failures, row.retry_at], [4, 0, null])
      assert.equal(await told('recovered'), before[1] + 1)
    })

    test('who comes late with nothing ends no intent but its own', async () => {
      const connection_id = await connect()
      await lease(connection_id, 'i1', { lease_ms: -1 })
      await lease(connection_id, 'i2', { owner: 'p2' })
      const { tenant_id } = tenant
      const fail = (intent_id: string) =>
        tenant.store.failRefresh({
          ...{ tenant_id, connection_id, intent_id, uncertain: false, refused: false, retry_ms: 9, upkeep_ms: null },
          ...{ error: 'cut', event: null },
        })
      await fail('i1')
      await tenant.store.dropIntent({ tenant_id, connection_id, intent_id: 'i1', upkeep_ms: 0 })
      const row = await load(connection_id)
      assert.deepEqual([row.intent_id, row.refresh_failures, row.retry_at], ['i2', 0, null])
      assert.notEqual(row.intent_deadline_at, null)
      await fail('i2')
      const ended = await load(connection_id)
      assert.deepEqual([ended.refresh_failures, ended.intent_deadline_at], [1, null])
    })

    test('a refusal counts for the tokens that were sent alone, and while no late answer is at hand', async () => {
      const connection_id = await connect()
      await lease(connection_id, 'i1', { lease_ms: -1 })
      await lease(connection_id, 'i2', { owner: 'p2' })
      const mark = (generation: number) =>
        tenant.store.needReconsent({
          ...{ tenant_id: tenant.tenant_id, connection_id, generation, intent_id: null, reason: 'revoked' },
          ...{ error: 'invalid_grant', second_look_ms: null, event: testEvent(tenant.tenant_id) },
        })
      await store(connection_id, 'i2', 'R1', 'R2')
      assert.equal(await mark(1), false)
      assert.deepEqual(await store(connection_id, 'i1', 'R1', 'R2late'), { kind: 'kept' })
      assert.equal(await mark(2), false)
      assert.equal((await load(connection_id)).state, 'ready')
      await lease(connection_id, 'i3', { generation: 2 })
      await store(connection_id, 'i3', 'R2', 'R3', 2)
      assert.equal(await mark(3), true)
    })

    test('a refusal that came late marks nothing that somebody else has begun to renew', async () => {
      const connection_id = await connect()
      await lease(connection_id, 'i1', { lease_ms: -1 })
      await lease(connection_id, 'i2', { owner: 'p2' })
      const mark = (intent_id: string | null) =>
        tenant.store.needReconsent({
          ...{ tenant_id: tenant.tenant_id, connection_id, generation: 1, intent_id, reason: 'revoked' },
          ...{ error: 'invalid_grant', second_look_ms: null, event: testEvent(tenant.tenant_id) },
        })
      assert.equal(await mark('i1'), false)
      assert.deepEqual(await load(connection_id).then(({ state, intent_id }) => [state, intent_id]), ['ready', 'i2'])
      assert.equal(await mark('i2'), true)
    })

    test('one account at a provider is one connection, however many flows end at once', async () => {
      const results = await Promise.all(
        Array.from({ length: 16 }, () =>
          tenant.store.connectAccount({ ...consent(newId(Date.now()), null, 'R1'), account: 'b1' }),
        ),
      )
      assert.equal(results.filter((result) => result === 'connected').length, 1)
      assert.equal(results.filter((result) => result === 'moved').length, 15)
    })

    test('a consent through a connector that changed, or of a user who is disabled, is not stored', async () => {
      const named = { ...consent(newId(Date.now()), null, 'R1'), account: 'c1' }
      assert.equal(await tenant.store.connectAccount({ ...named, connector_version: 9 }), 'refused')
      const { tenant_id } = tenant
      await tenant.store.setUserDisabled({ tenant_id, user_id, disabled: true, event: testEvent(tenant_id) })
      assert.equal(await tenant.store.connectAccount(named), 'refused')
      await tenant.store.setUserDisabled({ tenant_id, user_id, disabled: false, event: testEvent(tenant_id) })
    })
  })
}
