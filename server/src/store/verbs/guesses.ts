import { NOW, type Run, sql, write } from '../sql.ts'

/** Counts a guess before it is checked (ASVS 6.3.1); answers until when further ones are refused, or 0. */
export const reserveGuess = write(
  function* (args: {
    tenant_id: string
    subject: string
    most: number
    window_ms: number
  }): Run<{ refused_until: number }> {
    for (;;) {
      const [row] = yield* sql<{ blocked_until: number; now: number }>`
        update guesses set
          failures = case when window_ends_at <= ${NOW} then 1 else failures + 1 end,
          blocked_until = case
            when blocked_until > ${NOW} then blocked_until
            when window_ends_at > ${NOW} and failures + 1 > ${args.most} then window_ends_at
            else 0 end,
          window_ends_at = case when window_ends_at <= ${NOW} then ${NOW} + ${args.window_ms} else window_ends_at end
        where tenant_id = ${args.tenant_id} and subject = ${args.subject}
        returning blocked_until, ${NOW} as now`
      if (row) return { refused_until: row.blocked_until > row.now ? row.blocked_until : 0 }
      // An ended window: the update above counts every guess, however many first ones come at once.
      yield* sql`
        insert into guesses (tenant_id, subject, failures, window_ends_at, blocked_until)
        values (${args.tenant_id}, ${args.subject}, 0, 0, 0) on conflict do nothing`
    }
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
