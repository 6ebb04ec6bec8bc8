import { OAuthError } from '../../oauth/errors.ts'
import type { ConnectorRecord } from '../../store/verbs/connectors.ts'
import type { ConnectorSettings } from '../connectors/connector.ts'
import { type OutboundContext, outboundEvent } from '../context.ts'

const HOUR = 3600
const DAY = 86_400
const ENDS = [HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY]

/** What a person chose beside the account, and what is kept of it with the connection. */
export interface ChosenTerms {
  /** How long it is to last, in seconds; null is for as long as the connector allows, or as it was before. */
  readonly lifetime_seconds: number | null
  /** The redirect URI that it went by. */
  readonly redirect_uri: string
}

/** The ends that a page offers for connections through a connector, in seconds from now, and its maximum. */
export function offerEnds(connector: Pick<ConnectorRecord, 'settings'>) {
  const { connection_lifetime_seconds: longest_seconds } = readSettings(connector)
  const end_choices = ENDS.filter((seconds) => seconds < (longest_seconds ?? Infinity))
  return { end_choices, longest_seconds }
}

// What a page shows does not hang on whether the catalogue still has the provider.
function readSettings({ settings }: Pick<ConnectorRecord, 'settings'>): ConnectorSettings {
  return JSON.parse(settings) as ConnectorSettings
}

/** Reads how long a connection is to last, in seconds; null where nothing is chosen. */
export function readLifetime(expires_in: string | undefined): number | null {
  if (expires_in === undefined || expires_in === '') return null
  if (!/^[1-9]\d{0,8}$/.test(expires_in)) {
    throw new OAuthError('invalid_request', 'Parameter expires_in must be a whole number of seconds')
  }
  return Number(expires_in)
}

/** What was chosen within the connector's maximum, in milliseconds; null is no end. */
export function boundLifetime({ connection_lifetime_seconds: longest }: ConnectorSettings, seconds: number | null) {
  const bound = Math.min(seconds ?? Infinity, longest ?? Infinity)
  return Number.isFinite(bound) ? bound * 1000 : null
}

/** Changes when a user's own connection ends, within its connector's maximum; false when there is none to change. */
export async function changeEnd(
  context: OutboundContext,
  ask: { readonly connection_id: string; readonly user_id: string; readonly lifetime_seconds: number | null },
): Promise<boolean> {
  const { tenant_id, store } = context.tenant
  const { connection_id, user_id } = ask
  const authority = await store.loadConnection({ tenant_id, connection_id })
  if (authority?.connection.user_id !== user_id) return false
  const { connector } = authority.connection
  const lifetime_ms = boundLifetime(readSettings(authority.connector), ask.lifetime_seconds)
  const detail = { connector, lifetime_seconds: lifetime_ms === null ? null : lifetime_ms / 1000 }
  const event = outboundEvent(context, 'connection.end_changed', `user:${user_id}`, { connection_id, user_id, detail })
  return store.setConnectionEnd({ tenant_id, connection_id, user_id, lifetime_ms, event })
}
