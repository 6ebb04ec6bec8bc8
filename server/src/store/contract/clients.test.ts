import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf } from '../../../../test/parts/query_plan.ts'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'
import { findLogoPicture, listDueLogos } from '../verbs/client_logos.ts'
import { pageClients } from '../verbs/clients.ts'

const saved = {
  ...{ client_id: 'web', client_name: 'Web', metadata: '{"scope":"openid"}', source: 'console', trusted: true },
  client_secret_hash: bytes('secret'),
}
const record = {
  ...saved,
  ...{
    trusted: 1,
    former_client_secret_hash: null,
    former_client_secret_expires_at: null,
    client_secret_expires_at: null,
    epoch: START,
    disabled_at: null,
  },
}
const listed = { ...record, created_at: START, updated_at: START, tokens_issued: 0, last_used_at: null }
const make = ({ store, tenant_id, event }: Stage, more = {}) =>
  store.createClient({ tenant_id, client: { ...saved, ...more }, event: event('client.created') })

contract('a client_id is given once in a tenant', async (stage) => {
  const { store, tenant_id } = stage
  assert.equal(await make(stage), true)
  assert.equal(await make(stage, { client_name: 'Another' }), false)
  assert.deepStrictEqual(await store.findClient({ tenant_id, client_id: 'web' }), listed)
  assert.equal(await store.findClient({ tenant_id, client_id: 'other' }), null)
  assert.equal(await store.findClient({ tenant_id: 'nobody', client_id: 'web' }), null)
})

contract('a public client has no secret', async (stage) => {
  const { store, tenant_id } = stage
  await make(stage, { client_secret_hash: null, trusted: false })
  const found = await store.findClient({ tenant_id, client_id: 'web' })
  assert.deepStrictEqual(found, { ...listed, client_secret_hash: null, trusted: 0 })
})

contract('changing a client keeps its secret unless another one is given', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  await make(stage)
  clock.now += 10
  const client = { ...saved, client_name: 'New', metadata: '{}', trusted: false, client_secret_hash: null }
  const expected = { ...listed, client_name: 'New', metadata: '{}', trusted: 0, updated_at: START + 10 }
  assert.equal(await store.updateClient({ tenant_id, client, event: event() }), true)
  assert.deepStrictEqual(await store.findClient({ tenant_id, client_id: 'web' }), expected)
  const client_secret_hash = bytes('another')
  await store.updateClient({ tenant_id, client: { ...client, client_secret_hash }, event: event() })
  assert.deepStrictEqual(await store.findClient({ tenant_id, client_id: 'web' }), { ...expected, client_secret_hash })
  const unknown = { ...client, client_id: 'unknown' }
  assert.equal(await store.updateClient({ tenant_id, client: unknown, event: event() }), false)
})

contract('a new secret leaves the old one as the former, until its end', async (stage) => {
  const { store, tenant_id, event } = stage
  await make(stage)
  const rotate = (client_id: string, secret: string, former_expires_at: number | null) =>
    store.rotateClientSecret({
      ...{ tenant_id, client_id, client_secret_hash: bytes(secret), former_expires_at, event: event() },
    })
  assert.equal(await rotate('web', 'second', START + 1000), true)
  assert.deepStrictEqual((await store.loadClientAuthority({ tenant_id, client_id: 'web' }))!.client, {
    ...record,
    client_secret_hash: bytes('second'),
    former_client_secret_hash: bytes('secret'),
    former_client_secret_expires_at: START + 1000,
  })
  assert.equal(await rotate('web', 'third', null), true)
  assert.deepStrictEqual((await store.loadClientAuthority({ tenant_id, client_id: 'web' }))!.client, {
    ...record,
    client_secret_hash: bytes('third'),
    former_client_secret_hash: bytes('second'),
  })
  assert.equal(await rotate('unknown', 'x', null), false)
})

contract(
  'of two who rotate the secret they have seen, one does: the secret in use becomes the former one',
  async (stage) => {
    const { store, tenant_id, event } = stage
    await make(stage)
    const rotate = (secret: string) =>
      store.rotateClientSecret({
        ...{ tenant_id, client_id: 'web', client_secret_hash: bytes(secret), former_expires_at: START + 1000 },
        ...{ seen: bytes('secret'), event: event() },
      })
    assert.deepEqual([await rotate('second'), await rotate('third')], [true, false])
    const { client } = (await store.loadClientAuthority({ tenant_id, client_id: 'web' }))!
    assert.deepEqual(
      [client!.client_secret_hash, client!.former_client_secret_hash],
      [bytes('second'), bytes('secret')],
    )
  },
)

contract('disabling a client raises its epoch, and enabling it leaves the epoch there', async (stage) => {
  const { store, tenant_id, event } = stage
  await make(stage)
  const set = (disabled: boolean, client_id = 'web') =>
    store.setClientDisabled({ tenant_id, client_id, disabled, event: event('client.switched') })
  const load = async () => (await store.loadClientAuthority({ tenant_id, client_id: 'web' }))!.client
  assert.equal(await set(false), false)
  assert.equal(await set(true), true)
  assert.equal(await set(true), false)
  assert.deepStrictEqual(await load(), { ...record, epoch: START + 1, disabled_at: START })
  assert.equal(await set(false), true)
  assert.deepStrictEqual(await load(), { ...record, epoch: START + 1 })
  assert.equal(await set(true, 'unknown'), false)
})

contract('the authority of a client is tenant, client and time in one', async (stage) => {
  const { store, tenant_id, clock } = stage
  await make(stage)
  const tenant = { tenant_id, epoch: 0, config_version: 0, disabled_at: null }
  const load = (client_id: string, of = tenant_id) => store.loadClientAuthority({ tenant_id: of, client_id })
  assert.deepStrictEqual(await load('web'), { now: clock.now, tenant, client: record })
  assert.deepStrictEqual(await load('unknown'), { now: clock.now, tenant, client: null })
  assert.equal(await load('web', 'nobody'), null)
})

contract('a deleted client takes its grants and consents along, and nobody else\u2019s', async (stage) => {
  const { store, tenant_id, event, user, client, newGrant } = stage
  await Promise.all([user('alice'), client('web'), client('other')])
  const consent = { scope: 'openid', resource: '[]', connections: null, expires_at: null, redirect_hosts: null }
  await store.approveGrant({ ...newGrant('g1'), consent })
  await store.approveGrant({ ...newGrant('g2', { client_id: 'other' }), consent })
  assert.equal(await store.deleteClient({ tenant_id, client_id: 'web', event: event() }), true)
  assert.equal(await store.deleteClient({ tenant_id, client_id: 'web', event: event() }), false)
  const grantOf = async (client_id: string, grant_id: string) =>
    (await store.loadGrantAuthority({ tenant_id, client_id, grant_id }))!.grant?.grant_id
  assert.equal(await grantOf('web', 'g1'), undefined)
  assert.equal(await grantOf('other', 'g2'), 'g2')
  await stage.session('s1', 'alice')
  const consentOf = async (client_id: string) =>
    (await store.loadBrowserAuthority({ tenant_id, session_id: 's1', client_id }))!.consent
  assert.equal(await consentOf('web'), null)
  assert.deepStrictEqual(await consentOf('other'), consent)
})

contract(
  'CVE-2026-55670 a client_id that is given again begins above every epoch of the client that had it',
  async (stage) => {
    const { store, tenant_id, event, clock } = stage
    await make(stage)
    const set = (disabled: boolean) =>
      store.setClientDisabled({ tenant_id, client_id: 'web', disabled, event: event('client.switched') })
    await set(true)
    await set(false)
    const epoch = async () => (await store.findClient({ tenant_id, client_id: 'web' }))!.epoch
    const before = await epoch()
    await store.deleteClient({ tenant_id, client_id: 'web', event: event() })
    clock.now += 1000
    await make(stage)
    assert.ok((await epoch()) > before)
  },
)

contract('a secret that replaces the present one ends the former one too', async (stage) => {
  const { store, tenant_id, event } = stage
  await make(stage)
  const client_secret_hash = bytes('second')
  const former_expires_at = START + 1000
  await store.rotateClientSecret({ tenant_id, client_id: 'web', client_secret_hash, former_expires_at, event: event() })
  const load = async () => (await store.loadClientAuthority({ tenant_id, client_id: 'web' }))!.client!
  await store.updateClient({ tenant_id, client: { ...saved, client_secret_hash: null }, event: event() })
  assert.deepStrictEqual((await load()).former_client_secret_hash, bytes('secret'))
  await store.updateClient({ tenant_id, client: { ...saved, client_secret_hash: bytes('third') }, event: event() })
  assert.equal((await load()).former_client_secret_hash, null)
})

contract('clients are listed by client_id, page by page, and those whose older secret ends soon', async (stage) => {
  const { store, tenant_id, clock, event } = stage
  for (const client_id of ['c', 'B', 'a', 'A', 'b-1', 'b1']) await make(stage, { client_id })
  const page = async (after_client_id: string, most: number) =>
    (await store.pageClients({ tenant_id, after_client_id, most })).map(({ client_id }) => client_id)
  // In the order of the bytes, whatever the language of the database.
  assert.deepEqual(await page('', 4), ['A', 'B', 'a', 'b-1'])
  assert.deepEqual(await page('b-1', 4), ['b1', 'c'])
  assert.deepEqual(await page('c', 4), [])
  const [first] = await store.pageClients({ tenant_id, after_client_id: '', most: 1 })
  assert.deepStrictEqual(first, { ...listed, client_id: 'A' })
  for (const [i, client_id] of ['b1', 'a', 'B', 'c'].entries()) {
    const secret = { client_secret_hash: bytes(`new of ${client_id}`), former_expires_at: START + i }
    await store.rotateClientSecret({ tenant_id, client_id, ...secret, event: event() })
  }
  clock.now = START + 1
  const expiring = await store.pageClients({ tenant_id, after_client_id: 'B', secrets_before: START + 2, most: 9 })
  assert.deepEqual(
    expiring.map(({ client_id }) => client_id),
    ['a'],
    'that of b1 has ended, that of c ends later, and B was on the page before',
  )
})

contract('counts of issued tokens add up, with the time of the last', async (stage) => {
  const { store, tenant_id, clock } = stage
  await make(stage)
  await Promise.all([3, 4].map((count) => store.countTokensIssued({ tenant_id, client_id: 'web', count })))
  clock.now += 7
  await store.countTokensIssued({ tenant_id, client_id: 'web', count: 1 })
  await store.countTokensIssued({ tenant_id, client_id: 'unknown', count: 1 })
  const found = await store.findClient({ tenant_id, client_id: 'web' })
  assert.deepStrictEqual(found, { ...listed, tokens_issued: 8, last_used_at: START + 7 })
})

const LOGO = 'https://app.example/logo.png'
const pictured = (logo_uri?: string) => ({
  metadata: JSON.stringify({ scope: 'openid', ...(logo_uri && { logo_uri }) }),
})
const due = async ({ store, tenant_id }: Stage) =>
  (await store.listDueLogos({ tenant_id, most: 9 })).map(({ client_id, logo_uri }) => `${client_id} ${logo_uri}`)
const keyOf = ({ tenant_id }: Stage, logo_uri = LOGO) => ({ tenant_id, client_id: 'web', logo_uri })

contract(
  '15.4.2 of 64 who see a picture due one fetches it, and whoever fails is followed after a while',
  async (stage) => {
    const { store, tenant_id, clock } = stage
    await make(stage, pictured(LOGO))
    assert.deepEqual(await due(stage), [`web ${LOGO}`])
    const lease = (attempts: number) => store.leaseLogo({ ...keyOf(stage), attempts, again_in_ms: 1000 })
    const leased = await Promise.all(Array.from({ length: 64 }, () => lease(0)))
    assert.equal(leased.filter(Boolean).length, 1)
    assert.deepEqual(await due(stage), [])
    await store.noteLogoFailure({ ...keyOf(stage), failure: 'status 404' })
    clock.now += 1000
    assert.deepEqual(await store.listDueLogos({ tenant_id, most: 9 }), [
      { client_id: 'web', logo_uri: LOGO, attempts: 1 },
    ])
    assert.equal(await lease(0), false, 'by what was seen before')
    assert.equal(await lease(1), true)
    const { failure, failed_at, file } = (await store.findClientLogo({ tenant_id, client_id: 'web' }))!
    assert.deepEqual([failure, failed_at, file], ['status 404', START, null])
  },
)

contract(
  'a picture that was fetched stays until there is another one, or another address, and each change is told once',
  async (stage) => {
    const { store, tenant_id, clock, event } = stage
    const client_id = 'web'
    await make(stage, pictured(LOGO))
    const keep = (file: string, logo_uri = LOGO) =>
      store.keepLogo({
        ...{ ...keyOf(stage, logo_uri), file, picture: bytes(file), again_in_ms: 1000 },
        event: event('client.logo_changed'),
      })
    const told = async () =>
      (await store.pageEvents({ tenant_id, before_event_id: '~', type: 'client.logo_changed', actor: '', most: 9 }))
        .length
    const find = (file: string) => store.findLogoPicture({ tenant_id, file })
    const change = (logo_uri?: string) =>
      store.updateClient({ tenant_id, client: { ...saved, ...pictured(logo_uri) }, event: event() })
    assert.equal(await keep('a.png'), 'kept')
    assert.deepStrictEqual(await find('a.png'), bytes('a.png'))
    assert.deepEqual([await keep('a.png'), await told()], ['same', 1])
    assert.deepEqual([await keep('b.png'), await told()], ['kept', 2])
    assert.equal(await find('a.png'), null)
    await store.noteLogoFailure({ ...keyOf(stage), failure: 'unreachable' })
    const pictures = (logo_uri: string) =>
      store.listLogoFiles({ tenant_id, clients: ['x', client_id].map((one) => ({ client_id: one, logo_uri })) })
    assert.deepEqual(await pictures(LOGO), [{ client_id, file: 'b.png' }])
    assert.deepEqual(await pictures(`${LOGO}?2`), [], 'a version before this one has saved another address')
    assert.deepStrictEqual(await find('b.png'), bytes('b.png'))
    assert.equal(await store.findLogoPicture({ tenant_id: 'nobody', file: 'b.png' }), null)
    // What else of the client changes leaves its picture.
    clock.now += 500
    assert.equal(await change(LOGO), true)
    assert.equal((await store.findClientLogo({ tenant_id, client_id }))!.file, 'b.png')
    assert.deepEqual(await due(stage), [])
    const OTHER = 'https://app.example/other.png'
    await change(OTHER)
    assert.equal(await find('b.png'), null, 'what is no longer said to be its picture')
    assert.deepEqual(await due(stage), [`web ${OTHER}`])
    assert.equal(await keep('b.png'), 'gone', 'the late answer of the former address')
    await change()
    assert.equal(await store.findClientLogo({ tenant_id, client_id }), null)
    await change(OTHER)
    await store.deleteClient({ tenant_id, client_id, event: event() })
    assert.equal(await store.findClientLogo({ tenant_id, client_id }), null)
  },
)

contract(
  '5.8 of who registered itself no picture is fetched, until somebody of the tenant describes it',
  async (stage) => {
    const { store, tenant_id, event } = stage
    const ask = (client_id: string) => store.askForLogo({ tenant_id, client_id, event: event('client.logo_asked') })
    for (const source of ['open', 'dynamic', 'metadata_document']) {
      await make(stage, { client_id: source, source, ...pictured(LOGO) })
      assert.equal(await ask(source), false, source)
    }
    assert.deepEqual(await due(stage), [])
    const client = { ...saved, client_id: 'dynamic', ...pictured(LOGO) }
    await store.updateClient({ tenant_id, client, event: event() })
    assert.deepEqual(await due(stage), [`dynamic ${LOGO}`])
    const set = (disabled: boolean) =>
      store.setClientDisabled({ tenant_id, client_id: 'dynamic', disabled, event: event() })
    await set(true)
    assert.deepEqual(await due(stage), [], 'nor of one that is disabled')
    await set(false)
    assert.deepEqual(await due(stage), [`dynamic ${LOGO}`])
    await store.setTenantDisabled({ tenant_id, disabled: true, event: event() })
    assert.deepEqual(await due(stage), [], 'nor in a tenant that is closed')
  },
)

contract('whoever asks for a picture anew has it fetched at once, however often that failed', async (stage) => {
  const { store, tenant_id, event } = stage
  const ask = (client_id: string) => store.askForLogo({ tenant_id, client_id, event: event('client.logo_asked') })
  await make(stage, pictured(LOGO))
  await store.leaseLogo({ ...keyOf(stage), attempts: 0, again_in_ms: 1000 })
  assert.equal(await ask('web'), true)
  assert.deepEqual(await store.listDueLogos({ tenant_id, most: 9 }), [
    { client_id: 'web', logo_uri: LOGO, attempts: 0 },
  ])
  // However many wait whose hosts are down: whoever has just registered, changed or asked is next.
  stage.clock.now += 1
  await make(stage, { client_id: 'anew', ...pictured(LOGO) })
  const [next] = await store.listDueLogos({ tenant_id, most: 1 })
  assert.equal(next?.client_id, 'anew')
  await make(stage, { client_id: 'plain' })
  assert.deepEqual([await ask('plain'), await ask('unknown')], [false, false])
  const told = await store.pageEvents({
    tenant_id,
    before_event_id: '~',
    type: 'client.logo_asked',
    actor: '',
    most: 9,
  })
  assert.equal(told.length, 1)
})

test('logos that are due, and the one at a path, are found without reading the others', async () => {
  const tenant_id = 't'
  const plans = [listDueLogos.run({ tenant_id, most: 1 }), findLogoPicture.run({ tenant_id, file: 'x' })]
  const [due, by_file] = await planOf(...plans)
  assert.match(due!, /USING INDEX client_logos_due \(tenant_id=\? AND due_at<\?\)/)
  assert.doesNotMatch(due!, /SCAN|TEMP B-TREE/)
  assert.match(by_file!, /USING INDEX client_logos_by_file/)
})

test('the few clients whose older secret ends soon are found among all by their index', async () => {
  const page = { tenant_id: 't', after_client_id: '', most: 51 }
  const [plan] = await planOf(pageClients.run({ ...page, secrets_before: START }))
  assert.match(plan!, /USING INDEX clients_by_former_secret \(tenant_id=\? AND former_client_secret_expires_at>/)
})
