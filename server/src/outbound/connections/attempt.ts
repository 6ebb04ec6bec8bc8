import type { ConnectionAuthority } from '../../store/verbs/connections.ts'
import type { Connector } from '../connectors/connector.ts'
import type { ProviderTokens, Vault } from '../vault/vault.ts'

/** One refresh of a connection under way: what was read, and the intent that was committed. */
export interface Attempt {
  readonly authority: ConnectionAuthority
  readonly connector: Connector
  readonly vault: Vault
  /** What is held, of which the refresh token is sent. */
  readonly tokens: ProviderTokens
  readonly intent_id: string
  /** The database's time of the intent: whatever the provider answers is at least as young. */
  readonly leased_at: number
  /** Since when an earlier answer may be lost. */
  readonly uncertain_at: number | null
  /** The connection needs a new consent already: upkeep asks whether the provider meant it. */
  readonly is_second_look: boolean
  /** The first try of this refresh. */
  readonly may_repeat: boolean
}
