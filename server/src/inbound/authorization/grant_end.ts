const HOUR = 3600
const DAY = 86_400

/** The ends that the consent page offers, in seconds from now. */
const CHOICES = [HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY]

/** The ends before the latest one that a grant can have: what its user may choose from. */
export function offerEnds(latest_at: number, now: number): number[] {
  return CHOICES.filter((seconds) => now + seconds * 1000 < latest_at)
}

/** The end that the user has chosen; anything that was not offered is no choice, and the latest end holds. */
export function chooseEnd(offered: readonly number[], expires_in: number | undefined, now: number): number | null {
  return expires_in !== undefined && offered.includes(expires_in) ? now + expires_in * 1000 : null
}
