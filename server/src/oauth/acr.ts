import type { ClaimWish } from './claims_request.ts'

/**
 * How surely somebody was recognised, from weakest to strongest: the values of `acr` that this server has. `phr` is the
 * registered name of phishing-resistant sign-in (OpenID Connect EAP ACR Values 1.0 section 2).
 */
export const ACRS = [
  // One factor, the password.
  'pwd',
  // Two factors of any kind (RFC 8176 `mfa`).
  'mfa',
  // A key that answers only the site it was made for, on a device that its owner has unlocked.
  'phr',
] as const

/** A value of the table above. */
export type Acr = (typeof ACRS)[number]

/** Whether a value is one of the table. */
export function isAcr(value: unknown): value is Acr {
  return ACRS.includes(value as Acr)
}

/** What the methods of a sign-in (RFC 8176) amount to. */
export function acrOf(amr: readonly string[]): Acr {
  if (amr.includes('user') && (amr.includes('hwk') || amr.includes('swk'))) return 'phr'
  return amr.includes('mfa') ? 'mfa' : 'pwd'
}

/** Whether a sign-in is at least as sure as asked; one of which nothing was noted is the weakest. */
export function meetsAcr(acr: string | null, wanted: Acr): boolean {
  return ACRS.indexOf(isAcr(acr) ? acr : 'pwd') >= ACRS.indexOf(wanted)
}

/** What a client asks of the sign-in: values in its order of preference, and whether none of them will not do. */
export interface AcrWish {
  readonly acr_values: readonly string[]
  readonly essential: boolean
}

/** The wish of a request: an essential `acr` in `claims` decides alone (OpenID Connect Core sections 5.5.1.1 and 3.1.2.1). */
export function readAcrWish(acr_values: readonly string[], claim: ClaimWish | undefined): AcrWish {
  const wanted = (claim?.values ?? []).filter((value) => typeof value === 'string')
  // An essential acr of any value is met by every sign-in: each has one.
  if (claim?.essential && wanted.length > 0) return { acr_values: wanted, essential: true }
  return { acr_values: [...new Set([...wanted, ...acr_values])], essential: false }
}

/** The value to say of a sign-in: the most preferred of those asked for that it meets, else what it is. */
export function acrToSay(acr: string | null, wish: AcrWish): Acr {
  const said = wish.acr_values.find((value): value is Acr => isAcr(value) && meetsAcr(acr, value))
  return said ?? (isAcr(acr) ? acr : 'pwd')
}
