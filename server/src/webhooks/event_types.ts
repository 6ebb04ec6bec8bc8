import type { ChainedEvent } from '../store/event_chain.ts'

/** What a receiver is told of: the audit events that it is made of, and which members of their detail go along. */
interface EventType {
  readonly of: readonly string[]
  readonly members: readonly string[]
}

/**
 * Every type of webhook event. What happened is named by ids: whoever wants more asks the API, where the audit log sees
 * it. Texts that a provider or a person chose are in none of them.
 */
export const EVENT_TYPES = {
  'connection.pending': {
    of: ['connection.pending'],
    members: ['connector', 'scope', 'end_user_id', 'session_id'],
  },
  'connection.ready': {
    of: ['connection.connected', 'connection.reconnected', 'connection.confirmed', 'connection.recovered'],
    members: ['connector', 'scope', 'end_user_id', 'session_id'],
  },
  'connection.expires_soon': { of: ['connection.expires_soon'], members: ['connector', 'expires_at'] },
  'connection.refresh_failed': { of: ['connection.refresh_failed'], members: ['connector', 'error', 'uncertain'] },
  'connection.needs_reconsent': { of: ['connection.needs_reconsent'], members: ['connector', 'reason'] },
  'connection.disconnected': { of: ['connection.disconnected'], members: ['connector', 'reason'] },
  'connector.error': { of: ['connector.failed'], members: ['connector', 'error'] },
  'connector.ready': { of: ['connector.recovered'], members: ['connector'] },
  'grant.created': { of: ['grant.created'], members: [] },
  'grant.ended': { of: ['grant.revoked', 'consent.withdrawn'], members: [] },
  'user.created': { of: ['user.created'], members: [] },
  'user.updated': { of: ['user.updated'], members: ['changed'] },
  'user.disabled': { of: ['user.disabled'], members: [] },
  'user.enabled': { of: ['user.enabled'], members: [] },
  'user.deleted': { of: ['user.deleted'], members: [] },
  'webhook.disabled': { of: ['webhook.disabled'], members: ['webhook', 'reason'] },
} as const satisfies Readonly<Record<string, EventType>>

/** A type of webhook event. */
export type EventTypeName = keyof typeof EVENT_TYPES

/** The names of all of them. */
export const EVENT_TYPE_NAMES = Object.keys(EVENT_TYPES) as EventTypeName[]

const BY_AUDIT_EVENT: ReadonlyMap<string, EventTypeName> = new Map(
  EVENT_TYPE_NAMES.flatMap((name) => EVENT_TYPES[name].of.map((audit_type) => [audit_type, name] as const)),
)

/** As what an audit event is told, or undefined for one that is nobody else's business. */
export function toEventType(audit_type: string): EventTypeName | undefined {
  return BY_AUDIT_EVENT.get(audit_type)
}

/** Whether a text names a type that there is. */
export function isEventType(type: string): type is EventTypeName {
  return Object.hasOwn(EVENT_TYPES, type)
}

/** The body of a webhook: the same at each try, and to each receiver. */
export function buildPayload(
  issuer: string,
  type: EventTypeName,
  event: ChainedEvent & { readonly sequence: number | null },
): string {
  const { at, sequence, client_id, user_id, grant_id, connection_id } = event
  const detail = JSON.parse(event.detail) as Readonly<Record<string, unknown>>
  const { members }: EventType = EVENT_TYPES[type]
  const told = members.flatMap((name) => (isTold(detail[name]) ? [[name, detail[name]] as const] : []))
  const ids = Object.entries({ client_id, user_id, grant_id, connection_id }).filter(([, id]) => id !== null)
  const timestamp = new Date(at).toISOString()
  return JSON.stringify({ type, timestamp, sequence, issuer, data: Object.fromEntries([...ids, ...told]) })
}

// A detail that was erased has no members left; what is no plain value is for the log alone.
function isTold(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string')
  return ['string', 'number', 'boolean'].includes(typeof value)
}
