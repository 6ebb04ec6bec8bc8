import { NOW, type Run, sql, write } from '../sql.ts'

/** How many guesses a subject has: so many in a window, and then none until it ends or, with a delay, one after each. */
export interface GuessLimit {
  readonly most: number
  readonly window_ms: number
  /** How long to wait after the last of the window; it doubles with each guess after that. Zero is until the window ends. */
  readonly delay_ms?: number
  readonly longest_delay_ms?: number
}

/**
 * Counts a guess before it is checked (ASVS 6.3.1), by one conditional update: of many at the same time no more pass than
 * one after the other. Answers until when this one is refused, or 0, and whether it was the last before a refusal.
 */
export const reserveGuess = write(
  function* (
    args: { tenant_id: string; subject: string } & GuessLimit,
  ): Run<{ refused_until: number; reached: boolean }> {
    const { tenant_id, subject, most, window_ms } = args
    const first = args.delay_ms ?? 0
    const longest = Math.max(first, args.longest_delay_ms ?? first)
    const doublings = first === 0 ? 0 : Math.ceil(Math.log2(longest / first))
    for (;;) {
      const [counted] = yield* sql<{ blocked_until: number }>`
        update guesses set
          failures = failures + 1,
          blocked_until = case
            when failures + 1 < ${most} then 0
            when ${first} = 0 then window_ends_at
            when failures + 1 - ${most} >= ${doublings} then ${NOW} + ${longest}
            else ${NOW} + (${first} << cast(failures + 1 - ${most} as integer)) end,
          window_ends_at = case
            when failures + 1 < ${most} or ${first} = 0 then window_ends_at
            when failures + 1 - ${most} >= ${doublings} then ${NOW} + ${longest + window_ms}
            else ${NOW} + (${first} << cast(failures + 1 - ${most} as integer)) + ${window_ms} end
        where tenant_id = ${tenant_id} and subject = ${subject} and window_ends_at > ${NOW} and blocked_until <= ${NOW}
        returning blocked_until`
      if (counted) return { refused_until: 0, reached: counted.blocked_until > 0 }
      const [blocked] = yield* sql<{ blocked_until: number }>`
        select blocked_until from guesses
        where tenant_id = ${tenant_id} and subject = ${subject} and window_ends_at > ${NOW} and blocked_until > ${NOW}`
      if (blocked) return { refused_until: blocked.blocked_until, reached: false }
      yield* sql`
        insert into guesses (tenant_id, subject, failures, window_ends_at, blocked_until)
        values (${tenant_id}, ${subject}, 0, ${NOW} + ${window_ms}, 0)
        on conflict (tenant_id, subject) do update
        set failures = 0, window_ends_at = excluded.window_ends_at, blocked_until = 0
        where guesses.window_ends_at <= ${NOW}`
    }
  },
  { key: (args) => `${args.tenant_id}/${args.subject}` },
)

/** Takes a counted guess back: it was right, or it was not evaluated. */
export const returnGuess = write(
  function* (args: { tenant_id: string; subject: string }): Run<void> {
    yield* sql`
      update guesses set failures = failures - 1, blocked_until = 0
      where tenant_id = ${args.tenant_id} and subject = ${args.subject} and failures > 0`
  },
  { key: (args) => `${args.tenant_id}/${args.subject}` },
)

/** Forgets the guesses at a secret after it was given rightly. */
export const forgetGuesses = write(
  function* (args: { tenant_id: string; subject: string }): Run<void> {
    yield* sql`delete from guesses where tenant_id = ${args.tenant_id} and subject = ${args.subject}`
  },
  { key: (args) => `${args.tenant_id}/${args.subject}`, repeatable: true },
)
