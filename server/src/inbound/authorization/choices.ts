import type { Client } from '../../oauth/clients/client.ts'
import type { Configuration } from '../../store/tenant.ts'
import { isOffline, latestEnd } from './new_grant.ts'

const HOUR = 3600
const DAY = 86_400

/** The ends that a page offers, in seconds from now. */
const ENDS = [HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY]

/** What of a request whoever allows it may choose. */
export interface Choices {
  /** The scopes that they may leave out. */
  readonly optional_scope: readonly string[]
  /** Whether it is to outlive the session, if they choose no end. */
  readonly offline: boolean
  /** The ends before the latest one, in seconds. */
  readonly ends: readonly number[]
}

/** What they chose. */
export interface Chosen {
  /** The optional scopes that were not left out. */
  readonly kept_scope?: readonly string[]
  /** The end, in seconds. */
  readonly expires_in?: number | undefined
}

/** The choices that a client leaves: its optional scopes, and the ends before the latest one that its grant can have. */
export function offerChoices(
  client: Client,
  configuration: Configuration,
  asked: { readonly scope: readonly string[]; readonly session: { readonly expires_at: number }; readonly now: number },
): Choices {
  const { scope, session, now } = asked
  const offline = isOffline(client, scope)
  const latest_at = latestEnd(client, configuration, { offline, session, now })
  return {
    optional_scope: (client.optional_scope ?? '').split(' ').filter((name) => scope.includes(name)),
    offline,
    ends: listEnds(now, latest_at),
  }
}

/** The ends before the latest one that a page offers, in seconds from now. */
export function listEnds(now: number, latest_at: number): number[] {
  return ENDS.filter((seconds) => now + seconds * 1000 < latest_at)
}

/** What is left of the scopes, and the end that was chosen: one that was not offered is no choice, and the latest holds. */
export function choose(
  { optional_scope, ends }: Choices,
  { kept_scope = [], expires_in }: Chosen,
  asked: { readonly scope: readonly string[]; readonly now: number },
): { readonly scope: readonly string[]; readonly ends_at: number | null } {
  const isKept = (name: string) => !optional_scope.includes(name) || kept_scope.includes(name)
  const ends_at = expires_in !== undefined && ends.includes(expires_in) ? asked.now + expires_in * 1000 : null
  return { scope: asked.scope.filter(isKept), ends_at }
}
