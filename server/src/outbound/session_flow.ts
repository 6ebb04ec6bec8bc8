import { randomSecret } from '../crypto/random.ts'
import type { ConnectSessionAuthority, ConnectSessionRecord } from '../store/verbs/connect_sessions.ts'
import type { ConnectionOwner } from '../store/verbs/connections.ts'

/** Where a person who is in a connect session goes on: there is the state of it, and nothing without its browser. */
export const SESSION_PATH = '/connect/session'

// Of other forms than what flows of signed-in users go by, which they can never be taken for.
const PREFIXES = { state: 'sp_cf_', choice: 'sp_cc_', brokered: 'sp_bc_' } as const
const OF_A_SESSION = /^sp_(cf|cc|bc)_[\w-]{43}$/

/** A name for a flow of a session. */
export function newSessionFlow(kind: keyof typeof PREFIXES): string {
  return randomSecret(PREFIXES[kind])
}

/** Whether a state, a choice or a brokered flow is of a connect session, so that nobody has to be signed in for it. */
export function isSessionFlow(name: string | null | undefined): boolean {
  return OF_A_SESSION.test(name ?? '')
}

/** Where a session goes on, under the issuer. */
export function sessionHref(issuer: string, session_id: string): string {
  return `${new URL(issuer).pathname.replace(/\/$/, '')}${SESSION_PATH}?session_id=${encodeURIComponent(session_id)}`
}

/** Whose a connection of this session is: a user of ours, or one of the platform's. */
export function ownerOfSession({ user_id, client_id, end_user_id }: ConnectSessionRecord): ConnectionOwner {
  return user_id !== null ? ownerOfUser(user_id) : { user_id: null, client_id, end_user_id }
}

/** A user of ours as an owner. */
export function ownerOfUser(user_id: string): ConnectionOwner {
  return { user_id, client_id: null, end_user_id: null }
}

/** Whether a session may still bring a connection. */
export function isLivingSession({ now, session, client_disabled_at }: ConnectSessionAuthority): boolean {
  return (
    session.finished_at === null && session.ended_at === null && session.expires_at > now && client_disabled_at === null
  )
}

/** Whether what a session brings waits for its platform: only a signed-in owner needs nobody's word. */
export function awaitsConfirmation({ user_id }: Pick<ConnectSessionRecord, 'user_id'>): boolean {
  return user_id === null
}

/** How long a platform may take to confirm, and an operator to look at what an invited person has connected. */
export const CONFIRMED_WITHIN_MS = 600_000
export const SEEN_WITHIN_MS = 7 * 86_400_000

/** What proves to a platform that whoever brings it holds the browser that finished. */
export function newConfirmation(): string {
  return randomSecret('sp_cn_')
}

/** Where that is sealed. */
export function confirmationPlace(session_id: string) {
  return { table: 'connect_sessions', row: session_id, column: 'sealed_code', version: 1 }
}

/** Whether an account is the one that an invitation names, by its id or by what people call it; true where neither is known. */
export function isExpectedAccount(
  expected: string | null,
  { account, account_name }: { readonly account: string | null; readonly account_name: string | null },
): boolean {
  if (expected === null || (account === null && account_name === null)) return true
  return account === expected || account_name?.toLowerCase() === expected.toLowerCase()
}
