import { TokenSealer } from '../../crypto/sealed_token.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { Action } from './connections.ts'

/** What a user is asked for by a page that somebody sends them to: the use of a connection, for one grant of one client. */
export interface ConnectionAsk {
  readonly connector: string
  readonly client_id: string
  readonly grant_id: string
  /** Nobody else can answer. */
  readonly user_id: string
  /** The resource whose server is to use it for the client; null is the client itself. */
  readonly resource: string | null
  /** What is to be done by it; null leaves it to the user. */
  readonly actions: readonly Action[] | null
  readonly asked_at: number
}

/** How long an answer may take: an agent may ask at night. */
const ASK_LIFETIME_MS = 24 * 60 * 60_000

const asks = new TokenSealer('connection_ask', '')

/**
 * The page on which the user can allow it. The link carries no right: it opens for this user alone, once they are signed
 * in, and what they allow there goes to this grant and to nothing else.
 */
export function connectionAskUrl(tenant: Tenant, ask: Omit<ConnectionAsk, 'asked_at'>): string {
  const request = asks.seal(tenant.keys, { ...ask, asked_at: tenant.clock() })
  return `${tenant.issuer}/connect/${ask.connector}/allow?request=${request}`
}

/** What a link asks for; null when it is not ours, of another connector, or too old. */
export function openConnectionAsk(tenant: Tenant, connector: string, sealed: string | undefined): ConnectionAsk | null {
  const claims = sealed === undefined ? null : asks.open(tenant.keys, sealed)
  if (!claims) return null
  // What was sealed here is whole.
  const ask = claims as unknown as ConnectionAsk
  return ask.connector === connector && tenant.clock() - ask.asked_at <= ASK_LIFETIME_MS ? ask : null
}
