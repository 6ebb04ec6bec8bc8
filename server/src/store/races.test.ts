import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { openRaces, RACES, race } from '../../../test/parts/races.ts'
import { bytes, DIALECTS, makeDatabase, START, type TestDatabase } from '../../../test/parts/stores.ts'
import { ProofReplayed } from './verbs/proofs.ts'

// More of them, and between processes, in test/long/races.test.ts.
const ROUNDS = 20

for (const dialect of DIALECTS) {
  // On PostgreSQL each store has connections of its own, as another process would have.
  for (const replicas of dialect === 'postgres' ? [1, 2] : [1]) {
    describe(`${dialect}, ${replicas} at work`, () => {
      let database: TestDatabase
      before(async () => {
        database = await makeDatabase(dialect)
      })
      after(() => database.drop())

      for (const [i, kind] of RACES.entries()) {
        test(kind.title, async () => {
          const stores = [await database.open(), await database.open()].slice(0, replicas)
          await race(kind, await openRaces(stores[0]!, database.clock, `t${i}`), stores, ROUNDS)
        })
      }
    })
  }
}

for (const dialect of DIALECTS) {
  test(`of 64 requests by one proof, on ${dialect}, one is accepted, and told of in the audit log`, async (t) => {
    const database = await makeDatabase(dialect)
    t.after(() => database.drop())
    const stores = [await database.open()]
    if (dialect === 'postgres') stores.push(await database.open())
    for (let round = 0; round < 5; round++) {
      const { tenant_id, event } = await openRaces(stores[0]!, database.clock, `t${round}`)
      const proof = { kind: 'dpop', id_hash: bytes('proof'), expires_at: START + 60_000 } as const
      const accept = (i: number) =>
        stores[i % stores.length]!.acceptProofs({ tenant_id, proofs: [proof], event: event('token.impersonated') })
      const came = await Promise.allSettled(Array.from({ length: 64 }, (_, i) => accept(i)))
      assert.equal(came.filter(({ status }) => status === 'fulfilled').length, 1)
      const refused = came.filter((one) => one.status === 'rejected')
      assert.ok(refused.every(({ reason }) => reason instanceof ProofReplayed))
      const page = { tenant_id, before_event_id: '~', type: 'token.impersonated', actor: '', most: 9 }
      assert.equal((await stores[0]!.pageEvents(page)).length, 1)
    }
  })
}

for (const dialect of DIALECTS) {
  test(`of administrators who end each other at the same time, each in another way, on ${dialect}, one stays`, async (t) => {
    const database = await makeDatabase(dialect)
    t.after(() => database.drop())
    const stores = [await database.open(), await database.open()]
    for (let round = 0; round < 5; round++) {
      const { tenant_id, event } = await openRaces(stores[0]!, database.clock, `t${round}`)
      const user = { name: null, email: null, email_verified: false, claims: '{}', password_hash: null }
      const ids = ['x', 'y', 'z']
      for (const user_id of ids) {
        const made = { ...user, user_id, username: user_id, username_key: user_id, roles: '["administrator"]' }
        await stores[0]!.createUser({ tenant_id, user: made, event: event('user.created') })
      }
      const indispensable_role = 'administrator'
      const came = await Promise.all(
        ids.map((user_id, i) => {
          const end = { tenant_id, user_id, indispensable_role, event: event('user.ended') }
          const way = (i + round) % 3
          if (way === 0) return stores[i % 2]!.deleteUser(end)
          if (way === 1) return stores[i % 2]!.setUserDisabled({ ...end, disabled: true })
          return stores[i % 2]!.updateUser({ ...end, user: { ...user, user_id, roles: '[]' } })
        }),
      )
      assert.equal(came.filter((outcome) => outcome === 'last').length, 1, came.join())
    }
  })
}

test('6.3.2 two replicas that start at the same time make one administrator, whatever links they gave out', async (t) => {
  const database = await makeDatabase('postgres')
  t.after(() => database.drop())
  const stores = [await database.open(), await database.open()]
  for (let round = 0; round < 3; round++) {
    const { tenant_id } = await openRaces(stores[0]!, database.clock, `t${round}`)
    const link = (i: number) => ({ tenant_id, secret_hash: bytes(`link ${i}`) })
    const times = { expires_at: START + 1000, at: START }
    await Promise.all(stores.map((store, i) => store.createOneTimeLink({ ...link(i), kind: 'setup', ...times })))
    const redeem = (i: number) =>
      stores[i]!.redeemSetupLink({
        ...link(i),
        user: {
          ...{ user_id: `u${i}`, username_key: `u${i}`, username: 'root', name: null, email: null, claims: '{}' },
          ...{ email_verified: false, roles: '[]', password_hash: null },
        },
        event: { tenant_id, event_id: `setup ${i}`, at: START, type: 'setup', actor: 'setup' },
      })
    const answers = await Promise.all([redeem(0), redeem(1)])
    assert.deepEqual(answers.sort(), ['created', 'spent'])
  }
})

test('2.3.2 15.4.2 a user has so many tokens for scripts, on however many replicas they are made at once', async (t) => {
  const database = await makeDatabase('postgres')
  t.after(() => database.drop())
  const stores = [await database.open(), await database.open()]
  for (let round = 0; round < 5; round++) {
    const { tenant_id, event } = await openRaces(stores[0]!, database.clock, `t${round}`)
    const [user] = await stores[0]!.pageUsers({ tenant_id, after_user_id: '', most: 1 })
    const { user_id } = user!
    const make = (i: number) => {
      const about = { token_id: `t${i}`, user_id, name: 'ci', scope: 'a', resource: '["r"]', expires_at: null }
      const token = { ...about, tenant_epoch: 1, user_epoch: 1, created_at: START, secret_hash: bytes(`s${i}`) }
      const made = event('permanent_token.created')
      return stores[i % 2]!.createPermanentToken({ tenant_id, token, most: 3, event: made })
    }
    const came = await Promise.all(Array.from({ length: 16 }, (_, i) => make(i)))
    assert.equal(came.filter((outcome) => outcome === 'made').length, 3)
  }
})

test('10.7.3 a consent that is withdrawn while a grant is made on it leaves no grant that lives', async (t) => {
  const database = await makeDatabase('postgres')
  t.after(() => database.drop())
  const [store, other] = [await database.open(), await database.open()]
  const stage = await openRaces(store, database.clock, 't')
  const { tenant_id } = stage
  await Promise.all([stage.client('app'), stage.user('carol')])
  const person = { user_id: 'carol', client_id: 'app' }
  const consent = { scope: 'openid', resource: '[]', connections: null }
  const withdraw = () => other.withdrawConsent({ tenant_id, ...person, event: stage.event() })
  for (let round = 0; round < ROUNDS; round++) {
    await store.approveGrant({ ...stage.newGrant(`before ${round}`, person), consent })
    const grant_id = `g${round}`
    const resting = { ...stage.newGrant(grant_id, person), rests_on_consent: true }
    const [outcome] = await Promise.all([store.approveGrant(resting), withdraw()])
    const { grant } = (await store.loadGrantAuthority({ tenant_id, client_id: 'app', grant_id }))!
    assert.equal(outcome === 'approved' ? grant?.revoked_at : grant, outcome === 'approved' ? START : null)
  }
})

test('15.4.2 a connector that moves or goes while a connection is stored takes no token along', async (t) => {
  const database = await makeDatabase('postgres')
  t.after(() => database.drop())
  const [store, other] = [await database.open(), await database.open()]
  const stage = await openRaces(store, database.clock, 't')
  const { tenant_id, event } = stage
  const answer = {
    ...{ sealed_tokens: bytes('t'), scope: '', refresh_fingerprint: null, issued_at: START },
    ...{ access_expires_at: null, refresh_expires_at: null },
  }
  const flow = { connector_version: 1, user_id: 'alice', connection_id: null, browser_hash: bytes('b') }
  const won = { moves: 0, stays: 0 }
  for (let round = 0; round < 3 * ROUNDS; round++) {
    const connector = {
      ...{ connector: `c${round}`, provider: 'oidc', client_id: 'web', sealed_client_secret: null, scope: '' },
      ...{ settings: '{}', version: 1 },
    }
    await store.createConnector({ tenant_id, connector, event: event() })
    const named = { tenant_id, connector: connector.connector }
    const connect = (i: number) =>
      store.connectAccount({
        ...{ ...named, connection_id: `${round} ${i}`, connector_version: 1, user_id: 'alice', account: null },
        ...{ account_name: null, generation: null, data_key: bytes('key'), answer, event: event() },
      })
    const offer = () =>
      store.offerChoice({
        ...{ tenant_id, state_hash: bytes(`${round}`), lifetime_ms: 1000, event: event() },
        flow: { ...flow, connector: connector.connector, sealed: bytes('sealed') },
      })
    const move = () =>
      other.updateConnector({
        ...{ tenant_id, connector: { ...connector, version: 2 }, from_version: 1, unconnected: true, event: event() },
      })
    const remove = () => other.deleteConnector({ ...named, event: event() })
    const keep = () => (round % 2 ? Promise.all([connect(0), connect(1)]) : offer().then((offered) => [offered]))
    const drop = () => (round % 4 < 2 ? move() : remove())
    // Whoever begins wins more often: each of them does in half of the rounds.
    const first = round % 8 < 4 ? keep() : null
    const [gone, kept] = await Promise.all([drop(), first ?? keep()])
    const is_kept = kept.some((outcome) => outcome === 'connected' || outcome === true)
    const is_gone = gone === 'updated' || gone === 'deleted'
    assert.notEqual(is_kept, is_gone, `${kept} and ${gone}`)
    won[is_gone ? 'moves' : 'stays']++
  }
  assert.ok(won.moves > 0 && won.stays > 0, JSON.stringify(won))
})

test('5.8 whoever asks for a logo while its address changes does not bring the former one back', async (t) => {
  const database = await makeDatabase('postgres')
  t.after(() => database.drop())
  const store = await database.open()
  const { tenant_id, event } = await openRaces(store, database.clock, 't')
  const client_id = 'pictured'
  const metadata = (name: string) => JSON.stringify({ logo_uri: `https://app.example/${name}` })
  const about = { client_id, client_name: 'x', source: 'api', trusted: false, client_secret_hash: null }
  await store.createClient({ tenant_id, client: { ...about, metadata: metadata('former') }, event: event() })
  // Another replica, as far as a change of the client is before it commits.
  const other = new pg.Client({ connectionString: database.location })
  await other.connect()
  await other.query(`begin; update clients set metadata = '${metadata('newer')}' where client_id = '${client_id}';
    lock table client_logos; update client_logos set logo_uri = 'https://app.example/newer'`)
  const asked = store.askForLogo({ tenant_id, client_id, event: event() })
  const waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  while ((await other.query(waiting)).rowCount === 0);
  await other.query('commit')
  await other.end()
  assert.equal(await asked, true)
  assert.equal((await store.findClientLogo({ tenant_id, client_id }))!.logo_uri, 'https://app.example/newer')
})
