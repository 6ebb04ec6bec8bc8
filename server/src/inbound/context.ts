import type { TokenSealer } from '../crypto/sealed_token.ts'
import type { Egress } from '../egress/egress.ts'
import type { LetterTexts } from '../languages/en_letters.ts'
import type { Languages } from '../languages/languages.ts'
import type { Outbox } from '../mail/outbox.ts'
import type { Tenant } from '../store/tenant.ts'
import type { ConnectorRecord } from '../store/verbs/connectors.ts'
import type { CertificateForwarding } from './certificate_forwarding.ts'
import type { ClaimsHook } from './claims_hook.ts'
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
  /** The code challenges of late, apart from the others: each code is for one, and would push a counter out. */
  readonly challenges: ProcessCounters
  readonly refused_logins: RefusedLogins
  /** What clients say of themselves at the URL that is their client_id. */
  readonly documents: MetadataDocuments
  /** What is written to people, after the answer has left. */
  readonly outbox: Outbox
  /** What it is written in. */
  readonly languages: Pick<Languages<LetterTexts>, 'choose'>
  /** The way out to what clients name: their keys, their metadata documents, their logout addresses. */
  readonly egress: Egress
  /** The key sets that clients and trusted issuers publish. */
  readonly remote_keys: RemoteKeys
  /** How the certificates of clients reach us; null where no proxy passes them on. */
  readonly certificate_forwarding: CertificateForwarding | null
  /** Whether the API behind a connector tells reading from writing by the method of a call, so that reading can be allowed alone. */
  readonly reads_by_method: (connector: ConnectorRecord) => boolean
  /** An embedder's own claims. */
  readonly claims_hook?: ClaimsHook | undefined
}
