// What watching a store for metrics costs a verb: node run.mjs bench/metrics.ts
import { createMetrics } from '../server/src/metrics.ts'
import type { Store } from '../server/src/store/store.ts'

const CALLS = 200_000
const ROUNDS = 7

const bare = { rotateRefreshToken: async () => 'rotated', findClient: async () => null } as unknown as Store
const watched = createMetrics('bench').watchStore(bare)
const sides = { bare, watched }

/** The time of one call in nanoseconds, the best of some rounds that alternate. */
const best: Record<string, number> = {}
for (let round = 0; round < ROUNDS; round++) {
  for (const verb of ['findClient', 'rotateRefreshToken'] as const) {
    for (const [side, store] of Object.entries(sides)) {
      const began = performance.now()
      for (let i = 0; i < CALLS; i++) await store[verb]({} as never)
      const ns = ((performance.now() - began) * 1e6) / CALLS
      const name = `${verb} ${side}`
      best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, ns)
    }
  }
}
for (const [name, ns] of Object.entries(best)) console.log(`${name.padEnd(28)} ${ns.toFixed(0).padStart(6)} ns`)
