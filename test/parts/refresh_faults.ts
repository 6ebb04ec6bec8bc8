import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { LEASE_MS } from '../../server/src/outbound/connections/refresh.ts'
import { createCertificate } from './certificate.ts'
import { answerCut, answerJson, answerNothing, answerText } from './hostile_provider.ts'
import {
  accessToken,
  type Family,
  faultOf,
  type LedgerProvider,
  type ProviderFault,
  type Replay,
  startLedgerProvider,
} from './ledger_provider.ts'
import { createDatabase, startPostgres } from './postgres.ts'
import type { Given, Order, OurFault, Place } from './refresh_worker.ts'

const HOUR = 3_600_000
const WORKER = fileURLToPath(new URL('./refresh_worker.ts', import.meta.url))
const CALLERS = 16

/** Something that goes wrong with a refresh. */
export interface Fault {
  /** On the provider's side; `rotated` says whether it had done its work by then. */
  readonly theirs?: (rotated: boolean, now: number) => ProviderFault
  /** It can never have done its work by then. */
  readonly unheard?: true
  /** Its answer brings the refresh token all the same, so that nothing is lost. */
  readonly brings?: true
  /** How long it asks to be left alone. */
  readonly pause_ms?: number
  /** On ours; `loses` where that loses an answer, so that only the provider can bring it back. */
  readonly ours?: OurFault
  readonly loses?: true
  /** What the provider does before it is asked. */
  readonly before?: (family: Family) => void
  /** Upkeep takes its turn at the same time as the callers. */
  readonly upkeep?: true
}

const sends = (answer: Parameters<typeof faultOf>[0]) => (rotated: boolean) => faultOf(answer, rotated)
const sendsTokens = (change: (tokens: object) => unknown, type = 'application/json') => {
  return (rotated: boolean): ProviderFault => ({
    rotated,
    send: (response, tokens) =>
      void response.writeHead(200, { 'content-type': type }).end(JSON.stringify(change(tokens))),
  })
}
const throttles = (retry_after: string) => answerJson({}, 429, { 'retry-after': retry_after })

/** Everything that is made to go wrong, by the name under which the table shows it. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'connection refused': { ours: 'refused' },
  'name not found': { ours: 'dns' },
  'TLS failure': { ours: 'tls' },
  'cut before the answer': { theirs: sends(answerCut()) },
  'cut in the middle of it': { theirs: sends(answerCut('{"access_token":"AT')) },
  'cut after the head': { theirs: sends(answerCut(' ')) },
  'no answer in time': { theirs: sends(answerNothing), ours: 'timeout' },
  'error 500': { theirs: sends(answerText('oops', 500)) },
  '502 with HTML': { theirs: sends(answerText('<html>', 502, { 'content-type': 'text/html' })) },
  '503 with Retry-After': { theirs: sends(answerJson({}, 503, { 'retry-after': '3' })) },
  '503 with invalid_grant': { theirs: sends(answerJson({ error: 'invalid_grant' }, 503)) },
  '429, seconds': { theirs: sends(throttles('120')), unheard: true, pause_ms: 120_000 },
  '429, a date': {
    theirs: (rotated, now) => faultOf(throttles(new Date(now + HOUR / 2).toUTCString()), rotated),
    ...{ unheard: true, pause_ms: HOUR / 2 - 1000 },
  },
  'malformed JSON': { theirs: sends(answerJson('{"access_token":"AT')) },
  'an empty answer': { theirs: sends(answerJson('')) },
  'oversized JSON': { theirs: sendsTokens((tokens) => ({ ...tokens, blob: 'x'.repeat(100_000) })) },
  'deep JSON': { theirs: sends(answerJson(`{"access_token":${'['.repeat(5000)}${']'.repeat(5000)}}`)) },
  'a page of HTML': { theirs: sends(answerText('<html>', 200, { 'content-type': 'text/html' })) },
  'an error in HTTP 200': { theirs: sends(answerJson({ error: 'temporarily_unavailable' })) },
  'no access_token': { theirs: sendsTokens((tokens) => ({ ...tokens, access_token: undefined })), brings: true },
  'a token of another kind': { theirs: sendsTokens((tokens) => ({ ...tokens, token_type: 'mac' })), brings: true },
  'no refresh_token': { theirs: sendsTokens((tokens) => ({ ...tokens, refresh_token: undefined })), unheard: true },
  'a redirect': { theirs: sends(answerText('', 302, { location: 'http://127.0.0.1:1/' })) },
  'invalid_grant once': { theirs: sends(answerJson({ error: 'invalid_grant' }, 400)), unheard: true },
  'the user revoked it': {
    before: (family) => {
      family.dead = true
    },
  },
  'killed before the request': { ours: 'killed_before_request' },
  'killed after the answer': { ours: 'killed_after_answer', loses: true },
  'killed before the commit': { ours: 'killed_before_commit', loses: true },
  'killed after the commit': { ours: 'killed_after_commit' },
  'database gone': { ours: 'database_gone' },
  'commit unknown': { ours: 'commit_unknown' },
  'clock a day ahead': { ours: 'clock_ahead' },
  'clock an hour back': { ours: 'clock_back' },
  'nothing but callers': {},
  'callers and upkeep at once': { upkeep: true },
}

const REPLAYS: Readonly<Record<Replay, Readonly<Record<string, unknown>>>> = {
  ends_grant: { refresh_token_rotation: 'always', refresh_token_replay: 'ends_grant' },
  within_grace: {
    ...{ refresh_token_rotation: 'always', refresh_token_replay: 'within_grace', replay_grace_seconds: 60 },
  },
  accepted: { refresh_token_rotation: 'always', refresh_token_replay: 'accepted' },
  never_rotates: { refresh_token_rotation: 'never', refresh_token_replay: 'accepted' },
}

/** One process of ours under the test's orders. */
class Worker {
  readonly #process: ChildProcess
  readonly #loaded: Promise<unknown>
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  #orders = 0
  readonly died: Promise<unknown>
  alive = true

  constructor() {
    this.#process = fork(WORKER, [], { execArgv: process.execArgv })
    this.#loaded = once(this.#process, 'message')
    this.#process.on('message', ({ id, outcome, error }: { id: number; outcome: unknown; error?: string }) => {
      const waiter = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiter?.resolve(outcome)
      else waiter?.reject(new Error(error))
    })
    this.died = once(this.#process, 'exit')
    this.#process.on('exit', () => {
      this.alive = false
      for (const { reject } of this.#waiting.values()) reject(new Error('killed'))
    })
  }

  /** What an order came to; fails with `killed` when the process dies over it. */
  async tell<T = unknown>(order: Order): Promise<T> {
    await this.#loaded
    const id = ++this.#orders
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#process.send({ id, order })
    })
  }

  async stop(): Promise<void> {
    if (!this.alive) return
    await this.#loaded
    const gone = once(this.#process, 'exit')
    this.#process.disconnect()
    await gone
  }
}

/** Processes of ours on one database, and the provider, all under one clock. */
export class Rig {
  readonly provider: LedgerProvider
  readonly #place: Place
  readonly #wrong_url: string
  readonly #drop: () => Promise<void>
  workers: Worker[] = []
  #spare: Worker | undefined
  user_id = ''

  constructor(provider: LedgerProvider, place: Place, wrong_url: string, drop: () => Promise<void>) {
    this.provider = provider
    this.#place = place
    this.#wrong_url = wrong_url
    this.#drop = drop
  }

  /** Opens another process, and makes the next one ready. */
  async add(): Promise<void> {
    const worker = this.#spare ?? new Worker()
    this.#spare = undefined
    const { offset } = this.provider.clock
    await worker.tell({ do: 'open', location: this.#place, offset, wrong_url: this.#wrong_url })
    this.workers.push(worker)
  }

  /** Puts new processes in place of those that were killed. */
  async replaceDead(): Promise<void> {
    for (const worker of this.workers.filter(({ alive }) => !alive)) {
      this.workers.splice(this.workers.indexOf(worker), 1)
      await this.add()
      this.#spare = new Worker()
      // As upkeep's first turn: where no other process can be alive, it need not wait for the lease of the dead one.
      if ('sqlite' in this.#place) await this.workers[0]!.tell({ do: 'turn', ahead_ms: LEASE_MS })
    }
  }

  /** Lets time pass, for everybody. */
  async pass(ms: number): Promise<void> {
    this.provider.clock.offset += ms
    await Promise.all(this.living().map((worker) => worker.tell({ do: 'pass', ms })))
  }

  living(): Worker[] {
    return this.workers.filter(({ alive }) => alive)
  }

  /** Waits until one of the processes is dead. */
  async death(): Promise<void> {
    await Promise.race(this.workers.map(({ died }) => died))
  }

  async close(): Promise<void> {
    await Promise.all([...this.workers, ...(this.#spare ? [this.#spare] : [])].map((worker) => worker.stop()))
    await this.provider.close()
    await this.#drop()
  }
}

/** Opens a database with so many processes on it, one user, and a connector for each replay policy. */
export async function openRig(kind: 'sqlite' | 'postgres', processes: number): Promise<Rig> {
  const provider = await startLedgerProvider()
  const { place, drop } = await makeDatabase(kind)
  const impostor = createServer(createCertificate(['127.0.0.1']))
  impostor.listen(0, '127.0.0.1')
  await once(impostor, 'listening')
  const wrong_url = `https://127.0.0.1:${(impostor.address() as AddressInfo).port}/token`
  const rig = new Rig(provider, place, wrong_url, async () => {
    impostor.close()
    await drop()
  })
  while (rig.workers.length < processes) await rig.add()
  const [first] = rig.workers
  rig.user_id = await first!.tell<string>({ do: 'user' })
  for (const [connector, fields] of Object.entries(REPLAYS)) {
    const input = { connector, provider: 'oauth2', issuer: provider.issuer, client_id: 'web', client_secret: 'hush' }
    await first!.tell({ do: 'connector', input: { ...input, scope: 'api', fields } })
  }
  return rig
}

async function makeDatabase(kind: 'sqlite' | 'postgres'): Promise<{ place: Place; drop(): Promise<void> }> {
  if (kind === 'sqlite') {
    const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-refreshes-'))
    return { place: { sqlite: path.join(folder, 'store.db') }, drop: () => rm(folder, { recursive: true }) }
  }
  const server = await startPostgres()
  const database = await createDatabase(server.url)
  return {
    place: { postgres: database.url },
    async drop() {
      await database.drop()
      await server.stop()
    },
  }
}

/** What came of the runs of one fault. */
export interface Figures {
  runs: number
  /** Refresh tokens that the provider saw, and of them those that had a successor: within the record's replay, and not. */
  seen: number
  in_grace: number
  /** Presented once more when nothing was left to lose, which said needs_reconsent. */
  last_tries: number
  /** Connections that were lost, each by the provider's own rules, and those that said needs_reconsent for it. */
  lost: number
  needs_reconsent: number
  /** Said needs_reconsent and came back by themselves. */
  recovered: number
  /** What may never happen, one sentence each. */
  readonly wrong: string[]
}

let names = 0

/**
 * Plays runs of a fault: the number of a run says by which replay policy, whether the provider had done its work, and
 * whether the old token lives. Sixteen in a row are all there are.
 */
export async function playFault(rig: Rig, name: string, runs: readonly number[]): Promise<Figures> {
  const figures: Figures = {
    ...{ runs: runs.length, seen: 0, in_grace: 0, last_tries: 0, lost: 0, needs_reconsent: 0, recovered: 0, wrong: [] },
  }
  const replays = Object.keys(REPLAYS) as Replay[]
  for (const run of runs) {
    const fault = FAULTS[name]!
    const replay = replays[run % 4]!
    const rotated = fault.unheard ? false : (run >> 2) % 2 === 1
    const is_living = (run >> 3) % 2 === 1
    await playRun(rig, { name, fault, replay, rotated, is_living, figures })
  }
  return figures
}

interface Run {
  readonly name: string
  readonly fault: Fault
  readonly replay: Replay
  readonly rotated: boolean
  readonly is_living: boolean
  readonly figures: Figures
}

async function playRun(rig: Rig, run: Run): Promise<void> {
  const { name, fault, replay, rotated, is_living, figures } = run
  const say = (what: string) => {
    const how = `${replay}${rotated ? ', rotated' : ''}${is_living ? ', old token living' : ''}`
    figures.wrong.push(`${name} (${how}): ${what}`)
  }
  const code = `F${++names}`
  const family = rig.provider.open(code, replay)
  const { user_id } = rig
  const [first] = rig.workers
  const connection_id = await first!.tell<string>({ do: 'connect', connector: replay, user_id, code })
  const ask = { do: 'ask', connection_id, user_id, callers: CALLERS } as const
  await rig.pass(is_living ? HOUR - 20_000 : HOUR + 1000)

  fault.before?.(family)
  if (fault.theirs) family.faults.push(fault.theirs(rotated, Date.now() + rig.provider.clock.offset))
  if (fault.ours) await Promise.all(rig.workers.map((worker) => worker.tell({ do: 'arm', fault: fault.ours! })))
  const orders: Order[] = fault.upkeep ? [ask, { do: 'turn', ahead_ms: 10 * 24 * HOUR }] : [ask]
  const given = Promise.all(
    rig.workers.flatMap((worker) => orders.map((order) => worker.tell<Given[]>(order).catch(() => []))),
  )
  if (fault.ours?.startsWith('killed')) {
    // Whoever waits for the dead process takes over once its lease is over.
    await Promise.race([given, rig.death()])
    await Promise.all(rig.living().map((worker) => worker.tell({ do: 'arm', fault: null })))
    await rig.pass(LEASE_MS + 1000)
  }
  const answers = await given
  await rig.replaceDead()
  if (fault.ours) await Promise.all(rig.workers.map((worker) => worker.tell({ do: 'arm', fault: null })))
  if (fault.ours?.startsWith('clock')) await setBack(rig)
  checkGiven(run, family, answers.flat(), say)

  const answer = await settle(rig, family, ask, run)
  checkCalls(run, family, answer, say)
  const [sent, again] = family.calls
  if (fault.pause_ms && again!.at - sent!.at < fault.pause_ms) say(`asked again after ${again!.at - sent!.at} ms`)
}

// The processes whose clock jumped are told the right time again.
async function setBack(rig: Rig): Promise<void> {
  await Promise.all(rig.workers.map((worker) => worker.tell({ do: 'set', offset: rig.provider.clock.offset })))
}

/** While the old token lives nobody is left without one, except of what is known to be dead. */
function checkGiven(
  { is_living, name, fault }: Run,
  family: Family,
  given: readonly Given[],
  say: (what: string) => void,
) {
  for (const { kind, access_token } of given) {
    if (kind === undefined) continue
    if (kind === 'token' && access_token !== accessToken(family) && access_token !== `AT ${family.name} 1`) {
      say(`handed out ${access_token}, which is neither the first nor the last`)
    }
    const isDead = family.dead || name === 'invalid_grant once'
    if (is_living && kind !== 'token' && !isDead && !fault.ours?.startsWith('clock'))
      say(`${kind} while the old token lives`)
  }
}

/** Goes on asking, with upkeep's turns in between, until there is an answer that stays. */
async function settle(rig: Rig, family: Family, ask: Order, { is_living, name, figures }: Run): Promise<Given> {
  let answer: Given = { kind: 'nothing' }
  // Upkeep is first to look, half a minute later: within a grace period, and past the lease of a dead process.
  for (const wait of [31_000, is_living ? HOUR : 400_000, 400_000, 7_300_000, 24 * HOUR]) {
    await rig.pass(wait)
    await Promise.all(rig.workers.map((worker) => worker.tell({ do: 'turn' })))
    const worker = rig.workers[family.calls.length % rig.workers.length]!
    const given = await worker.tell<Given[]>(ask)
    answer = given[0]!
    if (given.length > 1) answer = { kind: 'several', reason: JSON.stringify(given) }
    if (answer.kind === 'token' && answer.access_token === accessToken(family)) return answer
    if (answer.kind === 'needs_reconsent' && name !== 'invalid_grant once') return answer
    if (answer.kind === 'needs_reconsent') figures.recovered++
  }
  return answer
}

function checkCalls(run: Run, family: Family, answer: Given, say: (what: string) => void): void {
  const { calls, opened_at } = family
  const { fault, rotated, figures } = run
  figures.seen += calls.length
  figures.in_grace += calls.filter(({ outcome }) => outcome === 'in_grace').length
  if (family.overlapped) say('two calls at once')
  const reused = calls.filter(({ outcome }) => outcome === 'reused')
  // A lost answer of a provider that takes no token twice: one attempt finds out, and says so.
  const lost_an_answer = reused.length > 0
  const is_lost = lost_an_answer || family.dead
  if (is_lost) figures.lost++
  const isLostAnswer = fault.loses === true || (fault.theirs !== undefined && rotated && !fault.brings)
  if (lost_an_answer && !(isLostAnswer && family.replay === 'ends_grant')) say('lost, although it could have been kept')
  if (reused.some(({ at }) => at < opened_at + HOUR)) say('what still served was put at risk')
  if (answer.kind === 'needs_reconsent') figures.needs_reconsent++
  if (is_lost && answer.kind !== 'needs_reconsent') say(`lost, and says ${JSON.stringify(answer)}`)
  if (!is_lost && answer.kind !== 'token') say(`not lost, and says ${JSON.stringify(answer)}`)
  if (reused.length > 1) say(`a token that had a successor was presented ${reused.length + 1} times`)
  if (reused.length === 1 && calls.at(-1)!.outcome !== 'reused') say('a call followed the one that had to be the last')
  if (lost_an_answer) figures.last_tries++
  if (answer.kind === 'token' && answer.access_token !== accessToken(family))
    say(`an old token: ${answer.access_token}`)
}
