import { randomSecret } from '../../crypto/random.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { ConnectSessionAuthority, ConnectSessionRecord } from '../../store/verbs/connect_sessions.ts'
import type { ConnectionOwner } from '../../store/verbs/connections.ts'
import { type Connector, grantTypeOf } from '../connectors/connector.ts'

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

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'

/** Refuses a connector that a session cannot be for. */
export function checkConnectorOf(
  { user_id, expected_account }: Pick<ConnectSessionRecord, 'user_id' | 'expected_account'>,
  connector: Connector,
): void {
  // Whoever signs in here is asked on pages of ours, whatever for.
  if (user_id !== null) return
  const grant_type = grantTypeOf(connector)
  const { account, credential, issuer } = connector.provider
  if (grant_type !== 'authorization_code' && grant_type !== DEVICE) {
    throw new OAuthError('invalid_request', 'Member connectors names one that only people of this server connect')
  }
  const is_told = credential === 'oauth' && (account !== null || issuer !== null)
  if (expected_account !== null && !is_told) {
    throw new OAuthError('invalid_request', 'Member expected_account goes with connectors that tell the account')
  }
  // Who types the code at the provider may be anybody, whom the code was sent (RFC 8628 section 5.4): no browser comes
  // back from there, so that nothing but the account says who it was.
  if (grant_type === DEVICE && (expected_account === null || account?.of === 'organization')) {
    throw new OAuthError(
      'invalid_request',
      'Member connectors names one that people allow by a code: it needs expected_account, and a provider that tells the person',
    )
  }
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

/**
 * Whether an account is the one that a session names: by what the provider knows it by, or by an address that the provider
 * has verified. What people call themselves over there says nothing, and what cannot be compared is another one.
 */
export function isExpectedAccount(
  expected: string | null,
  { account, verified_email }: { readonly account: string | null; readonly verified_email: string | null },
): boolean {
  if (expected === null || account === expected) return true
  return verified_email !== null && foldAscii(verified_email) === foldAscii(expected)
}

// Other letters have lower cases that are somebody else's.
function foldAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
