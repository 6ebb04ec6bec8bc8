import type { VaultErrorCode } from './vault_error.ts'

/** How often and how long somebody waits. */
export interface Patience {
  readonly retries: number
  readonly longest_wait_seconds: number
  readonly wait: (ms: number, signal?: AbortSignal | null) => Promise<void>
}

/** Why an outcome need not be the last word, and after how many seconds there may be another; unknown is for ever. */
export interface PutOff {
  readonly because: number | VaultErrorCode
  readonly after_seconds: number | undefined
}

/** One thing that is tried, until its outcome, a value or an error, is not put off any more, or too long, or too often. */
export async function persist<T>(
  { retries, longest_wait_seconds, wait }: Patience,
  trying: {
    attempt(): Promise<T>
    /** Why it may be tried again; undefined where it may not. */
    judge(outcome: unknown): PutOff | undefined
    /** Told before each wait; the outcome is not needed any more. */
    onRetry(because: PutOff['because'], after_seconds: number, outcome: unknown): void
    readonly signal?: AbortSignal | null | undefined
  },
): Promise<T> {
  for (let tries = 0; ; tries++) {
    const { value, error, threw } = await trying.attempt().then(
      (value) => ({ value, error: undefined, threw: false as const }),
      (error: unknown) => ({ value: undefined, error, threw: true as const }),
    )
    const outcome = threw ? error : value
    const { because = 0, after_seconds = Infinity } = trying.judge(outcome) ?? {}
    if (tries >= retries || after_seconds > longest_wait_seconds) {
      if (threw) throw error
      return value
    }
    trying.onRetry(because, after_seconds, outcome)
    await wait(after_seconds * 1000, trying.signal)
  }
}

/** Waits by a timer, or until the signal is aborted. */
export function sleep(ms: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const end = () => {
      clearTimeout(timer)
      reject(signal!.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end)
      resolve()
    }, ms)
    signal?.addEventListener('abort', end, { once: true })
  })
}
