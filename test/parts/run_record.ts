import assert from 'node:assert/strict'
import { listConnections } from '../../server/src/outbound/connections/connections.ts'
import { disconnect } from '../../server/src/outbound/connections/disconnect.ts'
import type { Provider } from '../../server/src/providers/provider.ts'
import { refreshes, takesErrors } from './catalogue_refreshes.ts'
import { checkRefreshLife, near, repairs, Walk } from './catalogue_walk.ts'
import { codeFor } from './fake_answers.ts'
import { LIVES } from './fake_authorization_server.ts'
import type { Grant } from './fake_grants.ts'
import type { FakeInternet } from './fake_internet.ts'
import { endpointOf } from './fake_record.ts'
import { type Bench, listEvents, testEvent } from './vault.ts'

/** Connects, and looks at everything that came of it. */
async function connects(walk: Walk): Promise<void> {
  const { there, fields } = walk
  if (fields.callback_signature) assert.equal((await walk.connect({ forged: true })).reason, 'signature')
  if (fields.issuer !== null && fields.scope_parameter !== null) {
    there.trouble = 'forged_id_token'
    assert.equal((await walk.connect()).reason, 'id_token')
  }
  there.trouble = { code: codeFor(fields, 'invalid_grant') }
  const refused = await walk.connect()
  assert.deepEqual([refused.outcome, refused.reason], ['failed', 'code_refused'], JSON.stringify(refused))
  walk.seen()
  const finished = await walk.connect()
  assert.equal(finished.outcome, 'connected', JSON.stringify([finished, there.complaints]))
  walk.connection_id = finished.connection_id!
  const calls = walk.seen()
  const steps = fields.steps.filter(({ when }) => when === 'after_exchange').map(() => 'step')
  const before = fields.steps.filter(({ when }) => when === 'before_authorization').map(() => 'step')
  const asks = calls.slice(before.length + 1 + steps.length)
  assert.deepEqual(calls.slice(0, before.length + 1 + steps.length), [...before, 'code', ...steps])
  const from = fields.account?.from
  if (from === 'userinfo' || from === 'introspection') assert.deepEqual(asks, [from])
  const connection = await walk.load()
  const { account, account_name, scope } = connection
  assert.deepEqual({ account, account_name }, there.account)
  assert.equal(scope, there.grant!.scopes.join(' '))
  const replaced = fields.steps.some((step) => step.replaces_token)
  const known = fields.access_token_seconds
  const assumed = typeof known === 'number' ? known : there.life()
  near((await walk.lives()).access, replaced ? LIVES.access : assumed, 'the life of the access token')
  await checkRefreshLife(walk)
  const token = await walk.token({ min_seconds: 0 })
  assert.equal(token.kind, 'token')
  if (token.kind !== 'token') return
  assert.equal(token.access_token, there.grant!.access_token)
  assert.ok(!JSON.stringify(token.extra).includes(token.access_token), 'no copy of the token lies about')
  const callback = fields.learned.filter((place) => place.from === 'callback').map(({ name }) => name)
  const told = [...there.described.told].filter(([name]) => callback.includes(name))
  for (const [name, value] of [...there.kept, ...told])
    assert.equal(token.extra[name], value, `what is kept as ${name}`)
  const [listed] = await listConnections(walk.context, walk.user_id)
  assert.equal(listed!.revocation_ends, fields.revocation_ends)
}

/** A token that nothing renews is asked about, where the provider can be asked. */
async function lapses(walk: Walk): Promise<void> {
  const { there } = walk
  const asked = (['userinfo', 'introspection'] as const).find((kind) => endpointOf(there.described, `${kind}_endpoint`))
  there.dead = true
  assert.equal(await walk.call(), asked ? 'needs_reconsent' : 401)
  assert.deepEqual(walk.seen(), asked ? ['api', asked] : ['api'])
  await repairs(walk)
}

/** Ends the connection, and tells the provider as far as it lets itself be told. */
async function disconnects(walk: Walk, bench: Bench): Promise<void> {
  const { there, fields } = walk
  const told = endpointOf(there.described, 'revocation_endpoint')
  const possible =
    told !== null && (fields.revocation_request?.token !== 'refresh_token' || there.grant!.refresh_token !== null)
  assert.equal(await disconnect(walk.context, { connection_id: walk.connection_id, actor: 'test' }), 'disconnected')
  assert.deepEqual(walk.seen(), possible ? ['revocation'] : [])
  const events = (await listEvents(bench.tenant)).filter((event) => event.connection_id === walk.connection_id)
  const { detail } = events.find(({ type }) => type === 'connection.destroyed')!
  assert.match(JSON.stringify(detail), possible ? /revoked/ : /unsupported/)
  assert.equal((await walk.load()).data_key, null)
}

/** Takes a record whose people type keys through everything. */
async function runTyped(walk: Walk, bench: Bench): Promise<void> {
  const { there, fields } = walk
  const is_pair = fields.credential === 'basic_pair'
  const typed = { ...(is_pair && { username: 'name' }), secret: 'hush+/=hush' }
  for (const wrong of [
    { ...typed, secret: '' },
    { ...typed, secret: 'a\r\nb' },
  ]) {
    assert.equal(await walk.type(wrong), null)
  }
  const pair = is_pair ? 'name:hush+/=hush' : `hush+/=hush:${fields.basic_password}`
  const sent = is_pair || fields.basic_password !== null ? Buffer.from(pair).toString('base64') : typed.secret
  there.grant = { access_token: sent } as Grant
  const finished = await walk.type(typed)
  assert.equal(finished?.outcome, 'connected', JSON.stringify(finished))
  walk.connection_id = finished.connection_id!
  assert.deepEqual(await walk.lives(), { access: null, refresh: null })
  assert.equal(await walk.call(), 200, JSON.stringify(there.complaints))
  const token = await walk.token()
  assert.ok(token.kind === 'token' && token.token_type === (fields.authorization_scheme ?? 'N_A'))
  there.dead = true
  assert.equal(await walk.call(), 401)
  there.dead = false
  const { connection_id } = walk
  const again = await walk.type(typed, { connection_id })
  assert.deepEqual([again?.outcome, again?.connection_id], ['reconnected', connection_id])
  assert.equal(await walk.call(), 200)
  walk.seen()
  assert.equal(await disconnect(walk.context, { connection_id, actor: 'test' }), 'disconnected')
  assert.deepEqual(walk.seen(), [])
  const ended = (await listEvents(bench.tenant)).filter((event) => event.connection_id === connection_id)
  assert.ok(!JSON.stringify(ended).includes('hush') && !JSON.stringify(ended).includes(sent))
  assert.equal((await walk.load()).data_key, null)
  assert.deepEqual(there.complaints, [])
}

let walks = 0

/** Ends what earlier walks have left, of which the provider of this one is told nothing: what lives spares others. */
async function forgetWalks({ tenant: { tenant_id, store } }: Bench): Promise<void> {
  const page = { tenant_id, connector: '', after_connection_id: '', most: 200 }
  const states = ['ready', 'needs_reconsent', 'error'] as const
  const left = states.map((state) => store.pageConnections({ ...page, state }))
  for (const { connection_id } of (await Promise.all(left)).flat()) {
    await store.disconnectConnection({ tenant_id, connection_id, reason: 'test', event: testEvent(tenant_id) })
  }
}

/** Takes a record through everything; `served` is what our side is given in its place. */
export async function runRecord(
  bench: Bench,
  internet: FakeInternet,
  record: Provider,
  served = record,
): Promise<void> {
  await forgetWalks(bench)
  const walk = new Walk(bench, internet, `${record.provider}-${++walks}`, record, served)
  await walk.register()
  if (walk.fields.credential !== 'oauth') return runTyped(walk, bench)
  await connects(walk)
  assert.equal(await walk.call(), 200, JSON.stringify(walk.there.complaints))
  assert.deepEqual(walk.seen(), ['api'])
  if (walk.there.refreshes) {
    await refreshes(walk)
    await takesErrors(walk)
  } else await lapses(walk)
  await disconnects(walk, bench)
  if (walk.there.refreshes && walk.fields.refresh_grant === null) {
    walk.there.withholds = true
    walk.connection_id = (await walk.connect()).connection_id!
    walk.seen()
    await lapses(walk)
  }
  assert.deepEqual(walk.there.complaints, [])
}
