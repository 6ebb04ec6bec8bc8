// A process of its own with the outbound half alone, which a test tells what to do and how to fail: forked early, it opens
// its database when told, since a SQLite file has one owner at a time.
import { createEgress, type Egress } from '../../server/src/egress/egress.ts'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { keepConnections } from '../../server/src/outbound/administration/keep_connections.ts'
import { finishConnect } from '../../server/src/outbound/connect/finish_connect.ts'
import { startConnect } from '../../server/src/outbound/connect/start_connect.ts'
import { freshToken } from '../../server/src/outbound/connections/fresh_token.ts'
import { createOutboundContext, type OutboundContext } from '../../server/src/outbound/context.ts'
import { createCatalogue } from '../../server/src/providers/catalogue.ts'
import { StoreUnavailable } from '../../server/src/store/sql.ts'
import { openStore, type Store, type StoreLocation } from '../../server/src/store/store.ts'
import { Tenant } from '../../server/src/store/tenant.ts'
import { addUser, openTestTenant, TEST_ROOT } from './vault.ts'

/** What breaks on our side at the next call of a token endpoint, or at the commit after it. */
export type OurFault =
  | 'refused'
  | 'dns'
  | 'tls'
  | 'timeout'
  | 'killed_before_request'
  | 'killed_after_answer'
  | 'killed_before_commit'
  | 'killed_after_commit'
  | 'database_gone'
  | 'commit_unknown'
  | 'clock_ahead'
  | 'clock_back'

/** What the process is told; each order is answered with the outcome of its name. */
export type Order =
  | { readonly do: 'open'; readonly location: Place; readonly offset: number; readonly wrong_url: string }
  | { readonly do: 'user' }
  | { readonly do: 'connector'; readonly input: Parameters<typeof saveConnector>[2] }
  | { readonly do: 'connect'; readonly connector: string; readonly user_id: string; readonly code: string }
  | { readonly do: 'ask'; readonly connection_id: string; readonly user_id: string; readonly callers: number }
  | { readonly do: 'turn'; readonly ahead_ms?: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'set'; readonly offset: number }
  | { readonly do: 'arm'; readonly fault: OurFault | null }
  | { readonly do: 'load'; readonly connection_id: string }

/** Where the database is, as a message can say it. */
export type Place = { readonly sqlite: string } | { readonly postgres: string }

/** What callers were given, each different answer once. */
export interface Given {
  readonly kind: string
  readonly reason?: string
  readonly access_token?: string
  readonly generation?: number
}

const HOUR = 3_600_000
// Long enough for an answer that comes, short enough to wait for one that does not.
const SHORT_TIMEOUT_MS = 150

let offset = 0
let armed: OurFault | null = null
let gone = 0
let wrong_url = ''
let context: OutboundContext
const now = () => Date.now() + offset
const die = () => process.kill(process.pid, 'SIGKILL')

function spoilEgress(egress: Egress): Egress {
  return {
    ...egress,
    async fetch(input, init) {
      const fault = init.purpose === 'token' ? armed : null
      if (fault === 'killed_before_request') die()
      if (fault === 'refused') return egress.fetch('http://127.0.0.1:1/token', disarmed(init))
      if (fault === 'dns') return egress.fetch('https://provider.invalid/token', disarmed(init))
      if (fault === 'tls') return egress.fetch(wrong_url, disarmed(init))
      if (fault === 'timeout') return egress.fetch(input, disarmed({ ...init, timeoutMs: SHORT_TIMEOUT_MS }))
      const response = await egress.fetch(input, init)
      if (fault === 'killed_after_answer') {
        await response.text()
        die()
      }
      if (fault === 'clock_ahead' || fault === 'clock_back') {
        offset += disarmed(fault) === 'clock_ahead' ? 24 * HOUR : -HOUR
      }
      return response
    },
  }
}

function disarmed<T>(value: T): T {
  armed = null
  return value
}

function spoilStore(store: Store): Store {
  return {
    ...store,
    async storeRefreshed(args) {
      const fault = armed
      if (fault === 'killed_before_commit') die()
      if (fault === 'database_gone' && gone++ < 3) throw new StoreUnavailable('gone', 'not committed')
      const stored = await store.storeRefreshed(args)
      if (fault === 'killed_after_commit') die()
      armed = null
      gone = 0
      if (fault === 'commit_unknown') throw new StoreUnavailable('cut', 'unknown')
      return stored
    },
  }
}

async function open(location: Place): Promise<void> {
  const store = spoilStore(await openStore({ ...location, clock: now } as StoreLocation))
  const { tenant_id, issuer, keys } = await openTestTenant(store, 'http://localhost:9400', now)
  const egress = createEgress({ allow: ['127.0.0.1', 'provider.invalid'], resolve: refuseNames })
  context = createOutboundContext({
    ...{ tenant: new Tenant({ tenant_id, issuer, keys, store, clock: now, root: TEST_ROOT }), clock: now },
    ...{ egress: spoilEgress(egress), catalogue: createCatalogue(), owner: `${process.pid} ${Date.now()}` },
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 10))),
  })
  process.on('disconnect', () => process.exit())
}

// The resolver's word, without a network.
async function refuseNames(name: string): Promise<never> {
  throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' })
}

async function connect(order: Extract<Order, { do: 'connect' }>): Promise<string> {
  const { connector, user_id, code } = order
  const started = await startConnect(context, { user_id, connector })
  const state = new URL(started.authorization_url).searchParams.get('state')!
  const params = new URLSearchParams({ state, code })
  const finished = await finishConnect(context, { ...started, connector, params, user_id })
  if (finished.outcome !== 'connected') throw new Error(JSON.stringify(finished))
  return finished.connection_id!
}

async function ask({ connection_id, user_id, callers }: Extract<Order, { do: 'ask' }>): Promise<Given[]> {
  const asked = Array.from({ length: callers }, () => freshToken(context, { connection_id, user_id }))
  const given = (await Promise.all(asked)).map((answer) => {
    if (answer.kind !== 'token') return { kind: answer.kind, reason: answer.reason }
    return { kind: answer.kind, access_token: answer.access_token, generation: answer.generation }
  })
  return [...new Map(given.map((one) => [JSON.stringify(one), one])).values()]
}

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'open':
      offset = order.offset
      wrong_url = order.wrong_url
      return open(order.location)
    case 'user':
      return addUser(context.tenant, 'alice')
    case 'connector':
      return saveConnector(context, 'test', order.input).then(() => null)
    case 'connect':
      return connect(order)
    case 'ask':
      return ask(order)
    case 'turn':
      return keepConnections(context, order.ahead_ms)
    case 'pass':
      offset += order.ms
      return null
    case 'set':
      offset = order.offset
      return null
    case 'arm':
      armed = order.fault
      gone = 0
      return null
    case 'load': {
      const { tenant_id, store } = context.tenant
      const { connection } = (await store.loadConnection({ tenant_id, connection_id: order.connection_id }))!
      const { state, reason, generation, intent_deadline_at, sealed_candidate } = connection
      return { state, reason, generation, is_open: intent_deadline_at !== null, candidate: sealed_candidate !== null }
    }
  }
}

process.on('message', async ({ id, order }: { id: number; order: Order }) => {
  try {
    process.send!({ id, outcome: await obey(order), offset })
  } catch (error) {
    process.send!({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error), offset })
  }
})
process.send!('loaded')
