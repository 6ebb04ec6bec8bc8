import type { TokenSealer } from '../crypto/sealed_token.ts'
import type { Egress } from '../egress/egress.ts'
import type { Tenant } from '../store/tenant.ts'
import type { MetadataDocuments } from './metadata_documents.ts'
import type { ProcessCounters } from './process_counters.ts'
import type { RefusedLogins } from './refused_logins.ts'
import type { RemoteKeys } from './remote_keys.ts'
import type { UsageCounter } from './usage.ts'

/** What an inbound use case works with: the tenant, this process's token sealers, and the counter of routine work. */
export interface InboundContext {
  readonly tenant: Tenant
  readonly access_tokens: TokenSealer
  readonly interactions: TokenSealer
  readonly usage: UsageCounter
  /** What this process counts by itself: see limits.ts. */
  readonly counters: ProcessCounters
  readonly refused_logins: RefusedLogins
  /** What clients say of themselves at the URL that is their client_id. */
  readonly documents: MetadataDocuments
  /** The way out to what clients name: their keys, their metadata documents, their logout addresses. */
  readonly egress: Egress
  /** The key sets that clients and trusted issuers publish. */
  readonly remote_keys: RemoteKeys
}
