import assert from 'node:assert/strict'
import type { Call, Operation } from './history.ts'
import type { Stage } from './stage.ts'
import { RESOURCES } from './world.ts'

/** How many requests race. */
export const RACERS = 64

/** A race: one round of it, from a new grant on. */
export interface Race {
  readonly title: string
  run(stage: Stage, round: number): Promise<void>
}

/** The races over HTTP; each request goes to any of the servers. */
export const RACES: readonly Race[] = [
  {
    title: 'of 64 exchanges of one code one wins, and then its tokens are over: the code was replayed',
    async run(stage, round) {
      const args = argsOf(round)
      const code = await askForCode(stage, args)
      const tries = await race(stage, () => ({ op: 'exchange', key: code, args }))
      const winners = tries.filter(({ t_ok }) => t_ok !== undefined)
      assert.equal(winners.length, 1, `${winners.length} of ${RACERS} exchanges of one code won`)
      for (const loser of tries) if (loser !== winners[0]) assertRefused(loser)
      await assertOver(stage, winners, args)
    },
  },
  {
    title: 'of 64 uses of one refresh token all get the same successor, and an old one then ends the grant',
    async run(stage, round) {
      const args = argsOf(round)
      const first = await redeem(stage, args)
      const second = await race(stage, () => ({ op: 'refresh', key: first, args }))
      const successors = new Set(second.map(({ result }) => result?.refresh_token))
      assert.equal(successors.size, 1, `${successors.size} successors of one refresh token`)
      const [successor] = [...successors]
      assert.ok(successor !== undefined, 'every use was refused')
      const third = await race(stage, () => ({ op: 'refresh', key: successor, args }))
      assert.equal(new Set(third.map(({ result }) => result?.refresh_token)).size, 1)
      for (const use of await race(stage, () => ({ op: 'refresh', key: first, args }))) assertRefused(use)
      await assertOver(stage, [second[0]!, third[0]!], args)
    },
  },
  {
    title: 'of 32 uses and 32 revocations of one refresh token nothing is left',
    async run(stage, round) {
      const args = argsOf(round)
      const key = await redeem(stage, args)
      const all = await race(stage, (i) => ({ op: i % 2 === 0 ? 'refresh' : 'revoke', key, args }))
      for (const { op, t_ok } of all) assert.ok(op === 'refresh' || t_ok !== undefined, 'a revocation failed')
      const uses = all.filter(({ op, t_ok }) => op === 'refresh' && t_ok !== undefined)
      assert.ok(new Set(uses.map(({ result }) => result?.refresh_token)).size <= 1, 'two successors')
      await assertOver(stage, uses.slice(0, 2), args)
    },
  },
]

type Args = Call['args'] & { readonly resource: string }

// Confidential and public clients, JWTs and opaque tokens, in turn.
function argsOf(round: number): Args {
  return { client_id: round % 2 === 0 ? 'web' : 'spa', resource: RESOURCES[(round >> 1) % RESOURCES.length]! }
}

function record({ history, caller }: Stage, call: Call): Promise<Operation> {
  return history.record(call, caller.call)
}

function race(stage: Stage, call: (i: number) => Call): Promise<Operation[]> {
  return Promise.all(Array.from({ length: RACERS }, (_, i) => record(stage, call(i))))
}

async function askForCode(stage: Stage, args: Args): Promise<string> {
  const { result } = await record(stage, { op: 'authorize', key: '', args })
  assert.ok(result?.code, `no code: ${JSON.stringify(result)}`)
  return result.code
}

async function redeem(stage: Stage, args: Args): Promise<string> {
  const { result } = await record(stage, { op: 'exchange', key: await askForCode(stage, args), args })
  assert.ok(result?.refresh_token, `no token: ${JSON.stringify(result)}`)
  return result.refresh_token
}

function assertRefused({ op, result }: Operation): void {
  assert.equal(result?.error, 'invalid_grant', `${op} was answered with ${JSON.stringify(result)}`)
}

/** The tokens of these answers are inactive, and their refresh tokens give nothing. */
async function assertOver(stage: Stage, answers: readonly Operation[], args: Args): Promise<void> {
  for (const { result } of answers) {
    const access = await record(stage, { op: 'introspect', key: result!.access_token!, args: { client_id: 'reader' } })
    assert.equal(access.result?.active, false, 'an access token outlives its grant')
    assertRefused(await record(stage, { op: 'refresh', key: result!.refresh_token!, args }))
  }
}

/** Runs a race again and again; then every token is introspected and the whole history judged. */
export async function runRace(stage: Stage, { run }: Race, rounds: number): Promise<void> {
  const from = stage.history.operations.length
  for (let round = 0; round < rounds; round++) await run(stage, round)
  await stage.introspect(from)
}
