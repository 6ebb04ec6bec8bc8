import type { Operation } from './history.ts'

/** The invariants of reliability 4.2 that are judged here. */
export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I10' | 'I13' | 'I14'

/** A broken invariant, and the calls that show it. */
export interface Violation {
  readonly invariant: Invariant
  readonly what: string
  readonly operations: readonly Operation[]
}

/** How long a code lives, in milliseconds: after that it must give nothing, and until then it may not be refused. */
export interface Rules {
  readonly code_lifetime_ms: number
}

/** Some lines for people: what is broken, and what was called when. */
export function describeViolations(violations: readonly Violation[]): string {
  const lines = violations
    .slice(0, 20)
    .flatMap(({ invariant, what, operations }) => [
      `${invariant}: ${what}`,
      ...operations.slice(0, 12).map((operation) => `    ${JSON.stringify(operation, shorten)}`),
    ])
  return [`${violations.length} violations`, ...lines].join('\n')
}

function shorten(_: string, value: unknown): unknown {
  return typeof value === 'string' && value.length > 40 ? `${value.slice(0, 12)}…${value.slice(-12)}` : value
}
