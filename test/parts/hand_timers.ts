import type { Timers } from '../../server/src/upkeep.ts'

/** Timers that run when told. */
export interface HandTimers extends Timers {
  /** Starts what is due after so long, and says how many there were. */
  pass(ms: number): number
  readonly waiting: number
}

/** Makes timers for a test. */
export function handTimers(): HandTimers {
  const waiting = new Map<number, { work: () => void; ms: number }>()
  let next = 0
  return {
    setTimeout: (work, ms) => {
      waiting.set(++next, { work, ms })
      return next
    },
    clearTimeout: (timer) => waiting.delete(timer as number),
    pass(ms) {
      const due = [...waiting].filter(([, timer]) => timer.ms <= ms)
      for (const [id] of due) waiting.delete(id)
      for (const [, { work }] of due) work()
      return due.length
    },
    get waiting() {
      return waiting.size
    },
  }
}
