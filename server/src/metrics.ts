import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Store } from './store/store.ts'
import type { Tenant } from './store/tenant.ts'
import * as verbs from './store/verbs/index.ts'
import type { UpkeepRound } from './upkeep.ts'
import type { WebObserver } from './web/web.ts'

/**
 * What is counted of one server, for Prometheus. Every label is a word of this software: a grant type, an endpoint of the
 * table, an error code, a state. Nothing that a client, a user or a provider has named is one.
 */
export interface Metrics {
  /** Told of tokens and refusals. */
  readonly web: WebObserver
  /** The same store, watched: how long verbs take, and what some of them say. */
  watchStore(store: Store): Store
  /** Told of each round of the work behind the requests. */
  noteRound(round: UpkeepRound): void
  /** The text that Prometheus reads, and its type. */
  write(tenant: Tenant): Promise<{ readonly text: string; readonly type: string }>
}

/** How many connections of a state are counted at most. */
export const MOST_COUNTED = 10_000
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

/** Makes the metrics of one server, in a registry of their own. */
export function createMetrics(version: string): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: `sallyport_${name}`, help, labelNames, registers })
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge({ name: `sallyport_${name}`, help, labelNames, registers })
  gauge('build_info', 'The version that runs', 'version').set({ version }, 1)
  const issued = counter('tokens_issued_total', 'Answers of the token endpoint that hold tokens', 'grant_type')
  const refusals = counter('refusals_total', 'Requests that were refused', 'endpoint', 'error')
  const rounds = new Histogram({
    ...{ name: 'sallyport_upkeep_seconds', help: 'How long a round of upkeep took', labelNames: ['task'], registers },
    buckets: [0.001, 0.01, 0.1, 1, 10, 60],
  })
  const late = gauge('upkeep_lag_seconds', 'How late the last round of upkeep began', 'task')
  const failed = counter('upkeep_failures_total', 'Rounds of upkeep that failed', 'task')
  const connections = gauge('connections', `Connections by state; of each at most ${MOST_COUNTED} are counted`, 'state')
  return {
    web: {
      issued: (grant_type) => issued.inc({ grant_type }),
      refused: (endpoint, error) => refusals.inc({ endpoint, error }),
    },
    watchStore: (store) => watchStore(store, registers),
    noteRound({ task, late_ms, ms, failed: wrong }) {
      late.set({ task }, late_ms / 1000)
      rounds.observe({ task }, ms / 1000)
      if (wrong) failed.inc({ task })
    },
    async write({ tenant_id, store }) {
      connections.reset()
      // While the database is away, what this process has counted is what its operator wants to see.
      const counted = await store.countConnections({ tenant_id, most: MOST_COUNTED }).catch(() => [])
      for (const { state, count } of counted) connections.set({ state }, count)
      return { text: await registry.metrics(), type: registry.contentType }
    },
  }
}

/** What a verb that was done says about the work of the server: a counter, and the outcome. */
type Reading = (
  args: never,
  result: unknown,
) => readonly [counter: 'rotations' | 'refreshes' | 'deliveries', string] | null

const READINGS: Readonly<Record<string, Reading>> = {
  rotateRefreshToken: (_args, result) => ['rotations', String(result)],
  // An answer that moved is stored again; one without use but for its refresh token is a failure.
  storeRefreshed: ({ failed }: { failed?: unknown }, result) => {
    const { kind } = result as { kind: string }
    return kind === 'moved' ? null : ['refreshes', failed ? 'failed' : kind]
  },
  failRefresh: ({ refused, uncertain }: { refused: boolean; uncertain: boolean }) => {
    return ['refreshes', refused ? 'refused' : uncertain ? 'unknown' : 'failed']
  },
  needReconsent: (_args, result) => (result === true ? ['refreshes', 'needs_reconsent'] : null),
  settleDelivery: ({ outcome }: { outcome: string }) => ['deliveries', outcome],
}

function watchStore(store: Store, registers: Registry[]): Store {
  const counter = (name: string, help: string) =>
    new Counter({ name: `sallyport_${name}`, help, labelNames: ['outcome'], registers })
  const counters = {
    rotations: counter(
      'refresh_token_rotations_total',
      'Refresh tokens of clients that were rotated, or were not the newest',
    ),
    refreshes: counter('connection_refreshes_total', 'What became of refreshes of connections at their providers'),
    deliveries: counter('webhook_deliveries_total', 'Tries to deliver an event to a webhook'),
  }
  const seconds = new Histogram({
    ...{ name: 'sallyport_store_seconds', help: 'How long the store took: a write until it was committed' },
    ...{ labelNames: ['kind', 'outcome'], buckets: SECONDS, registers },
  })
  const of = (kind: 'read' | 'write') => {
    return { done: seconds.labels(kind, 'done'), failed: seconds.labels(kind, 'failed') }
  }
  const series = { read: of('read'), write: of('write') }
  const watched = Object.entries(store).map(([name, member]) => {
    const verb = (verbs as Readonly<Record<string, unknown>>)[name] as { kind?: 'read' | 'write' } | undefined
    if (typeof member !== 'function' || verb?.kind === undefined) return [name, member]
    const run = member as (args: unknown) => Promise<unknown>
    const { done, failed } = series[verb.kind]
    const read = READINGS[name]
    const watch = async (args: unknown) => {
      const began = performance.now()
      try {
        const result = await run(args)
        done.observe((performance.now() - began) / 1000)
        const reading = read?.(args as never, result)
        if (reading) counters[reading[0]].inc({ outcome: reading[1] })
        return result
      } catch (error) {
        failed.observe((performance.now() - began) / 1000)
        throw error
      }
    }
    return [name, watch]
  })
  return Object.fromEntries(watched) as Store
}
