import { type Call, type Result, Unanswered } from './history.ts'
import type { Observation, ObservedGrant } from './observation.ts'

/** What can be wrong with a server: each is a fault that its checker must see. */
export const FAULTS = [
  'a crash drops the last commits',
  'a crash brings back what was revoked',
  'a code is redeemed twice',
  'a code is redeemed after its end',
  'a code is consumed without an answer',
  'a code is answered before it is stored',
  'a replayed code leaves its grant',
  'a retry forks the successor',
  'a retry is refused',
  'an old refresh token is taken',
  'an old refresh token leaves its grant',
  'an old refresh token stays active',
  'a revocation is lost',
  'a revocation is answered before it is done',
  'the revocation of an access token is lost',
  'a grant ends for no reason',
  'a failure is answered with 500',
  'the audit log misses an event',
  'the database is damaged',
] as const
/** One of them. */
export type Fault = (typeof FAULTS)[number]

interface Grant {
  readonly code: string
  readonly created_at: number
  redeemed: boolean
  revoked: boolean
  generation: number
  tokens: string[]
  created_events: number
  revoked_events: number
}

interface Access {
  readonly grant: Grant | null
  readonly expires_at: number
  revoked: boolean
}

interface Pending {
  readonly call: Call
  readonly resolve: (result: Result) => void
  readonly reject: (error: Error) => void
  answer?: Result
}

/** How long its codes live. */
export const CODE_LIFETIME_MS = 10_000
const ACCESS_LIFETIME_SECONDS = 600
const REFUSED: Result = { status: 400, error: 'invalid_grant' }

/**
 * The rules of codes, refresh tokens and revocation over plain memory, as the real server should keep them, or with one
 * fault. Calls wait until the schedule runs them, and their answers wait once more, so that they overlap in any way.
 */
export class SimulatedServer {
  now = 0
  readonly #random: () => number
  readonly #fault: Fault | undefined
  readonly #grants = new Map<string, Grant>()
  readonly #byRefreshToken = new Map<string, Grant>()
  readonly #access = new Map<string, Access>()
  readonly #pending: Pending[] = []
  readonly #late: (() => void)[] = []
  #undo: (() => void)[] = []
  #names = 0

  constructor(random: () => number, fault?: Fault) {
    this.#random = random
    this.#fault = fault
  }

  /** A call as the load makes it. */
  readonly call = (call: Call): Promise<Result> =>
    new Promise((resolve, reject) => this.#pending.push({ call, resolve, reject }))

  /** Serves until some work that calls it is done; it crashes once in so many turns. */
  async run(work: Promise<unknown>, crash_every: number): Promise<void> {
    let done = false
    const end = () => {
      done = true
    }
    work.then(end, end)
    while (!done) {
      this.now += this.#random() * 20
      const answered = this.#random() * crash_every < 1 ? this.#crash() : this.#advance()
      // Whoever was answered goes on in microtasks: then the next calls are here.
      for (let turns = 0; answered && turns < 8; turns++) await undefined
    }
    await work
  }

  /** Serves one call, or answers one that was served; says whether somebody was answered. */
  #advance(): boolean {
    const index = Math.floor(this.#random() * this.#pending.length)
    const pending = this.#pending[index]
    if (!pending) return true
    if (!pending.answer) {
      pending.answer = this.#serve(pending.call)
      return false
    }
    this.#pending.splice(index, 1)
    if (this.#random() < 0.01) this.#late.shift()?.()
    // A connection may be cut although the server lives.
    if (this.#random() < 0.002) pending.reject(new Unanswered('cut'))
    else pending.resolve(pending.answer)
    return true
  }

  #crash(): boolean {
    if (this.#has('a crash drops the last commits')) for (const undo of this.#undo.splice(-20).reverse()) undo()
    if (this.#has('a crash brings back what was revoked')) {
      const revoked = [...this.#grants.values()].filter((grant) => grant.revoked).slice(-3)
      for (const grant of revoked) grant.revoked = false
    }
    this.#late.length = 0
    for (const { reject, answer, call } of this.#pending.splice(0)) {
      if (!answer && this.#random() < 0.5) this.#serve(call)
      reject(new Unanswered('crashed'))
    }
    return true
  }

  #serve(call: Call): Result {
    // Overload turns calls away before they are judged.
    if (this.#random() < 0.001) return { status: 503, error: 'temporarily_unavailable' }
    if (this.#rarely('a failure is answered with 500')) return { status: 500, error: 'server_error' }
    if (this.#rarely('a grant ends for no reason')) this.#revoke([...this.#grants.values()].at(-1))
    switch (call.op) {
      case 'authorize':
        return this.#authorize()
      case 'exchange':
        return this.#exchange(call.key)
      case 'refresh':
        return this.#refresh(call.key)
      case 'introspect':
        return { status: 200, active: this.#isActive(call.key) }
      case 'revoke':
        return this.#revokeToken(call.key)
      case 'client_credentials':
        return { status: 200, ...this.#issueAccess(null) }
    }
  }

  #authorize(): Result {
    const code = this.#name('code')
    const events = { created_events: this.#rarely('the audit log misses an event') ? 0 : 1, revoked_events: 0 }
    const state = { redeemed: false, revoked: false, generation: 0, tokens: [] }
    if (!this.#rarely('a code is answered before it is stored')) {
      this.#grants.set(code, { code, created_at: this.now, ...state, ...events })
    }
    return { status: 302, code }
  }

  #exchange(code: string): Result {
    const grant = this.#grants.get(code)
    if (!grant || grant.revoked) return REFUSED
    const late = grant.created_at + CODE_LIFETIME_MS <= this.now
    if (late && !this.#has('a code is redeemed after its end')) return REFUSED
    if (grant.redeemed && !this.#rarely('a code is redeemed twice', 0.5)) {
      if (!this.#has('a replayed code leaves its grant')) this.#revoke(grant)
      return REFUSED
    }
    grant.redeemed = true
    if (this.#rarely('a code is consumed without an answer')) return { status: 503, error: 'temporarily_unavailable' }
    this.#rotate(grant)
    return { status: 200, ...this.#issueAccess(grant), refresh_token: grant.tokens.at(-1)! }
  }

  #refresh(token: string): Result {
    const grant = this.#byRefreshToken.get(token)
    if (!grant || grant.revoked) return REFUSED
    const generation = grant.tokens.indexOf(token) + 1
    if (generation === 0) return REFUSED
    if (generation < grant.generation - 1) {
      if (!this.#has('an old refresh token leaves its grant')) {
        if (!this.#has('an old refresh token is taken')) this.#revoke(grant)
      }
      if (!this.#has('an old refresh token is taken')) return REFUSED
    } else if (generation === grant.generation) {
      this.#rotate(grant)
    } else if (this.#rarely('a retry is refused', 0.5)) {
      return REFUSED
    } else if (this.#rarely('a retry forks the successor', 0.5)) {
      const fork = this.#name('refresh')
      this.#byRefreshToken.set(fork, grant)
      return { status: 200, ...this.#issueAccess(grant), refresh_token: fork }
    }
    return { status: 200, ...this.#issueAccess(grant), refresh_token: grant.tokens[generation]! }
  }

  #rotate(grant: Grant): void {
    const token = this.#name('refresh')
    grant.tokens.push(token)
    grant.generation++
    this.#byRefreshToken.set(token, grant)
    this.#undo.push(() => {
      grant.generation--
      grant.tokens.pop()
      if (grant.generation === 0) grant.redeemed = false
    })
    if (this.#undo.length > 100) this.#undo = this.#undo.slice(-20)
  }

  #issueAccess(grant: Grant | null): { access_token: string; expires_in: number } {
    const access_token = this.#name('access')
    const expires_at = this.now + ACCESS_LIFETIME_SECONDS * 1000
    this.#access.set(access_token, { grant, expires_at, revoked: false })
    return { access_token, expires_in: ACCESS_LIFETIME_SECONDS }
  }

  #isActive(token: string): boolean {
    const access = this.#access.get(token)
    if (access) return !access.revoked && access.expires_at > this.now && access.grant?.revoked !== true
    const grant = this.#byRefreshToken.get(token)
    if (!grant || grant.revoked) return false
    const generation = grant.tokens.indexOf(token) + 1
    return generation >= grant.generation - 1 || this.#has('an old refresh token stays active')
  }

  #revokeToken(token: string): Result {
    const access = this.#access.get(token)
    const grant = this.#byRefreshToken.get(token)
    if (access) access.revoked = !this.#has('the revocation of an access token is lost')
    else if (this.#has('a revocation is answered before it is done')) this.#late.push(() => this.#revoke(grant))
    else if (!this.#rarely('a revocation is lost', 0.1)) this.#revoke(grant)
    return { status: 200 }
  }

  #revoke(grant: Grant | undefined): void {
    if (!grant || grant.revoked) return
    grant.revoked = true
    grant.revoked_events++
  }

  /** What is in its memory, as a database would show it; codes that nobody was told of are counted. */
  observe(codes: ReadonlySet<string>): Observation {
    const grants = new Map<string, ObservedGrant>()
    let unknown_grants = 0
    for (const { code, generation, ...grant } of this.#grants.values()) {
      if (codes.has(code)) grants.set(code, { ...grant, refresh_generation: generation })
      else unknown_grants++
    }
    const damage = this.#has('the database is damaged') ? ['row 7 missing from index'] : []
    return { at: this.now, damage, grants, unknown_grants }
  }

  #name(kind: string): string {
    return `${kind}-${++this.#names}`
  }

  #has(fault: Fault): boolean {
    return this.#fault === fault
  }

  #rarely(fault: Fault, share = 0.02): boolean {
    return this.#has(fault) && this.#random() < share
  }
}
