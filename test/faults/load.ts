import type { Call, Caller, History, Operation } from './history.ts'

/** A generator of numbers from 0 to 1 that a seed repeats (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Who calls, what they may ask for, and how. */
export interface LoadOptions {
  readonly history: History
  readonly caller: Caller
  readonly random: () => number
  readonly client_id: string
  /** Whether the client may introspect its refresh tokens: public ones may not (RFC 7662 section 2.1). */
  readonly confidential: boolean
  readonly resources: readonly string[]
  /** The resource server: it introspects access tokens. */
  readonly reader: string
}

/** A grant as the client that holds it keeps it. */
interface Held {
  readonly code: string
  readonly refresh_tokens: string[]
  readonly access_tokens: string[]
  /** A call without an answer: it is repeated before anything else is done with the grant. */
  unanswered?: Call
}

const MOST_HELD = 40

/**
 * One client of the load. It does what clients do, and what they do wrong: repeats, parallel calls of one token, codes
 * and refresh tokens used again. What it is told it remembers, over crashes of the server too.
 */
export class LoadClient {
  readonly #options: LoadOptions
  #held: Held[] = []

  constructor(options: LoadOptions) {
    this.#options = options
  }

  /** Does one thing: 30 code flows, 30 refreshes, 15 introspections, 10 revocations, 10 tokens of its own. */
  async step(): Promise<void> {
    const { random, reader } = this.#options
    await this.settle()
    const dice = random() * 95
    const held = this.#held[Math.floor(random() * this.#held.length)]
    if (dice < 30 || !held) await this.#authorize()
    else if (dice < 60) await this.#use(held)
    else if (dice < 75) await this.#introspect(held)
    else if (dice < 85) await this.#revoke(held)
    else await this.#record('client_credentials', reader, { client_id: reader, ...this.#anyResource() })
  }

  /** Repeats what was never answered. */
  async settle(): Promise<void> {
    for (const held of this.#held.filter(({ unanswered }) => unanswered)) {
      const { op } = held.unanswered!
      if (op === 'exchange') await this.#exchange(held)
      else if (op === 'refresh') await this.#refresh(held, [held.refresh_tokens.at(-1)!])
      else await this.#end(held, held.unanswered!)
    }
  }

  async #authorize(): Promise<void> {
    const { result, t_ok } = await this.#record('authorize', '', this.#anyResource())
    if (t_ok === undefined || result?.code === undefined) return
    const held: Held = { code: result.code, refresh_tokens: [], access_tokens: [] }
    this.#held.push(held)
    if (this.#held.length > MOST_HELD) this.#held.shift()
    // Some come back for their tokens later, perhaps to a server that has started anew.
    if (!this.#chance(0.1)) await this.#exchange(held)
  }

  async #exchange(held: Held): Promise<void> {
    const times = this.#chance(0.05) ? 3 : 1
    const tries = await Promise.all(Array.from({ length: times }, () => this.#record('exchange', held.code)))
    this.#keep(held, tries)
    // A code that comes twice ends its grant.
    const replayed = this.#chance(0.03) && held.refresh_tokens.length > 0
    if (replayed) await this.#record('exchange', held.code)
    if (replayed || times > 1) this.#drop(held)
  }

  async #use(held: Held): Promise<void> {
    const { refresh_tokens } = held
    const token = refresh_tokens.at(-1)
    if (token === undefined) return this.#exchange(held)
    if (refresh_tokens.length > 2 && this.#chance(0.03)) {
      await this.#record('refresh', refresh_tokens[0]!)
      return this.#drop(held)
    }
    const previous = refresh_tokens.at(-2)
    // A client whose answer was lost on the way comes again with the token that it has.
    if (previous !== undefined && this.#chance(0.1)) {
      const { t_unknown } = await this.#record('refresh', previous)
      if (t_unknown !== undefined) return
    }
    await this.#refresh(held, this.#chance(0.1) ? [token, token, token] : [token])
  }

  async #refresh(held: Held, tokens: readonly string[]): Promise<void> {
    this.#keep(held, await Promise.all(tokens.map((token) => this.#record('refresh', token))))
  }

  async #introspect(held: Held): Promise<void> {
    const { confidential, reader, random } = this.#options
    const known = confidential ? [...held.access_tokens, ...held.refresh_tokens] : held.access_tokens
    const token = known[Math.floor(random() * known.length)]
    if (token === undefined) return
    const own = held.refresh_tokens.includes(token)
    await this.#record('introspect', token, own ? {} : { client_id: reader })
  }

  async #revoke(held: Held): Promise<void> {
    const tokens = this.#chance(0.5) ? held.refresh_tokens : held.access_tokens
    const token = tokens.at(-1)
    if (token !== undefined) await this.#end(held, { op: 'revoke', key: token, args: this.#args() })
  }

  async #end(held: Held, call: Call): Promise<void> {
    const { t_ok, t_unknown } = await this.#options.history.record(call, this.#options.caller)
    delete held.unanswered
    if (t_unknown !== undefined) held.unanswered = call
    else if (t_ok !== undefined && held.refresh_tokens.includes(call.key)) this.#drop(held)
  }

  /** Keeps what was answered; remembers what was not. */
  #keep(held: Held, tries: readonly Operation[]): void {
    delete held.unanswered
    const answer = tries.find(({ t_ok }) => t_ok !== undefined)?.result
    if (answer) {
      held.access_tokens.push(answer.access_token!)
      held.refresh_tokens.push(answer.refresh_token!)
      return
    }
    const lost = tries.find(({ t_unknown }) => t_unknown !== undefined)
    if (lost) held.unanswered = { op: lost.op, key: lost.key, args: lost.args }
    else if (tries.every(({ result }) => result?.error === 'invalid_grant')) this.#drop(held)
  }

  #drop(held: Held): void {
    this.#held = this.#held.filter((other) => other !== held)
  }

  #record(op: Call['op'], key: string, args: Partial<Call['args']> = {}): Promise<Operation> {
    const { history, caller } = this.#options
    return history.record({ op, key, args: { ...this.#args(), ...args } }, caller)
  }

  #args(): Call['args'] {
    return { client_id: this.#options.client_id }
  }

  #anyResource(): { resource: string } {
    const { resources, random } = this.#options
    return { resource: resources[Math.floor(random() * resources.length)]! }
  }

  #chance(share: number): boolean {
    return this.#options.random() < share
  }
}

/** Keeps clients busy until they are told to stop or have done enough; answers when their last call is over. */
export async function runLoad(
  clients: readonly LoadClient[],
  until: { signal?: AbortSignal; steps?: number },
): Promise<void> {
  const { signal, steps = Number.POSITIVE_INFINITY } = until
  let done = 0
  await Promise.all(
    clients.map(async (client) => {
      while (!signal?.aborted && done < steps) {
        done++
        await client.step()
      }
    }),
  )
}

/** Introspects every token that was presented or answered from one place of the history on: the reader at the end. */
export async function introspectAll(
  history: History,
  caller: Caller,
  options: { reader: string; confidential: (client_id: string) => boolean; from?: number; at_once?: number },
): Promise<number> {
  const calls = new Map<string, Call>()
  const add = (token: string | undefined, client_id: string) => {
    if (token !== undefined) calls.set(token, { op: 'introspect', key: token, args: { client_id } })
  }
  for (const { op, args, result, t_ok } of history.operations.slice(options.from ?? 0)) {
    if (t_ok === undefined || op === 'introspect' || op === 'revoke') continue
    add(result?.access_token, options.reader)
    if (options.confidential(args.client_id)) add(result?.refresh_token, args.client_id)
  }
  const queue = [...calls.values()]
  const count = queue.length
  const work = async () => {
    for (let call = queue.pop(); call; call = queue.pop()) await history.record(call, caller)
  }
  await Promise.all(Array.from({ length: options.at_once ?? 32 }, work))
  return count
}
