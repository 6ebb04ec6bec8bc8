/** What a client may call: the authorization endpoint with a living session, and the endpoints for machines. */
export type OperationName = 'authorize' | 'exchange' | 'refresh' | 'introspect' | 'revoke' | 'client_credentials'

/** What an answer said. */
export interface Result {
  readonly status: number
  readonly error?: string
  readonly code?: string
  readonly access_token?: string
  readonly refresh_token?: string
  readonly expires_in?: number
  readonly active?: boolean
}

/** A call that is about to be made: `key` is the code or token that it presents, or the client that acts by itself. */
export interface Call {
  readonly op: OperationName
  readonly key: string
  readonly args: { readonly client_id: string; readonly resource?: string }
}

/** A call as its client lived it: invoked, then answered, refused, or nobody knows (reliability 4.2). */
export interface Operation extends Call {
  readonly t_invoke: number
  t_ok?: number
  t_fail?: number
  /** A timeout or a cut connection: it may have happened, or not. */
  t_unknown?: number
  result?: Result
}

/** No answer came, or only a part of one: whether the call happened is unknown. */
export class Unanswered extends Error {}

/** Performs a call; throws `Unanswered` when the outcome is unknown. */
export type Caller = (call: Call) => Promise<Result>

/** When a call was over; one that is still open may end at any time. */
export function endOf(operation: Operation): number {
  return operation.t_ok ?? operation.t_fail ?? operation.t_unknown ?? Number.POSITIVE_INFINITY
}

/** Whether a call may have changed something: a 503 promises that it has not (invariant I6). */
export function mayHaveHappened(operation: Operation): boolean {
  return operation.t_fail === undefined
}

/**
 * Everything that the clients of one test did, in one order of time: each call is written down before it is sent and
 * after it is answered, and no two moments are equal.
 */
export class History {
  readonly operations: Operation[] = []
  readonly #clock: () => number
  readonly #open = new Set<Operation>()
  #latest = 0

  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** How many calls are under way. */
  get open(): number {
    return this.#open.size
  }

  /** The moment now, later than every one before it. */
  now(): number {
    this.#latest = Math.max(this.#clock(), this.#latest + 0.001)
    return this.#latest
  }

  /** Makes a call and records what came of it. */
  async record(call: Call, caller: Caller): Promise<Operation> {
    const operation: Operation = { ...call, t_invoke: this.now() }
    this.operations.push(operation)
    this.#open.add(operation)
    try {
      operation.result = await caller(call)
      if (operation.result.status < 400 && operation.result.error === undefined) operation.t_ok = this.now()
      else operation.t_fail = this.now()
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error
      operation.t_unknown = this.now()
    } finally {
      this.#open.delete(operation)
    }
    return operation
  }
}
