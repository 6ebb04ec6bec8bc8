/** How far long work has come. */
export interface Progress {
  /** So much is done by now; `total` is what there is, as far as it is known. */
  tell(done: number, total?: number): void
  /** The work is over: nothing of the line stays behind. */
  end(): void
}

/** Where progress is told, and when: the standard error and the clock, except in tests. */
export interface Told {
  readonly is_terminal: boolean
  readonly width: number
  write(text: string): void
  now(): number
}

const REWRITE_EVERY_MS = 200
const LINE_EVERY_MS = 10_000
const CLEAR = '\r\u001b[K'

const STDERR: Told = {
  is_terminal: process.stderr.isTTY === true,
  // Windows are made narrower while long work goes on.
  get width() {
    return process.stderr.columns || 80
  },
  write: (text) => void process.stderr.write(text),
  now: () => performance.now(),
}

/**
 * Tells on the standard error how far work has come, never on the standard output: on a terminal in one line that is
 * written anew, elsewhere in a line every ten seconds; with `json` each line is an object.
 */
export function showProgress(work: string, unit: string, json: boolean, at: Told = STDERR): Progress {
  const began = at.now()
  const rewrites = at.is_terminal && !json
  const every = rewrites ? REWRITE_EVERY_MS : LINE_EVERY_MS
  let told = began
  let is_shown = false
  return {
    tell(done, total) {
      const now = at.now()
      if (now < told + every) return
      told = now
      const pace = measure(done, total, (now - began) / 1000)
      if (json) at.write(`${JSON.stringify({ progress: { work, unit, done, total: total ?? null, ...pace } })}\n`)
      else if (rewrites) at.write(`${CLEAR}${describe(work, unit, done, total, pace).slice(0, at.width - 1)}`)
      else at.write(`sallyport: ${describe(work, unit, done, total, pace)}\n`)
      is_shown = true
    },
    end() {
      if (rewrites && is_shown) at.write(CLEAR)
      is_shown = false
    },
  }
}

interface Pace {
  readonly per_second: number
  /** Null where the whole is not known. */
  readonly seconds_left: number | null
}

function measure(done: number, total: number | undefined, seconds: number): Pace {
  const rate = done / Math.max(seconds, 0.001)
  const left = total === undefined || rate === 0 ? null : Math.ceil(Math.max(0, total - done) / rate)
  return { per_second: Math.round(rate), seconds_left: left }
}

function describe(work: string, unit: string, done: number, total: number | undefined, pace: Pace): string {
  const { per_second, seconds_left } = pace
  const share = total ? ` (${Math.min(100, Math.floor((done / total) * 100))} %)` : ''
  const whole = total === undefined ? `${format(done)} ${unit}` : `${format(done)} of ${format(total)} ${unit}${share}`
  const rest = seconds_left === null ? '' : `, ${describeTime(seconds_left)} left`
  return `${work}: ${whole}, ${format(per_second)} a second${rest}`
}

const format = (number: number) => number.toLocaleString('en').replaceAll(',', ' ')

function describeTime(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
