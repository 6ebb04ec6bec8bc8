import { badge, type Tone } from './components.ts'
import type { SafeHtml } from './html.ts'
import type { View } from './view.ts'

/** The state of a connection, as its record has it. */
export type ConnectionState = 'pending' | 'ready' | 'refreshing' | 'needs_reconsent' | 'error' | 'disconnected'

const REASONS = ['revoked', 'expired', 'scope_removed', 'consent_withdrawn', 'account_changed'] as const

/** Why a connection needs its owner. */
export type ConnectionReason = (typeof REASONS)[number] | 'unknown'

/** The reason of a connection, among those that pages have words for. */
export function readReason(reason: string | null): ConnectionReason {
  return REASONS.find((known) => known === reason) ?? 'unknown'
}

/** When the provider ends a connection, where its owner was told that this is soon. */
export function readLapse(connection: {
  readonly state: ConnectionState
  readonly warned_at: number | null
  readonly refresh_expires_at: number | null
  readonly access_expires_at: number | null
}): number | undefined {
  const { state, warned_at, refresh_expires_at, access_expires_at } = connection
  if (warned_at === null || (state !== 'ready' && state !== 'refreshing')) return undefined
  return refresh_expires_at ?? access_expires_at ?? undefined
}

const TONES: Record<ConnectionState, Tone | undefined> = {
  pending: undefined,
  ready: 'good',
  refreshing: 'good',
  needs_reconsent: 'warning',
  error: 'danger',
  disconnected: undefined,
}

/** The state of a connection as a word with a colour, to its owner. */
export function stateBadge(view: View, state: ConnectionState): SafeHtml {
  return badge(view.text.state[state], TONES[state])
}

/** The same to an administrator, whom it does not need. */
export function stateBadgeOfOthers(view: View, state: ConnectionState): SafeHtml {
  return badge(stateOfOthers(view, state), TONES[state])
}

/** The state of somebody else's connection as a word. */
export function stateOfOthers(view: View, state: ConnectionState): string {
  return state === 'needs_reconsent' ? view.text.console.connections.needs_owner : view.text.state[state]
}
