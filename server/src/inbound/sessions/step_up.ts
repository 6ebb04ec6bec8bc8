import { type Acr, type AcrWish, isAcr, meetsAcr } from '../../oauth/acr.ts'

/** What a request wants of the sign-in behind it. */
export interface WantedSignIn {
  /** Whoever signs in must do so for this request: `prompt=login` and `select_account`. */
  readonly anew: boolean
  /** Seconds since the sign-in, at most. */
  readonly max_age: number | undefined
  readonly acr: AcrWish
  /** The session is the answer to this very request. */
  readonly answered: boolean
  /** The surest sign-in that the user has the factors for. */
  readonly reachable: Acr
}

/** Whether a session will do; else the sign-in that is needed, or that none will do. */
export type StepUp =
  | { readonly kind: 'enough' }
  | { readonly kind: 'sign_in'; readonly acr: Acr }
  | { readonly kind: 'unmet' }

/**
 * Step-up (RFC 9470, OpenID Connect Core section 3.1.2.1): age and method are asked for each by itself, so that a recent
 * sign-in by a weaker method is not enough.
 */
export function judgeStepUp(
  session: { readonly auth_time: number; readonly acr: string | null },
  wanted: WantedSignIn,
  now: number,
): StepUp {
  const { answered } = wanted
  const { acr_values, essential } = wanted.acr
  const known = acr_values.filter(isAcr)
  const reached = known.find((acr) => meetsAcr(wanted.reachable, acr))
  if (essential && reached === undefined && !known.some((acr) => meetsAcr(session.acr, acr))) return { kind: 'unmet' }
  const old = wanted.max_age !== undefined && now - session.auth_time > wanted.max_age * 1000
  const weak = reached !== undefined && !known.some((acr) => meetsAcr(session.acr, acr))
  // Whoever was asked, and chose a weaker way, is not asked again for what is only preferred.
  const must = weak && (essential || !answered)
  if (must || ((wanted.anew || old) && !answered)) return { kind: 'sign_in', acr: reached ?? 'pwd' }
  return { kind: 'enough' }
}

/** How long a sign-in is fresh enough to change how one signs in (ASVS 7.5.1). */
export const FRESH_MS = 10 * 60_000

/** Whether somebody has proved just now, by the surest way they have but for a passkey, who they are (ASVS 7.5.1, 7.5.3). */
export function isFresh(
  session: { readonly auth_time: number; readonly acr: string | null },
  reachable: Acr,
  now: number,
): boolean {
  return now - session.auth_time <= FRESH_MS && meetsAcr(session.acr, reachable === 'pwd' ? 'pwd' : 'mfa')
}
