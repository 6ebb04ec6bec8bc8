import { EgressError } from './egress_error.ts'

/** Bounds the calls under way per host, so that one slow host cannot hold every socket. */
export interface HostSlots {
  /** Waits for a place; the function it returns gives the place back and may be called more than once. */
  take(host: string, signal: AbortSignal): Promise<() => void>
}

interface Line {
  busy: number
  waiting: Array<() => void>
}

/** Creates the counters: `most` calls at once per host, `mostWaiting` behind them, the rest refused as busy. */
export function createHostSlots(most: number, mostWaiting: number): HostSlots {
  const lines = new Map<string, Line>()

  function giveBack(host: string, line: Line): void {
    const next = line.waiting.shift()
    if (next) next()
    else if (--line.busy === 0) lines.delete(host)
  }

  function waitIn(line: Line, host: string, signal: AbortSignal): Promise<void> {
    if (line.waiting.length >= mostWaiting) throw new EgressError('busy', host)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const enter = () => {
      signal.removeEventListener('abort', leave)
      resolve()
    }
    const leave = () => {
      line.waiting.splice(line.waiting.indexOf(enter), 1)
      reject(new EgressError('busy', host, { cause: signal.reason }))
    }
    signal.addEventListener('abort', leave, { once: true })
    line.waiting.push(enter)
    return promise
  }

  return {
    async take(host, signal) {
      const line = lines.get(host) ?? { busy: 0, waiting: [] }
      lines.set(host, line)
      if (line.busy < most) line.busy++
      else await waitIn(line, host, signal)
      let held = true
      return () => {
        if (held) giveBack(host, line)
        held = false
      }
    },
  }
}
