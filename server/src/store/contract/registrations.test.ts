import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

const DAY = 86_400_000
const client = {
  ...{ client_id: 'c1', client_name: 'One', metadata: '{"scope":""}', source: 'dynamic', trusted: false },
  ...{ client_secret_hash: bytes('secret'), client_secret_expires_at: START + DAY },
  registration_token_hash: bytes('registration'),
}
const token = {
  ...{ token_id: 't1', name: 'CI', scope: 'api:read', grant_types: null, uses_left: 2 },
  ...{ created_at: START, expires_at: START + DAY },
}
const secret_hash = bytes('initial')
const register = ({ store, tenant_id, event }: Stage, client_id = 'c1', token_id: string | null = null) =>
  store.registerDynamicClient({
    ...{ tenant_id, client: { ...client, client_id }, token_id, event: event('client.created') },
  })
const document = ({ store, tenant_id, event }: Stage, metadata = '{"scope":""}', weaker = false) =>
  store.keepDocumentClient({
    ...{ tenant_id, client: { client_id: 'https://app.example/c', client_name: 'App', metadata }, weaker },
    event: event('client.seen'),
  })
const typesOf = async ({ store, tenant_id }: Stage) =>
  (await store.pageEvents({ tenant_id, before_event_id: '~', type: 'client.', actor: '', most: 100 })).map(
    ({ type }) => type,
  )

contract('an initial access token registers as many clients as it has uses, and none after its end', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  const made = { tenant_id, token: { ...token, secret_hash }, event: event() }
  assert.equal(await store.createRegistrationToken(made), true)
  const twice = { ...made, token: { ...token, secret_hash: bytes('another') }, event: event() }
  assert.equal(await store.createRegistrationToken(twice), false)
  assert.deepStrictEqual(await store.findRegistrationToken({ tenant_id, secret_hash }), token)
  assert.equal(await store.findRegistrationToken({ tenant_id, secret_hash: bytes('another') }), null)
  assert.equal(await store.findRegistrationToken({ tenant_id: 'nobody', secret_hash }), null)
  const outcomes = [
    await register(stage, 'a', 't1'),
    await register(stage, 'b', 't1'),
    await register(stage, 'c', 't1'),
  ]
  assert.deepEqual(outcomes, ['registered', 'registered', 'spent'])
  assert.equal(await store.findRegistrationToken({ tenant_id, secret_hash }), null)
  assert.deepEqual(await store.listRegistrationTokens({ tenant_id }), [])
  const endless = { ...token, token_id: 't2', uses_left: null, secret_hash: bytes('endless') }
  await store.createRegistrationToken({ tenant_id, token: endless, event: event() })
  assert.equal(await register(stage, 'c2', 't2'), 'registered')
  await store.createRegistrationToken({
    tenant_id,
    token: { ...endless, token_id: 't3', secret_hash: bytes('3') },
    event: event(),
  })
  const page = async (before_token_id: string, most: number) =>
    (await store.pageRegistrationTokens({ tenant_id, before_token_id, most })).map(({ token_id }) => token_id)
  assert.deepEqual([await page('t9', 1), await page('t3', 9), await page('t2', 9)], [['t3'], ['t2'], []])
  clock.now += DAY
  assert.equal(await register(stage, 'c3', 't2'), 'spent')
  assert.deepEqual(await store.listRegistrationTokens({ tenant_id }), [])
  assert.equal(await store.findClient({ tenant_id, client_id: 'c3' }), null)
})

contract('an initial access token that was ended registers nothing', async (stage) => {
  const { store, tenant_id, event } = stage
  await store.createRegistrationToken({ tenant_id, token: { ...token, secret_hash }, event: event() })
  assert.equal(await store.deleteRegistrationToken({ tenant_id, token_id: 't1', event: event() }), true)
  assert.equal(await store.deleteRegistrationToken({ tenant_id, token_id: 't1', event: event() }), false)
  assert.equal(await register(stage, 'c1', 't1'), 'spent')
})

contract('a registration is found by its own token alone, while its client is enabled', async (stage) => {
  const { store, tenant_id, event } = stage
  assert.equal(await register(stage), 'registered')
  const find = (client_id: string, of: string, tenant = tenant_id) =>
    store.findRegistration({ tenant_id: tenant, client_id, registration_token_hash: bytes(of) })
  assert.equal((await find('c1', 'registration'))!.client_secret_expires_at, START + DAY)
  assert.equal(await find('c1', 'another'), null)
  assert.equal(await find('c2', 'registration'), null)
  assert.equal(await find('c1', 'registration', 'nobody'), null)
  await store.setClientDisabled({ tenant_id, client_id: 'c1', disabled: true, event: event() })
  assert.equal(await find('c1', 'registration'), null)
})

contract(
  'a registration is changed as it was seen, and a renewed secret leaves the old one its time',
  async (stage) => {
    const { store, tenant_id, event } = stage
    await register(stage)
    const change = (metadata: string, seen: string, secret: Parameters<typeof store.updateRegistration>[0]['secret']) =>
      store.updateRegistration({
        ...{ tenant_id, client: { client_id: 'c1', client_name: 'New', metadata }, seen: { metadata: seen } },
        ...{ secret, event: event('client.updated') },
      })
    const load = async () => (await store.loadClientAuthority({ tenant_id, client_id: 'c1' }))!.client!
    assert.equal(await change('{"a":1}', client.metadata, { kind: 'keep' }), true)
    assert.deepEqual([(await load()).client_name, (await load()).client_secret_hash], ['New', bytes('secret')])
    assert.equal(await change('{"a":2}', client.metadata, { kind: 'keep' }), false)
    const renew = { kind: 'renew', hash: bytes('second'), expires_at: START + 2 * DAY } as const
    assert.equal(await change('{"a":2}', '{"a":1}', renew), true)
    const { former_client_secret_hash, former_client_secret_expires_at, ...now } = await load()
    assert.deepEqual([former_client_secret_hash, former_client_secret_expires_at], [bytes('secret'), START + DAY])
    assert.deepEqual([now.client_secret_hash, now.client_secret_expires_at], [bytes('second'), START + 2 * DAY])
    assert.equal(await change('{"a":3}', '{"a":2}', { kind: 'drop' }), true)
    const dropped = await load()
    assert.deepEqual([dropped.client_secret_hash, dropped.former_client_secret_hash], [null, null])
  },
)

contract('a client that an administrator describes is no longer its own to describe', async (stage) => {
  const { store, tenant_id, event } = stage
  await register(stage)
  await document(stage)
  for (const client_id of ['c1', 'https://app.example/c']) {
    const described = {
      client_id,
      client_name: 'Ours',
      metadata: '{"ours":1}',
      trusted: true,
      client_secret_hash: null,
    }
    assert.equal(await store.updateClient({ tenant_id, client: described, event: event() }), true)
    const { source, trusted, metadata } = (await store.findClient({ tenant_id, client_id }))!
    assert.deepEqual([source, trusted, metadata], ['apply', 1, '{"ours":1}'])
  }
  const registration_token_hash = bytes('registration')
  assert.equal(await store.findRegistration({ tenant_id, client_id: 'c1', registration_token_hash }), null)
  const changed = await store.updateRegistration({
    ...{
      tenant_id,
      client: { client_id: 'c1', client_name: 'Mine', metadata: '{}' },
      seen: { metadata: '{"ours":1}' },
    },
    ...{ secret: { kind: 'keep' }, event: event() },
  })
  assert.equal(changed, false)
  assert.equal(await document(stage), null)
})

contract('what a metadata document says is kept once, and again only where it changed', async (stage) => {
  const { store, tenant_id } = stage
  const first = await document(stage)
  assert.deepEqual(first, { epoch: START, disabled_at: null })
  assert.deepEqual(await document(stage), first)
  assert.deepEqual(await document(stage, '{"scope":"a"}'), first)
  assert.deepEqual(await document(stage, '{"scope":"b"}', true), { epoch: START + 1, disabled_at: null })
  assert.deepEqual(await typesOf(stage), ['client.updated', 'client.updated', 'client.created'])
  const racers = await Promise.all(Array.from({ length: 16 }, () => document(stage, '{"scope":"c"}')))
  assert.equal(new Set(racers.map((kept) => kept!.epoch)).size, 1)
  assert.equal((await typesOf(stage)).length, 4)
  assert.equal((await store.findClient({ tenant_id, client_id: 'https://app.example/c' }))!.metadata, '{"scope":"c"}')
})

contract('a metadata document never takes the place of a client that came another way', async (stage) => {
  const { store, tenant_id, event } = stage
  const mine = { client_id: 'https://app.example/c', client_name: 'Mine', metadata: '{}', source: 'console' }
  const client_secret_hash = bytes('secret')
  await store.createClient({ tenant_id, client: { ...mine, trusted: true, client_secret_hash }, event: event() })
  assert.equal(await document(stage), null)
  assert.equal((await store.findClient({ tenant_id, client_id: mine.client_id }))!.client_name, 'Mine')
})

contract('clients that registered themselves and stayed unused are swept, others never', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  await register(stage, 'unused')
  await register(stage, 'used')
  await register(stage, 'disabled')
  await document(stage)
  await store.setClientDisabled({ tenant_id, client_id: 'disabled', disabled: true, event: event() })
  const { registration_token_hash: _, client_secret_expires_at: __, ...console } = client
  await store.createClient({ tenant_id, client: { ...console, client_id: 'mine', source: 'console' }, event: event() })
  clock.now += 2 * DAY
  await store.countTokensIssued({ tenant_id, client_id: 'used', count: 1 })
  await register(stage, 'new')
  const unused_since = clock.now - DAY
  const found = await store.listUnusedClients({ tenant_id, unused_since, most: 10 })
  assert.deepEqual(found.map(({ client_id }) => client_id).sort(), ['https://app.example/c', 'unused'])
  const drop = (client_id: string) =>
    store.deleteUnusedClient({ tenant_id, client_id, unused_since, event: event('client.swept') })
  for (const client_id of ['used', 'new', 'mine', 'disabled']) assert.equal(await drop(client_id), false, client_id)
  assert.deepEqual([await drop('unused'), await drop('unused')], [true, false])
  assert.equal(await store.findClient({ tenant_id, client_id: 'unused' }), null)
  assert.equal((await typesOf(stage)).filter((type) => type === 'client.swept').length, 1)
})

contract('clients of the playground are found after their time, used or not, and no others', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  const { registration_token_hash: _, client_secret_expires_at: __, ...kept } = client
  const made = (client_id: string, source: string) =>
    store.createClient({ tenant_id, client: { ...kept, client_id, source }, event: event() })
  await made('tried', 'playground')
  await made('mine', 'console')
  await register(stage, 'unused')
  await store.countTokensIssued({ tenant_id, client_id: 'tried', count: 1 })
  clock.now += DAY
  await made('new', 'playground')
  const list = (created_before: number) => store.listThrownAwayClients({ tenant_id, created_before, most: 10 })
  assert.deepEqual(await list(clock.now), [{ client_id: 'tried' }])
  assert.deepEqual(await list(clock.now - DAY), [])
  const args = { tenant_id, client_id: 'tried', unused_since: clock.now + DAY, event: event() }
  assert.equal(await store.deleteUnusedClient(args), false, 'what a client registered for itself is another matter')
})

contract('a client with a grant is never swept', async (stage) => {
  const { store, tenant_id, clock, event, newGrant } = stage
  await register(stage, 'granted')
  await stage.user('alice')
  await store.approveGrant(newGrant('g1', { client_id: 'granted', expires_at: START + 9 * DAY }))
  clock.now += 2 * DAY
  const unused_since = clock.now - DAY
  assert.deepEqual(await store.listUnusedClients({ tenant_id, unused_since, most: 10 }), [])
  const args = { tenant_id, client_id: 'granted', unused_since, event: event() }
  assert.equal(await store.deleteUnusedClient(args), false)
})
