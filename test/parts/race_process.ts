// A process that races for others: it opens a store and answers what its racers were told.
import { openStore } from '../../server/src/store/store.ts'
import { RACES } from './races.ts'
import { fillStage, START } from './stores.ts'

/** What a racing process is asked, once for each round. */
export interface RaceOrder {
  readonly tenant_id: string
  readonly race: number
  readonly round: number
  readonly racers: readonly number[]
}

const clock = { now: START }
const store = await openStore({ postgres: process.argv[2]!, clock: () => clock.now }, { migrate: false })
process.on('message', async ({ tenant_id, race, round, racers }: RaceOrder) => {
  const stage = fillStage({ dialect: 'postgres', store, clock, tenant_id })
  const answers = await Promise.allSettled(racers.map((racer) => RACES[race]!.run(store, stage, round, racer)))
  process.send!({ round, answers: answers.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason))) })
})
process.on('disconnect', () => store.close())
process.send!('ready')
