import type { Letter } from './letter.ts'
import type { Mailer } from './mailer.ts'

/** A letter and the address it goes to. */
export interface Posting {
  readonly to: string
  readonly letter: Letter
}

const MOST_WAITING = 1000
const AT_ONCE = 4

/**
 * What is done about letters after an answer has left: to find whom to write to, and to write, takes time that would
 * tell whether there is anybody (ASVS 6.3.8). Without a mailer nothing is sent, and pages do not offer it.
 */
export class Outbox {
  readonly #mailer: Mailer | null
  readonly #report: (what: string, cause: unknown) => void
  readonly #waiting: (() => Promise<readonly Posting[]>)[] = []
  readonly #running = new Set<Promise<void>>()

  constructor(mailer: Mailer | null, report: (what: string, cause: unknown) => void) {
    this.#mailer = mailer
    this.#report = report
  }

  /** Whether letters can be sent. */
  get on(): boolean {
    return this.#mailer !== null
  }

  /** Sends what `prepare` comes up with, later; false when too much is waiting already. */
  post(prepare: () => Promise<readonly Posting[]>): boolean {
    if (!this.#mailer) return false
    if (this.#waiting.length >= MOST_WAITING) {
      this.#report('a letter was dropped: too many are waiting', undefined)
      return false
    }
    this.#waiting.push(prepare)
    setImmediate(() => this.#start())
    return true
  }

  /** Waits for all that is under way. */
  async settle(): Promise<void> {
    while (this.#waiting.length > 0 || this.#running.size > 0) {
      this.#start()
      await Promise.all(this.#running)
    }
  }

  #start(): void {
    while (this.#running.size < AT_ONCE) {
      const prepare = this.#waiting.shift()
      if (!prepare) return
      const sent = this.#send(prepare).finally(() => {
        this.#running.delete(sent)
        this.#start()
      })
      this.#running.add(sent)
    }
  }

  async #send(prepare: () => Promise<readonly Posting[]>): Promise<void> {
    try {
      for (const { to, letter } of await prepare()) await this.#mailer!.send(to, letter)
    } catch (cause) {
      this.#report('a letter was not sent', cause)
    }
  }
}
