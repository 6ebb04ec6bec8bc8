import assert from 'node:assert/strict'
import { finishChoice } from '../../server/src/outbound/choose.ts'
import type { ConnectFinished } from '../../server/src/outbound/connect_outcome.ts'
import { listConnections } from '../../server/src/outbound/connections.ts'
import { openConnector, relyingParty } from '../../server/src/outbound/connector.ts'
import { findConnector, saveConnector } from '../../server/src/outbound/connectors.ts'
import type { OutboundContext } from '../../server/src/outbound/context.ts'
import { disconnect } from '../../server/src/outbound/disconnect.ts'
import { finishConnect } from '../../server/src/outbound/finish_connect.ts'
import { freshToken } from '../../server/src/outbound/fresh_token.ts'
import { forward } from '../../server/src/outbound/proxy.ts'
import { startConnect } from '../../server/src/outbound/start_connect.ts'
import { createCatalogue } from '../../server/src/providers/catalogue.ts'
import type { Provider, ProviderFields } from '../../server/src/providers/provider.ts'
import { refreshToken } from '../../server/src/relying/token_call.ts'
import { codeFor } from './fake_answers.ts'
import { CHOSEN, LIVES } from './fake_authorization_server.ts'
import type { FakeInternet } from './fake_internet.ts'
import { FakeProvider } from './fake_provider.ts'
import { endpointOf, examplePlaceholders, REGISTRATION } from './fake_record.ts'
import { addUser, type Bench, listEvents } from './vault.ts'

const DAY = 86_400

/** One record at the provider that it describes, or that another record describes. */
export class Walk {
  readonly #bench: Bench
  readonly context: OutboundContext
  readonly there: FakeProvider
  readonly fields: ProviderFields
  readonly connector: string
  readonly #record: Provider
  user_id = ''
  connection_id = ''

  constructor(bench: Bench, internet: FakeInternet, connector: string, record: Provider, served: Provider) {
    this.#bench = bench
    this.connector = connector
    this.#record = record
    this.context = bench.another({ egress: internet.egress, catalogue: createCatalogue([served]) })
    const redirect_uri = `${bench.tenant.issuer}/connect/${connector}/callback`
    this.there = new FakeProvider(record, { redirect_uri, now: () => Date.now() + bench.clock.offset })
    this.fields = this.there.fields
    internet.serve(this.there)
  }

  async register(): Promise<void> {
    this.user_id = await addUser(this.#bench.tenant, `user of ${this.connector}`)
    const { connector, fields } = this
    const input = {
      ...{ connector, provider: this.#record.provider, ...REGISTRATION },
      placeholders: examplePlaceholders(this.#record.placeholders),
    }
    await saveConnector(this.context, 'test', input)
    const { scope } = (await findConnector(this.context, connector))!
    const wanted = [...fields.default_scope.split(' '), fields.offline_scope ?? ''].filter((part) => part !== '')
    assert.equal(scope, [...new Set(wanted)].join(' '), 'the scope where none is said')
    await saveConnector(this.context, 'test', { ...input, scope: `openid read write ${scope}`.trim() })
  }

  /** From our authorization URL to the callback, and through a choice where there is one. */
  async connect(more: { connection_id?: string; forged?: boolean } = {}): Promise<ConnectFinished> {
    const { context, connector, user_id, there } = this
    const { forged = false, ...start } = more
    const { authorization_url, browser_secret } = await startConnect(context, { user_id, connector, ...start })
    const params = there.authorize(authorization_url)
    if (forged) params.set('code', 'of somebody else')
    const finished = await finishConnect(context, { connector, params, browser_secret, user_id })
    if (finished.outcome !== 'choose') {
      if (this.fields.steps.some((step) => step.choice)) assert.equal(finished.outcome, 'failed')
      return finished
    }
    const { choice, options } = finished.choice!
    assert.deepEqual(
      options.map(({ id, name }) => [id, name]),
      [
        ['choice-1', 'The first'],
        [CHOSEN, 'The second'],
      ],
    )
    return finishChoice(context, { connector, choice, option: CHOSEN, browser_secret, user_id })
  }

  pass(seconds: number): void {
    this.#bench.clock.offset += seconds * 1000
  }

  async load() {
    return this.#bench.load(this.connection_id)
  }

  token(more: { failed_generation?: number; min_seconds?: number } = {}) {
    const { context, connection_id, user_id } = this
    return freshToken(context, { connection_id, user_id, ...more })
  }

  /** Calls the API; answers its status, or why there is none. */
  async call(): Promise<number | string> {
    const { context, connection_id, user_id } = this
    const headers = new Headers({ accept: 'application/json' })
    const request = { connection_id, user_id, method: 'GET', path: '/things', query: 'a=1', headers, body: null }
    const forwarded = await forward(context, request)
    if (forwarded.kind !== 'response') return forwarded.kind
    await forwarded.response.body?.cancel()
    return forwarded.response.status
  }

  /** What arrived since the last look, without what only describes the provider. */
  seen(): string[] {
    return this.there.seen.splice(0).filter((kind) => kind !== 'discovery' && kind !== 'jwks')
  }

  /** Seconds from the answer to the end of what it brought, as the row has them. */
  async lives(): Promise<{ access: number | null; refresh: number | null }> {
    const { issued_at, access_expires_at, refresh_expires_at } = await this.load()
    const since = (end: number | null) => (end === null ? null : Math.round((end - issued_at!) / 1000))
    return { access: since(access_expires_at), refresh: since(refresh_expires_at) }
  }
}

function near(actual: number | null, expected: number | null, what: string): void {
  const fits = actual === expected || (actual !== null && expected !== null && Math.abs(actual - expected) <= 2)
  assert.ok(fits, `${what} is ${actual} and not ${expected}`)
}

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
  const assumed = fields.access_token_seconds ?? there.life()
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

/** The life of the refresh token after a consent: as it was told, or else as the record assumes. */
async function checkRefreshLife(walk: Walk): Promise<void> {
  const { fields, there } = walk
  const { refresh_token_life, refresh_token_seconds, refresh_token_max_seconds: most } = fields
  const assumed = refresh_token_life === 'unlimited' ? null : refresh_token_seconds
  const told = there.refreshLife()
  const usual = told === null ? assumed : told === 0 ? null : told
  const renewable = there.grant!.refresh_token !== null || fields.refresh_grant?.sends === 'access_token'
  const expected = most === null ? usual : Math.min(usual ?? most, most)
  near((await walk.lives()).refresh, renewable ? expected : null, 'the life of the refresh token')
}

/** Whether the record allows that a refresh token is sent again at once. */
function mayRepeat({ refresh_token_rotation: rotation, refresh_token_replay: replay }: ProviderFields): boolean {
  return rotation === 'never' || ['accepted', 'until_successor_used', 'within_grace'].includes(replay)
}

/** Renews ahead of the end and on 401, and again after an answer was lost. */
async function refreshes(walk: Walk): Promise<void> {
  const { there, fields } = walk
  const first = await walk.lives()
  if (first.access !== null) {
    walk.pass(first.access - 10)
    assert.equal(await walk.call(), 200)
    assert.deepEqual(walk.seen(), ['refresh', 'api'])
    await checkLives(walk, first.access - 10)
  }
  const most = fields.refresh_token_max_seconds
  if (most !== null) {
    walk.pass(most - DAY - (first.access ?? 0))
    assert.equal(await walk.call(), 200)
    near((await walk.lives()).refresh, DAY + 10, 'what is left of the consent')
    walk.seen()
  }
  walk.pass(60)
  there.api_refuses = true
  assert.equal(await walk.call(), 200)
  assert.deepEqual(walk.seen(), ['api', 'refresh', 'api'])
  walk.pass(60)
  await survivesLoss(walk)
}

async function checkLives(walk: Walk, passed: number): Promise<void> {
  const { fields, there } = walk
  const { access, refresh } = await walk.lives()
  near(access, there.life() ?? fields.access_token_seconds, 'the life after a refresh')
  if (fields.refresh_token_max_seconds !== null) return
  const { refresh_token_life: life } = fields
  const told = there.refreshLife()
  const before = told === null ? fields.refresh_token_seconds : told === 0 ? null : told
  if (life === 'fixed') near(refresh, before === null ? null : before - passed, 'what is left of a fixed life')
  else near(refresh, life === 'unlimited' ? null : fields.refresh_token_seconds, 'a life that starts anew')
}

/** An answer is lost on the way: what the record says of a token that is sent again decides. */
async function survivesLoss(walk: Walk): Promise<void> {
  const { there, fields } = walk
  const held = await walk.token({ min_seconds: 0 })
  assert.equal(held.kind, 'token')
  if (held.kind !== 'token') return
  there.trouble = 'lost'
  const again = await walk.token({ failed_generation: held.generation })
  if (mayRepeat(fields)) {
    assert.equal(again.kind, 'token', JSON.stringify([again, there.complaints]))
    if (again.kind === 'token') assert.equal(again.access_token, there.grant!.access_token)
    assert.deepEqual(walk.seen(), ['refresh', 'refresh'])
    return
  }
  assert.equal(again.kind, 'unavailable', JSON.stringify(again))
  assert.deepEqual(walk.seen(), ['refresh'])
  const served = await walk.token()
  assert.equal(served.kind, 'token', 'what still lives is served')
  assert.deepEqual(walk.seen(), [], 'and nothing is risked for it')
  const { access_expires_at } = await walk.load()
  walk.pass(access_expires_at === null ? 7_200 : LIVES.access + 7_200)
  const last = await walk.token(access_expires_at === null ? { failed_generation: held.generation } : {})
  assert.equal(last.kind, 'needs_reconsent', JSON.stringify(last))
  assert.deepEqual(walk.seen(), ['refresh'])
  await repairs(walk)
}

/** A new consent repairs the same connection. */
async function repairs(walk: Walk): Promise<void> {
  const finished = await walk.connect({ connection_id: walk.connection_id })
  assert.equal(finished.outcome, 'reconnected', JSON.stringify([finished, walk.there.complaints]))
  assert.equal(finished.connection_id, walk.connection_id)
  await checkRefreshLife(walk)
  walk.seen()
}

const STANDARD_CODES = {
  invalid_grant: 'invalid_grant',
  invalid_client: 'invalid_client',
  invalid_scope: 'invalid_scope',
  temporarily_unavailable: 'unknown',
  slow_down: 'throttled',
} as const

/** Reads every error code of the record, and takes the one that ends a grant for what it is. */
async function takesErrors(walk: Walk): Promise<void> {
  const { there, fields, context } = walk
  const codes = Object.entries({ ...STANDARD_CODES, ...fields.error_response.meanings })
  const { connection, connector } = (await context.tenant.store.loadConnection({
    ...{ tenant_id: context.tenant.tenant_id, connection_id: walk.connection_id },
  }))!
  const token = await walk.token({ min_seconds: 0 })
  assert.equal(token.kind, 'token')
  const extra = token.kind === 'token' ? token.extra : {}
  const party = relyingParty(context, openConnector(context, connector), extra)
  const places = fields.error_response.error.keys().toArray()
  for (const [code, meaning, place] of codes.flatMap((one) => places.map((at) => [...one, at] as const))) {
    there.trouble = { code, place }
    const input = { refresh_token: there.grant!.refresh_token ?? '', access_token: there.grant!.access_token }
    const outcome = await refreshToken(context.relying, party, { ...input, scope: connection.scope })
    const kind =
      meaning === 'unknown' || meaning === 'throttled'
        ? meaning
        : meaning === 'invalid_client'
          ? 'client_refused'
          : 'refused'
    assert.equal(outcome.kind, kind, `${code} ${JSON.stringify(outcome)}`)
    if (outcome.kind === 'refused')
      assert.deepEqual([outcome.error, outcome.error_description === ''], [meaning, false])
  }
  walk.seen()
  const { generation } = await walk.load()
  walk.pass(60)
  there.trouble = { code: codeFor(fields, 'invalid_grant') }
  const ended = await walk.token({ failed_generation: generation })
  assert.equal(ended.kind, 'needs_reconsent', JSON.stringify(ended))
  walk.seen()
  await repairs(walk)
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

let walks = 0

/** Takes a record through everything; `served` is what our side is given in its place. */
export async function runRecord(
  bench: Bench,
  internet: FakeInternet,
  record: Provider,
  served = record,
): Promise<void> {
  const walk = new Walk(bench, internet, `${record.provider}-${++walks}`, record, served)
  await walk.register()
  await connects(walk)
  assert.equal(await walk.call(), 200, JSON.stringify(walk.there.complaints))
  assert.deepEqual(walk.seen(), ['api'])
  if (walk.there.refreshes) {
    await refreshes(walk)
    await takesErrors(walk)
  } else await lapses(walk)
  await disconnects(walk, bench)
  assert.deepEqual(walk.there.complaints, [])
}
