import {
  type AccessToken,
  earliest,
  type Family,
  groupByFamily,
  isOldFrom,
  mayBeOldFrom,
  mayHaveBeenRefused,
  mayHaveEndedFrom,
  type RefreshToken,
} from './families.ts'
import { endOf, mayHaveHappened, type Operation } from './history.ts'
import { checkObservation, type Observation } from './observation.ts'
import type { Invariant, Rules, Violation } from './violations.ts'

// Servers count the end of a token in whole seconds, and from a moment within the call that makes it.
const ROUNDING_MS = 1000

/**
 * Judges a whole history, and what the database holds afterwards. It knows nothing of the server but its answers: what
 * was answered must stay true, what was refused must have had a reason, and what is over stays over.
 */
export function check(operations: readonly Operation[], rules: Rules, observation?: Observation): Violation[] {
  const { families, strangers } = groupByFamily(operations)
  const violations = operations.flatMap(checkAnswer)
  for (const operation of strangers) {
    violations.push({
      invariant: 'I14',
      what: 'the test presented a token that it was never given',
      operations: [operation],
    })
  }
  const judged = families.map((family) => {
    const verdict = checkFamily(family, rules)
    for (const violation of verdict.violations) violations.push(violation)
    return { family, ended: verdict.ended, may_have_ended_from: verdict.may_have_ended_from }
  })
  if (observation) violations.push(...checkObservation(judged, operations, observation, rules))
  return violations
}

/** I14: a fault shows as an answer that is documented, or as none. */
function checkAnswer(operation: Operation): Violation[] {
  const { op, result } = operation
  if (!result || operation.t_ok !== undefined) return []
  if (result.status === 429 || result.status === 503) return []
  if ((op === 'exchange' || op === 'refresh') && result.status === 400 && result.error === 'invalid_grant') return []
  return [
    { invariant: 'I14', what: `${op} was answered with ${result.status} ${result.error}`, operations: [operation] },
  ]
}

/** Something that shows that a grant was over, at the latest when the call ended. */
interface Ending {
  readonly by: Operation
  readonly invariant: Invariant
  readonly what: string
}

function checkFamily(family: Family, rules: Rules) {
  const may_have_ended_from = mayHaveEndedFrom(family)
  const violations = [
    ...checkRedemptions(family, rules),
    ...[...family.refresh_tokens.values()].flatMap((token) => checkRefreshToken(family, token)),
    ...family.introspections.flatMap((operation) => checkActive(family, operation)),
  ]
  const endings = findEndings(family, rules)
  for (const { by, invariant, what } of endings) {
    if (by.op === 'revoke' || may_have_ended_from < endOf(by)) continue
    violations.push({ invariant, what: `${what}, and nothing had been done to end its grant`, operations: [by] })
  }
  const ended = endings.reduce<Ending | undefined>((a, b) => (a && endOf(a.by) <= endOf(b.by) ? a : b), undefined)
  if (ended) {
    for (const operation of [...family.exchanges, ...usesOf(family), ...family.introspections]) {
      if (operation.t_invoke <= endOf(ended.by) || !isSignOfLife(operation)) continue
      const invariant = ended.by.op === 'revoke' ? 'I3' : ended.by.op === 'exchange' ? 'I1' : 'I5'
      violations.push({ invariant, what: 'a grant that was over came back', operations: [ended.by, operation] })
    }
  }
  return { violations, ended: ended?.by, may_have_ended_from }
}

function usesOf(family: Family): Operation[] {
  return [...family.refresh_tokens.values()].flatMap(({ uses }) => uses)
}

function isSignOfLife({ op, t_ok, result }: Operation): boolean {
  return t_ok !== undefined && (op !== 'introspect' || result?.active === true)
}

/** Every call that was told, or ordered, that the grant is over. */
function findEndings(family: Family, rules: Rules): Ending[] {
  const endings: Ending[] = []
  for (const by of family.revocations) {
    if (by.t_ok !== undefined) endings.push({ by, invariant: 'I3', what: 'it was revoked' })
  }
  for (const by of usesOf(family)) {
    if (isRefused(by)) endings.push({ by, invariant: 'I6', what: 'a refresh token was refused' })
  }
  for (const by of family.exchanges) {
    // An expired code is refused whatever was done with it, and ends nothing.
    if (!isRefused(by) || mayBeExpired(family, by, rules)) continue
    const redeemed = family.exchanges.some((other) => mayHaveHappened(other) && other.t_invoke < endOf(by))
    if (redeemed) endings.push({ by, invariant: 'I1', what: 'a code was refused as used' })
  }
  for (const by of family.introspections) {
    if (by.result?.active === false && isDecisive(family, by)) {
      endings.push({ by, invariant: 'I2', what: 'a token that was answered is not active' })
    }
  }
  return endings
}

const isRefused = (operation: Operation) => operation.t_fail !== undefined && mayHaveBeenRefused(operation)

/** Whether nothing but the end of the grant can have made this token inactive. */
function isDecisive(family: Family, operation: Operation): boolean {
  const access = family.access_tokens.get(operation.key)
  if (access) {
    const revoked_from = earliest(access.revocations.filter(mayHaveHappened), ({ t_invoke }) => t_invoke)
    return revoked_from > endOf(operation) && expiryOf(access, access.born.t_invoke) - ROUNDING_MS > endOf(operation)
  }
  return mayBeOldFrom(family, family.refresh_tokens.get(operation.key)!) > endOf(operation)
}

function expiryOf({ born }: AccessToken, from: number): number {
  return from + (born.result?.expires_in ?? Number.POSITIVE_INFINITY) * 1000
}

/** I3 and I4: what was revoked by itself, is expired or superseded is not active. */
function checkActive(family: Family, operation: Operation): Violation[] {
  if (operation.result?.active !== true) return []
  const access = family.access_tokens.get(operation.key)
  if (!access) {
    const token = family.refresh_tokens.get(operation.key)!
    if (isOldFrom(family, token) > operation.t_invoke) return []
    return [
      { invariant: 'I4', what: 'a refresh token is active although its successor was used', operations: [operation] },
    ]
  }
  const revocation = access.revocations.find(({ t_ok }) => t_ok !== undefined && t_ok < operation.t_invoke)
  if (revocation) {
    const what = 'an access token is active after it was revoked'
    return [{ invariant: 'I3', what, operations: [revocation, operation] }]
  }
  if (expiryOf(access, endOf(access.born)) > operation.t_invoke) return []
  return [{ invariant: 'I2', what: 'an access token is active after its end', operations: [access.born, operation] }]
}

/** I1: a code is redeemed at most once and in its time; I6: and it is refused for a reason. */
function checkRedemptions(family: Family, rules: Rules): Violation[] {
  const violations: Violation[] = []
  const redeemed = family.exchanges.filter(({ t_ok }) => t_ok !== undefined)
  if (redeemed.length > 1) violations.push({ invariant: 'I1', what: 'a code was redeemed twice', operations: redeemed })
  for (const operation of redeemed) {
    if (operation.t_invoke <= endOf(family.born) + rules.code_lifetime_ms) continue
    violations.push({
      invariant: 'I1',
      what: 'a code was redeemed after its end',
      operations: [family.born, operation],
    })
  }
  for (const operation of family.exchanges) {
    if (!isRefused(operation) || mayBeExpired(family, operation, rules)) continue
    const redeemed_before = family.exchanges.some(
      (other) => other !== operation && mayHaveHappened(other) && other.t_invoke < endOf(operation),
    )
    if (redeemed_before) continue
    violations.push({
      invariant: 'I6',
      what: 'a code was refused that nobody had redeemed',
      operations: family.exchanges,
    })
  }
  return violations
}

function mayBeExpired(family: Family, operation: Operation, rules: Rules): boolean {
  return endOf(operation) >= family.born.t_invoke + rules.code_lifetime_ms - ROUNDING_MS
}

/** I4: one successor each, and none of two parents; I5: what is old is not taken. */
function checkRefreshToken(family: Family, token: RefreshToken): Violation[] {
  const violations: Violation[] = []
  const answered = token.uses.filter(({ t_ok }) => t_ok !== undefined)
  if (token.successors.size > 1) {
    violations.push({ invariant: 'I4', what: 'a refresh token has two successors', operations: answered })
  }
  const foreign = answered.filter(
    ({ result }) => family.refresh_tokens.get(result?.refresh_token ?? '')?.parent !== token,
  )
  if (foreign.length > 0) {
    violations.push({
      invariant: 'I4',
      what: 'a refresh token was answered that is not its successor',
      operations: foreign,
    })
  }
  const old_from = isOldFrom(family, token)
  const taken = answered.filter(({ t_invoke }) => t_invoke > old_from)
  if (taken.length > 0) {
    violations.push({ invariant: 'I5', what: 'an old refresh token was taken', operations: taken })
  }
  return violations
}
