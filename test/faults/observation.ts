import type { Family } from './families.ts'
import { mayHaveHappened, type Operation } from './history.ts'
import type { Invariant, Rules, Violation } from './violations.ts'

/** A grant as the database holds it. */
export interface ObservedGrant {
  readonly redeemed: boolean
  readonly revoked: boolean
  readonly refresh_generation: number
  /** How often the audit log says that it was made, and that it ended. */
  readonly created_events: number
  readonly revoked_events: number
}

/** What the database holds while nobody writes. */
export interface Observation {
  /** When it was read, on the clock of the history. */
  readonly at: number
  /** What the database's own examination found; nothing, when it is whole. */
  readonly damage: readonly string[]
  /** By code. */
  readonly grants: ReadonlyMap<string, ObservedGrant>
  /** Grants that belong to no code that anybody was told of. */
  readonly unknown_grants: number
}

/** A grant, and what its history says about its end. */
export interface JudgedFamily {
  readonly family: Family
  /** The call that shows that it is over. */
  readonly ended: Operation | undefined
  readonly may_have_ended_from: number
}

/** Compares what the database holds with what was answered: everything is there, and nothing else (I1 to I6, I10, I13). */
export function checkObservation(
  judged: readonly JudgedFamily[],
  operations: readonly Operation[],
  observation: Observation,
  rules: Rules,
): Violation[] {
  const violations: Violation[] = observation.damage.map((what) => ({ invariant: 'I13', what, operations: [] }))
  for (const entry of judged) {
    const { code, born } = entry.family
    if (code === undefined) continue
    const grant = observation.grants.get(code)
    if (grant) violations.push(...compare(entry, grant))
    else if (isKept(entry.family, observation, rules)) {
      violations.push({ invariant: 'I2', what: 'a grant that was answered is not there', operations: [born] })
    }
  }
  const unanswered = operations.filter(({ op, t_unknown }) => op === 'authorize' && t_unknown !== undefined)
  if (observation.unknown_grants > unanswered.length) {
    const what = `${observation.unknown_grants} grants belong to no code, and only ${unanswered.length} may`
    violations.push({ invariant: 'I6', what, operations: unanswered })
  }
  return violations
}

// A code that nobody came back for is swept some time after its end.
function isKept(family: Family, observation: Observation, rules: Rules): boolean {
  const redeemed = family.exchanges.some(({ t_ok }) => t_ok !== undefined)
  return redeemed || observation.at < family.born.t_invoke + rules.code_lifetime_ms
}

function compare({ family, ended, may_have_ended_from }: JudgedFamily, grant: ObservedGrant): Violation[] {
  const violations: Violation[] = []
  const complain = (invariant: Invariant, what: string, about: readonly Operation[]) =>
    violations.push({ invariant, what: `${what} (${JSON.stringify(grant)})`, operations: [family.born, ...about] })
  const { exchanges } = family
  const answered = exchanges.filter(({ t_ok }) => t_ok !== undefined)
  if (answered.length > 0 && !grant.redeemed) complain('I2', 'a redemption that was answered is not there', answered)
  if (grant.redeemed && !exchanges.some(mayHaveHappened)) complain('I6', 'a code is spent without an answer', exchanges)

  const rotations = [...family.refresh_tokens.values()].flatMap(({ uses }) => uses)
  const { least, most } = generations(family)
  if (grant.refresh_generation < least) complain('I2', `a rotation is not there: ${least} were answered`, rotations)
  if (grant.refresh_generation > most) complain('I6', `a rotation nobody asked for: ${most} at most`, rotations)

  if (ended && !grant.revoked) complain(ended.op === 'revoke' ? 'I3' : 'I5', 'a grant that was over is alive', [ended])
  if (grant.revoked && may_have_ended_from === Number.POSITIVE_INFINITY) {
    complain('I2', 'a grant has ended, and nothing had been done to end it', exchanges)
  }
  if (grant.created_events !== 1) complain('I10', 'the audit log does not say once that the grant was made', [])
  if (grant.revoked_events !== (grant.revoked ? 1 : 0)) complain('I10', 'the audit log errs about its end', [])
  return violations
}

/** How many refresh tokens a grant must have had, and may have had: the newest may have been used without an answer. */
function generations({ exchanges, refresh_tokens }: Family): { least: number; most: number } {
  const least = refresh_tokens.size
  if (least === 0) return { least, most: exchanges.some((exchange) => isUnanswered(exchange)) ? 1 : 0 }
  const newest = [...refresh_tokens.values()].filter(({ successors }) => successors.size === 0)
  return { least, most: least + (newest.some(({ uses }) => uses.some(isUnanswered)) ? 1 : 0) }
}

const isUnanswered = ({ t_ok, t_fail }: Operation) => t_ok === undefined && t_fail === undefined
