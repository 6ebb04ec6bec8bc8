/** Chance, for spreading retries: a number from 0 up to 1. */
export type Random = () => number

const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 300_000
const LONGEST_ASKED_MS = 3_600_000

/** How long to wait after so many failures in a row: doubled each time, capped, jittered; never less than was asked. */
export function backoffMs(failures: number, random: Random, asked_ms = 0): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 20))
  return Math.round(Math.max(longest * (0.5 + random() / 2), Math.min(asked_ms, LONGEST_ASKED_MS)))
}

const FAILURES_TO_OPEN = 5

/**
 * The circuits of one process, one for each version of what is called, such as a connector: after five failures in a row
 * it is left alone for a while, then one call tries it.
 */
export class Circuits {
  readonly #circuits = new Map<string, { version: number; failures: number; open_until: number; tried: boolean }>()
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** Milliseconds until a call may try again; zero lets this caller through, and the next ones wait for its outcome. */
  waitMs(called: string, version: number, now: number): number {
    const circuit = this.#find(called, version)
    if (!circuit || circuit.failures < FAILURES_TO_OPEN) return 0
    if (circuit.open_until > now) return circuit.open_until - now
    circuit.open_until = now + backoffMs(circuit.failures - FAILURES_TO_OPEN, this.#random)
    circuit.tried = true
    return 0
  }

  /** Notes that whoever was called did their work. */
  succeed(called: string): void {
    this.#circuits.delete(called)
  }

  /**
   * Notes a failure; `at_once` opens the circuit, where trying again cannot help. Once it is open, it stays so for as
   * long as whoever was called has asked.
   */
  fail(called: string, version: number, now: number, { at_once = false, asked_ms = 0 } = {}): void {
    const circuit = this.#find(called, version)
    // Calls that were under way when it opened tell of the same outage: many at once must not make it a long one.
    if (circuit && circuit.failures >= FAILURES_TO_OPEN && !circuit.tried) return
    const failures = Math.max((circuit?.failures ?? 0) + 1, at_once ? FAILURES_TO_OPEN : 0)
    const open_until = now + backoffMs(Math.max(0, failures - FAILURES_TO_OPEN), this.#random, asked_ms)
    this.#circuits.set(called, { version, failures, open_until, tried: false })
  }

  #find(called: string, version: number) {
    const circuit = this.#circuits.get(called)
    return circuit?.version === version ? circuit : undefined
  }
}
