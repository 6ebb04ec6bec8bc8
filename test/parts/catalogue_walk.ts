import assert from 'node:assert/strict'
import { findConnector, saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { finishChoice } from '../../server/src/outbound/connect/choose.ts'
import type { ConnectFinished } from '../../server/src/outbound/connect/connect_outcome.ts'
import { finishConnect } from '../../server/src/outbound/connect/finish_connect.ts'
import { startConnect } from '../../server/src/outbound/connect/start_connect.ts'
import { finishTyped, type Typed } from '../../server/src/outbound/connect/type_credential.ts'
import { freshToken } from '../../server/src/outbound/connections/fresh_token.ts'
import { openConnector } from '../../server/src/outbound/connectors/connector.ts'
import type { OutboundContext } from '../../server/src/outbound/context.ts'
import { forward } from '../../server/src/outbound/proxy/proxy.ts'
import { createCatalogue } from '../../server/src/providers/catalogue.ts'
import type { Provider, ProviderFields } from '../../server/src/providers/provider.ts'
import { CHOSEN } from './fake_authorization_server.ts'
import type { FakeInternet } from './fake_internet.ts'
import { FakeProvider } from './fake_provider.ts'
import { examplePlaceholders, registrationAt } from './fake_record.ts'
import { addUser, type Bench } from './vault.ts'

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
      ...{ connector, provider: this.#record.provider, ...registrationAt(fields) },
      placeholders: examplePlaceholders(this.#record.placeholders),
    }
    await saveConnector(this.context, 'test', input)
    const { tenant_id, store } = this.context.tenant
    const { provider } = openConnector(this.context, (await store.findConnector({ tenant_id, connector }))!)
    assert.equal(provider.reads_by_method, fields.reads_by_method)
    if (fields.credential !== 'oauth') return
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

  /** From our link to what the person types there. */
  async type(typed: Typed, more: { connection_id?: string } = {}): Promise<ConnectFinished | null> {
    const { context, connector, user_id } = this
    const { authorization_url, browser_secret } = await startConnect(context, { user_id, connector, ...more })
    const url = new URL(authorization_url)
    assert.equal(url.origin + url.pathname, `${this.#bench.tenant.issuer}/connect/${connector}/key`)
    return finishTyped(context, { connector, user_id, browser_secret, state: url.searchParams.get('state')!, typed })
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

/** A number of seconds that may be a little off. */
export function near(actual: number | null, expected: number | null, what: string): void {
  const fits = actual === expected || (actual !== null && expected !== null && Math.abs(actual - expected) <= 2)
  assert.ok(fits, `${what} is ${actual} and not ${expected}`)
}

/** The life of the refresh token after a consent: as it was told, or else as the record assumes. */
export async function checkRefreshLife(walk: Walk): Promise<void> {
  const { fields, there } = walk
  const { refresh_token_life, refresh_token_seconds, refresh_token_max_seconds: most } = fields
  const assumed = refresh_token_life === 'unlimited' ? null : refresh_token_seconds
  const told = there.refreshLife()
  const usual = told === null ? assumed : told === 0 ? null : told
  const renewable = there.grant!.refresh_token !== null || fields.refresh_grant?.sends === 'access_token'
  const expected = most === null ? usual : Math.min(usual ?? most, most)
  near((await walk.lives()).refresh, renewable ? expected : null, 'the life of the refresh token')
}

/** A new consent repairs the same connection. */
export async function repairs(walk: Walk): Promise<void> {
  const finished = await walk.connect({ connection_id: walk.connection_id })
  assert.equal(finished.outcome, 'reconnected', JSON.stringify([finished, walk.there.complaints]))
  assert.equal(finished.connection_id, walk.connection_id)
  await checkRefreshLife(walk)
  walk.seen()
}
