import { endOf, mayHaveHappened, type Operation } from './history.ts'

/** A refresh token that somebody was told of. */
export interface RefreshToken {
  readonly token: string
  /** The call whose answer first held it. */
  readonly born: Operation
  readonly parent: RefreshToken | null
  readonly successors: Set<string>
  readonly uses: Operation[]
}

/** An access token that somebody was told of. */
export interface AccessToken {
  readonly born: Operation
  readonly revocations: Operation[]
}

/** One grant as its clients know it: the code and all that descends from it; or one token of a client by itself. */
export interface Family {
  /** Undefined for the token of a client by itself. */
  readonly code: string | undefined
  /** The call that made it. */
  readonly born: Operation
  readonly exchanges: Operation[]
  readonly refresh_tokens: Map<string, RefreshToken>
  readonly access_tokens: Map<string, AccessToken>
  /** Revocations of its refresh tokens, each of which ends all of it. */
  readonly revocations: Operation[]
  readonly introspections: Operation[]
}

/** Sorts a history by grant; answers also the calls that presented what nobody was ever given. */
export function groupByFamily(operations: readonly Operation[]): { families: Family[]; strangers: Operation[] } {
  const families: Family[] = []
  const byToken = new Map<string, Family>()
  const strangers: Operation[] = []
  const begin = (token: string, code: string | undefined, born: Operation) => {
    const family: Family = {
      ...{ code, born, exchanges: [], revocations: [], introspections: [] },
      ...{ refresh_tokens: new Map(), access_tokens: new Map() },
    }
    families.push(family)
    byToken.set(token, family)
    return family
  }
  // In order of invocation, a token's birth comes before whatever presents it.
  for (const operation of operations) {
    const { op, key, result } = operation
    const answer = operation.t_ok === undefined ? undefined : result
    if (op === 'authorize') {
      if (answer?.code !== undefined) begin(answer.code, answer.code, operation)
      continue
    }
    if (op === 'client_credentials') {
      const token = answer?.access_token
      if (token !== undefined) keepAccessToken(begin(token, undefined, operation), token, operation)
      continue
    }
    const family = byToken.get(key)
    if (!family) {
      strangers.push(operation)
      continue
    }
    place(family, operation)
    for (const token of keepAnswer(family, operation, answer)) byToken.set(token, family)
  }
  return { families, strangers }
}

function place(family: Family, operation: Operation): void {
  const { op, key } = operation
  if (op === 'exchange') family.exchanges.push(operation)
  else if (op === 'refresh') family.refresh_tokens.get(key)?.uses.push(operation)
  else if (op === 'introspect') family.introspections.push(operation)
  else if (op === 'revoke') (family.access_tokens.get(key)?.revocations ?? family.revocations).push(operation)
}

function keepAnswer(family: Family, operation: Operation, answer: Operation['result']): string[] {
  const known: string[] = []
  if (answer?.access_token !== undefined) {
    keepAccessToken(family, answer.access_token, operation)
    known.push(answer.access_token)
  }
  const token = answer?.refresh_token
  if (token !== undefined) {
    const parent = family.refresh_tokens.get(operation.key) ?? null
    parent?.successors.add(token)
    if (!family.refresh_tokens.has(token)) {
      family.refresh_tokens.set(token, { token, born: operation, parent, successors: new Set(), uses: [] })
    }
    known.push(token)
  }
  return known
}

function keepAccessToken(family: Family, token: string, born: Operation): void {
  if (!family.access_tokens.has(token)) family.access_tokens.set(token, { born, revocations: [] })
}

/** When a successor of this token may first have been used: from then on this token is an old one. */
export function mayBeOldFrom(family: Family, token: RefreshToken): number {
  return earliest(usesOfSuccessors(family, token).filter(mayHaveHappened), ({ t_invoke }) => t_invoke)
}

/** When the use of a successor of this token was first answered: from then on this token must not be taken. */
export function isOldFrom(family: Family, token: RefreshToken): number {
  return earliest(usesOfSuccessors(family, token), ({ t_ok }) => t_ok)
}

function usesOfSuccessors(family: Family, token: RefreshToken): Operation[] {
  return [...token.successors].flatMap((successor) => family.refresh_tokens.get(successor)?.uses ?? [])
}

/** From when on something that was done may have ended a grant: a revocation, a code or an old refresh token replayed. */
export function mayHaveEndedFrom(family: Family): number {
  let from = earliest(family.revocations.filter(mayHaveHappened), ({ t_invoke }) => t_invoke)
  for (const token of family.refresh_tokens.values()) {
    const old_from = mayBeOldFrom(family, token)
    const replays = token.uses.filter((use) => mayHaveBeenRefused(use) && endOf(use) > old_from)
    from = Math.min(
      from,
      earliest(replays, ({ t_invoke }) => Math.max(t_invoke, old_from)),
    )
  }
  return Math.min(from, mayBeReplayedFrom(family))
}

// One exchange redeemed the code, another came after it.
function mayBeReplayedFrom({ exchanges }: Family): number {
  const redemptions = exchanges.filter(mayHaveHappened)
  const replays = exchanges.filter(mayHaveBeenRefused)
  return earliest(redemptions, (redemption) =>
    earliest(replays, (replay) => (replay === redemption ? undefined : Math.max(redemption.t_invoke, replay.t_invoke))),
  )
}

/** Whether a call was refused for what it presented, or may have been: a 429 or a 5xx turned it away before. */
export function mayHaveBeenRefused({ t_ok, t_fail, result }: Operation): boolean {
  return t_ok === undefined && (t_fail === undefined || (result?.status ?? 0) < 429)
}

/** The least of some moments; never, when there is none. */
export function earliest<T>(items: readonly T[], moment: (item: T) => number | undefined): number {
  let least = Number.POSITIVE_INFINITY
  for (const item of items) least = Math.min(least, moment(item) ?? least)
  return least
}
