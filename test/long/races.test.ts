import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { RaceOrder } from '../parts/race_process.ts'
import { openRaces, RACERS, RACES, type Race, race } from '../parts/races.ts'
import { makeDatabase, type Stage, type TestDatabase } from '../parts/stores.ts'

const ROUNDS = Number(process.env['SALLYPORT_TEST_RACE_ROUNDS'] ?? 500)
const SIDE_BY_SIDE = 10

describe('races on sqlite, in one process', () => {
  let database: TestDatabase
  before(async () => {
    database = await makeDatabase('sqlite', { file: true })
  })
  after(() => database.drop())

  for (const [i, kind] of RACES.entries()) {
    test(`${kind.title}, ${ROUNDS} times`, async () => {
      const store = await database.open()
      await race(kind, await openRaces(store, database.clock, `t${i}`), [store], ROUNDS)
    })
  }
})

describe('races on postgres, between two processes', () => {
  let database: TestDatabase
  let processes: RacingProcess[]
  before(async () => {
    database = await makeDatabase('postgres')
    await database.open()
    processes = await Promise.all([0, 1].map(() => startProcess(database.location)))
  })
  after(async () => {
    await Promise.all(processes.map((one) => one.end()))
    await database.drop()
  })

  for (const [i, kind] of RACES.entries()) {
    test(`${kind.title}, ${ROUNDS} times`, async () => {
      const stage = await openRaces(await database.open(), database.clock, `t${i}`)
      for (let round = 0; round < ROUNDS; round += SIDE_BY_SIDE) {
        const some = Array.from({ length: Math.min(SIDE_BY_SIDE, ROUNDS - round) }, (_, n) => round + n)
        await Promise.all(some.map((one) => raceBetween(kind, i, stage, processes, one)))
      }
    })
  }
})

async function raceBetween(
  kind: Race,
  index: number,
  stage: Stage,
  processes: readonly RacingProcess[],
  round: number,
): Promise<void> {
  await kind.prepare(stage, round)
  const answers: unknown[] = new Array(RACERS)
  await Promise.all(
    processes.map(async (one, part) => {
      const racers = Array.from({ length: RACERS / processes.length }, (_, n) => n * processes.length + part)
      const given = await one.run({ tenant_id: stage.tenant_id, race: index, round, racers })
      for (const [n, racer] of racers.entries()) answers[racer] = given[n]
    }),
  )
  await kind.check(answers, stage, round)
}

interface RacingProcess {
  run(order: RaceOrder): Promise<unknown[]>
  end(): Promise<void>
}

async function startProcess(url: string): Promise<RacingProcess> {
  const file = fileURLToPath(new URL('../parts/race_process.ts', import.meta.url))
  const execArgv = process.execArgv.filter((argument) => !argument.startsWith('--test'))
  const child: ChildProcess = fork(file, [url], { execArgv })
  const heard = new EventEmitter()
  await once(child, 'message')
  child.on('message', ({ round, answers }: { round: number; answers: unknown[] }) => heard.emit(String(round), answers))
  return {
    async run(order) {
      const answered = once(heard, String(order.round))
      child.send(order)
      return (await answered)[0]
    },
    async end() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}
